"""A scene in motion, seen by a frame camera and by a spike camera that need not look the same way.

By hand, from the definitions: a pixel sees the mean of 3 × 3 samples of a picture that shifts, a frame is the
mean over its exposure, and a spike pixel fires whenever its light has added up to 1.
"""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.recording import write_packed

FRAME = (160, 224)
SPIKES = (80, 112)
PLANES = 64
FRAMES = 3
MARGIN = 120
SCALE = np.array([[0.5, 0, -0.25], [0, 0.5, -0.25], [0, 0, 1.0]])
"""Frame pixels to spike pixels where both show one field of view."""

Numbers = NDArray[np.float64]


def shifted(right: float, down: float) -> Numbers:
    return np.array([[1.0, 0, right], [0, 1.0, down], [0, 0, 1.0]])


def turned(degrees: float, zoom: float = 1.0) -> Numbers:
    """About the middle of the spikes."""
    y, x = (SPIKES[0] - 1) / 2, (SPIKES[1] - 1) / 2
    c, s = zoom * np.cos(np.radians(degrees)), zoom * np.sin(np.radians(degrees))
    return shifted(x, y) @ np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) @ shifted(-x, -y)


def texture(seed: int = 5) -> NDArray[np.float32]:
    """Blobs of several sizes, at the scale of frames, with room around them."""
    height, width = FRAME[0] + 2 * MARGIN, FRAME[1] + 2 * MARGIN
    noise = np.random.default_rng(seed).random((height, width))
    layers = [cv2.GaussianBlur(noise, (0, 0), px) for px in (1.2, 3.0, 8.0)]
    mixed = sum((layer - layer.mean()) / layer.std() for layer in layers)
    return np.clip(0.45 + 0.12 * mixed, 0.05, 0.95).astype(np.float32)


def seen(scene: NDArray[np.float32], size: tuple[int, int], to_frame: Numbers, moved: Numbers) -> Numbers:
    """What pixels of `size` see, which `to_frame` takes to places in the frame, of a scene that `moved`."""
    total = np.zeros(size)
    for down in (-1 / 3, 0.0, 1 / 3):
        for across in (-1 / 3, 0.0, 1 / 3):
            y, x = np.mgrid[: size[0], : size[1]].astype(np.float64)
            places = to_frame @ np.stack([x.ravel() + across, y.ravel() + down, np.ones(x.size)])
            places = places[:2] / places[2] - moved[:, None] + MARGIN
            maps = [at.reshape(size).astype(np.float32) for at in places]
            total += cv2.remap(scene, *maps, cv2.INTER_CUBIC)
    return total / 9


DIRECTION = np.array([1.0, 0.35])


def write_registered(
    folder: Path,
    homography: Numbers = SCALE,
    *,
    frames: int = FRAMES,
    motion_px: float = 12.0,
    response: Numbers | float = 1.0,
) -> Path:
    """Write frames, sharp pictures and spikes of a texture that moves; the spikes as `homography` says.

    `response` is how much more than its share of light each spike pixel counts.
    """
    scene, back = texture(), np.linalg.inv(homography)
    gain = 0.5 * response
    charge = np.random.default_rng(3).random(SPIKES)
    planes, pictures = [], []
    total = np.zeros(FRAME)
    for plane in range(frames * PLANES):
        moved = DIRECTION * motion_px * ((plane + 0.5) / PLANES - frames / 2)
        charge = charge + gain * seen(scene, SPIKES, back, moved)
        planes.append(charge >= 1)
        charge = charge - planes[-1]
        if plane % 4 == 0:  # the frame needs no finer steps: under a pixel
            total += seen(scene, FRAME, np.eye(3), moved + 1.5 * DIRECTION * motion_px / PLANES)
        if plane % PLANES == PLANES - 1:
            pictures.append(total / (PLANES / 4))
            total = np.zeros(FRAME)
    for kind in ("blur", "sharp"):
        (folder / kind).mkdir(parents=True)
    for index, blurry in enumerate(pictures):
        centre = DIRECTION * motion_px * (index + 0.5 - frames / 2)
        _write(folder / "blur" / f"{index:04d}.png", blurry)
        _write(folder / "sharp" / f"{index:04d}.png", seen(scene, FRAME, np.eye(3), centre))
    write_packed(folder / "spike.dat", np.array(planes, np.uint8))
    (folder / "config.yaml").write_text(
        f"spike_h: {SPIKES[0]}\nspike_w: {SPIKES[1]}\nspike_flip: true\ngamma: 1\n"
    )
    return folder


def _write(path: Path, picture: Numbers) -> None:
    levels = np.clip(np.floor(picture * 255 + 0.5), 0, 255).astype(np.uint8)
    cv2.imwrite(str(path), np.repeat(levels[:, :, None], 3, axis=2))
