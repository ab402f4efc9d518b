"""The command line: `spike-deblur info|restore|batch|evaluate|flat PATH`, the same as `python -m engine`.

Exit status 0 when done, 1 when something failed, 2 when the arguments are wrong; what went wrong is one
line on standard error. Nothing but argparse is imported before a command is known to be sound.
"""

import argparse
import contextlib
import math
import os
import sys
import traceback
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, get_args

from engine.errors import EngineError, OperationCancelled
from engine.processor import let_waiting_threads_sleep
from engine.restoration.method_names import DEFAULT_METHOD
from engine.source import SequenceSource
from engine.time_units import TimeUnit

if TYPE_CHECKING:
    from engine.commands.outcome import Outcome

PROGRAM = "spike-deblur"
DONE, FAILED, WRONG_USAGE = 0, 1, 2


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status; `argv` None takes the program's own arguments."""
    if argv is None:
        _prepare_process()
    try:
        arguments = _parser().parse_args(argv)
    except SystemExit as end:  # --help, --version and wrong usage
        return _print("") or (end.code if isinstance(end.code, int) else FAILED)
    try:
        outcome = _run(arguments)
    except (OperationCancelled, KeyboardInterrupt) as stop:
        return _fail(str(stop) or "stopped")
    except EngineError as error:
        return _fail(str(error), error if arguments.traceback else None)
    except MemoryError as error:
        problem = "there is not enough memory. Use --tile or fewer --frames"
        return _fail(problem, error if arguments.traceback else None)
    except Exception as error:  # noqa: BLE001 (the border: a person gets one line, never a traceback)
        problem = (
            f"unexpected: {type(error).__name__}: {error}. Please report it with the output of --traceback"
        )
        return _fail(problem, error if arguments.traceback else None)
    status = _print(f"{outcome.text}\n")
    for warning in outcome.warnings:
        _tell(f"note: {warning}")
    return _fail(outcome.problem) if outcome.problem else status


def _run(arguments: argparse.Namespace) -> "Outcome":
    source = _source(arguments)
    if arguments.command == "flat":
        from engine.commands.flat import keep_pattern

        return keep_pattern(source, arguments.out, overwrite=arguments.overwrite)
    if arguments.command == "info":
        from engine.commands.info import describe

        return describe(source, as_json=arguments.json)
    from engine.commands.frame_range import FrameRange
    from engine.commands.method_choice import MethodChoice
    from engine.restoration.options import ComputeOptions

    method = MethodChoice(arguments.method, arguments.model, arguments.falls_back)
    compute = ComputeOptions(
        arguments.device,
        arguments.precision,
        tile=arguments.tile,
        overlap_px=arguments.overlap_px,
        clip_frames=arguments.clip_frames,
        batch_tiles=arguments.batch_tiles,
        memory_gb=arguments.memory_gb,
    )
    if arguments.command == "batch":
        from engine.commands.batch import BatchOptions, batch

        return batch(
            Path(source.path),
            BatchOptions(arguments.out, method, source, compute, arguments.overwrite),
        )
    frames = arguments.frames or FrameRange()
    if arguments.command == "evaluate":
        from engine.commands.evaluate import EvaluateOptions, evaluate

        options = EvaluateOptions(
            compute,
            arguments.json,
            tuple(arguments.regions),
            tuple(arguments.compared),
            arguments.csv,
            arguments.overwrite,
        )
        return evaluate(source, frames, method, options)
    from engine.commands.restore import RestoreOptions, restore

    return restore(
        source,
        RestoreOptions(
            out=arguments.out,
            method=method,
            frames=frames,
            compute=compute,
            region=arguments.region,
            side_by_side=arguments.side_by_side,
            overwrite=arguments.overwrite,
            resume=arguments.resume,
        ),
    )


def _source(arguments: argparse.Namespace) -> SequenceSource:
    return SequenceSource(
        path=arguments.path,
        spikes=arguments.spikes,
        reference=arguments.reference,
        alignment=arguments.alignment,
        height=arguments.height,
        width=arguments.width,
        rate_hz=arguments.rate_hz,
        flip=arguments.flip,
        msb_first=arguments.msb_first,
        gamma=arguments.gamma,
        exposure_planes=arguments.exposure_planes,
        stride_planes=arguments.stride_planes,
        time_unit=arguments.time_unit,
        white=arguments.white,
        flat=arguments.flat,
    )


# ------------------------------------------------------------------ arguments


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, without repeating the whole usage."""

    lists_methods = False
    """Whether its help ends in the methods there are, which are looked for only then."""

    def format_help(self) -> str:
        text = super().format_help()
        if not self.lists_methods:
            return text
        from engine.commands.listed_methods import describe_methods

        return f"{text}\n{describe_methods()}\n"

    def error(self, message: str) -> NoReturn:
        self.exit(WRONG_USAGE, f"{self.prog}: {' '.join(message.split())} (see {self.prog} --help)\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog=PROGRAM, description="Deblur video with the help of a spike camera.", allow_abbrev=False
    )
    parser.add_argument("--version", action=_ShowVersion, help="print the version and leave")
    commands = parser.add_subparsers(
        dest="command", required=True, metavar="info|restore|batch|evaluate|flat"
    )

    info = commands.add_parser(
        "info", help="say what is at a path, and how each number about it is known", allow_abbrev=False
    )
    _add_source(info)
    info.add_argument("--json", action="store_true", help="print JSON (keys: engine/commands/info.py)")

    restore = commands.add_parser("restore", help="write restored frames as pictures", allow_abbrev=False)
    _add_source(restore)
    restore.add_argument(
        "--out", type=_path, required=True, metavar="DIR", help="folder for the frames and restore.json"
    )
    _add_method(restore)
    _add_frames(restore)
    restore.add_argument(
        "--region",
        type=_region,
        metavar="X,Y,W,H",
        help="restore only this part of the pictures; the rest stays as it was recorded",
    )
    restore.add_argument(
        "--side-by-side",
        type=_path,
        metavar="FILE.png",
        help="also write the first restored frame beside the blurry one",
    )
    restore.add_argument(
        "--resume",
        action="store_true",
        help="go on with what an earlier run of the same command has left unfinished in DIR",
    )
    restore.add_argument(
        "--overwrite", action="store_true", help="replace earlier results; the input is never replaced"
    )

    batch = commands.add_parser(
        "batch", help="restore every sequence below a folder, with one summary", allow_abbrev=False
    )
    _add_source(batch)
    batch.add_argument(
        "--out",
        type=_path,
        required=True,
        metavar="DIR",
        help="folder for a folder of frames each, batch.json and batch.csv; what is there already is kept",
    )
    _add_method(batch)
    batch.add_argument("--overwrite", action="store_true", help="begin anew instead of going on")

    evaluate = commands.add_parser(
        "evaluate", help="score blurry and restored frames against the reference", allow_abbrev=False
    )
    _add_source(evaluate)
    _add_method(evaluate)
    _add_frames(evaluate)
    evaluate.add_argument(
        "--compare",
        dest="compared",
        type=_text,
        action="append",
        default=[],
        metavar="WHAT",
        help="also score a folder of restored frames, a method, or a network by file or name; any number",
    )
    evaluate.add_argument(
        "--region",
        dest="regions",
        type=_region,
        action="append",
        default=[],
        metavar="X,Y,W,H",
        help="also score inside this part of the pictures; any number",
    )
    evaluate.add_argument(
        "--csv", type=_path, metavar="FILE", help="also write a table, a row for every frame and version"
    )
    evaluate.add_argument(
        "--overwrite", action="store_true", help="replace an earlier table; the input is never replaced"
    )
    evaluate.add_argument(
        "--json", action="store_true", help="print JSON (keys: engine/commands/evaluate.py)"
    )

    flat = commands.add_parser(
        "flat",
        help="keep the fixed pattern of a spike camera, for --flat",
        description="Write the fixed pattern that a recording of an even surface shows, or a sequence in "
        "which the scene moves, to a file that --flat takes.",
        allow_abbrev=False,
    )
    _add_source(flat)
    flat.add_argument(
        "--out", type=_path, required=True, metavar="FILE.npz", help="file to keep the pattern in"
    )
    flat.add_argument(
        "--overwrite", action="store_true", help="replace an earlier file; the input is never replaced"
    )
    return parser


def _add_source(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "path",
        type=_text,
        metavar="PATH",
        help="folder of a sequence, folder of pictures, video, or recording",
    )
    add("--traceback", action="store_true", help=argparse.SUPPRESS)
    group = parser.add_argument_group("what the files leave open")
    add = group.add_argument
    add("--spikes", type=_text, metavar="PATH", help="recording, or folder of one recording a frame")
    add("--reference", type=_text, metavar="PATH", help="folder of sharp pictures, or one picture")
    add("--alignment", type=_text, metavar="FILE.csv", help="alignment log")
    add("--height", type=_whole, metavar="PX", help="height of a spike plane")
    add("--width", type=_whole, metavar="PX", help="width of a spike plane")
    add("--rate", type=_positive, dest="rate_hz", metavar="HZ", help="planes a second")
    add(
        "--flip",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="the recording's bottom row comes first, or does not",
    )
    add(
        "--msb-first",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="the first pixel of a byte is its most significant bit, or its least",
    )
    add(
        "--gamma",
        type=_positive,
        metavar="G",
        help="1 where the spikes integrate code values, about 2.2 for linear light",
    )
    add(
        "--exposure-planes",
        type=_positive,
        metavar="N",
        help="length of an exposure, of a recording without frames or within each frame's recording",
    )
    add("--stride-planes", type=_positive, metavar="N", help="distance between the starts of such exposures")
    add(
        "--time-unit",
        choices=get_args(TimeUnit),
        help="what the times of event lists and alignment logs count (default: found out)",
    )
    add(
        "--white",
        type=_whole,
        metavar="N",
        help="the stored sample that is white in frames and reference, such as 4095 for 12 bits in 16",
    )
    add(
        "--flat",
        type=_text,
        metavar="FILE",
        help="divide this sensor's fixed pattern out: a recording of an even surface, its counts, or what "
        "the flat command wrote; none: divide nothing out (default: found out where things move)",
    )


def _add_method(parser: _Parser) -> None:
    parser.lists_methods = True
    add = parser.add_argument
    add(
        "--method",
        default=DEFAULT_METHOD,
        metavar="NAME",
        help="what restores, one of the methods below (default: %(default)s)",
    )
    add(
        "--model",
        type=_text,
        metavar="FILE",
        help="the network: .safetensors, .pth, .pt, a run's .ckpt, or a bundled name; or what another method "
        "takes",
    )
    add(
        "--fallback",
        dest="falls_back",
        action="store_true",
        help="use the spike ratio where the network cannot be loaded",
    )
    group = parser.add_argument_group("how it is computed")
    add = group.add_argument
    add("--device", default="auto", metavar="NAME", help="auto, cpu, cuda, cuda:N or mps (default: auto)")
    add(
        "--precision",
        default="auto",
        choices=("auto", "fp32", "bf16", "fp16"),
        help="auto is bf16 on GPUs that compute with it, else fp32",
    )
    add(
        "--tile",
        type=_tile,
        default=None,
        metavar="PX",
        help="longest edge of a tile, or HEIGHTxWIDTH; auto takes what fits the memory and overlaps least "
        "(default: auto)",
    )
    add(
        "--overlap", type=_count, dest="overlap_px", metavar="PX", help="pixels that neighbouring tiles share"
    )
    add("--clip", type=_whole, dest="clip_frames", metavar="N", help="frames restored together")
    add("--batch", type=_whole, dest="batch_tiles", metavar="N", help="tiles computed together")
    add(
        "--memory-gb",
        type=_positive,
        metavar="GIB",
        help="what computing may take (default: half of the free memory, 9 tenths of a GPU's)",
    )


def _add_frames(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--frames",
        type=_frames,
        metavar="A:B",
        help="frames A up to, without, B, counted from 0; also A:, :B, A alone, negative from the end "
        "(--frames=-3:)",
    )


class _ShowVersion(argparse.Action):
    """Looks the version up only when somebody asks."""

    def __init__(self, option_strings: Sequence[str], dest: str, help: str | None = None) -> None:
        super().__init__(option_strings, dest, nargs=0, default=argparse.SUPPRESS, help=help)

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        from importlib.metadata import PackageNotFoundError, version

        try:
            number = version("spike-deblur-studio")
        except PackageNotFoundError:
            number = "(not installed)"
        print(f"{PROGRAM} {number}")
        parser.exit(DONE)


def _whole(text: str) -> int:
    with contextlib.suppress(ValueError):
        if int(text) > 0:
            return int(text)
    raise argparse.ArgumentTypeError(f"'{text}' is not a positive whole number")


def _count(text: str) -> int:
    with contextlib.suppress(ValueError):
        if int(text) >= 0:
            return int(text)
    raise argparse.ArgumentTypeError(f"'{text}' is not a whole number of 0 or more")


def _tile(text: str) -> object:
    """Return a Size, or None for "auto"."""
    from engine.geometry import Size

    if text == "auto":
        return None
    with contextlib.suppress(ValueError):
        edges = [int(part) for part in text.lower().replace("×", "x").split("x")]
        if len(edges) in (1, 2) and min(edges) > 0:
            return Size(edges[0], edges[-1])
    raise argparse.ArgumentTypeError(f"'{text}' is not auto, an edge in pixels or HEIGHTxWIDTH")


def _positive(text: str) -> float:
    with contextlib.suppress(ValueError):
        if 0 < float(text) < math.inf:
            return float(text)
    raise argparse.ArgumentTypeError(f"'{text}' is not a positive number")


def _text(text: str) -> str:
    if not text or "\0" in text:
        raise argparse.ArgumentTypeError("a path is missing")
    return text


def _path(text: str) -> Path:
    """Read a path to write to; the shell leaves the ~ of `--out=~/results` to us."""
    path = Path(_text(text))
    with contextlib.suppress(RuntimeError):  # no such user: then it is a name like any other
        path = path.expanduser()
    return path


def _region(text: str) -> object:
    from engine.geometry import Region

    with contextlib.suppress(ValueError):
        x, y, width, height = (int(part) for part in text.split(","))
        if min(x, y) >= 0 and min(width, height) > 0:
            return Region(y, x, y + height, x + width)
    raise argparse.ArgumentTypeError(f"'{text}' is not X,Y,WIDTH,HEIGHT in pixels")


def _frames(text: str) -> object:
    from engine.commands.frame_range import FrameRange

    try:
        return FrameRange.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


# ------------------------------------------------------------------ the process


def _prepare_process() -> None:
    """Keep everything but our own line off standard error, and survive names that it cannot show."""
    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
    let_waiting_threads_sleep()
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _print(text: str) -> int:
    """Write to standard output and return the exit status; nobody listening any more is no failure."""
    try:
        print(text, end="", flush=True)
    except OSError as error:
        # What could not be written is still buffered, and Python would complain about it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            return _fail(f"standard output cannot be written: {error.strerror}")
    return DONE


def _fail(problem: str, error: BaseException | None = None) -> int:
    if error is not None:
        traceback.print_exception(error)
    _tell(problem)
    return FAILED


def _tell(line: str) -> None:
    """Write one line to standard error."""
    with contextlib.suppress(OSError):
        print(f"{PROGRAM}: {' '.join(line.split())}", file=sys.stderr, flush=True)
