"""How every command of `python -m training` reads its arguments and shows its progress."""

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from engine.errors import ExportError

PROGRAM = "python -m training"
DONE, FAILED, USAGE = 0, 1, 2


class OneLineParser(argparse.ArgumentParser):
    """Says what is wrong with the arguments in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(USAGE, f"{self.prog}: {message}. See {self.prog} --help\n")


@contextmanager
def progress_bar(title: str) -> Iterator[Callable[[int, int], None] | None]:
    """Show a bar on stderr where that is a terminal, and nothing elsewhere."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(title, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def check_may_write(path: Path, *, overwrite: bool) -> None:
    """Ask before a file is replaced, where somebody is there to answer. Raises ExportError for a no."""
    if overwrite or not path.exists() or path.is_dir():
        return
    if sys.stdin is not None and sys.stdin.isatty():
        sys.stderr.write(f"{path} is there already. Replace it? [y/N] ")
        sys.stderr.flush()
        if sys.stdin.readline().strip().lower() in ("y", "yes"):
            return
        raise ExportError("nothing was written", path=path)
    raise ExportError(
        "a file of this name is there already", path=path, advice="Choose another name, or add --overwrite"
    )
