"""Time both cameras at work on one core: python tests/benchmarks/simulate.py"""

import time

import cv2
import numpy as np

from engine.geometry import Size
from training.scenes import random_scene
from training.simulate import Exposures, FrameCamera, simulate
from training.spike_camera import SpikeCamera

CAMERA = SpikeCamera(1.5, dark_current=0.01, response_spread=0.05, shot_noise=0.1)
CASES = (
    ("frames 240 × 320, spikes 240 × 320, 80 planes", Size(240, 320), 1.0, Exposures(5, 80, 80), 20.0),
    ("frames 480 × 640, spikes 240 × 320, 80 planes", Size(480, 640), 2.0, Exposures(5, 80, 80), 20.0),
    ("frames 480 × 640, spikes 240 × 320, 400 planes", Size(480, 640), 2.0, Exposures(1, 400, 400), 20.0),
)


def main() -> None:
    cv2.setNumThreads(1)
    for title, size, scale, exposures, motion_px in CASES:
        scene = random_scene(
            np.random.default_rng(1), size, exposures, kind="leaves", objects=2, motion_px=motion_px
        )
        best = float("inf")
        for _ in range(3):
            start = time.perf_counter()
            for _ in simulate(scene, exposures, FrameCamera(), CAMERA, spike_scale=scale):
                pass
            best = min(best, time.perf_counter() - start)
        print(f"{title}: {best / exposures.planes * 1000:.2f} s for 1000 planes")


if __name__ == "__main__":
    main()
