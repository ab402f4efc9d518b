"""An event list that holds events more than once says so."""

from pathlib import Path

import numpy as np
import pytest

from engine.recording import open_recording
from engine.voxels import voxelize


def events(count: int = 400) -> np.ndarray:
    """Different events (t, x, y), in order of time; 20 of them in each plane."""
    at = np.arange(count)
    return np.stack([at // 20, at % 20, (at * 7) % 12], axis=1)


def said(path: Path, content: np.ndarray) -> list[str]:
    np.save(path, content)
    with open_recording(path, height=12, width=20) as recording:
        assert voxelize(recording, 0, recording.info.planes).sum() == len(content)
        return [finding for finding in recording.info.warnings if "are there again" in finding]


def test_different_events_are_no_repeats(tmp_path: Path) -> None:
    assert said(tmp_path / "e.npy", events()) == []


@pytest.mark.parametrize("in_order", [True, False])
def test_events_that_are_there_again_are_counted_and_said(tmp_path: Path, in_order: bool) -> None:
    once = events()
    twice = np.concatenate([once, once[100:150]])
    twice = twice[np.argsort(twice[:, 0], kind="stable")] if in_order else twice
    (finding,) = said(tmp_path / "e.npy", twice)
    assert "50 of the 450 events are there again" in finding


def test_a_pixel_that_fires_with_both_polarities_is_no_repeat(tmp_path: Path) -> None:
    once = events()
    both = np.concatenate([np.c_[once, np.zeros(len(once), int)], np.c_[once, np.ones(len(once), int)]])
    assert said(tmp_path / "e.npy", both[np.argsort(both[:, 0], kind="stable")]) == []
