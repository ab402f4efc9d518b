"""Counted spike rates of long recordings, kept on the disk: counting 10 GB takes as long as reading them.

One array a recording in the user's cache folder, under a name made from its files' paths, sizes and times and
from its geometry; a file that changes is counted anew. The folder is bounded, the oldest go first.
"""

import hashlib
import io
import json
import logging
from pathlib import Path

import numpy as np
import platformdirs
from numpy.typing import NDArray

from app.settings import APPLICATION, MIB
from engine.errors import ExportError
from engine.recording.recording import SpikeSource

LEAST_BYTES = 64 * MIB
"""A smaller recording is counted before anybody looks."""
MOST_BYTES = 256 * MIB
"""Of all that is kept."""

log = logging.getLogger(__name__)


def rates_folder() -> Path:
    """Return where counted rates lie for this user."""
    return Path(platformdirs.user_cache_dir(APPLICATION, appauthor=False)) / "rates"


class KeptRates:
    """Rates by recording. Safe to use from several threads: files are written whole."""

    def __init__(
        self, folder: Path | None, least_bytes: int = LEAST_BYTES, most_bytes: int = MOST_BYTES
    ) -> None:
        """Keep them in `folder`; None keeps nothing."""
        self._folder = folder
        self._least_bytes = least_bytes
        self._most_bytes = most_bytes

    def place(self, recording: SpikeSource) -> Path | None:
        """Return the file for a recording as its files are now; None where it is not worth one."""
        info = recording.info
        if self._folder is None or info.bytes < self._least_bytes:
            return None
        try:
            files = [(path, path.stat()) for path in recording.part_paths]
        except OSError:
            return None
        states = [(str(path), state.st_size, state.st_mtime_ns) for path, state in files]
        facts = [states, info.format, info.height, info.width, info.head_columns, info.planes]
        return self._folder / f"{hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:32]}.npy"

    def recall(self, place: Path | None, recording: SpikeSource) -> NDArray[np.int64] | None:
        """Return the spikes of every plane, None where they are not known."""
        if place is None:
            return None
        info = recording.info
        try:
            counts = np.load(place, allow_pickle=False)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, EOFError) as error:
            log.warning("%s cannot be used: %s", place, error)
            return None
        if not isinstance(counts, np.ndarray) or counts.dtype != np.uint32 or counts.shape != (info.planes,):
            log.warning("%s holds no spike rate of %s", place, info.path)
            return None
        return counts.astype(np.int64)

    def keep(self, place: Path | None, counts: NDArray[np.int64]) -> None:
        """Write what was counted. A folder that refuses costs a line in the log only."""
        if place is None or self._folder is None:
            return
        from engine.export import make_folder, write_bytes_atomically

        content = io.BytesIO()
        np.save(content, counts.astype(np.uint32), allow_pickle=False)
        if content.tell() > self._most_bytes:
            return
        try:
            make_folder(self._folder)
            write_bytes_atomically(place, content.getvalue())
            self._bound(place)
        except (ExportError, OSError) as error:
            log.warning("The spike rate cannot be kept: %s", error)

    def _bound(self, newest: Path) -> None:
        """Delete the oldest rates beyond the bound, never the one just written."""
        found = []
        for path in newest.parent.glob("*.npy"):
            state = path.stat()
            found.append((path != newest, -state.st_mtime_ns, state.st_size, path))
        total = 0
        for _, _, size, path in sorted(found):
            total += size
            if total > self._most_bytes:
                path.unlink(missing_ok=True)
