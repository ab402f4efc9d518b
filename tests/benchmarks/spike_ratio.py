"""How much the spike ratio gains over the blurry frame, regime by regime, all with the same constants.

    python tests/benchmarks/spike_ratio.py [--scenes 2] [--size 384 512] [--only sparse]

Baseline: the plain formula, blurry · TFP(exposure / 8 planes) / TFP(exposure), pixels without spikes
left blurry. PSNR in dB on 8-bit levels, mean over scenes; `worst` is the smallest gain of one frame.
"""

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.geometry import Size, Span
from engine.metrics import compare, correlation, psnr
from engine.restoration.exposure import Exposure
from engine.restoration.methods import make_method
from engine.restoration.restoration import Restoration, restored
from engine.restoration.spike_ratio import restore_frame
from engine.sequence import open_sequence
from training.scenes import random_scene
from training.simulate import Exposures, FrameCamera, simulate_clip, threshold_for_density
from training.spike_camera import SpikeCamera

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared" / "data"


@dataclass(frozen=True)
class Regime:
    name: str
    planes: int = 64
    density: float = 0.28
    motion_px: float = 16.0
    gamma: float = 1.0
    spike_scale: float = 2.0
    shot_noise: float = 0.0
    dark_current: float = 0.0
    dark_spread: float = 0.0
    response_spread: float = 0.0
    read_noise: float = 0.0
    assumed_gamma: float | None = None
    """What the method is told where that is wrong; 0 for nothing at all."""
    objects: int = 2


MEASURED = Regime("", shot_noise=0.3, dark_current=0.004, dark_spread=0.3, response_spread=0.04)
"""Noise as real spike cameras have it."""
REGIMES = (
    Regime("dense, clean"),
    replace(MEASURED, name="dense"),
    Regime("sparse, clean", density=0.07),
    replace(MEASURED, name="sparse", density=0.07),
    replace(MEASURED, name="threshold × 2", density=0.14),
    replace(MEASURED, name="threshold × 4", density=0.035),
    replace(MEASURED, name="pure shot noise", density=0.07, shot_noise=1.0),
    replace(MEASURED, name="linear light, 400 planes", planes=400, density=0.1, gamma=2.2),
    replace(MEASURED, name="gamma unknown, is 2.2", density=0.2, gamma=2.2, assumed_gamma=0.0),
    replace(MEASURED, name="gamma taken for 1, is 2.2", density=0.2, gamma=2.2, assumed_gamma=1.0),
    replace(MEASURED, name="gamma taken for 2.2, is 1.8", density=0.2, gamma=1.8, assumed_gamma=2.2),
    replace(MEASURED, name="spikes of full size", spike_scale=1.0, density=0.14),
    replace(MEASURED, name="spikes of a quarter", spike_scale=4.0),
    replace(MEASURED, name="saturated spikes", density=0.85),
    replace(MEASURED, name="strong dark current", density=0.2, dark_current=0.1),
    replace(MEASURED, name="strong response spread", response_spread=0.15),
    replace(MEASURED, name="noisy frames", read_noise=0.02),
    replace(MEASURED, name="slow, 3 px", motion_px=3.0),
    replace(MEASURED, name="slow and sparse", motion_px=3.0, density=0.07),
    replace(MEASURED, name="fast, 40 px", motion_px=40.0),
    replace(MEASURED, name="many objects", objects=12),
    replace(MEASURED, name="at rest", motion_px=0.0),
    replace(MEASURED, name="at rest, sparse", motion_px=0.0, density=0.07, shot_noise=1.0),
    replace(MEASURED, name="8 planes", planes=8),
    replace(MEASURED, name="4 planes", planes=4),
    replace(MEASURED, name="1 plane", planes=1),
)


@dataclass(frozen=True, eq=False)
class Exposed:
    blurry: NDArray[np.float32]
    reference: NDArray[np.float32]
    planes: NDArray[np.uint8]


def expose(regime: Regime, seed: int, size: Size) -> Exposed:
    """Simulate one exposure of a random scene, of photographs where they are at hand."""
    generator = np.random.default_rng(seed)
    exposures = Exposures(1, regime.planes, regime.planes)
    photographs = [
        cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB).astype(np.float32) / 255
        for path in sorted((SHARED / "textures").glob("*.png"))
    ]
    scene = random_scene(
        generator,
        size,
        exposures,
        kind="photographs" if photographs and seed % 2 == 0 else "mixed",
        pictures=photographs,
        objects=regime.objects,
        motion_px=regime.motion_px,
    )
    threshold = threshold_for_density(
        regime.density, scene, exposures, regime.gamma, 1.0, regime.dark_current
    )
    camera = SpikeCamera(
        threshold=threshold,
        shot_noise=regime.shot_noise * threshold,
        dark_current=regime.dark_current * threshold,
        dark_spread=regime.dark_spread,
        response_spread=regime.response_spread,
    )
    clip = simulate_clip(
        scene,
        exposures,
        FrameCamera(regime.gamma, regime.read_noise),
        camera,
        spike_scale=regime.spike_scale,
        seed=seed,
    )
    blurry = np.floor(clip.blurry[0] * 255 + 0.5).astype(np.float32) / 255
    return Exposed(blurry, clip.reference[0], clip.planes)


def plain_formula(exposed: Exposed, gamma: float) -> NDArray[np.float32]:
    planes = len(exposed.planes)
    short = max(1, planes // 8)
    start = (planes - short) // 2
    size = exposed.blurry.shape[1::-1]
    wide = cv2.resize(exposed.planes.mean(axis=0, dtype=np.float32), size)
    narrow = cv2.resize(exposed.planes[start : start + short].mean(axis=0, dtype=np.float32), size)
    ratio = np.where(wide > 0, narrow / np.maximum(wide, 1e-6), 1.0)[:, :, None]
    return np.clip(exposed.blurry**gamma * ratio, 0, 1).astype(np.float32) ** np.float32(1 / gamma)


def ours(exposed: Exposed, gamma: float | None) -> NDArray[np.float32]:
    planes = len(exposed.planes)

    def count(start: int, stop: int) -> NDArray[np.float32]:
        return exposed.planes[start:stop].sum(axis=0, dtype=np.float32)

    spikes = exposed.planes.sum(axis=(1, 2))
    exposure = Exposure(count, Span(0, planes), planes / 2, planes, spikes)
    return restore_frame(exposed.blurry, exposure, gamma)


def measure(regime: Regime, scenes: int, size: Size) -> tuple[NDArray[np.float64], float]:
    """Return PSNR of blurry, plain formula and ours, a row a scene, and seconds a frame of ours."""
    rows = []
    seconds = 0.0
    gamma = regime.gamma if regime.assumed_gamma is None else regime.assumed_gamma
    for scene in range(scenes):
        exposed = expose(regime, 1000 + scene, size)
        began = time.perf_counter()
        restored = ours(exposed, gamma or None)
        seconds += time.perf_counter() - began
        pictures = (exposed.blurry, plain_formula(exposed, gamma or 1.0), restored)
        rows.append([min(psnr(picture, exposed.reference), 99.0) for picture in pictures])
    return np.array(rows), seconds / scenes


def recordings() -> Iterator[str]:
    method = make_method("spike-ratio")
    for path in sorted((SHARED / "spikezoo").glob("*.dat")):
        with open_sequence(path, reference=path.with_suffix(".png"), exposure_planes=301) as sequence:
            reference = sequence.reference(0)
            results = list(restored(Restoration.of_frames(sequence, Span(0, 1), method)))
            assert reference is not None
            yield (
                f"{path.stem}: correlation blurry {correlation(sequence.frame(0), reference):.4f}, "
                f"ours {correlation(results[0].picture, reference):.4f}, {results[0].seconds * 1e3:.0f} ms"
            )
    sample = ROOT / "resources" / "samples" / "city"
    with open_sequence(sample) as sequence:
        scores = []
        for step in restored(Restoration.of_frames(sequence, Span(0, len(sequence)), method)):
            ours_ = compare(sequence, step.frame, step.picture)
            blurry = compare(sequence, step.frame, sequence.frame(step.frame))
            scores.append((blurry.psnr, ours_.psnr, blurry.ssim, ours_.ssim, step.seconds))
        mean = np.mean(scores, axis=0)
        yield (
            f"sample city: PSNR {mean[0]:.2f} → {mean[1]:.2f}, SSIM {mean[2]:.3f} → {mean[3]:.3f}, "
            f"{mean[4] * 1e3:.0f} ms a frame"
        )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--scenes", type=int, default=2)
    parser.add_argument("--size", type=int, nargs=2, default=(384, 512))
    parser.add_argument("--only", default="")
    arguments = parser.parse_args()
    print(f"{'regime':30s} {'blurry':>7s} {'plain':>7s} {'ours':>7s} {'gain':>6s} {'worst':>6s} {'ms':>5s}")
    for regime in REGIMES:
        if arguments.only not in regime.name:
            continue
        rows, seconds = measure(regime, arguments.scenes, Size(*arguments.size))
        blurry, plain, restored = rows.mean(axis=0)
        worst = (rows[:, 2] - rows[:, 0]).min()
        print(
            f"{regime.name:30s} {blurry:7.2f} {plain:7.2f} {restored:7.2f} {restored - blurry:+6.2f} "
            f"{worst:+6.2f} {seconds * 1e3:5.0f}",
            flush=True,
        )
    if not arguments.only:
        for line in recordings():
            print(line, flush=True)


if __name__ == "__main__":
    main()
