"""`batch`: restore every sequence below a folder, one after another, with one summary of all.

Each goes into a folder of its own, of the same name and place as below the root. A second run goes on where
the first one stopped. `batch.json` and `batch.csv` are written anew after every sequence:

    root, complete
    sequences   [{name, frames, restored, failed, unchanged, seconds, psnr, ssim, blurry_psnr, blurry_ssim,
                error}]: restored are the frames written without those that came back as they were, which are
                unchanged (named in the sequence's `restore.json`); scores are means over the frames that
                could be compared with a reference, null where there is none (`restore.json` says why another
                could not); error is one line, null where all went well

Whatever goes wrong with one sequence is said in its row, and the others are restored.
"""

import csv
import io
import json
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Any

from engine.commands.frame_range import FrameRange
from engine.commands.method_choice import MethodChoice
from engine.commands.outcome import Outcome, to_json
from engine.commands.restore import Restored, RestoreOptions, restore_to_folder
from engine.errors import ExportError, OperationCancelled, SequenceError, as_engine_error
from engine.export import make_folder, write_text_atomically
from engine.restoration.memory import is_out_of_memory
from engine.restoration.options import ComputeOptions
from engine.sequence import find_sequences
from engine.source import SequenceSource

SUMMARY_NAME = "batch.json"
TABLE_NAME = "batch.csv"
SCORES = ("psnr", "ssim", "blurry_psnr", "blurry_ssim")
COLUMNS = ("name", "frames", "restored", "failed", "unchanged", "seconds", *SCORES, "error")


@dataclass(frozen=True)
class BatchOptions:
    """What `batch` is asked for beside the root."""

    out: Path
    method: MethodChoice
    given: SequenceSource
    """What the files leave open, said once for all sequences; its path is the root."""
    compute: ComputeOptions = ComputeOptions()  # noqa: RUF009 (frozen)
    overwrite: bool = False


def batch(root: Path, options: BatchOptions) -> Outcome:
    """Restore all sequences below `root`; one that fails is named, the others are restored.

    Raises SequenceError when there is none, ExportError when `options.out` cannot be used,
    OperationCancelled after Ctrl-C: the summary then holds what was done.
    """
    _check_apart(root, options.out)
    # A missing network is one error, not one a sequence.
    _, about_method = options.method.make(options.compute)
    sources = find_sequences(root)
    if not sources:
        raise SequenceError("there is no sequence below this folder", path=root)
    _check_summary(root, options)
    make_folder(options.out)
    unwritten = ""
    rows: list[dict[str, Any]] = []
    told: list[str] = []
    names = _names(root, sources)
    for name, source in zip(names, sources, strict=True):
        row, about = _restore_one(name, source, options)
        rows.append(row)
        told += [f"{name}: {line}" for line in about]
        try:
            _write_summary(root, options.out, rows, complete=len(rows) == len(sources))
            unwritten = ""
        except (ExportError, OSError, ValueError) as error:  # the next one may have space
            unwritten = f"the summary {error}"
    broken = [row for row in rows if row["error"] is not None]
    problem = ""
    if broken:
        listed = ", ".join(row["name"] for row in broken[:4])
        problem = f"{len(broken)} of {len(rows)} sequences have failures ({listed}): {broken[0]['error']}"
    return Outcome(
        _as_text(rows, told, options.out),
        ". ".join(filter(None, (problem, unwritten))),
        tuple(one.sentences for one in about_method),
    )


def _check_summary(root: Path, options: BatchOptions) -> None:
    """Raise ExportError where `options.out` holds the summary of something else."""
    summary, table = options.out / SUMMARY_NAME, options.out / TABLE_NAME
    if options.overwrite or not (summary.exists() or table.exists()):
        return
    try:
        written = json.loads(summary.read_bytes())
    except (OSError, ValueError, RecursionError):
        written = None
    found = written.get("root") if isinstance(written, dict) else None
    if found != _place_of(root):
        raise ExportError(
            "the results there are of something else",
            path=summary if summary.exists() else table,
            found=str(found) if found else "no summary of a batch",
            expected=_place_of(root),
            advice="Choose another folder with --out, or begin anew with --overwrite",
        )


def _place_of(root: Path) -> str:
    """Return the root as the summary names it: the same from wherever the program is started."""
    return str(root.expanduser().absolute())


def _check_apart(root: Path, out: Path) -> None:
    if root.resolve() in (out.resolve(), *out.resolve().parents):
        raise ExportError(
            "the results would lie among the sequences",
            path=out,
            expected=f"a folder outside {root}",
            advice="Choose another folder with --out",
        )


def _names(root: Path, sources: list[SequenceSource]) -> list[str]:
    """Return where below `root` each sequence lies, as the name of its results; all different."""
    names: list[str] = []
    for source in sources:
        path = Path(source.path)
        try:
            place = path.resolve().relative_to(root.resolve())
        except ValueError:
            place = Path(path.name)
        name = place.as_posix() if place.parts else path.resolve().stem
        while name in names:
            name += "_"
        names.append(name)
    return names


def _restore_one(
    name: str, source: SequenceSource, options: BatchOptions
) -> tuple[dict[str, Any], list[str]]:
    """Return the row of a sequence, which tells whatever happens, and lines about its frames."""
    asked = RestoreOptions(
        out=options.out / name,
        method=options.method,
        frames=FrameRange(),
        compute=options.compute,
        overwrite=options.overwrite,
        resume=True,
        scores=True,
    )
    try:
        result = restore_to_folder(replace(options.given, path=source.path), asked)
        return _row(name, result), result.about_frames
    except OperationCancelled:
        raise
    except Exception as error:  # noqa: BLE001 (the border: whatever happens costs one sequence)
        problem = str(error) if isinstance(error, OSError) else str(as_engine_error(error))
        if is_out_of_memory(error):
            problem = "there is not enough memory. Use --tile"
        line = " ".join(problem.split())
        return {**dict.fromkeys(COLUMNS), "name": name, "restored": 0, "error": line}, []


def _row(name: str, result: Restored) -> dict[str, Any]:
    return {
        "name": name,
        "frames": result.wanted,
        "restored": result.restored,
        "failed": result.failed,
        "unchanged": len(result.unchanged),
        "seconds": round(sum(row["seconds"] for row in result.frames), 3),
        **{score: _mean(result, score) for score in SCORES},
        "error": result.problem or None,
    }


def _mean(result: Restored, score: str) -> float | None:
    values = [row[score] for row in result.frames if row.get(score) is not None]
    return fmean(values) if values else None


def _write_summary(root: Path, out: Path, rows: list[dict[str, Any]], *, complete: bool) -> None:
    summary = {"root": _place_of(root), "complete": complete, "sequences": rows}
    write_text_atomically(out / SUMMARY_NAME, to_json(summary, readable=True) + "\n")
    text = io.StringIO()
    table = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    write_text_atomically(out / TABLE_NAME, text.getvalue())


def _as_text(rows: list[dict[str, Any]], told: list[str], out: Path) -> str:
    wide = max(len(row["name"]) for row in rows)
    lines = [f"{'sequence':<{wide}}  restored  failed  unchanged  seconds  {'PSNR dB':^17}  {'SSIM':^17}"]
    for row in rows:
        if row["frames"] is None:
            lines.append(f"{row['name']:<{wide}}  {row['error']}")
            continue
        line = f"{row['name']:<{wide}}  {row['restored']:8d}  {row['failed']:6d}  {row['unchanged']:9d}"
        line += f"  {row['seconds']:7.1f}"
        if row["psnr"] is not None:
            line += f"  {row['blurry_psnr']:7.2f} → {row['psnr']:7.2f}"
        if row["ssim"] is not None:
            line += f"  {row['blurry_ssim']:7.4f} → {row['ssim']:7.4f}"
        lines.append(line)
    return "\n".join([*lines, *told, f"{len(rows)} sequences: {out}"])
