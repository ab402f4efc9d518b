"""Write a simulated sequence as a folder in the unified layout, whole or not at all."""

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import yaml
from numpy.typing import NDArray

from engine.alignment import write_alignment_log
from engine.errors import ExportError, SequenceError
from engine.export import BitDepth, to_levels, write_text_atomically
from engine.geometry import Size
from engine.pictures import read_picture
from engine.recording.planes import pack_planes
from training.motion import mean_speed_px
from training.output_folder import check_target, folder_in_one_piece
from training.scene import Picture, Scene
from training.scenes import SCENE_KINDS, SceneKind, random_scene
from training.sequence_folder import (
    CONFIG_NAME,
    CONFIG_SECTION,
    LOG_NAME,
    PICTURE_FOLDERS,
    RECORDING_NAME,
    PictureFormat,
    is_simulated,
)
from training.simulate import (
    Exposure,
    Exposures,
    FrameCamera,
    child_seeds,
    simulate,
    spike_size,
    threshold_for_density,
)
from training.spike_camera import SpikeCamera
from training.street import PICTURES as STREET_PICTURES
from training.street import street
from training.textures import picture_files

SEQUENCE_SCENES: tuple[str, ...] = (*SCENE_KINDS, "street")
MAX_TEXTURES = 64
"""More photographs than this do not make a scene richer, and all of them are held in memory."""
MAX_FRAMES, MAX_PLANES = 100_000, 10_000_000

DEFAULT_SIZE = Size(480, 640)
DEFAULT_EXPOSURES = Exposures(frames=12, exposure_planes=80, stride_planes=80)
DEFAULT_FRAME_CAMERA = FrameCamera()
DEFAULT_SPIKE_CAMERA = SpikeCamera()

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class SimulationSettings:
    """Everything that decides the bits of a simulated sequence."""

    size: Size = DEFAULT_SIZE
    exposures: Exposures = DEFAULT_EXPOSURES
    frame_camera: FrameCamera = DEFAULT_FRAME_CAMERA
    spike_camera: SpikeCamera = DEFAULT_SPIKE_CAMERA
    density: float | None = None
    """Mean spikes a pixel and plane; the threshold follows from it. None: `spike_camera` says."""
    spike_scale: float = 2.0
    rate_hz: float = 2000.0
    scene: str = "mixed"
    textures: tuple[Path, ...] = ()
    """Files and folders of pictures."""
    objects: int = 2
    motion_px: float = 12.0
    object_motion_px: float | None = None
    seed: int = 0
    bit_depth: BitDepth = 8
    frame_format: PictureFormat = "png"
    reference_format: PictureFormat = "png"
    jpeg_quality: int = 96
    """1 to 100, where a format is "jpg"; colour is never subsampled."""

    def __post_init__(self) -> None:
        if self.scene not in SEQUENCE_SCENES:
            raise ValueError(f"unknown scene '{self.scene}', there are {', '.join(SEQUENCE_SCENES)}")
        if self.scene in ("photographs", "street") and not self.textures:
            raise ValueError(f"a scene of {self.scene} needs textures")
        if min(self.size.height, self.size.width) < 16 or self.size.pixels > 2**26:
            raise ValueError(f"a frame needs 16 pixels each way and at most {2**26} in all, got {self.size}")
        if not (math.isfinite(self.rate_hz) and 1 <= self.rate_hz <= 1e6):
            raise ValueError(f"the rate must lie between 1 and 1000000 planes a second, got {self.rate_hz:g}")
        if self.density is not None and not 0 < self.density < 1:
            raise ValueError(f"the density must lie between 0 and 1 spikes a plane, got {self.density:g}")
        if not 1 <= self.jpeg_quality <= 100:
            raise ValueError(f"JPEG quality must lie between 1 and 100, got {self.jpeg_quality}")
        if "jpg" in (self.frame_format, self.reference_format) and self.bit_depth != 8:
            raise ValueError("JPEG has 8 bits, so 16-bit frames and references must be PNG")
        if self.seed < 0:
            raise ValueError(f"the seed must be 0 or more, got {self.seed}")
        if self.exposures.planes > MAX_PLANES or self.exposures.frames > MAX_FRAMES:
            raise ValueError(
                f"a sequence has at most {MAX_FRAMES} frames and {MAX_PLANES} planes, "
                f"got {self.exposures.frames} and {self.exposures.planes}"
            )
        spike_size(self.size, self.spike_scale)


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
    if settings.scene == "street":
        own_px = settings.motion_px if settings.object_motion_px is None else settings.object_motion_px
        return street(
            generator,
            settings.size,
            settings.exposures,
            pictures=[read_picture(file) for file in files[:STREET_PICTURES]],
            motion_px=settings.motion_px,
            object_motion_px=own_px,
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
        pictures=[read_picture(file) for file in files],
        objects=settings.objects,
        motion_px=settings.motion_px,
        object_motion_px=settings.object_motion_px,
    )


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
    counts = np.zeros(exposures.planes, np.int64)
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
            seed=child_seeds(settings.seed, 2)[1],
        ):
            spikes.write(pack_planes(tick.spikes[None], flip=True).data)
            counts[tick.plane] = int(tick.spikes.sum())
            for exposure in tick.exposures:
                _write_frame(folder, exposure, settings)
                errors.append(float(np.mean((exposure.blurry - exposure.reference) ** 2)))
            if progress is not None:
                progress(tick.plane + 1, exposures.planes)
    density = float(counts.mean() / size.pixels)
    motion_px = mean_speed_px(scene.camera, scene.size, exposures.planes) * exposures.exposure_planes
    events = [int(counts[window.planes().start : window.planes().stop].sum()) for window in exposures.windows]
    write_alignment_log(
        folder / LOG_NAME, exposures.windows, rate_hz=settings.rate_hz, event_counts=events, name=name
    )
    config = _config(settings, size, density)
    write_text_atomically(folder / CONFIG_NAME, yaml.safe_dump(config, sort_keys=False, allow_unicode=True))
    return SimulatedSequence(
        path=folder,
        frames=exposures.frames,
        size=settings.size,
        planes=exposures.planes,
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


def _config(settings: SimulationSettings, size: Size, density: float) -> dict[str, Any]:
    """What config.yaml says: how to read the recording, then how it was made."""
    exposures = settings.exposures
    return {
        "spike_h": size.height,
        "spike_w": size.width,
        "spike_rate_hz": settings.rate_hz,
        "spike_flip": True,
        "gamma": settings.frame_camera.gamma,
        CONFIG_SECTION: {
            "seed": settings.seed,
            "scene": settings.scene,
            "textures": [path.name for path in settings.textures],
            "objects": settings.objects,
            "motion_px": settings.motion_px,
            "object_motion_px": settings.object_motion_px,
            **dataclasses.asdict(exposures),
            "height": settings.size.height,
            "width": settings.size.width,
            "spike_scale": settings.spike_scale,
            "read_noise": settings.frame_camera.read_noise,
            "bit_depth": settings.bit_depth,
            "frame_format": settings.frame_format,
            "reference_format": settings.reference_format,
            "jpeg_quality": settings.jpeg_quality,
            **dataclasses.asdict(settings.spike_camera),
            "density_asked": settings.density,
            "density": round(density, 6),
        },
    }
