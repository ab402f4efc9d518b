"""`python -m training COMMAND`: build data and networks. Exit status 0 done, 2 usage, 1 failed."""

import argparse
import importlib
import io
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from engine.errors import EngineError
from engine.geometry import Size
from engine.processor import let_waiting_threads_sleep
from training.console import DONE, FAILED, PROGRAM, USAGE, OneLineParser, progress_bar
from training.sequence_folder import PICTURE_FORMATS
from training.simulate import Exposures, FrameCamera
from training.simulated_sequence import (
    SEQUENCE_SCENES,
    SimulatedSequence,
    SimulationSettings,
    build_scene,
    write_sequence,
)
from training.spike_camera import SpikeCamera

OTHER_COMMANDS = {
    "generate": ("training.generate", "simulate clips by the thousand, packed for training"),
    "prepare": ("training.prepare", "look through a data set before training on it"),
    "doctor": ("training.doctor", "measure this machine, and fit a configuration to it"),
    "fit": ("training.fit", "train a network, or go on with it"),
    "validate": ("training.fit", "score a network on the validation data"),
    "test": ("training.fit", "score a network clip by clip"),
    "export": ("training.export", "turn a checkpoint into a model file for the engine and the studio"),
}
"""Module and summary of the commands that read their own arguments. Some import torch, so none is imported
before it is asked for."""


def build_parser() -> argparse.ArgumentParser:
    parser = OneLineParser(prog=PROGRAM, description="Build data and networks for deblurring.")
    commands = parser.add_subparsers(
        dest="command", required=True, metavar="COMMAND", parser_class=OneLineParser
    )
    _add_simulate(commands.add_parser("simulate", help="make a blurry sequence with spikes and reference"))
    for name, (_, summary) in OTHER_COMMANDS.items():
        commands.add_parser(name, help=summary, add_help=False)
    return parser


def _add_simulate(parser: argparse.ArgumentParser) -> None:
    default = SimulationSettings()
    camera, timing = default.spike_camera, default.exposures
    parser.description = (
        "Simulate a moving scene seen by a frame camera and a spike camera, and write it as a folder: "
        "blur/, sharp/, spike.dat, alignment.csv and config.yaml. The same options give the same files."
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
        "--scene",
        choices=SEQUENCE_SCENES,
        default=argparse.SUPPRESS,
        help="photographs where there are textures, else mixed patterns",
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
        help="the objects' own motion in an exposure (default: as the camera's)",
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
        "--empty-start", action="store_true", help="start without charge instead of at a random phase"
    )


def _path(text: str) -> Path:
    if not text or "\0" in text:
        raise argparse.ArgumentTypeError("a path is missing")
    return Path(text)


def settings_from(options: argparse.Namespace) -> SimulationSettings:
    """Turn parsed options into settings. Raises ValueError for numbers out of range."""
    textures = tuple(getattr(options, "textures", ()))
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
        scene=getattr(options, "scene", "photographs" if textures else "mixed"),
        textures=textures,
        objects=options.objects,
        motion_px=options.motion_px,
        object_motion_px=getattr(options, "object_motion_px", None),
        seed=options.seed,
        bit_depth=options.bit_depth,
        frame_format=options.frame_format,
        reference_format=options.reference_format,
        jpeg_quality=options.jpeg_quality,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return the exit status. Raises SystemExit for `--help` and wrong usage."""
    if arguments is None:
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):  # names that the terminal cannot show
                stream.reconfigure(errors="backslashreplace")
    let_waiting_threads_sleep()
    given = sys.argv[1:] if arguments is None else list(arguments)
    if given and given[0] in OTHER_COMMANDS:
        return _run_other(given)
    parser = build_parser()
    options = parser.parse_args(arguments)
    try:
        try:
            settings = settings_from(options)
            scene = build_scene(settings)
        except ValueError as error:
            sys.stderr.write(f"{parser.prog} {options.command}: {error}\n")
            return USAGE
        with progress_bar("Simulating") as progress:
            sequence = write_sequence(
                options.out, scene, settings, overwrite=options.overwrite, progress=progress
            )
    except EngineError as error:
        sys.stderr.write(f"{error}\n")
        return FAILED
    except MemoryError:
        sys.stderr.write(
            "there is not enough memory. Ask for smaller or fewer frames, or shorter exposures\n"
        )
        return FAILED
    except KeyboardInterrupt:
        sys.stderr.write("stopped; nothing was written\n")
        return FAILED
    sys.stdout.write(f"{_report(sequence)}\n")
    return DONE


def _run_other(given: Sequence[str]) -> int:
    module, _ = OTHER_COMMANDS[given[0]]
    try:
        text = importlib.import_module(module).run(given)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in ("engine", "training"):
            raise
        sys.stderr.write(f"{error.name} is not installed. Run: pip install 'spike-deblur-studio[training]'\n")
        return FAILED
    except (EngineError, ValueError) as error:
        sys.stderr.write(f"{_without_traceback(str(error))}\n")
        return FAILED
    except KeyboardInterrupt:
        sys.stderr.write("stopped\n")
        return FAILED
    if text:
        sys.stdout.write(f"{text}\n")
    return DONE


def _without_traceback(message: str) -> str:
    """Return the message itself of an error that a loader's process passed on with its whole traceback."""
    passed_on = re.search(
        r"worker process.*Traceback.*(?:engine\.errors\.\w+|\bValueError): (.*)", message, re.DOTALL
    )
    return passed_on[1].strip() if passed_on else message


def _report(sequence: SimulatedSequence) -> str:
    return (
        f"{sequence.path}: {sequence.frames} frames of {sequence.size}, {sequence.planes} planes of "
        f"{sequence.spike_size}, {sequence.bytes / 1e6:.2f} MB; {sequence.density:.3f} spikes a plane at "
        f"threshold {sequence.threshold:g}, camera motion {sequence.motion_px:.1f} px an exposure, "
        f"blurry PSNR {sequence.blurry_psnr:.2f} dB"
    )


if __name__ == "__main__":
    sys.exit(main())
