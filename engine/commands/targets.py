"""What must not be written over: decided before anything is restored."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from engine.errors import ExportError, SequenceError
from engine.export import PNG_SUFFIXES, TIFF_SUFFIXES
from engine.layouts import SequenceFiles, recognise, spike_set, unified
from engine.layouts.listing import shorten
from engine.source import SequenceSource, flat_file


def check_targets(
    targets: list[Path], source: SequenceSource, out: Path, side_by_side: Path | None, *, overwrite: bool
) -> None:
    """Raise ExportError where writing would cost a file: an input always, a result without `overwrite`."""
    try:
        places = [path.resolve() for path in targets]
        folder = out.resolve()
        existing = [path for path in targets if path.is_symlink() or path.exists()]
    except (OSError, RuntimeError) as error:  # a name too long, a closed folder, a link to itself
        raise ExportError(
            "cannot be written",
            path=out,
            found=getattr(error, "strerror", None) or "a link that leads to itself",
            advice="Choose another folder with --out",
        ) from error
    twice = [path.name for path, count in Counter(places).items() if count > 1]
    if twice:
        raise ExportError(
            "several results would have the same name",
            path=out,
            found=shorten(twice),
            advice="Restore them into different folders with --frames",
        )
    files = recognise(Path(source.path))
    if folder in {path.resolve().parent for path in files.frames}:
        raise ExportError(
            "the results would lie among the input frames",
            path=out,
            advice="Choose another folder with --out",
        )
    inputs = {identity for path in input_files(source, files) if (identity := _identity(path)) is not None}
    replaced = [path.name for path in existing if _identity(path) in inputs]
    if replaced:
        raise ExportError(
            "the results would replace the input",
            path=existing[0].parent,
            found=shorten(replaced),
            advice="Choose another folder with --out",
        )
    if folder in _folders_that_are_read(source, files):
        raise ExportError(
            "the results would be taken for pictures of the sequence when it is opened again",
            path=out,
            advice="Choose another folder with --out",
        )
    folders = [path for path in existing if path.is_dir()]
    if folders:
        raise ExportError(
            "a folder is in the way of a result", path=folders[0], advice="Choose another folder with --out"
        )
    if existing and not overwrite:
        raise ExportError(
            "results are already there",
            path=existing[0].parent,
            found=shorten([path.name for path in existing]),
            advice="Go on with them by --resume, choose another folder with --out, or add --overwrite",
        )
    if side_by_side is not None:
        _check_side_by_side(side_by_side, out)


def check_table(table: Path, source: SequenceSource, *, overwrite: bool) -> None:
    """Raise ExportError where writing a table would cost a file: an input always, another one without
    `overwrite`; or where there is no folder for it."""
    _check_file(table, "--csv", lambda: input_files(source, recognise(Path(source.path))), overwrite)


def check_kept(pattern: Path, source: SequenceSource, *, overwrite: bool) -> None:
    """Raise ExportError where writing a pattern would cost a file, likewise; `source` may be no sequence."""

    def inputs() -> Iterable[Path]:
        try:
            return list(input_files(source, recognise(Path(source.path))))
        except SequenceError:
            return [Path(source.path)]

    _check_file(pattern, "--out", inputs, overwrite)


def _check_file(target: Path, option: str, inputs: Callable[[], Iterable[Path]], overwrite: bool) -> None:
    try:
        if target.is_dir():
            raise ExportError(
                "a folder of this name is in the way", path=target, advice=f"Choose another {option}"
            )
        if not target.parent.is_dir():
            raise ExportError(f"there is no folder for {option}", path=target.parent, advice="Make it first")
        identity = _identity(target)
        if identity is None and not target.is_symlink():
            return
    except OSError as error:
        raise ExportError(
            "cannot be written", path=target, found=error.strerror, advice=f"Choose another {option}"
        ) from error
    if identity is not None and identity in {_identity(path) for path in inputs()}:
        what = "table" if option == "--csv" else "pattern"
        raise ExportError(
            f"the {what} would replace the input", path=target, advice=f"Choose another {option}"
        )
    if not overwrite:
        raise ExportError(
            "this file is already there", path=target, advice=f"Choose another {option}, or add --overwrite"
        )


def _check_side_by_side(path: Path, out: Path) -> None:
    """Find out before an hour of restoring that this picture cannot be written."""
    if path.suffix.lower() not in (*PNG_SUFFIXES, *TIFF_SUFFIXES):
        raise ExportError(
            "no known picture format",
            path=path,
            found=f"suffix '{path.suffix}'",
            expected=", ".join((*PNG_SUFFIXES, *TIFF_SUFFIXES)),
            advice="Give --side-by-side a name that ends in .png or .tif",
        )
    if not path.parent.is_dir() and path.parent.resolve() != out.resolve():
        raise ExportError(
            "there is no folder for --side-by-side", path=path.parent, advice="Make it, or choose another"
        )


def _folders_that_are_read(source: SequenceSource, files: SequenceFiles) -> set[Path]:
    """Folders whose pictures would become frames or references of the sequence."""
    folders = {path.parent for path in files.references}
    if source.reference is not None:
        folders.add(Path(source.reference))
    if files.video is not None:
        folders.add(files.video.parent)
    elif not files.frames and files.spikes is not None:
        beside = files.spikes if files.spikes.is_dir() else files.spikes.parent
        folders |= {beside, *(beside.parent / name for name in spike_set.REFERENCE_FOLDERS)}
        folders |= {beside / name for name in (*unified.FRAME_FOLDERS, unified.REFERENCE_FOLDER)}
    elif files.layout == "unified":
        clip = files.frames[0].parent.parent
        folders |= {clip / name for name in (*unified.FRAME_FOLDERS, unified.REFERENCE_FOLDER)}
    return {folder.resolve() for folder in folders}


def input_files(source: SequenceSource, files: SequenceFiles) -> Iterator[Path]:
    """Every file that the sequence is made of."""
    named = [source.path, source.spikes, source.reference, source.alignment, flat_file(source)]
    places: Iterable[Path | None] = (
        *(Path(name) for name in named if name is not None),
        *files.frames,
        *files.references,
        files.video,
        files.spikes,
        files.alignment,
        files.sidecar,
    )
    for place in places:
        if place is None:
            continue
        if not place.is_dir():
            yield place
        elif place != Path(source.path):  # whose files are listed already; results may go beside them
            yield from (path for path in place.iterdir() if path.is_file())


def _identity(path: Path) -> tuple[int, int] | None:
    """Tell a file from all others, whatever its name: links and spellings lead to the same one."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
