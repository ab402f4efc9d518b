"""What all tabs of a window share: threads, messages, and the one worker with its queue."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.bridge import Client, WorkerBridge, worker_client
from app.settings import Settings
from app.state.jobs.queue import JobQueue
from app.state.jobs.restoring import Restoring
from app.state.notices import Notices, describe
from app.state.opening.recent import RecentSources
from app.state.opening.remembered import RememberedReadings
from app.state.pattern.kept_patterns import KeptPatterns
from app.state.reading.lane import reading_pool
from app.state.spikes.kept_rates import KeptRates
from engine.errors import EngineError

LONG_THREADS = 2


class Desk(QObject):
    """Made once for a window; every open sequence has a `Studio` on it."""

    closing = Signal()
    """The last moment to stop asking the threads for anything."""

    def __init__(
        self,
        settings: Settings,
        parent: QObject | None = None,
        *,
        make_client: Callable[[], Client] = worker_client,
        edits_folder: Path | None = None,
        rates_folder: Path | None = None,
        patterns_folder: Path | None = None,
    ) -> None:
        super().__init__(parent)
        self.settings = settings
        self.edits_folder = edits_folder
        """Where alignment edits are kept until they are exported; None keeps none."""
        self.kept_rates = KeptRates(rates_folder)
        self.kept_patterns = KeptPatterns(patterns_folder)
        self.pool: ThreadPoolExecutor = reading_pool()
        self.long_pool = ThreadPoolExecutor(LONG_THREADS, thread_name_prefix="long")
        """For what takes minutes, so that no frame has to wait for it."""
        self.notices = Notices(self)
        self.bridge = WorkerBridge(make_client, self)
        self.queue = JobQueue(self.bridge, self)
        self.readings = RememberedReadings(settings)
        self.recent = RecentSources(settings, self)
        self.restoring = Restoring(settings, self, self.pool)
        self.restoring.problem_found.connect(self._on_method_problem)
        self.queue.described.connect(self.restoring.learn)

    def _on_method_problem(self, error: EngineError) -> None:
        told = describe(error)
        self.notices.add(replace(told, severity="warning"))

    def close(self) -> None:
        """End the worker and wait for the threads; whoever reads must have been told to stop before."""
        self.closing.emit()
        self.bridge.close()
        for pool in (self.pool, self.long_pool):
            pool.shutdown(wait=True, cancel_futures=True)
