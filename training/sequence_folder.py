"""What lies in the folder of a simulated sequence."""

from pathlib import Path
from typing import Literal, get_args

import yaml

PictureFormat = Literal["png", "jpg"]
PICTURE_FORMATS: tuple[PictureFormat, ...] = get_args(PictureFormat)
CONFIG_NAME, LOG_NAME, RECORDING_NAME = "config.yaml", "alignment.csv", "spike.dat"
PICTURE_FOLDERS = ("blur", "sharp")
LEFT_BY_SYSTEMS = (".DS_Store", "Thumbs.db")
CONFIG_SECTION = "simulator"


def is_simulated(folder: Path) -> bool:
    """Return whether a folder is a simulated sequence and nothing else: replacing it costs nothing."""
    try:
        config = yaml.safe_load((folder / CONFIG_NAME).read_text("utf-8"))
        ours = all(_is_written_here(entry) for entry in folder.iterdir())
    except (OSError, ValueError, RecursionError, yaml.YAMLError):
        return False
    return ours and isinstance(config, dict) and isinstance(config.get(CONFIG_SECTION), dict)


def _is_written_here(entry: Path) -> bool:
    if entry.name in PICTURE_FOLDERS:
        return entry.is_dir() and all(
            picture.name in LEFT_BY_SYSTEMS
            or (picture.stem.isdigit() and picture.suffix[1:] in PICTURE_FORMATS)
            for picture in entry.iterdir()
        )
    return entry.name in (CONFIG_NAME, LOG_NAME, RECORDING_NAME, *LEFT_BY_SYSTEMS)
