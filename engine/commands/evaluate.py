"""`evaluate`: how close the blurry and the restored frames are to the reference.

`--json` prints one object; its keys stay as they are, new ones may be added:

    path, name, method      strings
    gain_matched            true for virtual frames: their brightness is arbitrary, so one factor fits
                            each picture to the reference before PSNR and SSIM
    frames                  [{index, name, seconds, blurry: scores, restored: scores}]
    mean                    {blurry: scores, restored: scores} over those frames
    without_reference       how many of the chosen frames have nothing to be compared with
    findings                what is odd about the files, sentences
    failed                  [{index, name, message}]

    scores: {psnr: dB (null: the same picture), ssim (null: too small a picture), correlation},
    PSNR and SSIM on 8-bit RGB, SSIM with a Gaussian window of 11 × 11 and σ 1.5.
"""

from dataclasses import dataclass
from statistics import fmean
from typing import Any

from engine.commands.frame_range import FrameRange
from engine.commands.frames import FrameFailure, describe_failures, progress_bar, restore_each, stop_signals
from engine.commands.method_choice import MethodChoice
from engine.commands.outcome import Outcome, to_json
from engine.errors import EngineError, SequenceError
from engine.geometry import Size, Span
from engine.metrics import Scores, compare
from engine.restore.run import FrameResult
from engine.sequence import Sequence, open_source
from engine.source import SequenceSource


@dataclass(frozen=True)
class FrameScores:
    """Both pictures of one frame against its reference."""

    index: int
    name: str
    seconds: float
    blurry: Scores
    restored: Scores


def evaluate(
    source: SequenceSource, frames: FrameRange, choice: MethodChoice, *, tile_px: int | None, as_json: bool
) -> Outcome:
    """Restore the chosen frames that have a reference and score them.

    Raises SequenceError when none of them has one.
    """
    method, remarks = choice.make()
    with open_source(source) as sequence:
        chosen = frames.resolve(len(sequence), source.path)
        compared = _between_references(sequence, chosen)
        scores: list[FrameScores] = []
        failures: list[FrameFailure] = []
        without_reference = len(chosen) - len(compared)
        with progress_bar("Evaluating") as progress, stop_signals() as should_stop:
            for step in restore_each(
                sequence, compared, method, tile_px=tile_px, progress=progress, should_stop=should_stop
            ):
                if isinstance(step, FrameFailure):
                    failures.append(step)
                    continue
                try:
                    scored = _score(sequence, step)
                except EngineError as error:
                    failures.append(FrameFailure(step.frame, error))
                    continue
                if scored is None:
                    without_reference += 1
                else:
                    scores.append(scored)
        if not scores:
            raise failures[0].error if failures else _no_reference(source)
        facts = {
            "path": source.path,
            "name": sequence.name,
            "method": method.name,
            "gain_matched": scores[0].restored.gain_matched,
            "frames": [
                {
                    "index": one.index,
                    "name": one.name,
                    "seconds": round(one.seconds, 6),
                    "blurry": _values(one.blurry),
                    "restored": _values(one.restored),
                }
                for one in scores
            ],
            "mean": {
                "blurry": _mean([one.blurry for one in scores]),
                "restored": _mean([one.restored for one in scores]),
            },
            "without_reference": without_reference,
            "findings": [*remarks, *sequence.findings],
            "failed": [
                {
                    "index": failure.frame,
                    "name": sequence.frame_name(failure.frame),
                    "message": str(failure.error),
                }
                for failure in failures
            ],
        }
        problem = describe_failures(sequence, chosen, failures)
    return Outcome(to_json(facts) if as_json else _as_text(facts), problem)


def _between_references(sequence: Sequence, frames: Span) -> Span:
    """Return `frames` from the first to the last with a reference; what lies between keeps clips whole."""
    if not sequence.has_reference:
        raise _no_reference(sequence.source)

    def has_one(frame: int) -> bool:
        try:
            return sequence.reference(frame) is not None
        except EngineError:
            return True  # it is broken, which is to be reported, not passed over

    start = next((frame for frame in range(frames.start, frames.stop) if has_one(frame)), None)
    if start is None:
        raise _no_reference(sequence.source)
    last = next(frame for frame in range(frames.stop - 1, start - 1, -1) if has_one(frame))
    return Span(start, last + 1)


def _no_reference(source: SequenceSource) -> SequenceError:
    return SequenceError(
        "none of these frames has a reference to compare with",
        path=source.path,
        advice="Name the folder of sharp pictures with --reference",
    )


def _score(sequence: Sequence, result: FrameResult) -> FrameScores | None:
    reference = sequence.reference(result.frame)
    if reference is None:
        return None
    if reference.shape != result.picture.shape:
        raise SequenceError(
            "the reference is of another size than the frame",
            path=sequence.source.reference or sequence.source.path,
            found=str(Size(*reference.shape[:2])),
            expected=str(sequence.frame_size),
            advice="Name the right folder of sharp pictures with --reference",
        )
    return FrameScores(
        result.frame,
        sequence.frame_name(result.frame),
        result.seconds,
        compare(sequence, result.frame, sequence.frame(result.frame)),
        compare(sequence, result.frame, result.picture),
    )


def _values(scores: Scores) -> dict[str, float]:
    return {"psnr": scores.psnr, "ssim": scores.ssim, "correlation": scores.correlation}


def _mean(scores: list[Scores]) -> dict[str, float]:
    return {key: fmean(_values(one)[key] for one in scores) for key in ("psnr", "ssim", "correlation")}


def _as_text(facts: dict[str, Any]) -> str:
    rows = [*facts["frames"], {"name": "mean", **facts["mean"]}]
    wide = max(len(row["name"]) for row in rows)
    lines = [
        f"{facts['name']}, {facts['method']}: blurry → restored",
        f"{'frame':<{wide}}  {'PSNR dB':^17}  {'SSIM':^17}  {'correlation':^17}",
    ]
    for row in rows:
        pairs = (
            f"{row['blurry'][key]:7.{digits}f} → {row['restored'][key]:7.{digits}f}"
            for key, digits in (("psnr", 2), ("ssim", 4), ("correlation", 4))
        )
        lines.append(f"{row['name']:<{wide}}  {'  '.join(pairs)}")
    if facts["gain_matched"]:
        lines.append(
            "The frames are made of spikes: one factor fits each to the brightness of its reference."
        )
    if facts["without_reference"]:
        lines.append(f"{facts['without_reference']} frames without a reference were left out.")
    lines += [f"Finding: {finding}" for finding in facts["findings"]]
    return "\n".join(lines)
