"""Find and open everything a sequence is made of."""

import math
import os
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.errors import FrameError, RegistrationError, SequenceError, UnreadFramesError
from engine.file_names import composed
from engine.fitting import SequenceParts, fit_parts
from engine.frames import FrameSource, PictureFrames
from engine.geometry import Size
from engine.layouts import SequenceFiles, list_sequences, recognise
from engine.layouts.listing import (
    VIDEO_SUFFIXES,
    find_sidecar,
    pictures_in,
    spike_files_in,
)
from engine.layouts.sidecar import LEAST_GAMMA, MOST_GAMMA
from engine.layouts.unread import spike_folder_unread, unread_in
from engine.recording import Recording, guess_flip, guess_lying, open_recording
from engine.recording.sidecar import Sidecar
from engine.recording.sidecar import find_sidecar as find_recording_sidecar
from engine.registration import Registration, homography_of
from engine.samples import as_values
from engine.source import SequenceSource, flat_file
from engine.white_level import settle_white

_PLAUSIBLE = {"gamma": (LEAST_GAMMA, MOST_GAMMA), "rate_hz": (0.001, 1e9), "white": (1, 65535)}


def sequences_at(root: Path) -> list[Path]:
    """Return the sequences in `root`, or `root` itself where it is one."""
    try:
        _recognise(root)
    except UnreadFramesError:  # what else is inside is only a part of it
        raise
    except SequenceError:
        if not root.is_dir():
            raise
        return list_sequences(root)
    return [root]


def _recognise(path: Path) -> SequenceFiles:
    try:
        return recognise(path)
    except OSError as error:
        # Not always the folder itself: one inside it may be closed.
        at = path if error.filename is None else Path(os.fsdecode(error.filename))
        raise SequenceError(
            f"it cannot be read ({error.strerror})", path=at, advice="Ask for the right to read it"
        ) from error


def open_parts(source: SequenceSource) -> SequenceParts:
    """Open the sequence that `source` describes. Errors as in `engine.sequence.open_sequence`."""
    _check_numbers(source)
    files = _with_given_files(_recognise(Path(source.path)), source)
    with ExitStack() as opened:
        frames = _open_frames(files, source)
        if frames is not None:
            opened.callback(frames.close)
        references = _open_references(files, source)
        if references is not None:
            opened.callback(references.close)
        frame_size = None if frames is None else frames.size
        recording = _open_spikes(files, source, frame_size)
        if recording is not None:
            opened.callback(recording.close)
        parts = fit_parts(source, files, frames, references, recording)
        registration_of(parts)
        picture = _picture_of_orientation(parts)
        if picture is not None and recording is not None:
            recording.close()
            recording = _open_spikes(files, source, frame_size, *picture)
            assert recording is not None
            opened.callback(recording.close)
            parts = fit_parts(source, files, frames, references, recording)
        parts = settle_white(parts)
        opened.pop_all()
        return parts


def registration_of(parts: SequenceParts) -> Registration | None:
    """Return where the pixels of frames lie among the spikes; None without spikes.

    Raises RegistrationError where the source says what cannot be.
    """
    facts, recording = parts.facts, parts.recording
    said = facts.source.registration
    try:
        homography = None if said is None else homography_of(said)
        if recording is None:
            return None
        registration = Registration(facts.frame_size, recording.info.size, homography)
    except RegistrationError as error:
        raise error.about(facts.source.path) from error
    if parts.frames is None and not registration.is_scale:
        raise RegistrationError(
            "a registration is given, and there is no second camera: the frames are made of the spikes",
            path=facts.source.path,
            advice="Leave the registration out, or name the frames",
        )
    return registration


def _check_numbers(source: SequenceSource) -> None:
    for label in ("rate_hz", "gamma", "exposure_planes", "stride_planes", "height", "width", "white"):
        value = getattr(source, label)
        if value is not None and not (math.isfinite(value) and value > 0):
            raise SequenceError(
                f"{label} must be positive", path=source.path, found=f"{value:g}", expected="> 0"
            )
    for label, (least, most) in _PLAUSIBLE.items():
        value = getattr(source, label)
        if value is not None and not least <= value <= most:
            raise SequenceError(
                f"{label} is out of all bounds",
                path=source.path,
                found=f"{value:g}",
                expected=f"{least:g} to {most:g}",
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
            findings=tuple(finding for finding in files.findings if finding not in files.about_spikes),
        )
        if spikes.is_dir():
            files = files.but(findings=(*files.findings, *spike_folder_unread(spikes, f"{spikes.name}/")))
    if source.reference is not None:
        reference = Path(source.reference)
        files = files.but(references=_given_references(reference))
        if reference.is_dir():
            files = files.but(
                findings=(*files.findings, *unread_in(reference).findings(f"{reference.name}/"))
            )
    if source.alignment is not None:
        files = files.but(alignment=Path(source.alignment))
    return files


def _given_references(path: Path) -> tuple[Path, ...]:
    if path.is_file():
        return (path,)
    pictures = pictures_in(path)
    if not pictures:
        unread = unread_in(path)
        if path.is_dir() and (unread.links or unread.pictures):
            raise SequenceError(
                "the reference pictures cannot be read",
                path=path,
                found=unread.error().found,
                expected=unread.error().expected,
                advice=unread.error().advice,
            )
        raise SequenceError(
            "no reference pictures are there",
            path=path,
            found="nothing" if not path.exists() else "a folder without pictures",
            expected="a folder of pictures, one picture or a video",
        )
    return pictures


def _open_frames(files: SequenceFiles, source: SequenceSource) -> FrameSource | None:
    if files.video is not None:
        return _open_video(files.video)
    if not files.frames:
        return None
    # Names that tell the window need not be a series without gaps, and tell it of one picture.
    plain = files.windows is None
    return PictureFrames(files.frames, is_series=plain, white=source.white, may_be_stack=plain)


def _open_references(files: SequenceFiles, source: SequenceSource) -> FrameSource | None:
    if not files.references:
        return None
    if files.references[0].suffix.lower() in VIDEO_SUFFIXES:
        return _open_video(files.references[0])
    return PictureFrames(files.references, "reference pictures", is_series=False, white=source.white)


def _open_video(path: Path) -> FrameSource:
    from engine.video import VideoFrames  # PyAV takes a while to import and most sequences are pictures

    return VideoFrames(path)


def _open_spikes(
    files: SequenceFiles,
    source: SequenceSource,
    frame_size: Size | None = None,
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
        recordings = spike_files_in(path)
        frame_names = {composed(frame.stem) for frame in files.frames}
        if len(recordings) == 1 and composed(recordings[0].stem) not in frame_names:
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
        msb_first=source.msb_first,
        time_unit=source.time_unit,
        frame=frame,
        frame_window=frame_window,
        frame_size=frame_size,
        layout_size=files.spike_size or other.size,
    )


def _picture_of_orientation(
    parts: SequenceParts,
) -> tuple[NDArray[np.float32], tuple[float, float]] | None:
    """A picture that shows which way up a recording is, or where its coordinates begin, and its planes.

    None where both are known, or no picture shows them.
    """
    recording, exposures = parts.recording, parts.exposures
    if recording is None or exposures is None:
        return None
    flip_is_open = recording.info.known_by.get("flip") == "unknown"
    origin_is_open = recording.info.origin_is_open
    if not (flip_is_open or origin_is_open or recording.info.may_lie):
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
            picture = as_values(pictures.read(at))
        except FrameError:
            continue
        registration = registration_of(parts)
        if registration is not None and not registration.is_scale:
            if picture.shape[:2] != (registration.frame_size.height, registration.frame_size.width):
                continue
            picture = registration.picture_to_spikes(picture)
        planes = (window.start, window.stop)
        if (
            (origin_is_open and not flip_is_open)
            or guess_flip(recording, picture, planes).flip is not None
            or (recording.info.may_lie and guess_lying(recording, picture, planes))
        ):
            return picture, planes
    return None


def files_behind(source: SequenceSource) -> tuple[Path, ...]:
    """Return every file that a sequence is read from, each once; nothing is opened.

    Raises SequenceError where there is no sequence.
    """
    files = _with_given_files(_recognise(Path(source.path)), source)
    recordings: tuple[Path, ...] = ()
    if files.spikes is not None:
        recordings = spike_files_in(files.spikes) if files.spikes.is_dir() else (files.spikes,)
    sidecars = [files.sidecar, find_recording_sidecar(Path(source.path)).path]
    if files.spikes is not None:
        sidecars.append(find_recording_sidecar(files.spikes).path)
    flat = flat_file(source)
    if flat is not None:
        sidecars += [Path(flat)] if not Path(flat).is_dir() else spike_files_in(Path(flat))
    single = [path for path in (files.video, files.alignment, *sidecars) if path is not None]
    return tuple(dict.fromkeys((*files.frames, *files.references, *recordings, *single)))
