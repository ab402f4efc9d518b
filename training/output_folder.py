"""Put a folder of results in place whole or not at all, and never in the place of something else."""

import contextlib
import secrets
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from engine.errors import ExportError
from engine.export import make_folder


def check_target(out: Path, replaceable: Callable[[Path], bool] | None = None) -> None:
    """Refuse a target that holds something, before any work is done for it.

    `replaceable` says whether a folder that is not empty is a former result, which may be replaced; None
    where the user did not ask for replacing. Raises ExportError.
    """
    try:
        if out.is_dir():
            occupied = any(out.iterdir())
        elif out.exists():
            raise ExportError("a file of this name is in the way", path=out, advice="Choose another --out")
        else:
            occupied = False
    except OSError as error:
        raise ExportError("cannot be looked into", path=out, found=error.strerror) from error
    if not occupied:
        return
    if replaceable is None:
        raise ExportError(
            "the folder is not empty",
            path=out,
            advice="Choose another --out, or give --overwrite to replace it",
        )
    if not replaceable(out):
        raise ExportError(
            "the folder holds something that is not a former result, so it is not replaced",
            path=out,
            advice="Choose another --out, or empty the folder yourself",
        )


@contextlib.contextmanager
def folder_in_one_piece(out: Path, replaceable: Callable[[Path], bool] | None = None) -> Iterator[Path]:
    """Yield a folder beside `out` that takes its name when the block ends well, and is removed otherwise.

    What `out` holds by then is judged again as in `check_target`: somebody else may have written there.
    """
    make_folder(out.parent)
    token = secrets.token_hex(4)
    building, replaced = (out.parent / f".{token}.{end}" for end in ("part", "old"))
    try:
        building.mkdir()
        yield building
        check_target(out, replaceable)
        if out.exists():
            out.rename(replaced)
        try:
            building.rename(out)
        except BaseException:
            if replaced.exists():
                replaced.rename(out)
            raise
        shutil.rmtree(replaced, ignore_errors=True)
    except OSError as error:
        raise ExportError(
            "cannot be written",
            path=out,
            found=error.strerror or type(error).__name__,
            advice="Choose another --out, or free space on that disk",
        ) from error
    finally:
        shutil.rmtree(building, ignore_errors=True)
