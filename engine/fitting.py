"""Fit the parts of a sequence together: which planes and which reference belong to which frame."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

from engine.alignment import AlignmentLog, RecordedSpan, load_alignment_log, rows_of, windows_for_frames
from engine.errors import AlignmentError, SequenceError
from engine.exposures import (
    Exposures,
    guessed_exposures,
    part_spans,
    per_part_exposures,
    virtual_exposures,
    windows_outside,
)
from engine.file_names import frame_numbers, match_names
from engine.findings import Finding, option
from engine.frames import FrameSource
from engine.geometry import Size, Span, are_same_aspect
from engine.layouts import LayoutName, SequenceFiles
from engine.layouts.listing import SIDECAR_NAME, shorten
from engine.layouts.sidecar import read_gamma
from engine.layouts.spikes_only import key_plane
from engine.recording import Recording
from engine.slots import Slots, even_slots, names_beside, slots_of_names, slots_of_times
from engine.source import SequenceSource

NO_SCORES = "They have no scores; copy their references to have them"


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
    findings: tuple[Finding, ...]


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


def fit_parts(
    source: SequenceSource,
    files: SequenceFiles,
    frames: FrameSource | None,
    references: FrameSource | None,
    recording: Recording | None,
) -> SequenceParts:
    """Give every frame its window and its reference.

    Raises SequenceError where names do not fit at all, AlignmentError where the log does not.
    """
    stated_gamma, about_gamma = read_gamma(files.sidecar)
    findings = [*files.findings, *about_gamma]
    if frames is not None:
        findings += frames.findings
        size, bit_depth = frames.size, frames.bit_depth
        names = frames.names
        exposures = _exposures_of_frames(source, files, frames, references, recording)
        findings += _unused_options(source, exposures)
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
        if frames is not None and source.registration is None:
            findings += _about_fields_of_view(size, recording.info.size)
    elif source.registration is not None:
        findings.append(
            Finding(
                "the registration is not used, for the sequence has no spikes",
                "Name the recording with --spikes, or leave the registration out",
            )
        )
    findings += about_references
    if references is not None:
        findings += references.findings
        if references.size != size:
            findings.append(
                Finding(
                    f"the reference is {references.size} and the frames are {size}",
                    "Give a reference of the frames' size to have scores",
                )
            )
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


def _about_fields_of_view(frames: Size, spikes: Size) -> list[Finding]:
    """Say that frames and spikes cannot show one field of view, by their shapes."""
    of_frames, of_spikes = frames.width / frames.height, spikes.width / spikes.height
    if are_same_aspect(of_frames, of_spikes):
        return []
    shapes = (
        f"frames of {frames} ({of_frames:.2f} : 1) and spikes of {spikes} ({of_spikes:.2f} : 1) "
        "do not show one field of view"
    )
    if are_same_aspect(of_frames, 1 / of_spikes):
        turned = Size(spikes.width, spikes.height)
        return [
            Finding(
                f"{shapes}: height and width are exchanged in one of them",
                f"Give the recording {option('height', 'width', words=f'a size of {turned}')} where it is "
                "read wrongly, or turn the frames",
            )
        ]
    return [
        Finding(
            shapes,
            f"Give the recording's {option('height', 'width')} where they are others, "
            "or crop the frames to what the spike camera saw",
        )
    ]


def _exposures_of_frames(
    source: SequenceSource,
    files: SequenceFiles,
    frames: FrameSource,
    references: FrameSource | None,
    recording: Recording | None,
) -> Exposures | None:
    names = frames.names
    parts = _parts(recording)
    planes = 0 if recording is None else recording.info.planes
    limits: tuple[Span, ...] = (Span(0, planes),) * len(names)
    by_part: Exposures | None = None
    extra: tuple[Finding, ...] = ()
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
            extra = (
                Finding(
                    f"recordings without a frame: {shorten([stems[at] for at in left])}",
                    "Copy their frames, or move them away",
                ),
            )
        by_part = per_part_exposures(
            names,
            [None if at is None else parts[at] for at in partners],
            planes,
            source.exposure_planes or files.exposure_planes,
        )
        limits = by_part.limits
    if files.alignment is not None and (recording is not None or source.alignment is not None):
        log = _read_log(files.alignment, source, recording, files.name)
        numbers = frame_numbers(names)
        windows, oddities = windows_for_frames(log.rows, numbers, path=files.alignment, name=files.name)
        return Exposures(windows, limits, "log", (*log.findings, *oddities, *extra))
    if recording is None:
        return None
    if by_part is not None:
        return Exposures(by_part.windows, limits, "layout", (*by_part.findings, *extra))
    if files.windows is not None:
        return Exposures(files.windows, limits, "layout")
    slots = _slots(source, files, frames, references)
    return guessed_exposures(slots, planes, source.exposure_planes or files.exposure_planes)


def _slots(
    source: SequenceSource, files: SequenceFiles, frames: FrameSource, references: FrameSource | None
) -> Slots:
    """When frames were taken, relative to each other: by time stamps, else by the numbers in their names."""
    if frames.times_seconds is not None:
        return slots_of_times(frames.times_seconds)
    if files.video is not None:
        return even_slots(len(frames.names))
    others = files.lost_frames
    if references is not None and source.reference is None and not files.extra_references_expected:
        others += names_beside(frames.names, references.names)
    return slots_of_names(frames.names, others)


def _unused_options(source: SequenceSource, exposures: Exposures | None) -> list[Finding]:
    """What was given about exposures and does not matter for frames that are there."""
    findings = []
    if source.stride_planes is not None:
        findings.append(
            Finding("stride_planes is not used: it is for recordings without frames", "Leave it out")
        )
    if source.exposure_planes is not None:
        if exposures is None:
            findings.append(
                Finding("exposure_planes is not used: the sequence has no spikes", f"Name {option('spikes')}")
            )
        elif exposures.source == "log":
            findings.append(
                Finding(
                    "exposure_planes is not used: the alignment log says the exposures",
                    "Leave it out, or move the log away",
                )
            )
    return findings


def _read_log(path: Path, source: SequenceSource, recording: Recording | None, name: str) -> AlignmentLog:
    """Read a log; where the rate is missing, say also what is wrong with the sidecar that should state it."""
    info = None if recording is None else recording.info
    recorded = (
        RecordedSpan(source.rate_hz)
        if info is None
        else RecordedSpan(info.rate_hz, info.planes, info.clock_start)
    )
    try:
        return load_alignment_log(
            path,
            recorded,
            time_unit=source.time_unit,
            name=name,
            gives_way=info is not None and info.format == "events",
        )
    except AlignmentError as error:
        about = [] if info is None else [text for text in info.warnings if SIDECAR_NAME in text]
        if recorded.rate_hz is not None or not about:
            raise
        found = "; ".join(text for text in (error.found, *about) if text is not None)
        raise AlignmentError(
            error.problem, path=error.path, found=found, expected=error.expected, advice=error.advice
        ) from error


def _parts(recording: Recording | None) -> tuple[Span, ...]:
    return () if recording is None else part_spans(recording.parts(), recording.info.planes)


def _is_folder(recording: Recording | None) -> bool:
    return recording is not None and recording.info.format == "folder"


def _part_names(recording: Recording | None, files: SequenceFiles) -> tuple[str, ...]:
    paths = recording.part_paths if recording else (files.spikes,) if files.spikes else ()
    return tuple(path.stem for path in paths)


def _virtual_frames(
    source: SequenceSource, files: SequenceFiles, recording: Recording
) -> tuple[tuple[str, ...], Exposures, tuple[int, ...]]:
    """Names, exposures and the part of every virtual frame."""
    parts = _parts(recording)
    stems = _part_names(recording, files)
    cut = source.exposure_planes is not None or source.stride_planes is not None
    if files.alignment is not None and len(parts) == 1 and not cut:
        log = _read_log(files.alignment, source, recording, files.name)
        rows = sorted(rows_of(log.rows, files.name, files.alignment), key=lambda row: row.frame_idx)
        exposures = Exposures(tuple(row.window for row in rows), parts * len(rows), "log", log.findings)
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
    counts = Counter(part_of)
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
) -> tuple[tuple[int | None, ...], list[Finding]]:
    """Each frame's reference: the same name or number; in order where no name fits and the counts do."""
    if references is None:
        return (None,) * len(names), []
    partners, left = match_names(names, references.names)
    if all(at is None for at in partners) and len(names) == len(references.names):
        in_order = Finding(
            "no reference has the name of a frame: they are taken in order",
            "Name each reference as its frame where the order is another",
        )
        return tuple(range(len(names))), [in_order]
    findings = []
    without = [name for name, at in zip(names, partners, strict=True) if at is None]
    if without:
        findings.append(Finding(f"frames without a reference: {shorten(without)}", NO_SCORES))
    if left and not files.extra_references_expected:
        spare = shorten([references.names[at] for at in left])
        findings.append(
            Finding(f"references without a frame: {spare}", "Copy their frames, or move them away")
        )
    return partners, findings


def _match_virtual_references(
    names: tuple[str, ...],
    exposures: Exposures,
    part_of: tuple[int, ...],
    references: FrameSource | None,
    files: SequenceFiles,
    recording: Recording,
) -> tuple[tuple[int | None, ...], list[Finding]]:
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
    of_part: dict[int, list[int]] = defaultdict(list)
    for index, at in enumerate(part_of):
        of_part[at].append(index)
    for at, part in enumerate(_parts(recording)):
        picture = pictures[at]
        if picture is None:
            continue
        plane = key_plane(references.names[picture])
        key = (part.start + part.stop) / 2 if plane is None else part.start + plane + 0.5
        windows = exposures.windows
        around = [index for index in of_part[at] if windows[index].start <= key < windows[index].stop]
        if around:
            nearest = min(around, key=lambda index: abs(windows[index].centre - key))
            reference_of[nearest] = picture
    findings = []
    without = [stem for stem, at in zip(stems, pictures, strict=True) if at is None]
    if without:
        findings.append(Finding(f"recordings without a reference: {shorten(without)}", NO_SCORES))
    if left:
        spare = shorten([references.names[at] for at in left])
        findings.append(
            Finding(f"references without a recording: {spare}", "Copy their recordings, or move them away")
        )
    return tuple(reference_of), findings
