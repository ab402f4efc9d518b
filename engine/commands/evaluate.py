"""`evaluate`: how close the blurry and the restored frames are to the reference.

`--json` prints one object; its keys stay as they are, new ones may be added:

    path, name, method      strings
    model                   the network that was named, null without one
    gain_matched            true for virtual frames: their brightness is arbitrary, so one factor fits
                            each picture to the reference before PSNR and SSIM
    frames                  [{index, name, seconds, unchanged, blurry: scores, restored: scores}]; with
                            regions also regions: [{blurry: scores, restored: scores}], in the order
                            asked for; unchanged is why the frame came back as it was, null where it was
                            restored
    unchanged               [{index, name, reason}], those of them that came back as they were
    mean                    {blurry: scores, restored: scores} over those frames
    regions                 [{x, y, width, height, mean: {blurry: scores, restored: scores}}]
    compared                [{name, frames, unchanged, mean, regions, failed}], the same of all other versions
    without_reference       how many of the chosen frames have nothing to be compared with
    findings                what is odd about the files, sentences
    remedies                what to do about each of them, sentences in the same order
    failed                  [{index, name, message}]

    scores: {psnr: dB (null: the same picture), ssim (null: too small a picture), correlation},
    PSNR and SSIM on 8-bit RGB, SSIM with a Gaussian window of 11 × 11 and σ 1.5.
"""

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from engine.commands.candidates import Candidate, candidate
from engine.commands.frame_range import FrameRange
from engine.commands.frames import (
    Progress,
    describe_failures,
    progress_bar,
    stop_signals,
)
from engine.commands.method_choice import MethodChoice
from engine.commands.outcome import Outcome, to_json
from engine.commands.targets import check_table
from engine.errors import (
    EngineError,
    ExportError,
    MethodError,
    OperationCancelled,
    SequenceError,
    as_engine_error,
)
from engine.export import write_text_atomically
from engine.geometry import Region, Size, Span
from engine.metrics import Scores, compare
from engine.restoration.events import FrameFailed, FrameRestored
from engine.restoration.evidence import describe_unchanged
from engine.restoration.frame_run import describe_beside
from engine.restoration.memory import is_out_of_memory
from engine.restoration.options import ComputeOptions
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
    unchanged: str = ""
    """Why it came back as it was; empty where it was restored."""
    regions: tuple[tuple[Scores, Scores], ...] = ()
    """Blurry and restored inside each region."""


@dataclass(frozen=True)
class EvaluateOptions:
    """What `evaluate` is asked for beside the sequence and the method."""

    compute: ComputeOptions = ComputeOptions()  # noqa: RUF009 (frozen)
    as_json: bool = False
    regions: tuple[Region, ...] = ()
    compared: tuple[str, ...] = ()
    """Other versions: folders of results, methods, networks (see `engine.commands.candidates`)."""
    csv: Path | None = None
    """Table to write, a row for every frame and version."""
    overwrite: bool = False
    """Whether the table may replace a file that is no input."""


@dataclass(frozen=True)
class _Version:
    """One version of the frames, scored."""

    name: str
    scores: list[FrameScores]
    failures: list[FrameFailed]


def evaluate(
    source: SequenceSource, frames: FrameRange, choice: MethodChoice, options: EvaluateOptions
) -> Outcome:
    """Restore the chosen frames that have a reference and score them.

    Raises SequenceError when none of them has one.
    """
    method, remarks = choice.make(options.compute)
    model = choice.model if method.name == choice.name else None
    candidates = [
        Candidate(model or method.name, method),
        *(candidate(text, choice, options.compute) for text in options.compared),
    ]
    as_json = options.as_json
    with open_source(source) as sequence:
        chosen = frames.resolve(len(sequence), source.path)
        compared = _between_references(sequence, chosen)
        _check_regions(options.regions, sequence)
        if options.csv is not None:
            check_table(options.csv, source, overwrite=options.overwrite)
        with progress_bar("Evaluating") as progress, stop_signals() as should_stop:
            versions = [
                _score_version(one, sequence, compared, options, progress, should_stop) for one in candidates
            ]
        failures = versions[0].failures
        without_reference = len(chosen) - sum(
            sequence.has_reference_for(frame) for frame in range(chosen.start, chosen.stop)
        )
        if not any(version.scores for version in versions):
            raise failures[0].error if failures else _no_reference(source)
        about_methods = [*remarks, *(one for other in candidates for one in other.findings)]
        findings = (*about_methods, *sequence.findings, *describe_beside(sequence, failures))
        facts = {
            "path": source.path,
            "name": sequence.name,
            "method": method.name,
            "model": model,
            "gain_matched": sequence.is_virtual,
            **_told(versions[0], options.regions),
            "compared": [
                {
                    "name": version.name,
                    **_told(version, options.regions),
                    "failed": _failed(sequence, version.failures),
                }
                for version in versions[1:]
            ],
            "without_reference": without_reference,
            "findings": [str(finding) for finding in findings],
            "remedies": [finding.remedy for finding in findings],
            "failed": _failed(sequence, failures),
        }
        problem = "; ".join(
            f"{version.name}: {told}" if options.compared else told
            for version in versions
            if (told := describe_failures(sequence, chosen, version.failures))
        )
        if options.csv is not None:
            try:
                write_text_atomically(options.csv, _as_csv(versions, options.regions))
            except ExportError as error:  # what was computed is printed all the same
                problem = "; ".join(filter(None, (problem, str(error))))
    warnings = tuple(dict.fromkeys(one.sentences for one in about_methods))
    return Outcome(to_json(facts) if as_json else _as_text(facts), problem, warnings)


def _check_regions(regions: tuple[Region, ...], sequence: Sequence) -> None:
    for region in regions:
        if region.intersect(Region.whole(sequence.frame_size)) != region:
            raise MethodError(
                "the region reaches outside the frames",
                found=_name_of(region),
                expected=f"x,y,width,height within {sequence.frame_size}",
                advice="Choose another --region",
            )


def _score_version(
    version: Candidate,
    sequence: Sequence,
    frames: Span,
    options: EvaluateOptions,
    progress: Progress,
    should_stop: Callable[[], bool],
) -> _Version:
    scores: list[FrameScores] = []
    failures: list[FrameFailed] = []
    left = set(range(frames.start, frames.stop))
    try:
        for step in version.pictures(
            sequence, frames, options=options.compute, progress=progress, should_stop=should_stop
        ):
            left.discard(step.frame)
            if isinstance(step, FrameFailed):
                failures.append(step)
                continue
            try:
                scored = _score(sequence, step, options.regions)
            except Exception as error:
                if is_out_of_memory(error):
                    raise
                failures.append(FrameFailed(step.frame, as_engine_error(error)))
                continue
            if scored is not None:
                scores.append(scored)
    except OperationCancelled:
        raise
    except Exception as error:
        if is_out_of_memory(error):
            raise
        failures = [FrameFailed(frame, as_engine_error(error)) for frame in range(frames.start, frames.stop)]
    else:
        not_tried = EngineError("not tried, since it would fail as those before it")
        failures += [FrameFailed(frame, not_tried) for frame in sorted(left)]
    return _Version(version.name, scores, failures)


def _told(version: _Version, regions: tuple[Region, ...]) -> dict[str, Any]:
    """Return the part of the JSON object that every version has."""
    rows = []
    for one in version.scores:
        row = {
            "index": one.index,
            "name": one.name,
            "seconds": round(one.seconds, 6),
            "unchanged": one.unchanged or None,
            "blurry": _values(one.blurry),
            "restored": _values(one.restored),
        }
        if regions:
            row["regions"] = [
                {"blurry": _values(blurry), "restored": _values(restored)} for blurry, restored in one.regions
            ]
        rows.append(row)
    return {
        "frames": rows,
        "unchanged": [
            {"index": one.index, "name": one.name, "reason": one.unchanged}
            for one in version.scores
            if one.unchanged
        ],
        "mean": _means([(one.blurry, one.restored) for one in version.scores]),
        "regions": [
            {
                "x": region.left,
                "y": region.top,
                "width": region.size.width,
                "height": region.size.height,
                "mean": _means([one.regions[place] for one in version.scores]),
            }
            for place, region in enumerate(regions)
        ],
    }


def _failed(sequence: Sequence, failures: list[FrameFailed]) -> list[dict[str, Any]]:
    return [
        {
            "index": failure.frame,
            "name": sequence.frame_name(failure.frame),
            "message": str(failure.error),
        }
        for failure in failures
        if not failure.is_beside
    ]


def _as_csv(versions: list[_Version], regions: tuple[Region, ...]) -> str:
    """Return a row for every version, frame and part of the picture, the blurry frames first."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["version", "frame", "region", "psnr", "ssim", "correlation", "unchanged"])
    parts = ["", *(_name_of(region) for region in regions)]
    told_blurry: set[int] = set()
    for version in versions:
        for one in version.scores:
            pairs = [(one.blurry, one.restored), *one.regions]
            for part, (blurry, restored) in zip(parts, pairs, strict=True):
                if one.index not in told_blurry:
                    table.writerow(["blurry", one.name, part, *_values(blurry).values(), ""])
                table.writerow([version.name, one.name, part, *_values(restored).values(), one.unchanged])
            told_blurry.add(one.index)
    return text.getvalue()


def _name_of(region: Region) -> str:
    return f"{region.left},{region.top},{region.size.width},{region.size.height}"


def _between_references(sequence: Sequence, frames: Span) -> Span:
    """Return `frames` from the first to the last with a reference; what lies between keeps clips whole."""
    if not sequence.has_reference:
        raise _no_reference(sequence.source)

    def has_one(frame: int) -> bool:
        try:
            return sequence.reference(frame) is not None
        except Exception as error:
            if is_out_of_memory(error):
                raise
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


def _score(sequence: Sequence, result: FrameRestored, regions: tuple[Region, ...]) -> FrameScores | None:
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
    blurry = sequence.frame(result.frame)
    return FrameScores(
        result.frame,
        sequence.frame_name(result.frame),
        result.seconds,
        compare(sequence, result.frame, blurry),
        compare(sequence, result.frame, result.picture),
        result.unchanged,
        tuple(
            (
                compare(sequence, result.frame, blurry, region),
                compare(sequence, result.frame, result.picture, region),
            )
            for region in regions
        ),
    )


def _values(scores: Scores) -> dict[str, float]:
    return {"psnr": scores.psnr, "ssim": scores.ssim, "correlation": scores.correlation}


def _means(pairs: list[tuple[Scores, Scores]]) -> dict[str, dict[str, float]] | None:
    """Return the means of blurry and restored scores, None without any."""
    if not pairs:
        return None
    return {
        "blurry": _mean([blurry for blurry, _restored in pairs]),
        "restored": _mean([restored for _blurry, restored in pairs]),
    }


def _mean(scores: list[Scores]) -> dict[str, float]:
    return {key: fmean(_values(one)[key] for one in scores) for key in ("psnr", "ssim", "correlation")}


def _as_text(facts: dict[str, Any]) -> str:
    rows = [*facts["frames"], {"name": "mean", **facts["mean"]}] if facts["frames"] else []
    wide = max((len(row["name"]) for row in rows), default=len("frame"))
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
    if facts["compared"] or facts["regions"]:
        lines += ["", *_summary(facts)]
    if facts["gain_matched"]:
        lines.append(
            "The frames are made of spikes: one factor fits each to the brightness of its reference."
        )
    for version in (facts, *facts["compared"]):
        told = describe_unchanged(
            ((one["name"], one["reason"]) for one in version["unchanged"]), len(version["frames"])
        )
        if told:
            lines.append(f"{version['name']}: {told}" if version is not facts else told)
    if facts["without_reference"]:
        lines.append(f"{facts['without_reference']} frames without a reference were left out.")
    lines += [
        f"Finding: {finding}. {remedy}"
        for finding, remedy in zip(facts["findings"], facts["remedies"], strict=True)
    ]
    return "\n".join(lines)


def _summary(facts: dict[str, Any]) -> list[str]:
    """Return a table of means: a row for every version, whole and inside each region."""
    scored = next(one for one in (facts, *facts["compared"]) if one["frames"])
    versions = [("blurry", "blurry", scored), (facts["model"] or facts["method"], "restored", facts)]
    versions += [(version["name"], "restored", version) for version in facts["compared"]]
    rows: list[tuple[str, str, dict[str, float] | None]] = []
    for name, key, told in versions:
        rows.append((name, "whole", told["mean"] and told["mean"][key]))
        for region in told["regions"]:
            part = f"{region['x']},{region['y']},{region['width']},{region['height']}"
            rows.append((name, part, region["mean"] and region["mean"][key]))
    wide = max(len("version"), *(len(name) for name, _part, _mean in rows))
    parts = max(len("region"), *(len(part) for _name, part, _mean in rows))
    lines = [f"{'version':<{wide}}  {'region':<{parts}}  PSNR dB    SSIM  correlation"]
    for name, part, mean in rows:
        values = (
            "no frame could be scored"
            if mean is None
            else f"{mean['psnr']:7.2f}  {mean['ssim']:6.4f}  {mean['correlation']:11.4f}"
        )
        lines.append(f"{name:<{wide}}  {part:<{parts}}  {values}")
    return lines
