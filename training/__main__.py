"""`python -m training COMMAND`: build data and networks. Exit status 0 done, 2 usage, 1 failed."""

import argparse
import importlib
import io
import re
import sys
from collections.abc import Sequence

from engine.errors import EngineError
from engine.processor import let_waiting_threads_sleep
from training.console import DONE, FAILED, PROGRAM, USAGE, OneLineParser, progress_bar
from training.simulate_options import add_simulate, settings_from
from training.simulated_sequence import SimulatedSequence, build_scene, write_sequence

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
    add_simulate(commands.add_parser("simulate", help="make a blurry sequence with spikes and reference"))
    for name, (_, summary) in OTHER_COMMANDS.items():
        commands.add_parser(name, help=summary, add_help=False)
    return parser


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
