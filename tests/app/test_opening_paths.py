"""What is opened for what was dropped."""

from pathlib import Path

import numpy as np
import pytest
import tifffile

from app.state.opening.sources import sources_from_paths


@pytest.fixture
def folder(tmp_path):
    for name in (
        "clip a/0001.png",
        "clip a/0002.png",
        "雪/0001.jpg",
        "spike.dat",
        "second.npz",
        "log.csv",
        "v.MP4",
        "v.dat",
        "clip a/0003.tif",
        "clip a/broken.tif",
        "spikes.bin",
        "spikes.RAW",
    ):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    planes = np.zeros((4, 6, 8), np.uint8)
    for name, pictures in (("clip a/0003.tif", planes[0]), ("one.tif", planes), ("two.TIFF", planes)):
        tifffile.imwrite(tmp_path / name, pictures, photometric="minisblack")
    return tmp_path


def opened(folder: Path, *names: str):
    sources, unused = sources_from_paths([folder / name for name in names])
    parts = [
        tuple(
            None if part is None else Path(part).relative_to(folder).as_posix()
            for part in (source.path, source.spikes, source.alignment)
        )
        for source in sources
    ]
    return parts, [path.relative_to(folder).as_posix() for path in unused]


@pytest.mark.parametrize(
    ("dropped", "expected", "unused"),
    [
        (["clip a"], [("clip a", None, None)], []),
        (["spike.dat"], [("spike.dat", None, None)], []),
        (["v.MP4"], [("v.MP4", None, None)], []),
        (["clip a/0001.png", "clip a/0002.png"], [("clip a", None, None)], []),
        (["clip a", "spike.dat"], [("clip a", "spike.dat", None)], []),
        (["spike.dat", "v.MP4", "log.csv"], [("v.MP4", "spike.dat", "log.csv")], []),
        (["clip a", "雪"], [("clip a", None, None), ("雪", None, None)], []),
        (["spike.dat", "second.npz"], [("spike.dat", None, None), ("second.npz", None, None)], []),
        (["clip a", "spike.dat", "second.npz"], [("clip a", "spike.dat", None)], ["second.npz"]),
        (["v.MP4", "clip a", "v.dat"], [("v.MP4", "v.dat", None), ("clip a", None, None)], []),
        (["v.MP4", "clip a", "spike.dat"], [("v.MP4", None, None), ("clip a", None, None)], ["spike.dat"]),
        (["clip a/0003.tif"], [("clip a", None, None)], []),
        (["clip a/broken.tif"], [("clip a", None, None)], []),
        (["one.tif"], [("one.tif", None, None)], []),
        (["two.TIFF", "spike.dat", "log.csv"], [("two.TIFF", "spike.dat", "log.csv")], []),
        (["one.tif", "two.TIFF"], [("one.tif", None, None), ("two.TIFF", None, None)], []),
        (["spikes.bin"], [("spikes.bin", None, None)], []),
        (["v.MP4", "spikes.RAW"], [("v.MP4", "spikes.RAW", None)], []),
        (["log.csv"], [], ["log.csv"]),
        ([], [], []),
    ],
)
def test_frames_and_spikes_dropped_together_are_one_sequence(folder, dropped, expected, unused):
    assert opened(folder, *dropped) == (expected, unused)
