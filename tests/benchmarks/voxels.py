"""Speed and memory of counting spikes, beside what numpy does by itself.

    python tests/benchmarks/voxels.py [--planes 1333] [--repeat 3]

The baseline of voxel bins is `np.unpackbits(...).sum(axis=0)` bin by bin, that of the spike rate a copy
of the same bytes in memory; all run on the same data in the same process, best of `--repeat`.
"""

import argparse
import itertools
import sys
import tempfile
import threading
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil

from engine.recording import Recording, open_recording
from engine.voxels import spike_rate, tfi, tfp, voxelize

HEIGHT = WIDTH = 1000
BINS = 32
DENSITY = 0.2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--planes", type=int, default=1333)
    parser.add_argument("--repeat", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "spike.dat"
        random = np.random.default_rng(0)
        with path.open("wb") as file:
            for _ in range(arguments.planes):
                file.write(np.packbits(random.random(HEIGHT * WIDTH) < DENSITY, bitorder="little").data)
        with open_recording(path, height=HEIGHT, width=WIDTH, flip=False) as recording:
            measure(recording, arguments.planes, arguments.repeat)


def measure(recording: Recording, planes: int, repeat: int) -> None:
    in_memory = np.array(recording.packed(0, planes))
    copied = np.empty_like(in_memory)
    megabytes = in_memory.nbytes / 1e6
    print(f"{planes} planes of {HEIGHT} × {WIDTH}, {megabytes:.0f} MB packed, best of {repeat}\n")

    expected = np.empty((BINS, HEIGHT, WIDTH), np.float32)
    baseline = best(lambda: unpack_and_sum(in_memory, expected), repeat)
    ours = best(lambda: voxelize(recording, 0, planes, BINS), repeat)
    assert np.array_equal(voxelize(recording, 0, planes, BINS), expected)
    copy = best(lambda: np.copyto(copied, in_memory), repeat)
    rate = best(lambda: spike_rate(recording), repeat)
    assert np.array_equal(spike_rate(recording), np.bitwise_count(in_memory).sum(axis=1, dtype=np.int64))

    print(f"{'':34}{'ms':>9}{'GB/s':>8}   compared")
    rows = [
        (f"{BINS} bins, np.unpackbits + sum", baseline, "baseline"),
        (f"{BINS} bins, voxelize", ours, f"{baseline / ours:.1f} times faster (at least 6 wanted)"),
        ("copy in memory", copy, "baseline"),
        ("spike_rate", rate, f"{copy / rate:.2f} of a copy's speed (at least 0.5 wanted)"),
        ("tfp over all planes", best(lambda: tfp(recording, 0, planes), repeat), ""),
        ("tfi at the middle", best(lambda: tfi(recording, planes / 2), repeat), ""),
    ]
    for name, seconds, compared in rows:
        print(f"{name:34}{seconds * 1e3:9.1f}{megabytes / 1e3 / seconds:8.2f}   {compared}")

    print("\nmemory beside input and output, MB")
    output = BINS * HEIGHT * WIDTH * 4
    memory = [
        ("voxelize, allocated", traced_peak(lambda: voxelize(recording, 0, planes, BINS)) - output),
        ("voxelize, resident", resident_growth(lambda: voxelize(recording, 0, planes, BINS)) - output),
        ("np.unpackbits + sum, allocated", traced_peak(lambda: unpack_and_sum(in_memory, expected))),
        ("spike_rate, allocated", traced_peak(lambda: spike_rate(recording))),
    ]
    for name, peak_bytes in memory:
        print(f"{name:34}{peak_bytes / 1e6:9.1f}")


def unpack_and_sum(packed: np.ndarray, out: np.ndarray) -> None:
    """What everybody writes first."""
    planes = np.arange(len(packed))
    edges = np.searchsorted(planes / len(packed) * BINS, np.arange(BINS + 1))
    for index, (first, last) in enumerate(itertools.pairwise(edges)):
        bits = np.unpackbits(packed[first:last], axis=1, bitorder="little")
        out[index] = bits.sum(axis=0).reshape(HEIGHT, WIDTH)


def best(call: Callable[[], object], repeat: int) -> float:
    """Return the shortest of some runs in seconds, after one to warm up."""
    call()
    seconds = []
    for _ in range(repeat):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def traced_peak(call: Callable[[], object]) -> int:
    tracemalloc.start()
    call()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def resident_growth(call: Callable[[], object]) -> int:
    """Return the most that private memory grew during a call; a mapped file is shared memory."""
    process = psutil.Process()
    done = threading.Event()
    highest = 0

    def private() -> int:
        memory = process.memory_info()
        return memory.rss - getattr(memory, "shared", 0)

    def watch() -> None:
        nonlocal highest
        while not done.wait(0.001):
            highest = max(highest, private())

    before = private()
    watcher = threading.Thread(target=watch)
    watcher.start()
    call()
    done.set()
    watcher.join()
    return highest - before


if __name__ == "__main__":
    sys.exit(main())
