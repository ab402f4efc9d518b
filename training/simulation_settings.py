"""Everything that decides a simulated sequence, and what its config.yaml says of it."""

import dataclasses
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from engine.export import BitDepth
from engine.geometry import Size
from training.rig import Faults, Rig
from training.scenes import SCENE_KINDS
from training.sequence_folder import CONFIG_SECTION, PictureFormat
from training.simulate import Exposures, FrameCamera, spike_size
from training.spike_camera import DEAD, HOT, SpikeCamera

SEQUENCE_SCENES: tuple[str, ...] = (*SCENE_KINDS, "street")
MAX_TEXTURES = 64
"""More photographs than this do not make a scene richer, and all of them are held in memory."""
MAX_FRAMES, MAX_PLANES = 100_000, 10_000_000

DEFAULT_SIZE = Size(480, 640)
DEFAULT_EXPOSURES = Exposures(frames=12, exposure_planes=80, stride_planes=80)
DEFAULT_FRAME_CAMERA = FrameCamera()
DEFAULT_SPIKE_CAMERA = SpikeCamera()

MomentChoice = Literal["even", "random"]
MOMENT_CHOICES: tuple[MomentChoice, ...] = get_args(MomentChoice)
MAX_LATENTS = 1000
MOMENT_KEY = 200
IDEAL_RIG = Rig()


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
    pictures: tuple[Path, ...] = ()
    """Pictures, videos and folders of them with all their subfolders, used beside `textures`."""
    objects: int = 2
    motion_px: float = 12.0
    object_motion_px: float | None = None
    speed_change: float = 0.0
    """How much faster and slower than on average a street's van drives in turn, as a share."""
    rig: Rig = IDEAL_RIG
    latents: int = 0
    """Sharp pictures inside every exposure, beside the reference."""
    moments: MomentChoice = "even"
    """Where they lie: in the middle of equal parts of the exposure, or anywhere."""
    truth: bool = False
    """Write how every pixel moves, and what the sensor is like."""
    seed: int = 0
    bit_depth: BitDepth = 8
    frame_format: PictureFormat = "png"
    reference_format: PictureFormat = "png"
    jpeg_quality: int = 96
    """1 to 100, where a format is "jpg"; colour is never subsampled."""

    def __post_init__(self) -> None:
        if self.scene not in SEQUENCE_SCENES:
            raise ValueError(f"unknown scene '{self.scene}', there are {', '.join(SEQUENCE_SCENES)}")
        if self.scene in ("photographs", "street") and not (self.textures or self.pictures):
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
        if not 0 <= self.latents <= MAX_LATENTS:
            raise ValueError(f"latents must lie between 0 and {MAX_LATENTS}, got {self.latents}")
        if not 0 <= self.speed_change <= 1:
            raise ValueError(f"speed_change must lie between 0 and 1, got {self.speed_change:g}")
        if self.moments not in MOMENT_CHOICES:
            raise ValueError(f"unknown moments '{self.moments}', there are {', '.join(MOMENT_CHOICES)}")
        if self.seed < 0:
            raise ValueError(f"the seed must be 0 or more, got {self.seed}")
        if self.exposures.planes > MAX_PLANES or self.exposures.frames > MAX_FRAMES:
            raise ValueError(
                f"a sequence has at most {MAX_FRAMES} frames and {MAX_PLANES} planes, "
                f"got {self.exposures.frames} and {self.exposures.planes}"
            )
        spike_size(self.size, self.spike_scale)


def choose_moments(settings: SimulationSettings, seed: np.random.SeedSequence) -> NDArray[np.float64]:
    """Return the moments (frames, latents) in [0, 1] of sharp pictures beside the references, in order.

    With the four digits that names of files have, so that a name says all of it.
    """
    frames, count = settings.exposures.frames, settings.latents
    even = np.tile((np.arange(count) + 0.5) / max(1, count), (frames, 1))
    if settings.moments == "even":
        return np.round(even, 4)
    own = np.random.SeedSequence(seed.entropy, spawn_key=(*seed.spawn_key, MOMENT_KEY))
    # Drawn without repetition, since two pictures of a moment would have one name.
    generator = np.random.default_rng(own)
    drawn = [np.sort(generator.choice(10**4 + 1, count, replace=False)) for _ in range(frames)]
    return np.array(drawn, np.float64).reshape(frames, count) / 1e4


def config_of(settings: SimulationSettings, size: Size, density: float, faults: Faults) -> dict[str, Any]:
    """What config.yaml says: how to read the recording, then how it was made.

    What nobody asked for is not mentioned.
    """
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
            **_extras(settings, size, faults),
        },
    }


def _extras(settings: SimulationSettings, size: Size, faults: Faults) -> dict[str, Any]:
    """What was asked for beyond two ideal cameras, and what came of it."""
    rig = settings.rig
    told: dict[str, Any] = {}
    if settings.pictures:
        told["pictures"] = [path.name for path in settings.pictures]
    if settings.speed_change:
        told["speed_change"] = settings.speed_change
    if settings.latents:
        told["latents"], told["moments"] = settings.latents, settings.moments
    if rig == IDEAL_RIG and not settings.truth:
        return told
    told |= dataclasses.asdict(rig)
    # Homography from frame pixels to spike pixels, both with the centre of the first one at 0.
    told["frame_to_spike"] = faults.frame_to_spike(settings.size, size).tolist()
    defects = None if faults.pattern is None else faults.pattern.defects
    told["dead_pixels"] = 0 if defects is None else int((defects == DEAD).sum())
    told["hot_pixels"] = 0 if defects is None else int((defects == HOT).sum())
    told["lost"] = [[span.start, span.stop] for span in faults.lost]
    return told
