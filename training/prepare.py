"""`python -m training prepare`: look through a data set once, so that trainings on it start at once."""

import argparse
import contextlib
import dataclasses
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.alignment import write_alignment_log
from engine.export import make_folder, write_text_atomically, written_whole
from engine.geometry import Span
from engine.sequence import Sequence as FrameSequence
from engine.sequence import open_source
from engine.voxels import VoxelSpec
from training.console import PROGRAM, OneLineParser, progress_bar
from training.data_index import (
    INDEX_NAME,
    DataIndex,
    read_exclusions,
    same_sizes,
    scan,
    write_index,
)
from training.file_stamps import stamp
from training.sequence_clips import voxel_file

STATISTICS_NAME = "statistics.json"
SAMPLED_FRAMES = 256
"""Frames whose voxels give the statistics: their mean is then known to a percent or so."""


@dataclass(frozen=True)
class VoxelStatistics:
    """Mean and standard deviation of transformed voxels before they are standardised."""

    transform: str
    bins: int
    mean: float
    std: float
    frames: int
    spikes_a_plane: float
    """Mean density of the exposures."""
    planes_an_exposure: float


def build_parser() -> argparse.ArgumentParser:
    default = VoxelSpec()
    parser = OneLineParser(
        prog=f"{PROGRAM} prepare",
        description=(
            f"Read a data set once, every picture of it, and write {INDEX_NAME} (give it to fit as "
            f"--data.index), {STATISTICS_NAME} and an alignment log for every sequence."
        ),
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("root", type=Path, help="data set in any layout that the studio opens")
    parser.add_argument("--out", type=Path, required=True, help="folder for what is found")
    parser.add_argument("--exclude", type=Path, help="CSV file (seq,frame) of frames to leave out")
    parser.add_argument("--bins", type=int, default=default.bins)
    parser.add_argument("--transform", choices=("log1p", "relative"), default=default.transform)
    parser.add_argument(
        "--cache-voxels", action="store_true", help="keep the voxel counts of every frame: faster, larger"
    )
    return parser


def run(given: Sequence[str]) -> str:
    """Prepare what the arguments (after the command's name) ask for. Raises EngineError."""
    options = build_parser().parse_args(given[1:])
    if options.bins < 1:
        raise ValueError(f"--bins must be 1 or more, got {options.bins}")
    make_folder(options.out)
    with progress_bar("Reading") as progress:
        index = scan(options.root, read_exclusions(options.exclude), decode=True, progress=progress)
    with progress_bar("Measuring") as progress:
        statistics = measure(index, options.bins, options.transform, progress=progress)
    if options.cache_voxels:
        with progress_bar("Caching voxels") as progress:
            index = cache_voxels(index, options.out, options.bins, progress=progress)
    logs, without_log = write_logs(index, options.out)
    write_index(options.out / INDEX_NAME, index)
    text = json.dumps(dataclasses.asdict(statistics), indent=1)
    write_text_atomically(options.out / STATISTICS_NAME, text)
    return "\n".join(_report(index, statistics, options.out, logs, without_log))


def measure(
    index: DataIndex,
    bins: int,
    transform: str,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> VoxelStatistics:
    """Return the statistics of voxels of frames spread evenly over a data set."""
    spec = VoxelSpec(bins=bins, transform="relative" if transform == "relative" else "log1p")
    frames = [
        (entry, number) for entry in index.entries for number, usable in enumerate(entry.usable) if usable
    ]
    chosen = np.unique(np.linspace(0, len(frames) - 1, min(SAMPLED_FRAMES, len(frames))).astype(int)).tolist()
    total = squares = spikes = planes = 0.0
    values = 0
    for done, at in enumerate(chosen):
        entry, number = frames[at]
        with open_source(entry.source, cache_bytes=0) as sequence:
            counts = sequence.voxels_on_frame(number, bins, filled=False)
        channels = spec.apply(counts)[:bins].astype(np.float64)
        total += float(channels.sum())
        squares += float(np.square(channels).sum())
        values += channels.size
        spikes += float(counts.sum(dtype=np.float64)) / counts[0].size
        planes += counts.stop - counts.start
        if progress is not None:
            progress(done + 1, len(chosen))
    mean = total / values
    return VoxelStatistics(
        transform=spec.transform,
        bins=bins,
        mean=mean,
        std=float(np.sqrt(max(squares / values - mean**2, 1e-12))),
        frames=len(chosen),
        spikes_a_plane=spikes / planes,
        planes_an_exposure=planes / len(chosen),
    )


def cache_voxels(
    index: DataIndex,
    out: Path,
    bins: int,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> DataIndex:
    """Write the voxel counts of every sequence as .npy and return the index that knows them.

    Takes memory for one frame, however long a recording is. Raises ExportError when a file cannot be written.
    """
    entries = []
    frames, done = sum(len(entry.frame_names) for entry in index.entries), 0
    for entry in index.entries:
        path = voxel_file(out, entry)
        make_folder(path.parent)
        with open_source(entry.source, cache_bytes=0) as sequence, _npy_file(path) as append:
            dtype = _count_dtype(sequence, bins)
            for at in range(len(sequence)):
                counts = sequence.voxels_on_frame(at, bins, filled=False)
                append(counts.astype(dtype), len(sequence))
                sequence.forget_spikes(Span(at, at + 1))
                done += 1
                if progress is not None:
                    progress(done, frames)
        files = (*entry.files, *stamp([path.absolute()]))
        entries.append(dataclasses.replace(entry, voxels=str(path.absolute()), files=files))
    return dataclasses.replace(index, entries=tuple(entries))


def write_logs(index: DataIndex, out: Path) -> tuple[int, tuple[str, ...]]:
    """Write an alignment log for every sequence whose plane rate is known.

    Returns how many, and the names of the sequences whose rate is not known.
    """
    folder = make_folder(out / "alignment")
    written, without = 0, []
    for entry in index.entries:
        with open_source(entry.source, cache_bytes=0) as sequence:
            recording = sequence.recording
            rate_hz = None if recording is None else recording.info.rate_hz
            if rate_hz is None:
                without.append(entry.name)
                continue
            log_path = folder / f"{entry.name}.csv"
            make_folder(log_path.parent)
            counts = [int(sequence.voxels(at, 1).sum(dtype=np.int64)) for at in range(len(sequence))]
            write_alignment_log(
                log_path,
                sequence.windows,
                rate_hz=rate_hz,
                event_counts=counts,
                name=entry.name,
            )
        written += 1
    return written, tuple(without)


def _count_dtype(sequence: FrameSequence, bins: int) -> type[np.unsignedinteger] | type[np.float32]:
    """Return the smallest type that holds every count of a sequence; float32 where they are drawn anew."""
    if not sequence.registration.is_scale:
        return np.float32
    # A pixel mostly fires once a plane at most, so most recordings need not be read to know.
    longest = max(window.length_planes for window in sequence.windows)
    most = None if sequence.recording is None else sequence.recording.info.most_a_plane
    if most is not None and most * longest / bins < 255:
        return np.uint8
    found = max(float(sequence.voxels(at, bins).max()) for at in range(len(sequence)))
    return np.uint8 if found <= 255 else np.uint16


@contextlib.contextmanager
def _npy_file(path: Path) -> Iterator[Callable[[NDArray[np.generic], int], None]]:
    """Yield a function that appends one of so many equal arrays to a .npy file, written whole or not at all.

    Not a memory map: on a full disk, writing to one ends the process. Raises ExportError.
    """
    with written_whole(path) as file:

        def append(array: NDArray[np.generic], count: int) -> None:
            if file.tell() == 0:
                descr = np.lib.format.dtype_to_descr(array.dtype)
                header = {"descr": descr, "fortran_order": False, "shape": (count, *array.shape)}
                np.lib.format.write_array_header_1_0(file, header)
            file.write(array.tobytes())

        yield append


def _report(
    index: DataIndex, statistics: VoxelStatistics, out: Path, logs: int, without_log: Sequence[str]
) -> list[str]:
    usable = sum(sum(entry.usable) for entry in index.entries)
    lines = [
        f"{out / INDEX_NAME}: {len(index.entries)} sequences, {usable} frames to train on",
        *(f"  {frames}, spikes {spikes}" for frames, spikes in same_sizes(index.entries)),
        f"{out / STATISTICS_NAME}: {statistics.transform} voxels in {statistics.bins} bins have mean "
        f"{statistics.mean:.3f}, std {statistics.std:.3f}; {statistics.spikes_a_plane:.3f} spikes a plane, "
        f"{statistics.planes_an_exposure:.0f} planes an exposure",
        f"  give them to fit: --model.voxels.bins {statistics.bins} "
        f"--model.voxels.transform {statistics.transform} --model.voxels.mean {statistics.mean:.4g} "
        f"--model.voxels.std {statistics.std:.4g}",
        f"{out / 'alignment'}: {logs} alignment logs",
    ]
    if without_log:
        lines.append(
            f"note: {len(without_log)} sequences have no alignment log, the first is {without_log[0]}: a log "
            "tells seconds, and the recording's planes per second are unknown. Write spike_rate_hz into the "
            "config.yaml beside it"
        )
    lines.extend(f"note: {finding}" for finding in index.findings)
    lines.extend(f"note: {entry.name}: {finding}" for entry in index.entries for finding in entry.findings)
    return lines
