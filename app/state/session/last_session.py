"""What was open when the studio ended, as one small file that is written whole or not at all.

A file that cannot be used costs the session it described, never the start of the program.
"""

import json
import logging
import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import platformdirs

from app.settings import APPLICATION
from app.state.session.source_values import source_of, values_of
from engine.source import SequenceSource

VERSION = 1
LONGEST_FILE_BYTES = 4 << 20

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TabRecord:
    """One open sequence."""

    source: SequenceSource
    frame: int = 0
    frames: tuple[int, int] | None = None
    """The range between in and out point, half-open; None where there is none."""
    view: dict[str, object] = field(default_factory=dict)
    """What its panes say about themselves."""


@dataclass(frozen=True)
class SessionRecord:
    """Everything that was open."""

    tabs: tuple[TabRecord, ...] = ()
    current: int = 0
    data_set: str | None = None
    restoring: bool = False
    """The program was just opening all this: if it stands so in the file, it did not survive that."""


def session_path() -> Path:
    """Return where the last session lies for this user."""
    return Path(platformdirs.user_state_dir(APPLICATION, appauthor=False)) / "session.json"


def read_session(path: Path) -> SessionRecord | None:
    """Read the last session; None where there is none, or none that can be used."""
    try:
        if path.stat().st_size > LONGEST_FILE_BYTES:
            raise ValueError("it is too long")
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        log.warning("The last session in %s cannot be read: %s", path, error)
        return None
    if not isinstance(values, dict) or values.get("version") != VERSION:
        log.warning("The last session in %s is of another kind and is passed over", path)
        return None
    listed = values.get("tabs")
    tabs = tuple(tab for each in (listed if isinstance(listed, list) else ()) if (tab := _tab(each)))
    data_set = values.get("data_set")
    return SessionRecord(
        tabs=tabs,
        current=min(_count(values.get("current")), max(0, len(tabs) - 1)),
        data_set=data_set if isinstance(data_set, str) and data_set and "\0" not in data_set else None,
        restoring=values.get("restoring") is True,
    )


def write_session(record: SessionRecord, path: Path) -> None:
    """Write a session whole or not at all. A folder that refuses costs a line in the log only."""
    values = {
        "version": VERSION,
        "restoring": record.restoring,
        "current": record.current,
        "data_set": record.data_set,
        "tabs": [
            {
                "source": values_of(tab.source),
                "frame": tab.frame,
                "range": None if tab.frames is None else list(tab.frames),
                "view": tab.view,
            }
            for tab in record.tabs
        ],
    }
    try:
        text = json.dumps(values, indent=1, allow_nan=False)
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".part")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(path)
        except OSError:
            Path(temporary).unlink(missing_ok=True)
            raise
    except (OSError, ValueError, TypeError) as error:
        log.warning("The session could not be saved to %s: %s", path, error)


def _tab(values: object) -> TabRecord | None:
    if not isinstance(values, dict):
        return None
    source, view = source_of(values.get("source")), values.get("view")
    if source is None:
        return None
    return TabRecord(
        source=source,
        frame=_count(values.get("frame")),
        frames=_range(values.get("range")),
        view=view if isinstance(view, dict) else {},
    )


def _range(value: object) -> tuple[int, int] | None:
    if not isinstance(value, list) or len(value) != 2:
        return None
    start, stop = value
    return (start, stop) if type(start) is int and type(stop) is int and 0 <= start < stop else None


def _count(value: object) -> int:
    return value if type(value) is int and value >= 0 else 0
