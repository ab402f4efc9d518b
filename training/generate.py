"""`python -m training generate`: simulate clips by the thousand and pack them for training."""

import argparse
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from training.console import PROGRAM, OneLineParser, progress_bar
from training.packed_clips import Generation, generate, shards_in
from training.picture_shelf import PictureShelf
from training.simulated_data import Recipe


def build_parser() -> argparse.ArgumentParser:
    recipe = Recipe()
    parser = OneLineParser(
        prog=f"{PROGRAM} generate",
        description=(
            "Simulate clips of random scenes, seen by random cameras, and pack them into files of about "
            "25 MB. Run again after a stop, it goes on; the same options give the same clips on any machine."
        ),
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for the packed clips")
    parser.add_argument("--clips", type=int, default=3200)
    parser.add_argument("--seed", type=int, default=0, help="of another number, other clips: for validation")
    parser.add_argument(
        "--pictures",
        type=Path,
        nargs="+",
        default=[],
        metavar="PATH",
        help="pictures, videos or folders of them, used beside drawn patterns",
    )
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument("--frames", type=int, default=recipe.frames, help="of a clip")
    parser.add_argument("--frame-px", type=int, default=recipe.frame_px, help="height and width of a frame")
    parser.add_argument("--bins", type=int, default=recipe.bins, help="of the spikes of an exposure")
    low, high = recipe.exposure_planes
    parser.add_argument("--exposure-planes", type=int, nargs=2, default=[low, high], metavar=("FROM", "TO"))
    parser.add_argument(
        "--motion-px", type=float, nargs=2, default=list(recipe.motion_px), metavar=("FROM", "TO")
    )
    parser.add_argument(
        "--density",
        type=float,
        nargs=2,
        default=list(recipe.density),
        metavar=("FROM", "TO"),
        help="mean spikes a pixel and plane",
    )
    parser.add_argument(
        "--linear-share", type=float, default=recipe.linear_share, help="share of clips in linear light"
    )
    parser.add_argument(
        "--world-share",
        type=float,
        default=recipe.world_share,
        help=(
            "share of clips with depth, cloth, limbs, things that turn or fly past, lights or a hand-held "
            "camera; stiff planes in the others"
        ),
    )
    parser.add_argument(
        "--moments",
        choices=("random", "centre"),
        default="random",
        help="keep the sharp scene at a random moment of each exposure too, or at its centre alone",
    )
    for option, of in (
        ("misregistered", "clips whose cameras are registered up to a pixel apart"),
        ("defective", "clips with dead and hot pixels"),
        ("rolling", "clips with a rolling shutter"),
    ):
        parser.add_argument(
            f"--{option}-share", type=float, default=getattr(recipe, f"{option}_share"), help=f"share of {of}"
        )
    parser.add_argument(
        "--spike-scales",
        type=float,
        nargs="+",
        default=list(recipe.spike_scales),
        help="frame pixels to a spike pixel, each way",
    )
    return parser


def run(given: Sequence[str]) -> str:
    """Generate what the arguments (after the command's name) ask for. Raises EngineError, ValueError."""
    options = build_parser().parse_args(given[1:])
    for name, least in (("clips", 1), ("seed", 0), ("workers", 1)):
        if getattr(options, name) < least:
            raise ValueError(f"--{name} must be {least} or more, got {getattr(options, name)}")
    recipe = _recipe(options)
    pictures = tuple(str(path.expanduser().absolute()) for path in options.pictures)
    if pictures:
        # A bad path should be said at once, not by a worker in the middle of things.
        PictureShelf(options.pictures)
    generation = Generation(recipe, pictures, options.seed, options.clips)
    with progress_bar("Simulating") as progress:
        clips = generate(options.out, generation, workers=options.workers, progress=progress)
    shards = shards_in(options.out)
    total = sum(path.stat().st_size for path in shards)
    text = f"{options.out}: {clips} clips in {len(shards)} files, {total / 1e6:.0f} MB"
    return text if clips == options.clips else f"{text}; {options.clips} were asked for, none was deleted"


def _recipe(options: argparse.Namespace) -> Recipe:
    """Return what the clips are to be like. Raises ValueError with the name of the option at fault."""
    try:
        return replace(
            Recipe(),
            frames=options.frames,
            frame_px=options.frame_px,
            bins=options.bins,
            exposure_planes=tuple(options.exposure_planes),
            motion_px=tuple(options.motion_px),
            density=tuple(options.density),
            linear_share=options.linear_share,
            world_share=options.world_share,
            misregistered_share=options.misregistered_share,
            defective_share=options.defective_share,
            rolling_share=options.rolling_share,
            moments=1 if options.moments == "random" else 0,
            spike_scales=tuple(options.spike_scales),
        )
    except ValueError as error:
        field, _, rest = str(error).partition(" ")
        raise ValueError(f"--{field.replace('_', '-')} {rest}") from error
