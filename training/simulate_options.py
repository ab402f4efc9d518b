"""Options of `python -m training simulate`."""

import argparse
from pathlib import Path

from engine.geometry import Size
from training.rig import Rig
from training.sequence_folder import PICTURE_FORMATS
from training.simulate import Exposures, FrameCamera
from training.simulation_settings import MOMENT_CHOICES, SEQUENCE_SCENES, SimulationSettings
from training.spike_camera import SpikeCamera


def add_simulate(parser: argparse.ArgumentParser) -> None:
    """Add the command's options and what its help says."""
    default = SimulationSettings()
    camera, timing = default.spike_camera, default.exposures
    parser.description = (
        "Simulate a moving scene seen by a frame camera and a spike camera, and write it as a folder: "
        "blur/, sharp/, spike.dat, alignment.csv, config.yaml and, where objects move, their boxes in "
        "objects.csv. The same options give the same files."
    )
    parser.formatter_class = argparse.ArgumentDefaultsHelpFormatter
    parser.add_argument("--out", type=_path, required=True, help="folder to make")
    parser.add_argument("--overwrite", action="store_true", help="replace an earlier simulation there")
    parser.add_argument("--seed", type=int, default=default.seed, help="another number, another sequence")

    scene = parser.add_argument_group("scene")
    scene.add_argument(
        "--textures",
        type=_path,
        nargs="+",
        default=argparse.SUPPRESS,
        metavar="PATH",
        help="pictures or folders of them; for a street: two houses, a portrait, an advertisement",
    )
    scene.add_argument(
        "--pictures",
        type=_path,
        nargs="+",
        default=argparse.SUPPRESS,
        metavar="PATH",
        help="pictures, videos or folders of them with all subfolders, beside the textures",
    )
    scene.add_argument(
        "--scene",
        choices=SEQUENCE_SCENES,
        default=argparse.SUPPRESS,
        help=(
            "what is seen (photographs where there are textures or pictures, else mixed patterns), or, over "
            "mixed pictures, what moves: depth (layers with parallax), a handheld camera, cloth, limbs, "
            "things turning in depth, small fast flyers, saturated highlights, or a world of all of these"
        ),
    )
    scene.add_argument(
        "--objects",
        type=int,
        default=default.objects,
        help="things that move on their own; a street has its van",
    )
    scene.add_argument(
        "--motion-px", type=float, default=default.motion_px, help="camera motion in an average exposure"
    )
    scene.add_argument(
        "--object-motion-px",
        type=float,
        default=argparse.SUPPRESS,
        help="the objects' own motion in an exposure (default: as the camera's; flyers: any)",
    )
    scene.add_argument(
        "--speed-change",
        type=float,
        default=default.speed_change,
        help="how much faster and slower a street's van drives in turn, as a share of its speed",
    )

    frames = parser.add_argument_group("frames")
    frames.add_argument("--frames", type=int, default=timing.frames, help="how many")
    frames.add_argument("--height", type=int, default=default.size.height, help="of a frame, in pixels")
    frames.add_argument("--width", type=int, default=default.size.width, help="of a frame, in pixels")
    frames.add_argument(
        "--exposure-planes", type=int, default=timing.exposure_planes, help="length of an exposure"
    )
    frames.add_argument(
        "--stride-planes",
        type=int,
        default=argparse.SUPPRESS,
        help="from one exposure's start to the next; less overlaps, more leaves gaps (default: the exposure)",
    )
    frames.add_argument(
        "--row-delay",
        type=float,
        default=default.rig.row_delay_planes,
        metavar="PLANES",
        help="rolling shutter: by which a row is exposed after the row above; windows are the first row's",
    )
    frames.add_argument(
        "--gamma",
        type=float,
        default=default.frame_camera.gamma,
        help="1: both cameras integrate code values; 2.2: linear light",
    )
    frames.add_argument(
        "--read-noise",
        type=float,
        default=default.frame_camera.read_noise,
        help="of a blurry frame, white being 1",
    )
    frames.add_argument(
        "--bit-depth", type=int, choices=(8, 16), default=default.bit_depth, help="of frames and references"
    )
    frames.add_argument(
        "--frame-format", choices=PICTURE_FORMATS, default=default.frame_format, help="of blurry frames"
    )
    frames.add_argument(
        "--reference-format", choices=PICTURE_FORMATS, default=default.reference_format, help="of references"
    )
    frames.add_argument(
        "--jpeg-quality", type=int, default=default.jpeg_quality, help="1 to 100; where a format is jpg"
    )

    spikes = parser.add_argument_group("spike camera")
    spikes.add_argument("--rate", type=float, default=default.rate_hz, help="planes a second")
    spikes.add_argument(
        "--spike-scale",
        type=float,
        default=default.spike_scale,
        help="frame pixels to a spike pixel, each way",
    )
    level = spikes.add_mutually_exclusive_group()
    level.add_argument("--threshold", type=float, default=camera.threshold, help="charge that fires a pixel")
    level.add_argument(
        "--density",
        type=float,
        default=argparse.SUPPRESS,
        help="choose the threshold so that this many spikes a plane come on average",
    )
    spikes.add_argument(
        "--gain", type=float, default=camera.gain, help="charge from a white pixel in a plane"
    )
    spikes.add_argument("--dark-current", type=float, default=camera.dark_current, help="share of white")
    spikes.add_argument(
        "--dark-spread", type=float, default=camera.dark_spread, help="relative, between pixels"
    )
    spikes.add_argument(
        "--response-spread", type=float, default=camera.response_spread, help="relative, between pixels"
    )
    spikes.add_argument(
        "--shot-noise", type=float, default=camera.shot_noise, help="relative, of a white pixel in one plane"
    )
    spikes.add_argument(
        "--sensor-seed",
        type=int,
        default=argparse.SUPPRESS,
        help="which sensor it is: pattern and defects, the same in every recording (default: another one)",
    )
    spikes.add_argument(
        "--defects", type=float, default=default.rig.defects, help="share of pixels that are dead or hot"
    )
    spikes.add_argument(
        "--defect-lines",
        type=int,
        default=default.rig.defect_lines,
        help="rows and columns that are dead or hot",
    )
    spikes.add_argument(
        "--lost-planes",
        type=float,
        default=default.rig.lost_planes,
        help="share of planes that were not transferred, zeros in the recording",
    )
    spikes.add_argument(
        "--misregistration-px",
        type=float,
        default=default.rig.misregistration_px,
        help="how far, at most, both cameras see a point apart, in pixels of the frame",
    )
    spikes.add_argument(
        "--empty-start", action="store_true", help="start without charge instead of at a random phase"
    )

    truth = parser.add_argument_group("truth")
    truth.add_argument(
        "--latents",
        type=int,
        default=default.latents,
        metavar="N",
        help="write N sharp pictures inside every exposure to latents/, listed in latents.csv",
    )
    truth.add_argument(
        "--moments",
        choices=MOMENT_CHOICES,
        default=default.moments,
        help="of these pictures: the middles of equal parts of an exposure, or anywhere in it",
    )
    truth.add_argument(
        "--truth",
        action="store_true",
        help=(
            "write how every pixel moves, in pixels an exposure, to motion/, what the sensor is like to "
            "sensor/, and how the cameras are registered to config.yaml"
        ),
    )


def _path(text: str) -> Path:
    if not text or "\0" in text:
        raise argparse.ArgumentTypeError("a path is missing")
    return Path(text)


def settings_from(options: argparse.Namespace) -> SimulationSettings:
    """Turn parsed options into settings. Raises ValueError for numbers out of range."""
    textures, pictures = (tuple(getattr(options, name, ())) for name in ("textures", "pictures"))
    return SimulationSettings(
        size=Size(options.height, options.width),
        exposures=Exposures(
            options.frames,
            options.exposure_planes,
            getattr(options, "stride_planes", options.exposure_planes),
        ),
        frame_camera=FrameCamera(options.gamma, options.read_noise),
        spike_camera=SpikeCamera(
            threshold=options.threshold,
            gain=options.gain,
            dark_current=options.dark_current,
            dark_spread=options.dark_spread,
            response_spread=options.response_spread,
            shot_noise=options.shot_noise,
            random_phase=not options.empty_start,
        ),
        density=getattr(options, "density", None),
        spike_scale=options.spike_scale,
        rate_hz=options.rate,
        scene=getattr(options, "scene", "photographs" if textures or pictures else "mixed"),
        textures=textures,
        pictures=pictures,
        objects=options.objects,
        motion_px=options.motion_px,
        object_motion_px=getattr(options, "object_motion_px", None),
        speed_change=options.speed_change,
        rig=Rig(
            row_delay_planes=options.row_delay,
            misregistration_px=options.misregistration_px,
            sensor_seed=getattr(options, "sensor_seed", None),
            defects=options.defects,
            defect_lines=options.defect_lines,
            lost_planes=options.lost_planes,
        ),
        latents=options.latents,
        moments=options.moments,
        truth=options.truth,
        seed=options.seed,
        bit_depth=options.bit_depth,
        frame_format=options.frame_format,
        reference_format=options.reference_format,
        jpeg_quality=options.jpeg_quality,
    )
