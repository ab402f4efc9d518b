"""What the bundled network and the spike ratio gain over the blurry frames, regime by regime.

    python tests/benchmarks/default_model.py            # about five minutes on two cores
    python tests/benchmarks/default_model.py --seeds 10 --size 384 --model FILE

Sequences come from `training simulate`: procedural scenes of seeds that no training has seen. The threshold
is doubled and quadrupled by halving and quartering the density of spikes. Then come the bundled sequence and,
where they lie beside the checkout, the Spike-Zoo recordings, whose scores are correlations: their one blurry
frame is the mean of all planes, whose scale is not the sharp picture's. Baselines: the blurry frames, and the
ratio by the plain formula, frame · TFP(middle eighth of the exposure) / TFP(exposure).
"""

import argparse
import contextlib
import io
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.geometry import Span
from engine.metrics import compare, correlation
from engine.restoration.methods import Method, make_method
from engine.restoration.network_method import NetworkMethod
from engine.restoration.restoration import Restoration, restored
from engine.sequence import Sequence, open_sequence
from training.__main__ import main as train
from training.validation import ratio_picture

ROOT = Path(__file__).resolve().parents[2]
SPIKE_ZOO = ROOT.parent / "shared" / "data" / "spikezoo"
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


def scores(folder: Path, methods: dict[str, Method]) -> dict[str, tuple[float, float]]:
    """Return mean PSNR and SSIM of the blurry frames and of every method's."""
    with open_sequence(folder) as sequence:
        found = {}
        for name, of_method in versions(sequence, methods).items():
            measured = [compare(sequence, index, picture) for index, picture in enumerate(of_method)]
            psnr = np.mean([min(one.psnr, 60.0) for one in measured])
            found[name] = (float(psnr), float(np.mean([one.ssim for one in measured])))
    return found


def versions(sequence: Sequence, methods: dict[str, Method]) -> dict[str, list[NDArray[np.float32]]]:
    """Return all frames: blurry, by the plain formula, and by every method."""
    blurry = [sequence.frame(index) for index in range(len(sequence))]
    counts = [np.asarray(sequence.voxels(index, BINS), np.float32) for index in range(len(sequence))]
    plain = [ratio_picture(frame, of, sequence.gamma) for frame, of in zip(blurry, counts, strict=True)]
    pictures = {"blurry": blurry, "plain": plain}
    for name, method in methods.items():
        request = Restoration.of_frames(sequence, Span(0, len(sequence)), method)
        pictures[name] = [step.picture for step in restored(request)]
    return pictures


def correlations(path: Path, methods: dict[str, Method]) -> dict[str, float]:
    """Return how a recording's one frame correlates with the sharp picture of its name, by each method."""
    with open_sequence(path, reference=path.with_suffix(".png"), exposure_planes=301) as sequence:
        reference = sequence.reference(0)
        assert reference is not None
        return {
            name: correlation(frames[0], reference) for name, frames in versions(sequence, methods).items()
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=4, help="sequences a regime")
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--model", default="vrt-spike-small", help="network to measure")
    options = parser.parse_args()
    methods = {"ratio": make_method("spike-ratio"), "network": NetworkMethod.load(options.model)}
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
        print_row(regime.name, {name: np.mean([one[name] for one in found], axis=0) for name in found[0]})
    print_row("bundled city", scores(ROOT / "resources" / "samples" / "city", methods))
    for path in sorted(SPIKE_ZOO.glob("*.dat")):
        row = correlations(path, methods)
        print(f"{path.stem:26s}" + "".join(f" {name} {value:.4f}" for name, value in row.items()), flush=True)


def print_row(title: str, row: Mapping[str, ArrayLike]) -> None:
    """Print PSNR, what it gains over the blurry frames, and SSIM of every version."""
    (blurry_db, blurry_ssim), *others = (np.asarray(values) for values in row.values())
    print(
        f"{title:26s} {blurry_db:6.2f} dB {blurry_ssim:.3f}"
        + "".join(f" {db:8.2f} ({db - blurry_db:+.2f}) {ssim:.3f}" for db, ssim in others),
        flush=True,
    )


if __name__ == "__main__":
    main()
