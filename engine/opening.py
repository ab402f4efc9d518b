"""Find, open and fit together everything a sequence is made of."""

import dataclasses
import math
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.alignment import read_alignment_log, windows_for_frames
from engine.errors import FrameError, SequenceError
from engine.exposures import (
    Exposures,
    guessed_exposures,
    part_spans,
    per_part_exposures,
    virtual_exposures,
    windows_outside,
)
from engine.frames import FrameSource, PictureFrames
from engine.geometry import Size, Span
from engine.layouts import LayoutName, SequenceFiles, list_sequences, recognise
from engine.layouts.listing import (
    VIDEO_SUFFIXES,
    find_sidecar,
    frame_number,
    match_names,
    pictures_in,
    recordings_in,
    shorten,
)
from engine.layouts.sidecar import read_gamma
from engine.layouts.spikes_only import key_plane
from engine.recording import Recording, guess_flip, open_recording
from engine.recording.sidecar import Sidecar
from engine.recording.sidecar import find_sidecar as find_recording_sidecar
from engine.source import SequenceSource


@dataclass(frozen=True)
class SequenceFacts:
    """Everything about a sequence that is known when it opens, without its pixels."""

    source: SequenceSource
    name: str
    layout: LayoutName
    names: tuple[str, ...]
    frame_size: Size
    bit_depth: int
    gamma: float
    gamma_known: bool
    reference_of: tuple[int | None, ...]
    """Index of each frame's reference."""
    findings: tuple[str, ...]


@dataclass(frozen=True)
class SequenceParts:
    """The opened parts of a sequence, fitted together."""

    facts: SequenceFacts
    exposures: Exposures | None
    """None without spikes and without a log."""
    frames: FrameSource | None
    """None where the frames are virtual."""
    references: FrameSource | None
    recording: Recording | None


def sequences_at(root: Path) -> list[Path]:
    """Return the sequences in `root`, or `root` itself where it is one."""
    try:
        _recognise(root)
    except SequenceError:
        if not root.is_dir():
            raise
        return list_sequences(root)
    return [root]


def _recognise(path: Path) -> SequenceFiles:
    try:
        return recognise(path)
    except OSError as error:
        raise SequenceError(f"it cannot be read ({error.strerror})", path=path) from error


def open_parts(source: SequenceSource) -> SequenceParts:
    """Open the sequence that `source` describes. Errors as in `engine.sequence.open_sequence`."""
    _check_numbers(source)
    files = _with_given_files(_recognise(Path(source.path)), source)
    with ExitStack() as opened:
        frames = _open_frames(files)
        if frames is not None:
            opened.callback(frames.close)
        references = _open_references(files)
        if references is not None:
            opened.callback(references.close)
        recording = _open_spikes(files, source)
        if recording is not None:
            opened.callback(recording.close)
        parts = _fit(source, files, frames, references, recording)
        picture = _picture_of_orientation(parts)
        if picture is not None and recording is not None:
            recording.close()
            recording = _open_spikes(files, source, *picture)
            assert recording is not None
            opened.callback(recording.close)
            parts = dataclasses.replace(parts, recording=recording)
        opened.pop_all()
        return parts


def _check_numbers(source: SequenceSource) -> None:
    for label in ("rate_hz", "gamma", "exposure_planes", "stride_planes", "height", "width"):
        value = getattr(source, label)
        if value is not None and not (math.isfinite(value) and value > 0):
            raise SequenceError(
                f"{label} must be positive", path=source.path, found=f"{value:g}", expected="> 0"
            )


# ------------------------------------------------------------------ files


def _with_given_files(files: SequenceFiles, source: SequenceSource) -> SequenceFiles:
    """Put what the caller points at in the place of what was found."""
    if source.spikes is not None:
        spikes = Path(source.spikes)
        beside = spikes.parent if spikes.is_file() else spikes
        files = files.but(
            spikes=spikes,
            spike_size=None,
            spike_rate_hz=None,
            sidecar=find_sidecar(beside, beside.parent) or files.sidecar,
        )
    if source.reference is not None:
        files = files.but(references=_given_references(Path(source.reference)))
    if source.alignment is not None:
        files = files.but(alignment=Path(source.alignment))
    return files


def _given_references(path: Path) -> tuple[Path, ...]:
    if path.is_file():
        return (path,)
    pictures = pictures_in(path)
    if not pictures:
        raise SequenceError(
            "no reference pictures are there",
            path=path,
            found="nothing" if not path.exists() else "a folder without pictures",
            expected="a folder of pictures, one picture or a video",
        )
    return pictures


def _open_frames(files: SequenceFiles) -> FrameSource | None:
    if files.video is not None:
        return _open_video(files.video)
    # Names that tell the window need not be a series without gaps.
    return PictureFrames(files.frames, is_series=files.windows is None) if files.frames else None


def _open_references(files: SequenceFiles) -> FrameSource | None:
    if not files.references:
        return None
    if files.references[0].suffix.lower() in VIDEO_SUFFIXES:
        return _open_video(files.references[0])
    return PictureFrames(files.references, "reference pictures", is_series=False)


def _open_video(path: Path) -> FrameSource:
    from engine.video import VideoFrames  # OpenCV takes a while to import and most sequences are pictures

    return VideoFrames(path)


def _open_spikes(
    files: SequenceFiles,
    source: SequenceSource,
    frame: NDArray[np.float32] | None = None,
    frame_window: tuple[float, float] | None = None,
) -> Recording | None:
    """Open the recording; a frame and the planes it was exposed in tell which way up it is."""
    path = files.spikes
    if path is None:
        if files.video is None and not files.frames:
            raise SequenceError("neither frames nor spikes are there", path=source.path)
        return None
    if path.is_dir():
        recordings = recordings_in(path)
        if len(recordings) == 1 and len(files.frames) != 1:
            path = recordings[0]
    # The recording asks the sidecar near itself; one beside the frames only speaks where that is silent.
    own = find_recording_sidecar(path)
    other = find_recording_sidecar(Path(source.path)) if own.path is None else Sidecar()
    rate_hz = source.rate_hz
    if rate_hz is None and own.rate_hz is None:
        rate_hz = other.rate_hz or files.spike_rate_hz
    return open_recording(
        path,
        height=source.height,
        width=source.width,
        rate_hz=rate_hz,
        flip=other.flip if source.flip is None else source.flip,
        frame=frame,
        frame_window=frame_window,
        layout_size=files.spike_size or other.size,
    )


def _picture_of_orientation(
    parts: SequenceParts,
) -> tuple[NDArray[np.float32], tuple[float, float]] | None:
    """A picture that shows which way up the recording is, and its planes; None where that is known."""
    recording, exposures = parts.recording, parts.exposures
    if recording is None or exposures is None or recording.info.known_by.get("flip") != "unknown":
        return None
    pictures = parts.frames or parts.references
    indices = range(len(parts.facts.names)) if parts.frames else parts.facts.reference_of
    candidates = [
        (at, exposures.windows[i])
        for i, at in enumerate(indices)
        if at is not None and len(exposures.limits[i])
    ]
    if pictures is None or not candidates:
        return None
    # The first frame may be dark or of something else; two more are worth asking before giving up.
    for at, window in dict.fromkeys((candidates[0], candidates[len(candidates) // 2], candidates[-1])):
        try:
            picture = pictures.read(at)
        except FrameError:
            continue
        planes = (window.start, window.stop)
        if guess_flip(recording, picture, planes).flip is not None:
            return picture, planes
    return None


# ------------------------------------------------------------------ fitting them together


def _fit(
    source: SequenceSource,
    files: SequenceFiles,
    frames: FrameSource | None,
    references: FrameSource | None,
    recording: Recording | None,
) -> SequenceParts:
    stated_gamma, about_gamma = read_gamma(files.sidecar)
    findings = [*files.findings, *about_gamma]
    if frames is not None:
        findings += frames.findings
        size, bit_depth = frames.size, frames.bit_depth
        names = frames.names
        exposures = _exposures_of_frames(source, files, frames.names, recording)
        reference_of, about_references = _match_references(names, references, files)
    else:
        assert recording is not None
        size, bit_depth = recording.info.size, 8
        names, exposures, part_of = _virtual_frames(source, files, recording)
        reference_of, about_references = _match_virtual_references(
            names, exposures, part_of, references, files, recording
        )
    if exposures is not None:
        findings += [*exposures.findings, *windows_outside(names, exposures)]
    if recording is not None:
        findings += recording.info.warnings
    findings += about_references
    if references is not None:
        findings += references.findings
        if references.size != size:
            findings.append(f"the reference is {references.size} and the frames are {size}")
    known_gamma = source.gamma or stated_gamma or files.gamma
    facts = SequenceFacts(
        source=source,
        name=files.name,
        layout=files.layout,
        names=names,
        frame_size=size,
        bit_depth=bit_depth,
        gamma=known_gamma or 1.0,
        # A virtual frame is made in the gamma that the sequence has, whatever it is.
        gamma_known=known_gamma is not None or frames is None,
        reference_of=reference_of,
        findings=tuple(dict.fromkeys(findings)),
    )
    return SequenceParts(facts, exposures, frames, references, recording)


def _exposures_of_frames(
    source: SequenceSource, files: SequenceFiles, names: tuple[str, ...], recording: Recording | None
) -> Exposures | None:
    parts = _parts(recording)
    planes = 0 if recording is None else recording.info.planes
    limits: tuple[Span, ...] = (Span(0, planes),) * len(names)
    by_part: Exposures | None = None
    extra: tuple[str, ...] = ()
    if (recording is not None and len(parts) > 1) or _is_folder(recording):
        stems = _part_names(recording, files)
        partners, left = match_names(names, stems)
        if all(at is None for at in partners):
            raise SequenceError(
                "no recording has the name of a frame",
                path=files.spikes,
                found=shorten(stems),
                expected=shorten(names),
                advice="Name each recording as its frame, or point at one recording for all frames",
            )
        if left:
            extra = (f"recordings without a frame: {shorten([stems[at] for at in left])}",)
        by_part = per_part_exposures(
            names,
            [None if at is None else parts[at] for at in partners],
            planes,
            source.exposure_planes or files.exposure_planes,
        )
        limits = by_part.limits
    if files.alignment is not None and (recording is not None or source.alignment is not None):
        rate_hz = source.rate_hz if recording is None else recording.info.rate_hz
        rows = read_alignment_log(files.alignment, rate_hz)
        numbers = [frame_number(name) for name in names]
        windows, oddities = windows_for_frames(rows, numbers, path=files.alignment, name=files.name)
        return Exposures(windows, limits, "log", (*oddities, *extra))
    if recording is None:
        return None
    if by_part is not None:
        return Exposures(by_part.windows, limits, "layout", (*by_part.findings, *extra))
    if files.windows is not None:
        return Exposures(files.windows, limits, "layout")
    return guessed_exposures(len(names), planes, source.exposure_planes or files.exposure_planes)


def _parts(recording: Recording | None) -> tuple[Span, ...]:
    return () if recording is None else part_spans(recording.parts(), recording.info.planes)


def _is_folder(recording: Recording | None) -> bool:
    return recording is not None and recording.info.format == "folder"


def _part_names(recording: Recording | None, files: SequenceFiles) -> tuple[str, ...]:
    paths = getattr(recording, "part_paths", ()) or ((files.spikes,) if files.spikes else ())
    return tuple(path.stem for path in paths)


def _virtual_frames(
    source: SequenceSource, files: SequenceFiles, recording: Recording
) -> tuple[tuple[str, ...], Exposures, tuple[int, ...]]:
    """Names, exposures and the part of every virtual frame."""
    parts = _parts(recording)
    stems = _part_names(recording, files)
    cut = source.exposure_planes is not None or source.stride_planes is not None
    if files.alignment is not None and len(parts) == 1 and not cut:
        rows = read_alignment_log(files.alignment, recording.info.rate_hz)
        rows = tuple(row for row in rows if row.seq in ("", files.name)) or rows
        rows = tuple(sorted(rows, key=lambda row: row.frame_idx))
        exposures = Exposures(tuple(row.window for row in rows), parts * len(rows), "log")
        part_of: tuple[int, ...] = (0,) * len(rows)
    else:
        try:
            exposures, part_of = virtual_exposures(
                parts,
                exposure_planes=source.exposure_planes,
                stride_planes=source.stride_planes,
                layout_exposure_planes=files.exposure_planes,
            )
        except SequenceError as error:
            raise SequenceError(
                error.problem,
                path=files.spikes,
                found=error.found,
                expected=error.expected,
                advice=error.advice,
            ) from error
    return _virtual_names(stems, part_of), exposures, part_of


def _virtual_names(stems: tuple[str, ...], part_of: tuple[int, ...]) -> tuple[str, ...]:
    """The recording's name, numbered where it gives several frames."""
    counts = {at: part_of.count(at) for at in set(part_of)}
    digits = max(4, len(str(max(counts.values()))))
    seen = dict.fromkeys(counts, 0)
    names = []
    for at in part_of:
        seen[at] += 1
        names.append(stems[at] if counts[at] == 1 else f"{stems[at]}_{seen[at]:0{digits}d}")
    return tuple(names)


# ------------------------------------------------------------------ references


def _match_references(
    names: tuple[str, ...], references: FrameSource | None, files: SequenceFiles
) -> tuple[tuple[int | None, ...], list[str]]:
    """Each frame's reference: the same name or number; in order where no name fits and the counts do."""
    if references is None:
        return (None,) * len(names), []
    partners, left = match_names(names, references.names)
    if all(at is None for at in partners) and len(names) == len(references.names):
        return tuple(range(len(names))), ["no reference has the name of a frame: they are taken in order"]
    findings = []
    without = [name for name, at in zip(names, partners, strict=True) if at is None]
    if without:
        findings.append(f"frames without a reference: {shorten(without)}")
    if left and not files.extra_references_expected:
        findings.append(f"references without a frame: {shorten([references.names[at] for at in left])}")
    return partners, findings


def _match_virtual_references(
    names: tuple[str, ...],
    exposures: Exposures,
    part_of: tuple[int, ...],
    references: FrameSource | None,
    files: SequenceFiles,
    recording: Recording,
) -> tuple[tuple[int | None, ...], list[str]]:
    """A recording's picture shows one plane: it belongs to the frame whose window's centre is nearest."""
    if references is None:
        return (None,) * len(names), []
    stems = _part_names(recording, files)
    pictures, left = match_names(stems, references.names)
    if len(stems) == 1 and len(references.names) == 1:
        pictures, left = (0,), ()
    elif len(stems) == 1 and len(references.names) > 1:
        return _match_references(names, references, files)
    reference_of: list[int | None] = [None] * len(names)
    for at, part in enumerate(_parts(recording)):
        picture = pictures[at]
        if picture is None:
            continue
        plane = key_plane(references.names[picture])
        key = (part.start + part.stop) / 2 if plane is None else part.start + plane + 0.5
        around = [
            index
            for index, window in enumerate(exposures.windows)
            if part_of[index] == at and window.start <= key < window.stop
        ]
        if around:
            nearest = min(around, key=lambda index: abs(exposures.windows[index].centre - key))
            reference_of[nearest] = picture
    findings = []
    without = [stem for stem, at in zip(stems, pictures, strict=True) if at is None]
    if without:
        findings.append(f"recordings without a reference: {shorten(without)}")
    if left:
        findings.append(f"references without a recording: {shorten([references.names[at] for at in left])}")
    return tuple(reference_of), findings
