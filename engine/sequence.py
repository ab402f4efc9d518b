"""A sequence: blurry frames, the spikes around them, when each was exposed, and a sharp reference.

    with open_sequence("clip") as sequence:
        sequence.frame(0)       # float32 (H, W, 3) RGB in [0, 1]
        sequence.window(0)      # the planes it was exposed in
        sequence.voxels(0)      # float32 (32, h, w) spike counts inside the window
        sequence.reference(0)   # the sharp picture, or None

Without frames the spikes make their own: the frame of a virtual exposure is its TFP picture.
"""

import dataclasses
import math
from collections.abc import Iterator
from collections.abc import Sequence as SequenceOf
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from engine.alignment import AlignmentWindow
from engine.errors import EngineError, RegistrationError, SequenceError
from engine.exposures import Exposures, WindowsSource
from engine.findings import Finding
from engine.fixed_pattern import FixedPattern
from engine.frame_times import FrameRate, FrameTimes, rate_of_windows
from engine.geometry import Region, Size, Span
from engine.layouts import LayoutName
from engine.opening import SequenceParts, open_parts, registration_of, sequences_at
from engine.picture_cache import PictureCache
from engine.recording import Spikes, SpikeSource
from engine.recording.defects import Defects, find_defects
from engine.recording.plane_source import bit_planes
from engine.recording.planes import pack_planes
from engine.registration import Homography, Registration, homography_of
from engine.samples import Samples, as_values
from engine.source import NO_FLAT, SequenceSource, flat_file
from engine.spike_channels import planes_per_bin
from engine.spike_filling import Filling, SoundPixels, sound_on_grid
from engine.time_units import TimeUnit
from engine.voxels import VoxelGrid, tfi, tfp, voxelize, window_counts

if TYPE_CHECKING:
    from engine.video.sound import Sound

PASSING_CACHE_BYTES = 128 << 20
"""Of pictures, for those who go through the frames once, as restoring does."""
DEFAULT_CACHE_BYTES = 512 * 2**20
WHITE_PERCENTILE = 99.9
WHITE_WINDOWS = 8
WHITE_WINDOW_PLANES = 64


class Sequence:
    """An opened sequence. Safe to read from several threads; pictures it returns are read-only."""

    def __init__(self, parts: SequenceParts, cache: PictureCache) -> None:
        self._parts = parts
        self._facts = parts.facts
        self._exposures = parts.exposures
        self._frames = parts.frames
        self._references = parts.references
        self._recording = parts.recording
        self._cache = cache
        self._registration = registration_of(parts)

    # -------------------------------------------------------------- facts

    @property
    def source(self) -> SequenceSource:
        """The arguments that open this sequence again."""
        return self._facts.source

    @property
    def name(self) -> str:
        return self._facts.name

    @property
    def layout(self) -> LayoutName:
        return self._facts.layout

    @property
    def recording(self) -> SpikeSource | None:
        return self._recording

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is odd about the files and the sensor, one sentence each; looks for `defects` at first."""
        about_sensor = self._unused_flat() if self._recording is None else self.defects.finding
        return self._facts.findings if about_sensor is None else (*self._facts.findings, about_sensor)

    @property
    def defects(self) -> Defects:
        """Dead and hot pixels of the spike camera, looked for once; a bounded part of the recording is read.

        Raises SequenceError without spikes.
        """
        return self._cache.measured(("defects", self._registered), self._find_defects)

    @property
    def filling(self) -> Filling | None:
        """How the counts of `defects` follow from the pixels around them; None where there are none."""
        return self._cache.measured(("filling", self._registered), lambda: Filling.of(self.defects))

    @property
    def fixed_pattern(self) -> FixedPattern:
        """What differs from pixel to pixel of the spike camera, looked for once: in the file `flat` names,
        else in a bounded part of the recording; false where nothing is known, or `flat` is "none".

        Raises SequenceError without spikes, RecordingError where the file named cannot be used.
        """
        return self._cache.measured(("fixed pattern", self._registered), self._find_pattern)

    @property
    def registration(self) -> Registration:
        """Where the pixels of frames lie among the spikes. Raises SequenceError without spikes."""
        if self._registration is None:
            self._spikes()
        assert self._registration is not None
        return self._registration

    @property
    def _registered(self) -> Registration | None:
        """What is measured by frames and spikes together depends on it; None for a scale."""
        registration = self._registration
        return None if registration is None or registration.is_scale else registration

    @property
    def sound_on_frame(self) -> SoundPixels | None:
        """Which of `counts_on_frame` are to be believed; None where all are."""
        seen = self._seen
        if seen is None:
            return self.filling
        return self._cache.measured(("sound on frame", seen), lambda: sound_on_grid(self.filling, seen))

    @property
    def seen_region(self) -> Region | None:
        """The part of frames that `counts_on_frame` lies on, which holds all of which there are spikes; None
        for all of them.
        """
        registration = self._registered
        return None if registration is None or registration.covers_frame else registration.seen

    @property
    def _seen(self) -> Registration | None:
        """The registration of that part; None for a scale."""
        registration = self._registered
        return None if registration is None else registration.seen_part

    @property
    def share_of_spikes(self) -> NDArray[np.float32] | None:
        """How far spikes count in a frame, (H, W): 0 where there are none; None for 1 everywhere."""
        return None if self._registered is None else self._registered.share_of_spikes()

    @property
    def frame_size(self) -> Size:
        return self._facts.frame_size

    @property
    def bit_depth(self) -> int:
        """Bits of a sample in the input frames, 8 or 16."""
        return self._facts.bit_depth

    @property
    def gamma(self) -> float:
        """Exponent from a frame's values to the signal that the spikes integrate."""
        return self._facts.gamma

    @property
    def gamma_known(self) -> bool:
        """The caller, the files or the layout said so; otherwise `gamma` is 1 for want of better."""
        return self._facts.gamma_known

    @property
    def windows(self) -> tuple[AlignmentWindow, ...]:
        """One a frame; none at all without spikes and without a log."""
        return () if self._exposures is None else self._exposures.windows

    @property
    def windows_source(self) -> WindowsSource:
        return "guess" if self._exposures is None else self._exposures.source

    @property
    def frame_rate(self) -> FrameRate | None:
        """Frames a second, exactly; None where nothing says it, since a guessed window tells of no time.

        A video says it itself; else exposures do that lie in one recording whose rate is known.
        """
        frames, recording = self._frames, self._recording
        if frames is not None and frames.frame_rate is not None:
            even = frames.frame_times is None or frames.frame_times.is_even
            return FrameRate(frames.frame_rate, "video", even)
        exposures = self._exposures
        if exposures is None or exposures.source == "guess" or recording is None:
            return None
        return rate_of_windows(
            exposures.windows,
            exposures.limits,
            recording.info.rate_hz,
            "alignment log" if exposures.source == "log" else "exposures",
        )

    @property
    def frame_times(self) -> FrameTimes | None:
        """When a video's frames are shown, exactly; None where they are no video, or it does not say."""
        return None if self._frames is None else self._frames.frame_times

    @property
    def sound_tracks(self) -> int:
        """Tracks of sound in the video that the frames are of; 0 where they are of none."""
        return 0 if self._frames is None else self._frames.sound_tracks

    def sound_of(self, frames: Span) -> "Sound | None":
        """Return a video's sound from the first of `frames` to the end of the last, for `write_video`."""
        return None if self._frames is None else self._frames.sound_of(frames)

    @property
    def has_reference(self) -> bool:
        return any(at is not None for at in self._facts.reference_of)

    def has_reference_for(self, index: int) -> bool:
        """Whether frame `index` has a sharp picture, without reading it."""
        return self._facts.reference_of[self._checked(index)] is not None

    @property
    def reference_size(self) -> Size | None:
        """Size of the sharp pictures, which may not be that of the frames; None where there are none."""
        return None if self._references is None else self._references.size

    @property
    def is_virtual(self) -> bool:
        """The frames are TFP pictures of a recording without frames."""
        return self._frames is None

    def __len__(self) -> int:
        return len(self._facts.names)

    def frame_name(self, index: int) -> str:
        """Return the name of the frame's file without its suffix."""
        return self._facts.names[self._checked(index)]

    def window(self, index: int) -> AlignmentWindow:
        """Return the planes during which frame `index` was exposed. Raises SequenceError without any."""
        self._checked(index)
        if self._exposures is None:
            raise SequenceError(
                "the sequence has no spikes",
                path=self.source.path,
                advice="Open it together with its recording (spikes=...)",
            )
        return self._exposures.windows[index]

    def spike_limits(self, index: int) -> Span:
        """Return the planes recorded in one go around frame `index`; empty where it has no spikes."""
        self._checked(index)
        return Span(0, 0) if self._exposures is None else self._exposures.limits[index]

    # -------------------------------------------------------------- pictures

    def frame(self, index: int) -> NDArray[np.float32]:
        """Return the blurry frame, float32 (H, W, 3) RGB in [0, 1], read-only. Raises FrameError.

        Virtual frames show the mean spike rate of their window, divided by one white level for the
        whole recording, in the sequence's gamma.
        """
        return _read_only(self.frame_samples(index))

    def frame_samples(self, index: int) -> Samples:
        """Return the blurry frame as it is stored, read-only: bytes (H, W, 3) where its file has 8 bits, else
        what `frame` returns. Raises FrameError.
        """
        self._checked(index)
        if self._frames is not None:
            frames = self._frames
            return self._cache.picture(("frame", index), lambda: frames.read(index))
        key = ("virtual", self.window(index), self.spike_limits(index))
        return self._cache.picture(key, lambda: self._virtual_frame(index))

    def reference(self, index: int) -> NDArray[np.float32] | None:
        """Return the sharp picture, float32 (H, W, 3) RGB in [0, 1], read-only; None where there is none."""
        at = self._facts.reference_of[self._checked(index)]
        references = self._references
        if at is None or references is None:
            return None
        return _read_only(self._cache.picture(("reference", at), lambda: references.read(at)))

    def voxels(self, index: int, bins: int = 32, region: Region | None = None) -> VoxelGrid:
        """Return the spike counts of the frame's window, float32 (bins, h, w); of a region of spike pixels
        where one is given.

        Planes that were not recorded in one go with the frame count as no spikes, as do those outside
        the recording. Raises SequenceError without spikes.
        """
        window, limits = self.window(index), self.spike_limits(index)
        return voxelize(self._spikes(), window.start, window.stop, bins, region, within=limits)

    def filled_voxels(self, index: int, bins: int = 32, region: Region | None = None) -> VoxelGrid:
        """Return what `voxels` does with the `fixed_pattern` divided out and `defects` filled: no longer
        counts, for those who estimate light.
        """
        filling, pattern = self.filling, self.fixed_pattern
        if filling is None and not pattern:
            return self.voxels(index, bins, region)
        region = region or Region.whole(self._spikes().info.size)
        counted = region
        if filling is not None:
            counted, filling = filling.region(region)
        counts = self.voxels(index, bins, counted)
        window = counts.start, counts.stop, counts.outside_planes
        values = np.asarray(counts)
        if pattern:
            values = pattern.region(counted).level(values, planes_per_bin(counts.start, counts.stop, bins))
        if filling is not None:
            values = filling.fill(values)[(..., *region.relative_to(counted).slices)]
        return VoxelGrid.of(values, *window)

    def levelled_counts(self, start: int, stop: int) -> NDArray[np.float32]:
        """Return the spikes of planes [start, stop), float32 (h, w), likewise levelled and filled."""
        counts = window_counts(self._spikes(), start, stop).astype(np.float32)
        if self.fixed_pattern:
            counts = self.fixed_pattern.level(counts, stop - start)
        return counts if self.filling is None else self.filling.fill(counts)

    # -------------------------------------------------------------- spikes as they lie on the frame

    def voxels_on_frame(
        self, index: int, bins: int = 32, region: Region | None = None, *, filled: bool = True
    ) -> VoxelGrid:
        """Return `filled_voxels` as they lie on the frame, edge to edge: (bins, h, w) of the registration's
        `grid_size`, or of a region of it; `filled` or else `voxels`.

        Where there are no spikes those within are mirrored: `share_of_spikes` tells where not to believe
        them.
        """
        count = self.filled_voxels if filled else self.voxels
        if self._registered is None:
            return count(index, bins, region)
        registration = self._registered
        region = region or Region.whole(registration.grid_size)
        cut = registration.cut_of_grid(region)
        counts = count(index, bins, cut)
        drawn = [_drawn_counts(registration, one, region, cut) for one in np.asarray(counts)]
        return VoxelGrid.of(np.stack(drawn), counts.start, counts.stop, counts.outside_planes)

    def counts_on_frame(self, start: int, stop: int) -> NDArray[np.float32]:
        """Return `levelled_counts`, float32 (h, w), as they lie on the `seen_region` of frames, likewise."""
        counts, seen = self.levelled_counts(start, stop), self._seen
        return counts if seen is None else _drawn_counts(seen, counts)

    # -------------------------------------------------------------- what the spikes say

    def tfp(self, index: int) -> NDArray[np.float32]:
        """Return the frame's mean number of spikes a plane, float32 (h, w): texture from playback.

        Over the planes of its window that were recorded in one go with the frame, zero where there are none.
        Raises SequenceError without spikes.
        """
        planes = self.window(index).planes_of(self.spike_limits(index))
        return tfp(self._spikes(), planes.start, planes.stop)

    def tfi(self, index: int, max_interval_planes: int = 256) -> NDArray[np.float32]:
        """Return 1 / interval around the centre of the frame's window, float32 (h, w), in spikes a plane.

        Spikes that were not recorded in one go with the frame do not count; see `engine.voxels.tfi`. Raises
        SequenceError without spikes.
        """
        within = self.spike_limits(index)
        return tfi(self._spikes(), self.window(index).centre, max_interval_planes, within=within)

    def spikes_at(
        self,
        pixel: tuple[int, int],
        index: int | None = None,
        start: float | None = None,
        stop: float | None = None,
        *,
        polarity: float | None = None,
    ) -> NDArray[np.float64]:
        """Return when a pixel (x, y) of the spike camera fired, in planes, ascending: float64.

        Of a frame the spikes of its window, or of start <= t < stop, as far as they were recorded in one go
        with it; without `index` those of the whole recording. Raises SequenceError without spikes, ValueError
        outside the sensor.
        """
        x, y = pixel
        return self.spikes_in(Region(y, x, y + 1, x + 1), index, start, stop, polarity=polarity).times

    def spikes_in(
        self,
        region: Region,
        index: int | None = None,
        start: float | None = None,
        stop: float | None = None,
        *,
        polarity: float | None = None,
    ) -> Spikes:
        """Return the single spikes of a region of spike pixels; of which time, see `spikes_at`."""
        recording = self._spikes()
        first, last = 0.0, float(recording.info.planes)
        if index is not None:
            window, limits = self.window(index), self.spike_limits(index)
            start, stop = window.start if start is None else start, window.stop if stop is None else stop
            first, last = float(limits.start), float(limits.stop)
        begin, end = first if start is None else max(first, start), last if stop is None else min(last, stop)
        return recording.spikes(begin, max(begin, end), region, polarity=polarity)

    def sound_planes(self, start: int, stop: int) -> NDArray[np.uint8]:
        """Return planes [start, stop) of the recording packed, (planes, plane_bytes), in file order, without
        the spikes of `defects`: a hot pixel fires in the dark and in planes that were lost as in the others.

        Raises SequenceError without spikes, RecordingError where they cannot be read.
        """
        planes = bit_planes(self._spikes())(start, stop)
        if not self.defects:
            return planes
        return planes & self._cache.measured(("sound bits", self._registered), self._sound_bits)

    def forget_spikes(self, frames: Span) -> None:
        """Let go of the memory behind the exposures of some frames; reading them again costs a little."""
        recording, windows = self._recording, self.windows[frames.start : frames.stop]
        if recording is None or not windows:
            return
        start = max(0, math.floor(min(window.start for window in windows)))
        stop = min(recording.info.planes, math.ceil(max(window.stop for window in windows)))
        if start < stop:
            recording.forget(start, stop)

    def _virtual_frame(self, index: int) -> NDArray[np.float32]:
        rate = self.tfp(index)
        rate = self.fixed_pattern.level(rate, 1) if self.fixed_pattern else rate
        rate = rate if self.filling is None else self.filling.fill(rate)
        signal = np.clip(rate / self._cache.measured("white", self._white_level), 0.0, 1.0)
        return np.repeat(np.power(signal, 1 / self.gamma)[:, :, None].astype(np.float32), 3, axis=2)

    def _white_level(self) -> float:
        """Spike rate that virtual frames show as white.

        The 99.9th percentile of the rates in a few short windows, spread evenly over the recording:
        short ones keep room for the highlights that blur has levelled out.
        """
        recording = self._spikes()
        planes = recording.info.planes
        length = min(WHITE_WINDOW_PLANES, planes)
        starts = sorted({round(s) for s in np.linspace(0, planes - length, WHITE_WINDOWS)})
        sound = ~self.defects.mask
        rates = np.concatenate([tfp(recording, s, s + length)[sound] for s in starts])
        white = float(np.percentile(rates, WHITE_PERCENTILE))
        return white if white > 0 else float(rates.max()) or 1.0

    def _find_defects(self) -> Defects:
        """Ask the spikes, and up to three frames where they do not tell. Virtual frames know nothing else."""
        return find_defects(self._spikes(), None if self._frames is None else self._frames_to_ask)

    def _find_pattern(self) -> FixedPattern:
        """Read what `flat` names, else ask the frames, and the spikes alone where there are none to ask."""
        recording, flat = self._spikes(), self.source.flat
        if flat == NO_FLAT:
            return FixedPattern.none(recording.info.size)
        if flat is not None:
            from engine.fixed_pattern.flat_file import read_flat

            return read_flat(self.source, recording, self.filling)
        from engine.fixed_pattern.own_recording import measure_pattern

        frames = None if self._frames is None else self.frame
        limits = () if self._exposures is None else self._exposures.limits
        gamma = self.gamma if self.gamma_known else None
        return measure_pattern(
            recording, self.filling, frames, self.windows, limits, gamma, self.registration
        )

    def _unused_flat(self) -> Finding | None:
        flat = flat_file(self.source)
        if flat is None:
            return None
        return Finding(
            f"the flat field {flat} is not used, for the sequence has no spikes",
            "Name the recording with --spikes, or leave --flat out",
        )

    def _sound_bits(self) -> NDArray[np.uint8]:
        """Return one packed plane (1, plane_bytes) that fires wherever nothing is wrong."""
        sound = (~self.defects.mask[None]).view(np.uint8)
        return pack_planes(sound, self._spikes().info.flip)

    def _frames_to_ask(self) -> Iterator[NDArray[np.float32]]:
        for index in sorted({0, len(self) // 2, len(self) - 1}):
            with suppress(EngineError):
                frame = self.frame(index)
                # Beyond the frame it counts as dark, which explains why a pixel keeps still.
                registration = self._registered
                yield (
                    frame if registration is None else registration.picture_to_spikes(frame, beyond="nothing")
                )

    def _spikes(self) -> SpikeSource:
        if self._recording is None:
            raise SequenceError(
                "the sequence has no spikes",
                path=self.source.path,
                advice="Open it together with its recording (spikes=...)",
            )
        return self._recording

    def _checked(self, index: int) -> int:
        if not 0 <= index < len(self):
            raise SequenceError(
                "no such frame",
                path=self.source.path,
                found=str(index),
                expected=f"0 to {len(self) - 1}",
            )
        return index

    # -------------------------------------------------------------- other windows, the end

    def with_windows(self, windows: SequenceOf[AlignmentWindow]) -> "Sequence":
        """Return the sequence with these alignment windows.

        It shares files and cached pictures with this one, so closing either closes both.
        """
        if len(windows) != len(self):
            raise SequenceError(
                "every frame needs a window",
                path=self.source.path,
                found=f"{len(windows)} windows",
                expected=str(len(self)),
            )
        limits = (Span(0, 0),) * len(self) if self._exposures is None else self._exposures.limits
        exposures = Exposures(tuple(windows), limits, "given")
        return Sequence(dataclasses.replace(self._parts, exposures=exposures), self._cache)

    def with_registration(self, registration: Registration) -> "Sequence":
        """Return the sequence with its frames' pixels elsewhere among the spikes; shares as `with_windows`.

        Raises RegistrationError where its sizes are others, or the frames are made of the spikes;
        SequenceError without spikes.
        """
        _check_cameras(self, registration)
        facts = self._facts
        source = dataclasses.replace(facts.source, registration=registration.homography)
        facts = dataclasses.replace(facts, source=source)
        return Sequence(dataclasses.replace(self._parts, facts=facts), self._cache)

    def close(self) -> None:
        """Let go of every file; reading afterwards raises SequenceError."""
        self._cache.close()
        for opened in (self._frames, self._references, self._recording):
            if opened is not None:
                opened.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Sequence {self.name!r}: {self.layout}, {len(self)} frames of {self.frame_size}>"


def open_sequence(
    path: str | Path,
    *,
    spikes: str | Path | None = None,
    reference: str | Path | None = None,
    alignment: str | Path | None = None,
    height: int | None = None,
    width: int | None = None,
    rate_hz: float | None = None,
    flip: bool | None = None,
    gamma: float | None = None,
    exposure_planes: float | None = None,
    stride_planes: float | None = None,
    msb_first: bool | None = None,
    time_unit: TimeUnit | None = None,
    white: int | None = None,
    flat: str | Path | None = None,
    registration: Registration | SequenceOf[SequenceOf[float]] | None = None,
    cache_bytes: int = DEFAULT_CACHE_BYTES,
) -> Sequence:
    """Open a sequence of any known layout.

    Only headers are read, and a few pictures where nothing else says which way up the spikes are, or
    whether the samples of 16-bit files have 16 bits.

    `path` is the sequence's folder, the folder of its blurry frames, a recording, a video or a TIFF
    stack. The other arguments are described at `SequenceSource`; what is given counts more than what the
    files say. Oddities are listed in `Sequence.findings`.

    Raises SequenceError when `path` holds no sequence or several, RecordingError when its spikes cannot
    be read, AlignmentError when its log cannot, FrameError when none of its frames can.
    """

    source = SequenceSource(
        path=_absolute(path),
        spikes=None if spikes is None else _absolute(spikes),
        reference=None if reference is None else _absolute(reference),
        alignment=None if alignment is None else _absolute(alignment),
        height=height,
        width=width,
        rate_hz=rate_hz,
        flip=flip,
        gamma=gamma,
        exposure_planes=exposure_planes,
        stride_planes=stride_planes,
        msb_first=msb_first,
        time_unit=time_unit,
        white=white,
        flat=flat if flat is None or flat == NO_FLAT else _absolute(flat),
        registration=_homography(registration, path),
    )
    sequence = open_source(source, cache_bytes=cache_bytes)
    if isinstance(registration, Registration) and sequence.recording is not None:
        try:
            _check_cameras(sequence, registration)
        except BaseException:
            sequence.close()
            raise
    return sequence


def open_source(source: SequenceSource, *, cache_bytes: int = DEFAULT_CACHE_BYTES) -> Sequence:
    """Open a sequence as `open_sequence` does, from its arguments as one value."""
    sequence = Sequence(open_parts(source), PictureCache(cache_bytes))
    if flat_file(source) is not None and sequence.recording is not None:
        try:
            _ = sequence.fixed_pattern  # what is wrong with the file is said before anything is done
        except BaseException:
            sequence.close()
            raise
    return sequence


def find_sequences(root: str | Path) -> list[SequenceSource]:
    """List what can be opened in a folder: itself where it is one sequence, else those inside it.

    Raises SequenceError when the folder is not there or cannot be read.
    """
    return [SequenceSource(str(found)) for found in sequences_at(Path(_absolute(root)))]


def _read_only(samples: Samples) -> NDArray[np.float32]:
    values = as_values(samples)
    values.flags.writeable = False
    return values


def _drawn_counts(
    registration: Registration,
    counts: NDArray[np.float32],
    region: Region | None = None,
    cut: Region | None = None,
) -> NDArray[np.float32]:
    """Return counts as they lie on the frame: as sharp as they are, and never below 0."""
    drawn = registration.on_grid(counts, between="cubic", beyond="mirrored", region=region, cut=cut)
    return np.maximum(drawn, 0.0, out=drawn)


def _check_cameras(sequence: Sequence, registration: Registration) -> None:
    """Raise RegistrationError where a registration is of frames or spikes of other sizes."""
    own = sequence.registration
    if (registration.frame_size, registration.spike_size) != (own.frame_size, own.spike_size):
        raise RegistrationError(
            "the registration is of other cameras",
            path=sequence.source.path,
            found=f"frames of {registration.frame_size} and spikes of {registration.spike_size}",
            expected=f"frames of {own.frame_size} and spikes of {own.spike_size}",
            advice="Measure the registration of these cameras, or leave it out where both see the same",
        )


def _homography(
    registration: Registration | SequenceOf[SequenceOf[float]] | None, path: str | Path
) -> Homography | None:
    if registration is None or isinstance(registration, Registration):
        return None if registration is None else registration.homography
    try:
        return homography_of(registration)
    except RegistrationError as error:
        raise error.about(path) from error


def _absolute(path: str | Path) -> str:
    """The path as the worker process finds it too: whole, and without links resolved, as they name things."""
    try:
        path = Path(path).expanduser()
        return str(path.resolve() if ".." in path.parts else path.absolute())
    except (OSError, RuntimeError, ValueError) as error:
        raise SequenceError(f"not a usable path ({error})", path=str(path)) from error
