"""Patterns that the user keeps for a sensor, one file each in the user's data folder.

A file's name says of which recording it was and how large it is, `car_250x400_1f3a5b7c.npz`, so that those of
other sizes need not be read. A file that cannot be used is left alone: it is the user's.
"""

import logging
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from app.settings import APPLICATION
from engine.errors import EngineError, ExportError
from engine.geometry import Size

if TYPE_CHECKING:
    from engine.fixed_pattern import FixedPattern
    from engine.recording.recording import SpikeSource
    from engine.spike_filling import Filling

SUFFIX = ".npz"
DIGITS = 8
"""Of a pattern's digest, in its file's name."""
LONGEST_NAME = 60
MOST_READ = 64
"""Files that are looked through for a recording, the newest first."""
_NAME = re.compile(r"(?P<name>.+)_(?P<height>\d{1,5})x(?P<width>\d{1,5})_(?P<digest>[0-9a-f]{8})")

log = logging.getLogger(__name__)


def patterns_folder() -> Path:
    """Return where kept patterns lie for this user."""
    return Path(platformdirs.user_data_dir(APPLICATION, appauthor=False)) / "sensors"


@dataclass(frozen=True)
class KeptPattern:
    """A file in the folder, as far as its name tells."""

    path: Path
    name: str
    """Of the recording that it was measured on, else the file's own."""
    size: Size | None = None
    """None where the name does not say it."""
    digest: str = ""

    @classmethod
    def of(cls, path: Path) -> "KeptPattern":
        found = _NAME.fullmatch(path.stem)
        if found is None:
            return cls(path, path.name)
        size = Size(int(found["height"]), int(found["width"]))
        return cls(path, found["name"], size, found["digest"])


class KeptPatterns:
    """The kept patterns of all sensors. Safe to use from several threads: files are written whole."""

    def __init__(self, folder: Path | None) -> None:
        """Keep them in `folder`; None keeps nothing, and finds nothing."""
        self._folder = folder

    @property
    def is_there(self) -> bool:
        """Whether there is a place to keep patterns in."""
        return self._folder is not None

    def holds(self, file: str | None) -> bool:
        """Whether a file is, or was, one of these."""
        return file is not None and self._folder is not None and Path(file).parent == self._folder

    def listed(self) -> tuple[KeptPattern, ...]:
        """Return what is kept, the newest first; no file is read."""
        if self._folder is None:
            return ()
        found: list[tuple[float, str, Path]] = []
        try:
            for path in self._folder.glob(f"*{SUFFIX}"):
                found.append((-path.stat().st_mtime, path.name, path))
        except OSError as error:
            log.warning("%s cannot be listed: %s", self._folder, error)
        return tuple(KeptPattern.of(path) for _, _, path in sorted(found))

    def keep(self, pattern: "FixedPattern", name: str) -> Path:
        """Write a pattern under a name of the user's; what is kept already stays as it is.

        Raises ExportError.
        """
        from engine.export import make_folder
        from engine.fixed_pattern.kept import write_pattern

        if self._folder is None:
            raise ExportError("there is no folder to keep patterns in")
        digest = pattern.digest[:DIGITS]
        known = next((one for one in self.listed() if one.digest == digest), None)
        if known is not None:
            return known.path
        make_folder(self._folder)
        plain = re.sub(r"[^\w\- ]+", "-", name).strip("- ")[:LONGEST_NAME] or "sensor"
        height, width = pattern.gain.shape
        path = self._folder / f"{plain}_{height}x{width}_{digest}{SUFFIX}"
        write_pattern(pattern, path)
        return path

    def forget(self, path: Path) -> None:
        """Delete a kept pattern; one that is gone already is no error. Raises ExportError."""
        if not self.holds(str(path)):
            raise ExportError("this pattern was not kept here", path=path)
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise ExportError(
                "the kept pattern cannot be deleted", path=path, found=error.strerror or str(error)
            ) from error

    def of_size(self, size: Size) -> "tuple[list[FixedPattern], list[EngineError]]":
        """Read the kept patterns of sensors of this size, and say what is wrong with those that cannot be."""
        from engine.fixed_pattern.kept import read_pattern

        patterns, problems = [], []
        likely = [one for one in self.listed() if one.size in (None, size)]
        for one in likely[:MOST_READ]:
            try:
                pattern = read_pattern(one.path)
            except EngineError as error:
                problems.append(error)
            else:
                if pattern.size == size:
                    patterns.append(pattern)
        return patterns, problems


def knowledge_of(pattern: "FixedPattern") -> float:
    """Return how much of a sensor's pattern is known, from 0 to 1."""
    return float(pattern.known.mean()) if pattern else 0.0


def proven_best(
    patterns: "list[FixedPattern]",
    own: "FixedPattern",
    recording: "SpikeSource",
    filling: "Filling | None",
) -> "FixedPattern | None":
    """Return the pattern that tells most of a recording's sensor, and more than its `own`.

    None where none of them is proven to be of the same sensor.
    """
    from engine.fixed_pattern.matching import match_pattern

    least = knowledge_of(own)
    better = [one for one in patterns if knowledge_of(one) > least]
    for pattern in sorted(better, key=knowledge_of, reverse=True):
        match = match_pattern(pattern, recording, filling)
        if match.is_same and not match.is_other:
            return pattern
    return None
