"""What a data set on disk holds: every sequence in it, and which of its frames can be learned from."""

import csv
import dataclasses
import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.errors import EngineError, SequenceError
from engine.export import write_text_atomically
from engine.findings import Finding
from engine.geometry import Size
from engine.opening import files_behind
from engine.sequence import Sequence as FrameSequence
from engine.sequence import find_sequences, open_source
from engine.source import SequenceSource
from training.file_stamps import FolderStamp, Listings, changes, shortened, stamp, stamps_from

INDEX_FORMAT = 2
INDEX_NAME = "index.json"
Excluded = frozenset[tuple[str, str]]
"""(sequence, frame) by name, without suffixes; the frame "*" stands for all."""


@dataclass(frozen=True)
class SequenceEntry:
    """One sequence of a data set."""

    source: SequenceSource
    name: str
    """Its path below the data set's root."""
    frame_names: tuple[str, ...]
    usable: tuple[bool, ...]
    """Whether a frame has spikes and a reference of its size, and is not excluded; where the data set was
    decoded, whether all of that can be read, too."""
    frame_size: Size
    spike_size: Size
    gamma: float = 1.0
    voxels: str | None = None
    """File of cached voxel counts (frames, bins, h, w), where `prepare` made one."""
    findings: tuple[str, ...] = ()
    files: tuple[FolderStamp, ...] = ()
    """All that it is read from, as it was when this was found out."""

    def check_unchanged(self, listings: Listings | None = None) -> None:
        """Raise SequenceError where its files are not those any more that this was found out about."""
        changed = changes(self.files, listings or Listings())
        if changed:
            raise stale(self.source.path, changed)

    def clips(self, frames: int) -> list[int]:
        """Return the first frames of all runs of `frames` usable ones."""
        return [
            first
            for first in range(len(self.usable) - frames + 1)
            if all(self.usable[first : first + frames])
        ]


@dataclass(frozen=True)
class DataIndex:
    """The sequences of a data set that can be trained on, and what is wrong with the others."""

    root: str
    entries: tuple[SequenceEntry, ...]
    findings: tuple[str, ...] = ()
    is_decoded: bool = False
    """Every frame that is called usable was read, and its reference and spikes too."""


def read_exclusions(path: Path | None) -> Excluded:
    """Read a CSV file with the columns `seq` and `frame`; none at all for None.

    Raises SequenceError when the file cannot be read or lacks a column.
    """
    if path is None:
        return frozenset()
    try:
        rows = list(csv.DictReader(path.read_text("utf-8-sig").splitlines()))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SequenceError(f"cannot read the list of excluded frames: {error}", path=path) from error
    if any(row.get("seq") is None or row.get("frame") is None for row in rows):
        raise SequenceError(
            "the list of excluded frames lacks a column",
            path=path,
            expected="a header line: seq,frame",
            advice="Write one frame a line, or * for all frames of a sequence",
        )
    return frozenset((row["seq"].strip(), row["frame"].strip()) for row in rows)


def scan(
    root: Path,
    excluded: Excluded = frozenset(),
    *,
    decode: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> DataIndex:
    """Open every sequence below `root` and note what it holds; `decode` reads every picture, too.

    Sequences that cannot be opened or learned from are findings, and so are frames that cannot be read.
    Raises SequenceError when nothing is left.
    """
    entries: list[SequenceEntry] = []
    findings: list[str] = []
    met: set[tuple[str, str]] = set()
    listings = Listings()
    sources = find_sequences(root)
    for done, source in enumerate(sources):
        name = _name_below(root, Path(source.path))
        try:
            entry = _entry(source, name, excluded, met, listings, decode=decode)
        except (EngineError, OSError) as error:
            findings.append(f"{name} is left out: {error}")
        else:
            if any(entry.usable):
                entries.append(entry)
            else:
                reasons = "; ".join(entry.findings[:3])
                findings.append(
                    f"{name} is left out: no frame has spikes and a reference of its size and is not excluded"
                    + (f" ({reasons})" if reasons else "")
                )
        if progress is not None:
            progress(done + 1, len(sources))
    findings += _unmet(excluded, met)
    return _index_of(str(root), entries, findings, decode)


def without(index: DataIndex, excluded: Excluded) -> DataIndex:
    """Leave excluded frames out of an index. Raises SequenceError when none is left."""
    met: set[tuple[str, str]] = set()
    entries: list[SequenceEntry] = []
    for entry in index.entries:
        names = {entry.name, Path(entry.source.path).name}
        usable = []
        for frame, was_usable in zip(entry.frame_names, entry.usable, strict=True):
            hits = excluded & {(seq, which) for seq in names for which in (frame, "*")}
            met |= hits
            usable.append(was_usable and not hits)
        if any(usable):
            entries.append(dataclasses.replace(entry, usable=tuple(usable)))
    findings = [*index.findings, *_unmet(excluded, met)]
    return _index_of(index.root, entries, findings, index.is_decoded)


def stale(path: str | Path, changed: Sequence[str]) -> SequenceError:
    """Return the error for data that is not what an index says about it."""
    return SequenceError(
        f"{len(changed)} files of the data set changed after it was looked through",
        path=path,
        found=shortened(changed),
        advice="Look through it anew: python -m training prepare",
    )


def _unmet(excluded: Excluded, met: set[tuple[str, str]]) -> list[str]:
    unknown = sorted(excluded - met)
    if not unknown:
        return []
    seq, frame = unknown[0]
    return [f"{len(unknown)} excluded frames are not in the data set, the first is {seq},{frame}"]


def _index_of(
    root: str, entries: Sequence[SequenceEntry], findings: Sequence[str], is_decoded: bool
) -> DataIndex:
    if not entries:
        raise SequenceError(
            "there is nothing to train on here",
            path=root,
            found="; ".join(findings[:3]) or "no sequence",
            expected="sequences with frames, spikes and references that are not excluded",
        )
    return DataIndex(root, tuple(entries), tuple(findings), is_decoded)


def write_index(path: Path, index: DataIndex) -> None:
    """Write an index as JSON, whole or not at all."""
    write_text_atomically(path, json.dumps({"format": INDEX_FORMAT, **dataclasses.asdict(index)}, indent=1))


def read_index(path: Path) -> DataIndex:
    """Read what `write_index` wrote. Raises SequenceError, also where the data set has changed since."""
    try:
        told = json.loads(path.read_text("utf-8"))
        if told["format"] != INDEX_FORMAT:
            raise ValueError(f"format {told['format']} is not {INDEX_FORMAT}")
        index = DataIndex(
            told["root"],
            tuple(_entry_from(entry) for entry in told["entries"]),
            tuple(told["findings"]),
            bool(told["is_decoded"]),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SequenceError(
            f"cannot read the index: {error}",
            path=path,
            advice="Make it anew with: python -m training prepare",
        ) from error
    listings = Listings()
    changed = [change for entry in index.entries for change in changes(entry.files, listings)]
    if changed:
        raise stale(path, list(dict.fromkeys(changed)))
    return index


def same_sizes(entries: Sequence[SequenceEntry]) -> Collection[tuple[Size, Size]]:
    """Return the different pairs of frame and spike sizes."""
    return sorted({(entry.frame_size, entry.spike_size) for entry in entries})


def _entry(
    source: SequenceSource,
    name: str,
    excluded: Excluded,
    met: set[tuple[str, str]],
    listings: Listings,
    *,
    decode: bool,
) -> SequenceEntry:
    # Noted down first: what changes while it is read must not pass for what was read.
    files = stamp(files_behind(source), listings)
    with open_source(source, cache_bytes=0) as sequence:
        if sequence.recording is None:
            raise SequenceError("the sequence has no spikes", path=source.path)
        names = tuple(sequence.frame_name(index) for index in range(len(sequence)))
        if sequence.is_virtual:
            raise SequenceError("the sequence has spikes but no frames", path=source.path)
        fits = sequence.reference_size in (None, sequence.frame_size)
        usable, findings = [], list(sequence.findings)
        for index, frame in enumerate(names):
            hits = excluded & {(seq, which) for seq in (name, sequence.name) for which in (frame, "*")}
            met |= hits
            seen = len(sequence.window(index).planes().intersect(sequence.spike_limits(index)))
            useful = bool(fits and sequence.has_reference_for(index) and seen and not hits)
            error = unreadable(sequence, index) if useful and decode else None
            if error is not None:
                findings.append(left_out(name, frame, error))
            usable.append(useful and error is None)
        return SequenceEntry(
            source=source,
            name=name,
            frame_names=names,
            usable=tuple(usable),
            frame_size=sequence.frame_size,
            spike_size=sequence.registration.grid_size,
            gamma=sequence.gamma,
            findings=tuple(findings),
            files=files,
        )


def unreadable(sequence: FrameSequence, index: int) -> EngineError | None:
    """Read all that is learned from of a frame, and return why it cannot be; None where it can."""
    try:
        blurry, reference = sequence.frame(index), sequence.reference(index)
        sequence.voxels(index, 1)
        check_reference(sequence, index, blurry.shape, None if reference is None else reference.shape)
    except EngineError as error:
        return error
    return None


def check_reference(
    sequence: FrameSequence, index: int, frame: tuple[int, ...], reference: tuple[int, ...] | None
) -> None:
    """Raise SequenceError unless a frame's reference is there and has its shape."""
    if reference != frame:
        raise SequenceError(
            f"the reference of frame {sequence.frame_name(index)} does not fit it",
            path=sequence.source.path,
            found="none" if reference is None else str(reference),
            expected=str(frame),
        )


def left_out(seq: str, frame: str, error: EngineError) -> Finding:
    """Say that a frame is not learned from, as which line it would be excluded, and why."""
    return Finding(
        f"{seq},{frame} is left out: {error}",
        f"Copy it again, or exclude it for good: the line {seq},{frame} below seq,frame in a file for "
        "--exclude (fit: --data.exclude)",
    )


def _entry_from(told: dict[str, Any]) -> SequenceEntry:
    return SequenceEntry(
        source=SequenceSource(**told["source"]),
        name=told["name"],
        frame_names=tuple(told["frame_names"]),
        usable=tuple(told["usable"]),
        frame_size=Size(**told["frame_size"]),
        spike_size=Size(**told["spike_size"]),
        gamma=told["gamma"],
        voxels=told["voxels"],
        findings=tuple(told["findings"]),
        files=stamps_from(told["files"]),
    )


def _name_below(root: Path, path: Path) -> str:
    # Spelled as `find_sequences` spells what it finds.
    root = root.expanduser()
    root = root.resolve() if ".." in root.parts else root.absolute()
    try:
        below = path.absolute().relative_to(root).as_posix()
    except ValueError:
        return path.name
    return path.name if below == "." else below
