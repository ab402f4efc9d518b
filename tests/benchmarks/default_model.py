"""What the bundled network and the spike ratio gain over the blurry frames, regime by regime.

    python tests/benchmarks/default_model.py            # about five minutes on two cores
    python tests/benchmarks/default_model.py --seeds 10 --size 384

Sequences come from `training simulate`: procedural scenes of seeds that no training has seen. The threshold
is doubled and quadrupled by halving and quartering the density of spikes. Baselines: the blurry frames, and
the ratio by the plain formula, frame · TFP(middle eighth of the exposure) / TFP(exposure).
"""

import argparse
import contextlib
import io
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.geometry import Span
from engine.metrics import compare
from engine.restore.methods import make_method
from engine.restore.run import FrameResult, restore_frames
from engine.sequence import open_sequence
from training.__main__ import main as train
from training.validation import ratio_picture

FIRST_SEED = 990_000
BINS = 32
SCENES = ("mixed", "leaves", "polygons", "text")


@dataclass(frozen=True)
class Regime:
    name: str
    planes: int
    density: float
    gamma: float
    motion_px: float


REGIMES = (
    Regime("64 planes, code values", 64, 0.3, 1.0, 22.0),
    Regime("  threshold × 2", 64, 0.15, 1.0, 22.0),
    Regime("  threshold × 4", 64, 0.075, 1.0, 22.0),
    Regime("  no motion", 64, 0.3, 1.0, 0.0),
    Regime("400 planes, linear light", 400, 0.3, 2.2, 22.0),
    Regime("  threshold × 2", 400, 0.15, 2.2, 22.0),
    Regime("  threshold × 4", 400, 0.075, 2.2, 22.0),
    Regime("  no motion", 400, 0.3, 2.2, 0.0),
)


def scores(folder: Path, methods: dict[str, object]) -> dict[str, tuple[float, float]]:
    """Return mean PSNR and SSIM of the blurry frames and of every method's."""
    with open_sequence(folder) as sequence:
        frames = Span(0, len(sequence))
        blurry = [sequence.frame(index) for index in range(len(sequence))]
        counts = [np.asarray(sequence.voxels(index, BINS), np.float32) for index in range(len(sequence))]
        plain = [ratio_picture(frame, of, sequence.gamma) for frame, of in zip(blurry, counts, strict=True)]
        pictures = {"blurry": blurry, "plain": plain}
        for name, method in methods.items():
            steps = restore_frames(sequence, frames, method)
            pictures[name] = [step.picture for step in steps if isinstance(step, FrameResult)]
        found = {}
        for name, of_method in pictures.items():
            measured = [compare(sequence, index, picture) for index, picture in enumerate(of_method)]
            psnr = np.mean([min(one.psnr, 60.0) for one in measured])
            found[name] = (float(psnr), float(np.mean([one.ssim for one in measured])))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=4, help="sequences a regime")
    parser.add_argument("--size", type=int, default=256)
    options = parser.parse_args()
    methods = {"ratio": make_method("spike-ratio"), "network": make_method("network")}
    print(f"{'regime':26s} {'blurry':>14s} {'plain ratio':>22s} {'spike ratio':>22s} {'network':>22s}")
    for regime in REGIMES:
        found = []
        for number in range(options.seeds):
            with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
                out = Path(folder) / "clip"
                size = ("--height", options.size, "--width", options.size, "--frames", 5)
                camera = ("--density", regime.density, "--gamma", regime.gamma, "--shot-noise", 0.2)
                motion = ("--motion-px", regime.motion_px, "--object-motion-px", regime.motion_px)
                scene = ("--scene", SCENES[number % len(SCENES)], "--seed", FIRST_SEED + number)
                exposures = ("--exposure-planes", regime.planes)
                given = ("simulate", "--out", out, *size, *camera, *motion, *scene, *exposures)
                train([str(one) for one in given])
                found.append(scores(out, methods))
        means = {name: np.mean([one[name] for one in found], axis=0) for name in found[0]}
        blurry = means["blurry"]
        print(
            f"{regime.name:26s} {blurry[0]:6.2f} dB {blurry[1]:.3f}"
            + "".join(
                f" {means[name][0]:8.2f} ({means[name][0] - blurry[0]:+.2f}) {means[name][1]:.3f}"
                for name in ("plain", *methods)
            ),
            flush=True,
        )


if __name__ == "__main__":
    main()
