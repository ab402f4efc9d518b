"""All state of one window and everything a user can do to it; no widgets.

session ──opened──→ position, spikes
position, results ──changed──→ pictures ──changed──→ metrics
jobs ──frame_restored──→ results
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from app.bridge import Client, worker_client
from app.settings import MIB, Settings
from app.state.alignment.alignment import Alignment
from app.state.compare.comparing import PATTERN, SPIKE_SOURCES, Comparison
from app.state.compare.patches import Patches
from app.state.compare.pictures import Pictures
from app.state.compare.probe import SpikeProbe
from app.state.compare.results import Restored, RestoredFrames, spikes_of, was_made_from
from app.state.compare.scores import FrameMetrics
from app.state.export.exporting import BitDepth, Exports
from app.state.jobs.jobs import JobRequest, Jobs, JobState, JobStatus
from app.state.opening.sources import have_same_frames, sample_source, sources_from_paths
from app.state.pattern.pattern_use import OwnPatterns, PatternUse
from app.state.pattern.sensor_pattern import SensorPattern
from app.state.reports import Reports
from app.state.session.desk import Desk
from app.state.session.playback import Playback, frames_a_second
from app.state.session.position import Position
from app.state.session.session import Session, open_with_engine
from app.state.spikes.raster import Rasters
from app.state.spikes.spike_views import SpikeViews
from app.state.spikes.voxel_look import VoxelLook
from engine.geometry import Region, Span
from engine.moment import Moment
from engine.source import SequenceSource

if TYPE_CHECKING:
    from engine.sequence import Sequence


class Studio(QObject):
    """Owns the parts of the state and connects them."""

    abilities_changed = Signal()
    """What can be done now has changed: ask the `can_…` properties."""
    geometry_needed = Signal(object)
    """A `GeometryQuestion` for the user."""

    def __init__(
        self,
        settings: Settings,
        parent: QObject | None = None,
        *,
        make_client: Callable[[], Client] = worker_client,
        opener: "Callable[[SequenceSource], Sequence]" = open_with_engine,
        desk: Desk | None = None,
        edits_folder: Path | None = None,
        rates_folder: Path | None = None,
        patterns_folder: Path | None = None,
    ) -> None:
        super().__init__(parent)
        self.settings = settings
        self.desk = desk or Desk(
            settings,
            self,
            make_client=make_client,
            edits_folder=edits_folder,
            rates_folder=rates_folder,
            patterns_folder=patterns_folder,
        )
        self.pool: ThreadPoolExecutor = self.desk.pool
        self.notices = self.desk.notices
        self.reports = Reports(self.notices, self)
        self.bridge = self.desk.bridge
        self.opener = opener
        kept = self.desk.kept_patterns
        self.sensor = SensorPattern(self.pool, kept, self)
        self.pattern_use = PatternUse(
            self.sensor, kept, OwnPatterns(settings), self.notices, self.reports, self
        )
        self.session = Session(
            self.pool,
            self,
            opener=opener,
            recall=self.desk.readings.recall,
            prepare=self.pattern_use.without_forgotten,
        )
        self.position = Position(self)
        self.patches = Patches()
        self.results = RestoredFrames(settings.results_mib * MIB, self)
        self.comparison = Comparison(self)
        self.comparison.take_values(settings.panes)
        look = VoxelLook.of(settings, self.desk.restoring.takes)
        self.comparison.voxel_look = look
        self.pictures = Pictures(self.pool, self)
        self.pictures.wanted = self.comparison.wanted
        self.playback = Playback(self.position, self.pictures, settings, self)
        self.probe = SpikeProbe(self.pool, self)
        self.spikes = SpikeViews(
            self.pool,
            self,
            counting=self.desk.long_pool,
            kept=self.desk.kept_rates,
            look=look,
        )
        self.rasters = Rasters(self.pool, self, reach=settings.raster_reach)
        self.metrics = FrameMetrics(self.pool, self)
        self.jobs = Jobs(self.desk.queue, self)
        self.alignment = Alignment(self.session, self.position, self.pool, self.desk.edits_folder, self)
        self.exports = Exports(self.desk.long_pool, self)
        self._shown_source: SequenceSource | None = None
        self._connect()

    def _connect(self) -> None:
        self.pattern_use.follow(self.session, self.jobs)
        self.sensor.changed.connect(self._on_pattern)
        self.session.opened.connect(self._on_opened)
        self.session.closed.connect(self._on_closed)
        self.session.failed.connect(self.reports.cannot_open)
        self.session.geometry_needed.connect(self.geometry_needed)
        self.session.busy_changed.connect(self.abilities_changed)
        self.position.changed.connect(self._on_position)
        self.position.range_changed.connect(self.abilities_changed)
        self.pictures.changed.connect(self._on_view)
        self.pictures.failed.connect(self.reports.cannot_read_frame)
        self.spikes.failed.connect(self.reports.cannot_read_spikes)
        self.comparison.wanted_changed.connect(self._on_wanted)
        self.comparison.region_changed.connect(self._measure)
        self.metrics.failed.connect(self.reports.cannot_compare)
        self.results.changed.connect(self.abilities_changed)
        self.results.evicted.connect(lambda _: self.reports.memory_full(self.results.limit_bytes))
        self.jobs.state_changed.connect(self.abilities_changed)
        self.jobs.frame_restored.connect(self._on_frame_restored)
        self.jobs.region_restored.connect(self._on_region_restored)
        self.jobs.partial_changed.connect(self._on_partial)
        self.jobs.ended.connect(self._on_job_end)
        self.desk.restoring.changed.connect(self._on_restorer)
        self.alignment.changed.connect(self._on_windows)
        self.alignment.brought_back.connect(self.reports.alignment_brought_back)
        self.alignment.pictures.failed.connect(self.reports.cannot_read_spikes)
        self.exports.busy_changed.connect(self.abilities_changed)
        self.exports.failed.connect(self.reports.cannot_write)
        self.exports.finished.connect(self.reports.exported)
        self.exports.found.connect(self.reports.export_findings)

    # ------------------------------------------------------------------ what can be done

    @property
    def can_navigate(self) -> bool:
        return self.position.count > 0

    @property
    def can_deblur(self) -> bool:
        sequence = self.session.sequence
        return sequence is not None and sequence.recording is not None

    @property
    def can_cancel(self) -> bool:
        return self.jobs.is_running and not self.is_cancelling

    @property
    def is_cancelling(self) -> bool:
        return self.jobs.status is not None and self.jobs.status.state is JobState.CANCELLING

    @property
    def can_export_frame(self) -> bool:
        return Moment(self.position.index) in self.results and not self.exports.busy

    @property
    def can_export_all(self) -> bool:
        return len(self.results) > 0 and not self.exports.busy

    # ------------------------------------------------------------------ what can be asked for

    def open_paths(self, paths: list[Path]) -> None:
        """Open files or folders that were dropped, picked or typed."""
        for source in self.sources_of(paths)[:1]:
            self.open_source(source)

    def sources_of(self, paths: list[Path]) -> tuple[SequenceSource, ...]:
        """Return what to open for some paths; what cannot be opened, or not with the others, is told."""
        return self.reports.chosen(paths, *sources_from_paths(paths))

    def open_source(self, source: SequenceSource) -> None:
        self.session.open(source)

    def open_sample(self) -> None:
        self.session.open(sample_source())

    def add_spikes(self, path: Path) -> None:
        """Use another recording for the frames that are open."""
        self.session.reopen(spikes=str(path))

    def add_reference(self, path: Path) -> None:
        self.session.reopen(reference=str(path))

    def add_alignment(self, path: Path) -> None:
        self.session.reopen(alignment=str(path))

    def set_gamma(self, gamma: float) -> None:
        """Say what the spikes integrate: 1 for code values, about 2.2 for linear light."""
        sequence = self.session.sequence
        if sequence is not None and not (sequence.gamma == gamma and sequence.gamma_known):
            self.session.reopen(gamma=gamma)

    def set_raster_reach(self, reach: int) -> None:
        """Show so many pixels on either side of the one under the mouse, also after the next start."""
        self.settings.raster_reach = reach
        self.rasters.set_reach(reach)

    def set_voxel_look(self, look: VoxelLook) -> None:
        """Show voxel bins otherwise, also after the next start."""
        look = replace(look, takes=self.desk.restoring.takes)
        look.keep(self.settings)
        self.spikes.set_look(look)
        self.comparison.set_voxel_look(look)

    def deblur_frame(self) -> None:
        self._deblur(Span(self.position.index, self.position.index + 1), first=True)

    def deblur_region(self, region: Region) -> None:
        """Restore a part of the current frame, before all other jobs."""
        self._deblur(Span(self.position.index, self.position.index + 1), first=True, region=region)

    def deblur_range(self) -> None:
        self._deblur(self.position.range)

    def deblur_all(self) -> None:
        self._deblur(Span(0, self.position.count))

    def cancel(self) -> None:
        self.jobs.cancel()

    def export_frame(self, path: Path, bit_depth: BitDepth = 8, result: Restored | None = None) -> None:
        """Write the restored current frame, or a `result` that was shown when its path was asked for."""
        result = result or self.results.peek(Moment(self.position.index))
        if result is not None:
            self.exports.write([(path, result.picture)], bit_depth)

    def export_targets(self, folder: Path, suffix: str = ".png") -> dict[Moment, Path]:
        """Return the file of every restored moment, named as the input frames are."""
        sequence = self.session.sequence
        if sequence is None:
            return {}
        paths: dict[Moment, Path] = {}
        taken: set[str] = set()
        for moment in self.results.moments:
            name = moment.stem(sequence.frame_name(moment.frame))
            if name.casefold() in taken:  # a.png and a.jpg
                name = f"{name}_{moment.frame + 1:04d}"
            taken.add(name.casefold())
            paths[moment] = folder / f"{name}{suffix}"
        return paths

    def export_all(self, folder: Path, bit_depth: BitDepth = 8, suffix: str = ".png") -> None:
        """Write all restored frames into a folder."""
        items = []
        for moment, path in self.export_targets(folder, suffix).items():
            result = self.results.peek(moment)
            if result is not None:
                items.append((path, result.picture))
        self.exports.write(items, bit_depth)

    def another(self) -> "Studio":
        """Make a studio for a further sequence on the same desk."""
        return Studio(self.settings, opener=self.opener, desk=self.desk)

    def leave(self) -> None:
        """Stop what is done for this sequence and close it; the desk stays."""
        self.playback.stop()
        if self.exports.busy:
            self.reports.export_cut_short()
        self.exports.stop()
        self.patches.clear()
        self.jobs.forget()
        self.spikes.clear()
        self.session.close()

    def close(self) -> None:
        """End the worker and the threads; nothing of the window runs afterwards."""
        self.leave()
        self.desk.close()

    # ------------------------------------------------------------------ how the parts answer each other

    def _deblur(self, frames: Span, *, first: bool = False, region: Region | None = None) -> None:
        sequence, source = self.session.sequence, self.session.source
        if sequence is None or source is None or not self.can_deblur:
            return
        if self.pattern_use.without_forgotten(source) is not source:  # in another tab
            self.session.reopen()
            return
        restoring = self.desk.restoring
        self.jobs.start(
            JobRequest.of(sequence, source, frames, restoring.chosen, restoring.options, region),
            first=first,
        )

    def _on_opened(self) -> None:
        sequence, source, lease = self.session.sequence, self.session.source, self.session.lease
        if sequence is None or source is None or lease is None:
            return
        keep = self._shown_source is not None and have_same_frames(self._shown_source, source)
        index = self.position.index if keep else 0
        self._shown_source = source
        self.patches.clear()
        if keep:
            self.jobs.abandon()
        else:
            self.jobs.forget()
            self.results.clear()
            self.comparison.set_region(None)
        self.reports.begin()
        self.pictures.clear()
        self.metrics.clear()
        self.spikes.clear()
        self.rasters.clear()
        self.pattern_use.begin()
        self._want_pattern()
        self.desk.recent.add(self.session.said or source)
        self.alignment.begin()
        self.playback.stop()
        self.playback.set_own_fps(frames_a_second(sequence))
        self.position.reset(len(sequence), index)
        if sequence.recording is not None:
            self.spikes.count(lease)
            self.bridge.warm_up()
        self.abilities_changed.emit()

    def _on_closed(self) -> None:
        self.playback.stop()
        self.jobs.forget()
        self.alignment.end()
        self._shown_source = None
        self.results.clear()
        self.pictures.clear()
        self.metrics.clear()
        self.spikes.clear()
        self.rasters.clear()
        self.pattern_use.end()
        self.position.reset(0)
        self.abilities_changed.emit()

    def _on_position(self, index: int) -> None:
        lease = self.session.lease
        if lease is None:
            return
        self._show_frame(index)
        self.spikes.show(lease, index)
        self.rasters.follow(lease, index)
        self.alignment.show(index)
        self.abilities_changed.emit()

    def _on_windows(self) -> None:
        """The alignment was edited: show again what depends on it."""
        lease, index = self.session.lease, self.position.index
        if lease is None:
            return
        self.spikes.show(lease, index)
        self.rasters.follow(lease, index)
        self.patches.clear()
        if not self.jobs.is_running:
            self.pictures.forget_partial()
        if lease.sequence.is_virtual:
            self.pictures.clear()
        if lease.sequence.is_virtual or self.comparison.wanted.sources & set(SPIKE_SOURCES):
            self._show_frame(index)
        self.abilities_changed.emit()

    def _on_restorer(self) -> None:
        """Another network may be chosen: it may take voxels otherwise."""
        look, takes = self.spikes.look, self.desk.restoring.takes
        if look.takes != takes:
            self.set_voxel_look(replace(look, takes=takes))

    def is_stale(self, index: int) -> bool:
        """Whether a restored frame would come out otherwise now: gamma, window or recording are others."""
        result, sequence = self.results.peek(Moment(index)), self.session.sequence
        edits = self.alignment.edits
        if result is None or sequence is None:
            return False
        source = self.session.source
        if result.spikes is not None and source is not None and result.spikes != spikes_of(source):
            return True
        return not was_made_from(result, sequence.gamma, edits.base, edits.windows)

    def _on_view(self) -> None:
        view, lease = self.pictures.view, self.session.lease
        if view is None or lease is None:
            return
        if view.result is None and not view.is_partial:
            self._on_partial(Moment(view.index))
        self._measure()

    def _measure(self) -> None:
        view, lease = self.pictures.view, self.session.lease
        if view is not None and lease is not None and not view.is_partial:
            self.metrics.measure(lease, view, self.comparison.region)

    def _on_wanted(self) -> None:
        """The panes are to show something else, or otherwise."""
        self.settings.panes = self.comparison.to_values()
        self.pictures.wanted = self.comparison.wanted
        self._want_pattern()
        self._show_frame(self.position.index)

    def _want_pattern(self) -> None:
        """Measure the sensor's pattern once a pane shows it."""
        if PATTERN in self.comparison.wanted.sources:
            self.sensor.want()

    def _on_pattern(self) -> None:
        self.pictures.take_pattern(self.sensor.picture, self.sensor.why_missing)
        self.abilities_changed.emit()

    def _on_partial(self, moment: Moment) -> None:
        view = self.pictures.view
        if view is not None and Moment(view.index) == moment and view.result is None:
            self.pictures.show_partial(view.index, lambda: self.jobs.partial(moment))

    def _on_frame_restored(self, moment: Moment, result: Restored) -> None:
        if self._shown_source is None:
            return
        self.results.put(moment, result)
        if not moment.is_centre:
            return
        self.patches.forget(moment.frame)
        if moment.frame == self.position.index:
            self._show_frame(moment.frame)

    def _on_region_restored(self, moment: Moment, region: Region, picture: NDArray[np.float32]) -> None:
        if self._shown_source is None or not moment.is_centre:
            return
        self.patches.add(moment.frame, region, picture)
        if moment.frame == self.position.index:
            self._show_frame(moment.frame)

    def _show_frame(self, index: int) -> None:
        """Show a frame with its result, or with what there is of one."""
        lease = self.session.lease
        if lease is not None:
            self.results.get(Moment(index))  # counts as looked at
            self.pictures.show(lease, index, self.results.of(Moment(index)), self.patches.get(index))

    def _on_job_end(self, status: JobStatus) -> None:
        self.pictures.forget_partial()
        if self.patches.get(self.position.index) is not None:
            self._show_frame(self.position.index)
        self.reports.job_ended(status)
        self.abilities_changed.emit()
