"""Sequences and workers in memory, and a studio that touches nothing of the user's."""

import copy
import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from shiboken6 import isValid

from app.bridge import WorkerBridge
from app.settings import Settings
from app.state.reading.lane import reading_pool
from app.state.studio import Studio
from app.ui.parts.theme import Theme
from app.ui.window.main_window import MainWindow
from engine.alignment import AlignmentWindow
from engine.errors import WorkerError
from engine.findings import Finding
from engine.fixed_pattern import FixedPattern
from engine.fixed_pattern.kept import read_pattern
from engine.frame_times import FrameRate, FrameTimes
from engine.geometry import Size, Span
from engine.moment import Moment
from engine.recording.plane_source import PlaneSource
from engine.recording.recording import RecordingInfo
from engine.registration import Registration
from engine.sequence import Sequence as OpenSequence
from engine.source import SequenceSource
from engine.voxels import VoxelGrid
from engine.worker.messages import WorkerMessage


@pytest.hookimpl(trylast=True)
def pytest_configure() -> None:
    """Draw off screen where neither a screen nor Xvfb is there; pytest-xvfb has had its turn by now."""
    if sys.platform.startswith("linux") and not {"DISPLAY", "WAYLAND_DISPLAY"} & os.environ.keys():
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


FRAME = Size(60, 80)
SPIKES = Size(30, 40)
RATE_HZ = 2000.0


class FakeRecording(PlaneSource):
    """Planes of which number p has p % 7 spikes."""

    def __init__(self, planes: int = 200, rate_hz: float | None = RATE_HZ, size: Size = SPIKES) -> None:
        super().__init__(
            RecordingInfo(
                path=Path("spike.dat"),
                format="packed",
                height=size.height,
                width=size.width,
                planes=planes,
                bytes=planes * 150,
                rate_hz=rate_hz,
            )
        )
        self.planes = planes

    def packed(self, start: int, stop: int) -> np.ndarray:
        rows = np.zeros((stop - start, 150), np.uint8)
        for row, plane in enumerate(range(start, stop)):
            rows[row, : plane % 7] = 1
        return rows


@dataclass
class FakeSequence:
    """Frame i is grey of value i / 100. Reading waits while `gate` is shut."""

    source: SequenceSource
    count: int = 10
    recording: FakeRecording | None = field(default_factory=FakeRecording)
    has_reference: bool = True
    windows_source: str = "log"
    findings: tuple[Finding, ...] = ()
    broken: frozenset[int] = frozenset()
    gate: threading.Event = field(default_factory=threading.Event)
    read: list[int] = field(default_factory=list)
    closed: bool = False
    moved: tuple[AlignmentWindow, ...] = ()
    layout = "unified"
    name = "fake"
    bit_depth = 8
    is_virtual: bool = False
    frame_size = FRAME
    frame_rate: FrameRate | None = None
    frame_times: FrameTimes | None = None
    sound_tracks: int = 0
    sound: object = None
    pattern: FixedPattern | Exception | None = None
    """What the recording shows of its sensor; None for nothing."""
    filling: None = None

    def __post_init__(self) -> None:
        self.gate.set()

    def __len__(self) -> int:
        return self.count

    @property
    def gamma(self) -> float:
        return self.source.gamma or 1.0

    @property
    def gamma_known(self) -> bool:
        return self.source.gamma is not None

    def with_windows(self, windows: Sequence[AlignmentWindow]) -> "FakeSequence":
        other = copy.copy(self)
        other.moved, other.windows_source = tuple(windows), "given"
        other.close = self.close  # type: ignore[method-assign]  # both are the same files
        return other

    @property
    def registration(self) -> Registration:
        assert self.recording is not None
        return Registration(self.frame_size, self.recording.info.size)

    @property
    def windows(self) -> tuple[AlignmentWindow, ...]:
        if self.moved:
            return self.moved
        if self.recording is None:
            return ()
        return tuple(AlignmentWindow(20 * i, 20 * i + 16) for i in range(self.count))

    def window(self, index: int) -> AlignmentWindow:
        return self.windows[index]

    def spike_limits(self, _: int) -> Span:
        return Span(0, 0 if self.recording is None else self.recording.planes)

    def frame_name(self, index: int) -> str:
        return f"{index + 1:04d}"

    def frame(self, index: int) -> np.ndarray:
        self.gate.wait(10)
        assert not self.closed
        self.read.append(index)
        if index in self.broken:
            from engine.errors import FrameError

            raise FrameError("not a picture", path=f"{index + 1:04d}.png", advice="Copy it again")
        return np.full((FRAME.height, FRAME.width, 3), index / 100, np.float32)

    frame_samples = frame

    def reference(self, index: int) -> np.ndarray | None:
        return np.full((FRAME.height, FRAME.width, 3), index / 100 + 0.1, np.float32)

    @property
    def fixed_pattern(self) -> FixedPattern:
        self.gate.wait(10)
        if isinstance(self.pattern, Exception):
            raise self.pattern
        flat = self.source.flat
        if flat not in (None, "none"):
            return read_pattern(flat)
        return FixedPattern.none(SPIKES) if self.pattern is None or flat == "none" else self.pattern

    def has_reference_for(self, _: int) -> bool:
        return self.has_reference

    def sound_of(self, _: Span) -> object:
        return self.sound

    def voxels(self, index: int, bins: int = 32) -> VoxelGrid:
        window = self.window(index)
        counts = np.ones((bins, SPIKES.height, SPIKES.width), np.float32) * (index + 1)
        return VoxelGrid.of(counts, window.start, window.stop, 0.0)

    def _spikes(self) -> FakeRecording:
        assert self.recording is not None
        return self.recording

    tfp = OpenSequence.tfp
    tfi = OpenSequence.tfi
    spikes_at = OpenSequence.spikes_at
    spikes_in = OpenSequence.spikes_in

    def close(self) -> None:
        self.closed = True


class FakeClient:
    """A worker client whose answers the test writes."""

    def __init__(self) -> None:
        self.submitted: list[tuple[SequenceSource, list[int], str]] = []
        self.answers: list[WorkerMessage] = []
        self.pictures: dict[tuple[int, int], np.ndarray] = {}
        self.released: list[tuple[int, int]] = []
        self.cancelled: list[int] = []
        self.looked_at: list[tuple[object, ...]] = []
        self.asked: list[tuple[object, ...]] = []
        self.open: list[int] = []
        self.killed = self.closed = self.started = False
        self.refuses = False

    @property
    def open_jobs(self) -> tuple[int, ...]:
        return tuple(self.open)

    def start(self) -> None:
        self.started = True

    def submit(self, source: SequenceSource, wanted: tuple[Moment, ...], method: str, *more: object) -> int:
        if self.refuses:
            raise WorkerError("no memory is left", advice="Close other programs")
        self.submitted.append((source, [moment.frame for moment in wanted], method))
        self.asked.append(more)
        job = len(self.submitted)
        self.open.append(job)
        return job

    def poll(self) -> list[WorkerMessage]:
        from engine.worker.messages import Cancelled, Failed, Finished

        answers, self.answers = self.answers, []
        for answer in answers:
            if isinstance(answer, Finished | Cancelled | Failed):
                self.open.remove(answer.job)
        return answers

    def picture(self, job: int, slot: int) -> np.ndarray:
        if (job, slot) not in self.pictures:
            raise WorkerError("the pictures are gone")
        return self.pictures[job, slot].copy()

    def release(self, job: int, slot: int) -> None:
        self.released.append((job, slot))

    def cancel(self, job: int) -> None:
        self.cancelled.append(job)

    def prioritise(self, job: int, frame: int, region: object = None, cursor: object = None) -> None:
        self.looked_at.append((job, frame, region, cursor))

    def kill(self) -> None:
        self.killed = True

    def close(self) -> None:
        self.closed = True


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings and logs of the tests stay in their folder."""
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))


@pytest.fixture(autouse=True)
def _application(qapp: QApplication) -> QApplication:
    """Qt objects need an application to live in, whether a test asks for one or not."""
    return qapp


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    pool = reading_pool()
    yield pool
    pool.shutdown(wait=True, cancel_futures=True)


@pytest.fixture
def client() -> FakeClient:
    return FakeClient()


@pytest.fixture
def bridge(client: FakeClient, qtbot: QtBot) -> Iterator[WorkerBridge]:
    bridge = WorkerBridge(lambda: client)
    with qtbot.captureExceptions() as exceptions:
        yield bridge
    assert not exceptions
    bridge.close()


@dataclass
class FakeFiles:
    """What opening gives: by path, a sequence's fields or an exception."""

    contents: dict[str, dict[str, object] | Exception] = field(default_factory=dict)
    opened: list[FakeSequence] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.gate.set()

    def open(self, source: SequenceSource) -> FakeSequence:
        self.gate.wait(10)
        content = self.contents.get(source.path, {})
        if isinstance(content, Exception):
            raise content
        sequence = FakeSequence(source, **content)  # type: ignore[arg-type]
        self.opened.append(sequence)
        return sequence


@pytest.fixture
def files() -> FakeFiles:
    return FakeFiles()


@pytest.fixture
def studio(qtbot: QtBot, files: FakeFiles, client: FakeClient) -> Iterator[Studio]:
    opener: Callable[[SequenceSource], FakeSequence] = files.open
    studio = Studio(Settings(), make_client=lambda: client, opener=opener)  # type: ignore[arg-type]
    with qtbot.captureExceptions() as exceptions:
        yield studio
    assert not exceptions
    for sequence in files.opened:
        sequence.gate.set()
    files.gate.set()
    if isValid(studio):
        studio.close()
    else:  # the test closed its tab
        studio.desk.close()


@pytest.fixture
def theme(qapp: QApplication) -> Theme:
    return Theme("dark", qapp)


@pytest.fixture
def window(studio: Studio, qtbot: QtBot) -> Iterator[MainWindow]:
    """The whole window over files and a worker in memory, shown and complete."""
    window = MainWindow(studio, studio.settings)
    window.resize(1200, 800)
    with qtbot.waitSignal(window.ready, timeout=30_000):
        window.show()
    yield window
    window.hide()
    window.deleteLater()


@pytest.fixture
def opened_window(window: MainWindow, qtbot: QtBot) -> MainWindow:
    """The window with a sequence of ten frames."""
    window.studio.open_source(SequenceSource("clip"))
    spikes = window.studio.spikes
    qtbot.waitUntil(lambda: window.studio.pictures.view is not None and spikes.voxels is not None)
    return window
