"""Memory and time of opening a long event list and counting one window of it.

    python tests/benchmarks/event_lists.py [--megabytes 300]

Each case runs in a process of its own, which says how far its peak of resident memory lies above that of
its imports. The baseline is what everybody writes first: `np.load` of all columns, times to float64.
"""

import argparse
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from engine.recording import open_recording
from engine.voxels import spike_rate, voxelize

HEIGHT, WIDTH = 720, 1280
RATE_HZ = 20_000
A_PLANE = 200
"""Events in each plane."""
ROW = np.dtype([("t", "<i8"), ("x", "<u2"), ("y", "<u2"), ("p", "i1")])
WINDOW = (1000.0, 1400.0)
BINS = 32


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=int, default=300)
    arguments = parser.parse_args()
    events = arguments.megabytes * 1_000_000 // ROW.itemsize
    with tempfile.TemporaryDirectory() as folder:
        # In a process of its own: Linux counts what a parent had resident among the peaks of its children.
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            files = pool.apply(written, (Path(folder), events))
        print(f"{events} events of {ROW.itemsize} bytes, {HEIGHT} × {WIDTH}; above the imports\n")
        print(f"{'':44}{'seconds':>9}{'peak, MB':>10}")
        for name, path in files.items():
            show(f"{name}, np.load and float64", baseline, path)
            show(f"{name}, opened and a window", opened, path)
        show("rows of .npy, spike_rate of all", rated, files["rows of .npy"])


def written(folder: Path, events: int) -> dict[str, Path]:
    """Write one list in the ways that lists come in; microseconds, a plane being 50 of them."""
    random = np.random.default_rng(0)
    rows = np.empty(events, ROW)
    rows["t"] = np.arange(events) // A_PLANE * (1_000_000 // RATE_HZ)
    rows["x"] = random.integers(0, WIDTH, events)
    rows["y"] = random.integers(0, HEIGHT, events)
    rows["p"] = random.integers(0, 2, events)
    np.save(folder / "rows.npy", rows)
    columns = {name: rows[name] for name in ROW.names or ()}
    np.savez(folder / "columns.npz", **columns)
    np.savez_compressed(folder / "packed.npz", **columns)
    pixel = rows["y"].astype(np.int32) * WIDTH + rows["x"]
    np.save(folder / "by_pixel.npy", rows[np.argsort(pixel, kind="stable")])
    return {
        "rows of .npy": folder / "rows.npy",
        "columns of .npz": folder / "columns.npz",
        "columns of compressed .npz": folder / "packed.npz",
        "rows pixel by pixel": folder / "by_pixel.npy",
    }


def baseline(path: Path) -> None:
    loaded = np.load(path)
    times, x, y = (np.asarray(loaded[name]) for name in "txy")
    planes = times.astype(np.float64) * (RATE_HZ / 1e6)
    first, last = np.searchsorted(planes, WINDOW)
    bins = ((planes[first:last] - WINDOW[0]) / (WINDOW[1] - WINDOW[0]) * BINS).astype(np.int64)
    counts = np.zeros((BINS, HEIGHT, WIDTH), np.float32)
    np.add.at(counts, (bins, y[first:last], x[first:last]), 1)


def opened(path: Path) -> None:
    with open_recording(path, height=HEIGHT, width=WIDTH, rate_hz=RATE_HZ, time_unit="us") as recording:
        voxelize(recording, *WINDOW, BINS)


def rated(path: Path) -> None:
    with open_recording(path, height=HEIGHT, width=WIDTH, rate_hz=RATE_HZ, time_unit="us") as recording:
        spike_rate(recording)


def show(name: str, call: Callable[[Path], None], path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=run, args=(there, call, path))
    process.start()
    seconds, peak_bytes = here.recv()
    process.join()
    print(f"{name:44}{seconds:9.2f}{peak_bytes / 1e6:10.0f}")


def run(pipe: "multiprocessing.connection.Connection", call: Callable[[Path], None], path: Path) -> None:
    before = peak()
    start = time.perf_counter()
    call(path)
    pipe.send((time.perf_counter() - start, peak() - before))


def peak() -> int:
    """Return the most memory that this process has had resident, in bytes."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    sys.exit(main())
