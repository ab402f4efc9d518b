"""Time and memory to open a 10 GB recording, beside mapping the file and doing nothing else.

    python tests/benchmarks/open_large_recording.py [--gigabytes 10] [--read-all]

The file is sparse: it takes little of the disk, and is dark but for some recorded stretches. Every
measurement runs in a fresh interpreter.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

HEIGHT, WIDTH = 250, 400
PLANE_BYTES = HEIGHT * WIDTH // 8
RECORDED_PLANES = 400

MEASURE = """
import sys, time, psutil
import numpy as np
import engine.recording, engine.recording.claims
process = psutil.Process()
before = process.memory_info().rss
start = time.perf_counter()
{code}
seconds = time.perf_counter() - start
print(f"{{seconds * 1e3:9.1f}}{{(process.memory_info().rss - before) / 1e6:9.1f}}   {{said}}")
"""

CASES = {
    "np.memmap": "opened = np.memmap(sys.argv[1], np.uint8, 'r'); said = f'{len(opened)} bytes'",
    "size given": """opened = engine.recording.open_recording(sys.argv[1], height=250, width=400)
said = f'{opened.info.size}, {opened.info.planes} planes'""",
    "size found in the bits": """opened = engine.recording.open_recording(sys.argv[1])
said = f'{opened.info.size}, {opened.info.planes} planes'""",
    "... and 100 planes read": """opened = engine.recording.open_recording(sys.argv[1])
said = f'{opened.read(opened.info.planes - 100, opened.info.planes).shape}'""",
}

READ_ALL = """from engine.voxels import spike_rate
opened = engine.recording.open_recording(sys.argv[1])
said = f'{spike_rate(opened).sum()} spikes'"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gigabytes", type=float, default=10)
    parser.add_argument("--read-all", action="store_true", help="count every spike of it as well")
    arguments = parser.parse_args()
    planes = int(arguments.gigabytes * 1e9) // PLANE_BYTES
    cases = CASES | ({"spike_rate of all of it": READ_ALL} if arguments.read_all else {})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "long.dat"
        write_sparse(path, planes)
        taken = path.stat().st_blocks * 512
        print(f"{path.stat().st_size / 1e9:.1f} GB, of which {taken / 1e6:.0f} MB are on the disk\n")
        print(f"{'':26}{'ms':>9}{'MB more':>9}")
        for name, code in cases.items():
            command = [sys.executable, "-c", MEASURE.format(code=code), str(path)]
            print(
                f"{name:26}{subprocess.run(command, check=True, capture_output=True, text=True).stdout}",
                end="",
            )


def write_sparse(path: Path, planes: int) -> None:
    """Write a file that is dark but for three stretches of a still, smooth scene."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    light = 0.25 + 0.1 * np.cos(y / 23) + 0.1 * np.cos(x / 31 + y / 57)
    charge = np.random.default_rng(0).random((HEIGHT, WIDTH))
    recorded = bytearray()
    for _ in range(RECORDED_PLANES):
        charge += light
        spikes = charge >= 1
        charge -= spikes
        recorded += np.packbits(spikes.reshape(-1), bitorder="little").tobytes()
    with path.open("wb") as file:
        file.truncate(planes * PLANE_BYTES)
        for start in (0, planes // 2, planes - RECORDED_PLANES):
            file.seek(start * PLANE_BYTES)
            file.write(recorded)


if __name__ == "__main__":
    sys.exit(main())
