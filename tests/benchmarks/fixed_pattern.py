"""How much of a sensor's fixed pattern is left, regime by regime: python tests/benchmarks/fixed_pattern.py

A pattern of 3.7 % and 0.2 % of defects, as measured on real spike cameras. `left` is the part of the
pattern's variance that remains where the pattern is known, and over the whole picture (1 without correction;
of a sensor without a pattern, the spread that it is given). dB is what restoring the middle frames by the
spike ratio gains over `--flat none`.

    --only NAME      regimes whose names hold NAME
    --size H W       of the frames; spikes have half of it each way
"""

import argparse
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.fixed_pattern import FixedPattern
from engine.geometry import Span
from engine.metrics import compare
from engine.restoration.methods import make_method
from engine.restoration.restoration import Restoration, restored
from engine.sequence import Sequence, open_sequence
from training.__main__ import main as train

TEXTURES = Path(__file__).resolve().parents[3] / "shared" / "data" / "textures"
SCORED_FRAMES = 4


@dataclass(frozen=True)
class Regime:
    name: str
    planes: int = 64
    frames: int = 16
    density: float = 0.28
    motion_px: float = 12.0
    object_motion_px: float = 12.0
    objects: int = 2
    spread: float = 0.037
    misregistration_px: float = 0.0
    gamma: float = 1.0


REGIMES = (
    Regime("pan"),
    Regime("pan, sparse", density=0.07),
    Regime("pan, 400 planes", planes=400, frames=8),
    Regime("pan, 400 planes, sparse", planes=400, frames=8, density=0.07),
    Regime("pan, cameras 1.5 px apart", misregistration_px=1.5),
    Regime("pan, linear light, 400 planes", planes=400, frames=8, density=0.1, gamma=2.2),
    Regime("objects over still ground", motion_px=0, objects=4),
    Regime("objects, sparse", motion_px=0, objects=4, density=0.07),
    Regime("still", motion_px=0, object_motion_px=0, objects=0),
    Regime("no pattern", spread=0.0),
    Regime("no pattern, sparse", spread=0.0, density=0.07),
)


def simulate(regime: Regime, folder: Path, size: list[int]) -> None:
    scene = ["--textures", str(TEXTURES), "--scene", "photographs"] if TEXTURES.is_dir() else []
    defects = ["--defects", "0.002", "--sensor-seed", "7"] if regime.spread else []
    status = train(
        [
            *("simulate", "--out", str(folder), "--truth", "--seed", "1"),
            *("--height", str(size[0]), "--width", str(size[1])),
            *("--frames", str(regime.frames), "--exposure-planes", str(regime.planes)),
            *("--density", str(regime.density), "--gamma", str(regime.gamma)),
            *("--motion-px", str(regime.motion_px), "--objects", str(regime.objects)),
            *("--object-motion-px", str(regime.object_motion_px)),
            *("--misregistration-px", str(regime.misregistration_px)),
            *("--response-spread", str(regime.spread), "--shot-noise", "0.1"),
            *("--dark-current", "0.004", "--dark-spread", "0.3"),
            *scene,
            *defects,
        ]
    )
    if status:
        sys.exit(status)


def left(gain: NDArray[np.float32], pattern: FixedPattern, where: NDArray[np.bool_]) -> float:
    if not where.any():
        return float("nan")
    if gain.std() == 0:
        return float(pattern.gain[where].std())
    true, remains = gain[where], (gain / pattern.gain)[where]
    return float((remains / remains.mean()).var() / (true / true.mean()).var())


def score(sequence: Sequence) -> float:
    number = min(SCORED_FRAMES, len(sequence))
    first = (len(sequence) - number) // 2
    request = Restoration.of_frames(sequence, Span(first, first + number), make_method("spike-ratio"))
    return float(np.mean([compare(sequence, one.frame, one.picture).psnr for one in restored(request)]))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default="")
    parser.add_argument("--size", type=int, nargs=2, default=[384, 512])
    arguments = parser.parse_args()
    print(f"{'regime':34s}{'by':10s}{'known':>7s}{'spread':>8s}{'left':>7s}{'of all':>8s}{'s':>6s}{'dB':>8s}")
    for regime in REGIMES:
        if arguments.only not in regime.name:
            continue
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place) / "sequence"
            simulate(regime, folder, arguments.size)
            gain = np.load(folder / "sensor" / "response.npy")
            good = np.load(folder / "sensor" / "defects.npy") == 0
            for path in (folder, folder / "spike.dat"):
                with open_sequence(path, exposure_planes=regime.planes, flat="none") as plain:
                    before = score(plain) if path == folder else float("nan")
                with open_sequence(path, exposure_planes=regime.planes) as sequence:
                    _ = sequence.defects
                    began = time.perf_counter()
                    pattern = sequence.fixed_pattern
                    seconds = time.perf_counter() - began
                    gained = score(sequence) - before if path == folder else float("nan")
                known = good & (pattern.known > 0)
                print(
                    f"{regime.name:34s}{'frames' if path == folder else 'motion':10s}"
                    f"{pattern.known_share:7.2f}{100 * pattern.spread:7.2f}%{left(gain, pattern, known):7.3f}"
                    f"{left(gain, pattern, good):8.3f}{seconds:6.2f}{gained:+8.3f}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
