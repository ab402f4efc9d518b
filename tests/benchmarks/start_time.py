"""How long the command line, the worker's client and the worker take to be there. Best of a few runs."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from engine.geometry import Size, Span
from engine.moment import centres
from engine.recording import write_packed
from engine.restoration.options import ComputeOptions
from engine.source import SequenceSource
from engine.worker.client import WorkerClient
from engine.worker.messages import JobEnd, TileDone

RUNS = 5


def best_seconds(action: Callable[[], None]) -> float:
    seconds = []
    for _ in range(RUNS):
        started = time.perf_counter()
        action()
        seconds.append(time.perf_counter() - started)
    return min(seconds)


def process(*arguments: str) -> Callable[[], None]:
    def run() -> None:
        subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)

    return run


def listen(client: WorkerClient, wanted: type) -> None:
    while not any(isinstance(message, wanted) for message in client.poll(timeout_seconds=10)):
        pass


def measure_worker(source: SequenceSource, size: Size) -> dict[str, float]:
    """Time one worker: start, first job, next job, cancel, and the report of its death."""
    seconds = {}
    started = time.perf_counter()
    with WorkerClient() as client:
        client.start()
        seconds["start() returns"] = time.perf_counter() - started
        for name in ("first frame from a worker just started", "next frame"):
            started = time.perf_counter()
            job = client.submit(source, centres(Span(0, 1)), "spike-ratio", size)
            listen(client, JobEnd)
            seconds[name] = time.perf_counter() - started
        options = ComputeOptions(tile=Size(64, 64))
        job = client.submit(source, centres(Span(0, 50)), "spike-ratio", size, options=options)
        listen(client, TileDone)
        started = time.perf_counter()
        client.cancel(job)
        listen(client, JobEnd)
        seconds["cancel to Cancelled"] = time.perf_counter() - started
        client.submit(source, centres(Span(0, 50)), "spike-ratio", size, options=options)
        listen(client, TileDone)
        started = time.perf_counter()
        client.kill()
        listen(client, JobEnd)
        seconds["kill to Failed"] = time.perf_counter() - started
    return seconds


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        recording = Path(folder, "spikes.dat")
        size = Size(250, 400)
        random = np.random.default_rng(1)
        write_packed(recording, (random.random((2000, *(size.height, size.width))) < 0.2).astype(np.uint8))
        geometry = ("--height", str(size.height), "--width", str(size.width))
        source = SequenceSource(
            str(recording), height=size.height, width=size.width, exposure_planes=40.0, stride_planes=40.0
        )
        rows = {
            "python, doing nothing": best_seconds(process("-c", "pass")),
            "spike-deblur --help": best_seconds(process("-m", "engine", "--help")),
            "import engine.worker.client": best_seconds(process("-c", "import engine.worker.client")),
            "spike-deblur info": best_seconds(process("-m", "engine", "info", str(recording), *geometry)),
        }
        runs = [measure_worker(source, size) for _ in range(RUNS)]
        rows |= {f"worker: {name}": min(run[name] for run in runs) for name in runs[0]}
        for name, seconds in rows.items():
            print(f"{name:<48} {seconds * 1000:7.1f} ms")


if __name__ == "__main__":
    main()
