"""What a simulated sequence says of itself, for annotation and registration to test with.

latents.csv   frame, at, plane, file              sharp pictures inside the exposures
objects.csv   frame, at, plane, object, kind, x0, y0, x1, y1, visible, vx, vy
motion/       <frame>.npy                         float16 (H, W, 2) x and y, pixels an exposure
sensor/       response.npy, dark.npy, defects.npy (h, w), rows from the top; defects: 1 dead, 2 hot

Frames count from 0, as in the alignment log; names of files from 1, as those of the frames. A moment is a
frame and `at` in [0, 1] of its window: plane start + at · (stop − start). Boxes are in pixels of the frame,
from its top left corner, around all of an object that lies in the frame, hidden or not; `visible` is the
share of the object that is neither hidden nor outside; velocities are in pixels an exposure.
"""

import csv
import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.export import write_text_atomically
from engine.geometry import Size
from training.rig import Faults
from training.scene import Scene
from training.sequence_folder import (
    LATENT_FOLDER,
    LATENTS_NAME,
    MOTION_FOLDER,
    OBJECTS_NAME,
    SENSOR_FOLDER,
)
from training.simulate import Exposures, child_seeds, moment_plane
from training.spike_camera import SpikeCamera, SpikeSensor
from training.truth import flow_at, things_at

CENTRE = 0.5
LATENT_COLUMNS = ("frame", "at", "plane", "file")
OBJECT_COLUMNS = (*("frame", "at", "plane", "object", "kind", "x0", "y0", "x1", "y1", "visible", "vx", "vy"),)


def latent_name(frame: int, at: float, picture_format: str) -> str:
    """Return the path of a sharp picture inside a sequence's folder."""
    return f"{LATENT_FOLDER}/{frame + 1:04d}_{at:.4f}.{picture_format}"


def write_truth(
    folder: Path, scene: Scene, exposures: Exposures, moments: NDArray[np.float64], picture_format: str
) -> None:
    """Write where the moving objects are, and which sharp pictures lie in the folder.

    `moments` (frames, n) are those of the pictures. Objects are listed at every centre and every moment; a
    scene without any has no list.
    """
    latents: list[list[object]] = []
    objects: list[list[object]] = []
    for frame in range(exposures.frames):
        span = exposures.span(frame)
        listed = moments[frame].tolist()
        for at in sorted({CENTRE, *listed}):
            plane = moment_plane(span, at)
            if at in listed:
                latents.append([frame, f"{at:.4f}", f"{plane:.4f}", latent_name(frame, at, picture_format)])
            for view in things_at(scene, plane):
                box = [f"{edge:.2f}" for edge in (view.x0, view.y0, view.x1, view.y1)]
                moving = [f"{speed * len(span):.3f}" for speed in view.velocity_px]
                moment = [frame, f"{at:.4f}", f"{plane:.4f}"]
                objects.append([*moment, view.thing, view.kind, *box, f"{view.visible:.4f}", *moving])
    if latents:
        _write_table(folder / LATENTS_NAME, LATENT_COLUMNS, latents)
    if any(layer.thing for layer in scene.layers):
        _write_table(folder / OBJECTS_NAME, OBJECT_COLUMNS, objects)


def write_motion(folder: Path, scene: Scene, exposures: Exposures) -> None:
    """Write how what each pixel shows moves at the centre of every exposure."""
    (folder / MOTION_FOLDER).mkdir()
    for frame in range(exposures.frames):
        flow = flow_at(scene, moment_plane(exposures.span(frame), CENTRE)) * exposures.exposure_planes
        np.save(folder / MOTION_FOLDER / f"{frame + 1:04d}.npy", flow.astype(np.float16))


def write_sensor(
    folder: Path, camera: SpikeCamera, size: Size, faults: Faults, seed: np.random.SeedSequence
) -> None:
    """Write what differs from pixel to pixel of the spike camera, rows from the top."""
    # Without a pattern of its own a sensor draws one from the first stream of the seed.
    sensor_seed = np.random.default_rng(child_seeds(seed, 2)[0])
    pattern = SpikeSensor(camera, size, sensor_seed, faults.pattern).pattern
    defects = pattern.defects
    (folder / SENSOR_FOLDER).mkdir()
    for name, values in (
        ("response", pattern.response),
        ("dark", pattern.dark),
        ("defects", np.zeros((size.height, size.width), np.uint8) if defects is None else defects),
    ):
        np.save(folder / SENSOR_FOLDER / f"{name}.npy", values)


def _write_table(path: Path, columns: tuple[str, ...], rows: list[list[object]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    write_text_atomically(path, text.getvalue())
