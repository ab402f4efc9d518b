"""Patterns kept for a sensor: under names that tell, found again only where they are proven."""

import os
from pathlib import Path

import numpy as np
import pytest

from app.state.pattern.kept_patterns import KeptPattern, KeptPatterns, patterns_folder, proven_best
from app.state.pattern.pattern_picture import UNKNOWN, pattern_picture
from engine.errors import ExportError
from engine.fixed_pattern import FixedPattern, matching
from engine.fixed_pattern.kept import read_pattern, write_pattern
from engine.fixed_pattern.matching import Match
from engine.geometry import Size

SIZE = Size(30, 40)


def pattern(seed: int = 0, known: float = 1.0, size: Size = SIZE) -> FixedPattern:
    random = np.random.default_rng(seed)
    gain = (1 + 0.04 * random.standard_normal((size.height, size.width))).astype(np.float32)
    told = np.zeros_like(gain)
    told[: round(known * size.height)] = 1
    return FixedPattern(np.where(told > 0, gain, np.float32(1)), told, None, "recording", 12)


@pytest.fixture
def kept(tmp_path):
    return KeptPatterns(tmp_path / "sensors")


def test_what_is_kept_is_listed_by_recording_and_size_the_newest_first(kept, tmp_path):
    assert kept.listed() == ()
    first = kept.keep(pattern(0), "car")
    second = kept.keep(pattern(1), "雪 a/b: c")
    os.utime(first, (1, 1))
    assert [one.path for one in kept.listed()] == [second, first]
    assert [(one.name, one.size) for one in kept.listed()] == [("雪 a-b- c", SIZE), ("car", SIZE)]
    assert second.parent == tmp_path / "sensors"
    assert (read_pattern(first).gain == pattern(0).gain).all()


def test_the_same_pattern_is_kept_once(kept):
    assert kept.keep(pattern(), "car") == kept.keep(pattern(), "other")
    assert len(kept.listed()) == 1


def test_a_name_of_the_users_own_says_no_size():
    assert KeptPattern.of(Path("/a/lab camera.npz")) == KeptPattern(
        Path("/a/lab camera.npz"), "lab camera.npz"
    )


def test_only_what_lies_in_the_folder_is_forgotten(kept, tmp_path):
    path, other = kept.keep(pattern(), "car"), tmp_path / "mine.npz"
    other.write_bytes(b"mine")
    with pytest.raises(ExportError):
        kept.forget(other)
    assert other.read_bytes() == b"mine"
    kept.forget(path)
    kept.forget(path)
    assert kept.listed() == ()


def test_patterns_of_other_sizes_are_not_read_and_damaged_ones_are_told_and_left(kept):
    path = kept.keep(pattern(), "car")
    kept.keep(pattern(size=Size(20, 20)), "small").write_bytes(b"not read")
    damaged = path.with_name("damaged.npz")
    damaged.write_bytes(b"PK but no archive")
    misnamed = path.with_name("misnamed.npz")
    write_pattern(pattern(size=Size(10, 10)), misnamed)
    patterns, problems = kept.of_size(SIZE)
    assert [one.file for one in patterns] == [str(path)]
    assert [problem.path for problem in problems] == [damaged]
    assert damaged.read_bytes() == b"PK but no archive"
    assert misnamed.exists()


def test_without_a_folder_nothing_is_kept_or_found():
    kept = KeptPatterns(None)
    assert (kept.listed(), kept.of_size(SIZE), kept.holds("a.npz")) == ((), ([], []), False)
    with pytest.raises(ExportError):
        kept.keep(pattern(), "car")


def test_the_folder_is_the_users_data_folder(tmp_path):
    assert patterns_folder().is_relative_to(tmp_path)
    assert patterns_folder().name == "sensors"


@pytest.mark.parametrize(
    ("matches", "own", "best"),
    [
        ((Match(1.0, 0.02), Match(0.9, 0.02)), 0.0, 1),  # both are: the one that tells more
        ((Match(1.0, 0.02), Match(0.0, 0.02)), 0.0, 0),
        ((Match(0.3, 0.1), Match(0.4, 0.1)), 0.0, None),  # not beyond chance
        ((Match(0.2, 0.03), Match(0.0, 0.02)), 0.0, None),  # a little of it, which is another sensor's
        ((Match(1.0, 0.02), Match(0.9, 0.02)), 0.95, None),  # the recording itself tells more
        ((Match(1.0, 0.02), Match(0.9, 0.02)), 0.6, 1),
    ],
)
def test_the_best_that_is_proven_is_used(monkeypatch, matches, own, best):
    patterns = [pattern(1, known=0.5), pattern(2, known=0.8)]
    answers = dict(zip(map(id, patterns), matches, strict=True))
    monkeypatch.setattr(matching, "match_pattern", lambda pattern, *_: answers[id(pattern)])
    found = proven_best(patterns, pattern(3, known=own), None, None)
    assert found is (None if best is None else patterns[best])


def test_the_picture_is_grey_at_1_and_white_at_3_spreads_and_striped_where_nothing_is_known():
    gain = np.ones((12, 20), np.float32)
    gain[0, :10] = 1.05
    gain[1, :10] = 0.95
    known = np.ones_like(gain)
    known[:, 10:] = 0
    told = FixedPattern(gain, known, None, "flat field", 16)
    picture = pattern_picture(told)
    spread = np.std([1.05] * 10 + [0.95] * 10 + [1.0] * 100)
    assert picture.scale == pytest.approx(3 * spread, rel=1e-5)
    assert picture.values[5, 5] == pytest.approx([0.5] * 3)
    assert picture.values[0, 0] == pytest.approx([0.5 + 0.05 / (6 * spread)] * 3, rel=1e-4)
    assert picture.values[1, 0] == pytest.approx([0.5 - 0.05 / (6 * spread)] * 3, rel=1e-4)
    colours = {tuple(np.round(colour, 4).tolist()) for colour in picture.values[:, 10:].reshape(-1, 3)}
    assert colours == {tuple(np.round(np.float32(colour), 4).tolist()) for colour in UNKNOWN}
    assert np.isnan(picture.gain[:, 10:]).all()
    assert (picture.gain[:, :10, 0] == gain[:, :10]).all()
    assert picture.display.size == Size(12, 20)


def test_a_pattern_without_spread_is_grey_all_over():
    flat = FixedPattern(
        np.ones((4, 4), np.float32), np.ones((4, 4), np.float32), np.full((4, 4), 0.01, np.float32)
    )
    assert (pattern_picture(flat).values == 0.5).all()
