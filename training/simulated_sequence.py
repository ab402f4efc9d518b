"""Write a simulated sequence as a folder in the unified layout, whole or not at all."""

import dataclasses
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import yaml
from numpy.typing import NDArray

from engine.alignment import write_alignment_log
from engine.errors import ExportError, SequenceError
from engine.export import to_levels, write_text_atomically
from engine.geometry import Size
from engine.pictures import read_picture
from engine.recording.planes import pack_planes
from training.motion import mean_speed_px
from training.output_folder import check_target, folder_in_one_piece
from training.picture_shelf import PictureShelf
from training.rig import draw_faults
from training.scene import Picture, Scene
from training.scenes import SCENE_KINDS, SceneKind, random_scene
from training.sequence_folder import (
    CONFIG_NAME,
    LOG_NAME,
    PICTURE_FOLDERS,
    RECORDING_NAME,
    is_simulated,
)
from training.sequence_truth import latent_name, write_motion, write_sensor, write_truth
from training.simulate import (
    Exposure,
    child_seeds,
    recording_planes,
    simulate,
    spike_size,
    threshold_for_density,
)
from training.simulation_settings import (
    MAX_TEXTURES,
    SimulationSettings,
    choose_moments,
    config_of,
)
from training.street import PICTURES as STREET_PICTURES
from training.street import street
from training.textures import picture_files

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class SimulatedSequence:
    """What was written, in figures."""

    path: Path
    frames: int
    size: Size
    planes: int
    spike_size: Size
    bytes: int
    density: float
    """Mean spikes a pixel and plane."""
    threshold: float
    motion_px: float
    """How far a point of the backdrop moves in an average exposure."""
    blurry_psnr: float
    """Mean over the frames, in dB, of the pictures before they are rounded to files."""


def build_scene(settings: SimulationSettings) -> Scene:
    """Make the scene that the settings and their seed describe.

    Raises FrameError where a texture cannot be read, ValueError for numbers out of range.
    """
    generator = np.random.default_rng(child_seeds(settings.seed, 2)[0])
    files = picture_files(settings.textures)
    shelf: Sequence[Picture] = PictureShelf(settings.pictures) if settings.pictures else ()
    if settings.scene == "street":
        own_px = settings.motion_px if settings.object_motion_px is None else settings.object_motion_px
        return street(
            generator,
            settings.size,
            settings.exposures,
            pictures=[
                *(read_picture(file) for file in files[:STREET_PICTURES]),
                *(shelf[at] for at in range(min(len(shelf), max(0, STREET_PICTURES - len(files))))),
            ],
            motion_px=settings.motion_px,
            object_motion_px=own_px,
            speed_change=settings.speed_change,
        )
    if len(files) > MAX_TEXTURES:
        chosen = generator.choice(len(files), MAX_TEXTURES, replace=False)
        files = [files[index] for index in sorted(chosen.tolist())]
    kind: SceneKind = next(kind for kind in SCENE_KINDS if kind == settings.scene)
    return random_scene(
        generator,
        settings.size,
        settings.exposures,
        kind=kind,
        pictures=[
            *(read_picture(file) for file in files),
            *_some_of(shelf, MAX_TEXTURES - len(files), generator),
        ],
        objects=settings.objects,
        motion_px=settings.motion_px,
        object_motion_px=settings.object_motion_px,
        rate_hz=settings.rate_hz,
    )


def _some_of(shelf: Sequence[Picture], most: int, generator: np.random.Generator) -> list[Picture]:
    chosen = list(range(len(shelf)))
    if len(shelf) > most:
        chosen = sorted(generator.choice(len(shelf), max(0, most), replace=False).tolist())
    return [shelf[index] for index in chosen]


def write_sequence(
    out: Path,
    scene: Scene,
    settings: SimulationSettings,
    *,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> SimulatedSequence:
    """Simulate the sequence that the settings describe and write it as the folder `out`.

    `progress` is told how many planes are done and how many there are. A folder that holds something is
    replaced only where `overwrite` and only when it is itself a simulated sequence; what is written
    appears under its name when it is complete. Raises ExportError where the folder cannot be written,
    SequenceError where no threshold gives the scene the density asked for.
    """
    try:
        out = out.expanduser().resolve()
    except (OSError, RuntimeError, ValueError) as error:
        raise ExportError(
            "not a usable path", path=out, found=str(error).splitlines()[0], advice="Choose another --out"
        ) from error
    replaceable = is_simulated if overwrite else None
    check_target(out, replaceable)
    settings = _with_threshold(settings, scene)
    with folder_in_one_piece(out, replaceable) as folder:
        return dataclasses.replace(_write_into(folder, out.name, scene, settings, progress), path=out)


def _with_threshold(settings: SimulationSettings, scene: Scene) -> SimulationSettings:
    if settings.density is None:
        return settings
    camera = settings.spike_camera
    threshold = threshold_for_density(
        settings.density,
        scene,
        settings.exposures,
        settings.frame_camera.gamma,
        camera.gain,
        camera.dark_current,
    )
    try:
        # Rounded, so that the file that states it states all of it.
        camera = dataclasses.replace(camera, threshold=float(f"{threshold:.6g}"))
    except ValueError as error:
        raise SequenceError(
            f"no threshold gives the scene {settings.density:g} spikes a plane",
            found=str(error),
            advice="Ask for another --density",
        ) from error
    return dataclasses.replace(settings, spike_camera=camera)


def _write_into(
    folder: Path, name: str, scene: Scene, settings: SimulationSettings, progress: Progress | None
) -> SimulatedSequence:
    exposures = settings.exposures
    size = spike_size(settings.size, settings.spike_scale)
    seed = child_seeds(settings.seed, 2)[1]
    faults = draw_faults(
        settings.rig,
        settings.spike_camera,
        settings.size,
        size,
        exposures.planes + math.ceil(settings.rig.row_delay_planes * (settings.size.height - 1)),
        seed,
    )
    planes = recording_planes(exposures, faults, settings.size)
    moments = choose_moments(settings, seed)
    counts = np.zeros(planes, np.int64)
    errors: list[float] = []
    for name_of_pictures in PICTURE_FOLDERS:
        (folder / name_of_pictures).mkdir()
    with (folder / RECORDING_NAME).open("wb") as spikes:
        for tick in simulate(
            scene,
            exposures,
            settings.frame_camera,
            settings.spike_camera,
            spike_scale=settings.spike_scale,
            seed=seed,
            faults=faults,
            moments=moments,
        ):
            spikes.write(pack_planes(tick.spikes[None], flip=True).data)
            counts[tick.plane] = int(tick.spikes.sum())
            for exposure in tick.exposures:
                _write_frame(folder, exposure, settings)
                _write_latents(folder, exposure, moments[exposure.frame], settings)
                errors.append(float(np.mean((exposure.blurry - exposure.reference) ** 2)))
            if progress is not None:
                progress(tick.plane + 1, planes)
    density = float(counts.mean() / size.pixels)
    motion_px = mean_speed_px(scene.view(0), scene.size, exposures.planes) * exposures.exposure_planes
    events = [int(counts[window.planes().start : window.planes().stop].sum()) for window in exposures.windows]
    write_alignment_log(
        folder / LOG_NAME, exposures.windows, rate_hz=settings.rate_hz, event_counts=events, name=name
    )
    write_truth(folder, scene, exposures, moments, settings.reference_format)
    if settings.truth:
        write_motion(folder, scene, exposures)
    if settings.truth or faults.pattern is not None:
        write_sensor(folder, settings.spike_camera, size, faults, seed)
    config = config_of(settings, size, density, faults)
    write_text_atomically(folder / CONFIG_NAME, yaml.safe_dump(config, sort_keys=False, allow_unicode=True))
    return SimulatedSequence(
        path=folder,
        frames=exposures.frames,
        size=settings.size,
        planes=planes,
        spike_size=size,
        bytes=sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()),
        density=density,
        threshold=settings.spike_camera.threshold,
        motion_px=motion_px,
        blurry_psnr=float(np.mean([10 * math.log10(1 / max(error, 1e-10)) for error in errors])),
    )


def _write_frame(folder: Path, exposure: Exposure, settings: SimulationSettings) -> None:
    stem = f"{exposure.frame + 1:04d}"
    _write_levels(folder / "blur" / f"{stem}.{settings.frame_format}", exposure.blurry, settings)
    _write_levels(folder / "sharp" / f"{stem}.{settings.reference_format}", exposure.reference, settings)


def _write_latents(
    folder: Path, exposure: Exposure, moments: NDArray[np.float64], settings: SimulationSettings
) -> None:
    for at, picture in zip(moments.tolist(), exposure.latents, strict=True):
        path = folder / latent_name(exposure.frame, at, settings.reference_format)
        path.parent.mkdir(exist_ok=True)
        _write_levels(path, picture, settings)


def _write_levels(path: Path, picture: Picture, settings: SimulationSettings) -> None:
    """Encode as small as the format allows: a sequence is written once and read often."""
    levels: NDArray[Any] = to_levels(picture, settings.bit_depth, path)[..., ::-1]
    options = [cv2.IMWRITE_PNG_COMPRESSION, 9, cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_FILTERED]
    options += [cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_ALL_FILTERS]
    if path.suffix == ".jpg":
        options = [
            cv2.IMWRITE_JPEG_QUALITY,
            settings.jpeg_quality,
            cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
            cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
            cv2.IMWRITE_JPEG_OPTIMIZE,
            1,
        ]
    done, encoded = cv2.imencode(path.suffix, levels, options)
    if not done:
        raise ExportError(f"a frame could not be encoded as {path.suffix}", path=path)
    path.write_bytes(encoded.tobytes())
