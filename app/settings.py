"""What the studio remembers between runs: one JSON file in the user's configuration folder.

A missing file means the defaults. A field that cannot be used keeps its default and is named in
`problems`, so that one bad value never costs the others, and never the start of the program.
"""

import json
import logging
import os
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

import platformdirs

from engine.restoration.method_description import is_method_name
from engine.restoration.method_names import DEFAULT_METHOD

APPLICATION = "spike-deblur-studio"
THEMES = ("system", "light", "dark")
LANGUAGES = ("system", "en", "zh_CN")
MIB = 1 << 20

log = logging.getLogger(__name__)


@dataclass
class Settings:
    """Every field is a plain JSON value."""

    theme: str = "system"
    language: str = "system"
    method: str = DEFAULT_METHOD
    """What Deblur restores with; which methods there are is known only once packages were looked through."""
    model: str = ""
    """File of the model to restore with; empty for the method's own."""
    models: list[str] = field(default_factory=list)
    """Files of networks that the user has added."""
    models_of: dict[str, list[str]] = field(default_factory=dict)
    """Files of models that the user has added, by the methods of packages that take them."""
    device: str = "auto"
    precision: str = "auto"
    tile_px: int = 0
    """Edge of a tile; 0 lets it be chosen, as do the next two."""
    clip_frames: int = 0
    memory_gb: float = 0.0
    smooth: bool = True
    """Interpolate enlarged pixels."""
    show_voxels: bool = True
    voxel_values: str = "counts"
    voxel_colours: str = "grey"
    voxel_own_scale: bool = False
    raster_reach: int = 2
    """Pixels on either side of the one whose spikes are shown."""
    panes: dict[str, object] = field(default_factory=dict)
    """What the panes show, and how many there are (`Comparison.to_values`)."""
    play_speed: float = 1.0
    play_loop: bool = True
    play_every_frame: bool = False
    """Leave no frame out, however long its picture takes."""
    snap: bool = True
    """Dragged windows snap to whole planes and to their neighbours."""
    results_mib: int = 1024
    """Bound of the restored frames kept in memory."""
    last_folder: str = ""
    export_folder: str = ""
    export_template: str = ""
    """Of the names of exported pictures; empty for those of the input files."""
    restore_session: bool = True
    """Begin with what was open last."""
    shortcuts: dict[str, str] = field(default_factory=dict)
    """Keys that the user has changed, by action; an empty text for none."""
    recent_commands: list[str] = field(default_factory=list)
    """Actions that were done through the palette lately, newest first."""
    recent: list[dict[str, object]] = field(default_factory=list)
    """Sources that were opened lately, newest first."""
    recordings: dict[str, dict[str, object]] = field(default_factory=dict)
    """By folder, what the user said about its recordings."""
    own_patterns: list[str] = field(default_factory=list)
    """Recordings for which no kept pattern of a sensor is to be used unasked, the newest last."""
    window_geometry: str = ""
    """QWidget.saveGeometry, base64."""
    panels: str = ""
    """QMainWindow.saveState, base64."""
    splitter: str = ""
    """QSplitter.saveState of panes and strips, base64."""


_VALID: dict[str, Callable[[object], bool]] = {
    "theme": lambda value: value in THEMES,
    "language": lambda value: value in LANGUAGES,
    "method": lambda value: isinstance(value, str) and is_method_name(value),
    "shortcuts": lambda value: (
        isinstance(value, dict) and all(isinstance(one, str) for pair in value.items() for one in pair)
    ),
    "recent_commands": lambda value: isinstance(value, list) and all(isinstance(one, str) for one in value),
    "own_patterns": lambda value: isinstance(value, list) and all(isinstance(one, str) for one in value),
    "models": lambda value: isinstance(value, list) and all(isinstance(one, str) for one in value),
    "models_of": lambda value: (
        isinstance(value, dict)
        and all(
            isinstance(one, list) and all(isinstance(file, str) for file in one) for one in value.values()
        )
    ),
    "precision": lambda value: value in ("auto", "fp32", "bf16", "fp16"),
    "tile_px": lambda value: isinstance(value, int) and 0 <= value <= 1 << 16,
    "clip_frames": lambda value: isinstance(value, int) and 0 <= value <= 1 << 10,
    "memory_gb": lambda value: isinstance(value, float) and 0 <= value <= 1 << 14,
    "play_speed": lambda value: isinstance(value, float) and 0.01 <= value <= 100,
    "raster_reach": lambda value: isinstance(value, int) and 0 <= value <= 8,
    "results_mib": lambda value: isinstance(value, int) and 64 <= value <= 1 << 20,
}


def settings_path() -> Path:
    """Return where the settings lie for this user."""
    return Path(platformdirs.user_config_dir(APPLICATION, appauthor=False)) / "settings.json"


def log_path() -> Path:
    """Return the studio's log file for this user."""
    return Path(platformdirs.user_log_dir(APPLICATION, appauthor=False)) / "studio.log"


def load_settings(path: Path) -> tuple[Settings, list[str]]:
    """Read settings and a list of what could not be used, one sentence each."""
    settings = Settings()
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return settings, []
    except (OSError, ValueError) as error:
        kept = _set_aside(path)
        return settings, [f"The settings in {path} cannot be read ({error}); the defaults are used{kept}"]
    if not isinstance(values, dict):
        kept = _set_aside(path)
        return settings, [f"The settings in {path} are not a JSON object; the defaults are used{kept}"]
    problems = []
    for one in fields(Settings):
        if one.name not in values:
            continue
        value, default = values[one.name], getattr(settings, one.name)
        if type(value) is type(default) and _VALID.get(one.name, lambda _: True)(value):
            setattr(settings, one.name, value)
        else:
            problems.append(f"Setting {one.name!r} cannot be {value!r}; {default!r} is used")
    return settings, problems


def _set_aside(path: Path) -> str:
    """Keep a file that cannot be used from being written over; return what to say of it."""
    aside = path.with_name(f"{path.stem}.bad{path.suffix}")
    try:
        path.replace(aside)
    except OSError as error:
        log.warning("%s could not be set aside: %s", path, error)
        return ""
    return f", and the file is kept as {aside.name}"


def save_settings(settings: Settings, path: Path) -> None:
    """Write the settings whole or not at all. A folder that refuses costs a line in the log only."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".part")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(asdict(settings), file, indent=2)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(path)
        except OSError:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        log.warning("Settings could not be saved to %s: %s", path, error)
