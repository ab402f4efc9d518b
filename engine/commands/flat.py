"""`flat`: keep the fixed pattern of a spike camera in a file that `--flat` takes.

A recording of an even surface, or its counts, is a flat field. Of all else the pattern is what sequences are
corrected by: that of `--flat`, or what their frames or their motion show.
"""

from pathlib import Path

from engine.commands.outcome import Outcome
from engine.commands.pattern_facts import describe_pattern, pattern_line
from engine.commands.targets import check_kept
from engine.errors import EngineError, RecordingError
from engine.fixed_pattern import FixedPattern
from engine.fixed_pattern.flat_file import read_even
from engine.fixed_pattern.kept import write_pattern
from engine.sequence import open_source
from engine.source import SequenceSource


def keep_pattern(source: SequenceSource, out: Path, *, overwrite: bool) -> Outcome:
    """Write the pattern of what lies at `source` to `out`.

    Raises EngineError where there is none to be found, or the file cannot be written.
    """
    if out.suffix.lower() != ".npz":
        raise RecordingError(
            "a pattern is kept as .npz",
            path=out,
            found=f"suffix '{out.suffix}'",
            advice="Give --out FILE.npz",
        )
    check_kept(out, source, overwrite=overwrite)
    pattern = _pattern(source)
    write_pattern(pattern, out)
    return Outcome(f"{out}: {pattern_line({**describe_pattern(pattern), 'file': None})}")


def _pattern(source: SequenceSource) -> FixedPattern:
    uneven: EngineError | None = None
    is_even = False
    if source.flat is None and source.spikes is None:
        try:
            pattern = read_even(Path(source.path), source)
            if pattern:
                return pattern
            is_even = True
        except EngineError as error:
            uneven = error
    try:
        with open_source(source) as sequence:
            pattern = sequence.fixed_pattern
    except EngineError as error:
        # Counts are no sequence, so what is wrong with them as a flat field is what matters.
        if Path(source.path).suffix.lower() in (".npz", ".npy"):
            if uneven is not None:
                raise uneven from error
            if is_even:
                raise _no_pattern(source, "pixels that differ by no more than chance") from error
        raise
    if not pattern:
        found = "too little that moves over the pixels"
        if is_even:
            found += ", and as an even surface pixels that differ by no more than chance"
        elif uneven is not None:
            reason = uneven.problem.removeprefix("no flat field: ")
            found += f"; as an even surface: {reason}"
            found += f", {uneven.found} where {uneven.expected} are asked for" if uneven.expected else ""
        raise _no_pattern(source, found)
    return pattern


def _no_pattern(source: SequenceSource, found: str) -> RecordingError:
    return RecordingError(
        "no fixed pattern can be told from the scene",
        path=source.path,
        found=found,
        advice="Record an even surface, or a scene that moves over the whole picture for longer",
    )
