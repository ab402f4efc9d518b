"""What lies in the folder of a simulated sequence."""

from pathlib import Path
from typing import Literal, get_args

import yaml

PictureFormat = Literal["png", "jpg"]
PICTURE_FORMATS: tuple[PictureFormat, ...] = get_args(PictureFormat)
CONFIG_NAME, LOG_NAME, RECORDING_NAME = "config.yaml", "alignment.csv", "spike.dat"
PICTURE_FOLDERS = ("blur", "sharp")
LATENTS_NAME, OBJECTS_NAME = "latents.csv", "objects.csv"
LATENT_FOLDER, MOTION_FOLDER, SENSOR_FOLDER = "latents", "motion", "sensor"
LEFT_BY_SYSTEMS = (".DS_Store", "Thumbs.db")
CONFIG_SECTION = "simulator"
SENSOR_MAPS = ("response", "dark", "defects")


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
    for folder, suffixes in (
        (LATENT_FOLDER, [f".{end}" for end in PICTURE_FORMATS]),
        (MOTION_FOLDER, [".npy"]),
        (SENSOR_FOLDER, [".npy"]),
    ):
        if entry.name == folder:
            return entry.is_dir() and all(
                file.name in LEFT_BY_SYSTEMS or (file.is_file() and _is_truth(file, suffixes))
                for file in entry.iterdir()
            )
    files = (CONFIG_NAME, LOG_NAME, RECORDING_NAME, LATENTS_NAME, OBJECTS_NAME, *LEFT_BY_SYSTEMS)
    return entry.name in files


def _is_truth(file: Path, suffixes: list[str]) -> bool:
    numbered = file.stem.replace("_", "").replace(".", "").isdigit()
    return file.suffix in suffixes and (numbered or file.stem in SENSOR_MAPS)
