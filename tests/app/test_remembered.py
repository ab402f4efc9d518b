"""What the user said about a folder's recordings is used again, where it can be meant."""

from types import SimpleNamespace

import pytest

from app.settings import Settings, load_settings, save_settings
from app.state.opening.remembered import RememberedReading, RememberedReadings, folder_of, open_remembering
from engine.errors import GeometryError, SequenceError
from engine.geometry import Size
from engine.source import SequenceSource


def opener_of(shown, log):
    """Open anything that has a size: said, or shown by the bits; None means they show none."""

    def opener(source):
        log.append(source)
        size = Size(source.height, source.width) if source.height else shown
        if size is None:
            raise GeometryError("nothing says the size")
        if size.height > 1000:
            raise SequenceError("too large")
        info = SimpleNamespace(size=size)
        return SimpleNamespace(source=source, recording=SimpleNamespace(info=info), close=lambda: None)

    return opener


@pytest.mark.parametrize(
    ("path", "spikes", "folder"),
    [("/a/b.dat", None, "/a"), ("/a/clip", None, "/a/clip"), ("/a/clip", "/c/s.npz", "/c")],
)
def test_the_folder_is_that_of_the_recordings(path, spikes, folder):
    assert folder_of(SequenceSource(path, spikes=spikes)) == folder


def test_what_was_said_comes_back_for_another_recording_of_the_folder(tmp_path):
    settings = Settings()
    said = SequenceSource("/雪/a.dat", height=250, width=400, rate_hz=20000.0, flip=False, msb_first=True)
    RememberedReadings(settings).keep(said, None)
    save_settings(settings, tmp_path / "s.json")
    again, problems = load_settings(tmp_path / "s.json")
    assert problems == []
    reading = RememberedReadings(again).recall(SequenceSource("/雪/b.dat"))
    assert reading == RememberedReading(250, 400, None, 20000.0, False, True)
    assert RememberedReadings(again).recall(SequenceSource("/other/b.dat")) is None


def test_saying_nothing_forgets():
    settings = Settings()
    readings = RememberedReadings(settings)
    readings.keep(SequenceSource("/a/a.dat", rate_hz=100.0), None)
    readings.keep(SequenceSource("/a/b.dat"), None)
    assert settings.recordings == {}


def test_only_so_many_folders_are_remembered():
    settings = Settings()
    readings = RememberedReadings(settings)
    for number in range(130):
        readings.keep(SequenceSource(f"/{number}/a.dat", rate_hz=1.0), None)
    assert len(settings.recordings) == 100
    assert "/129" in settings.recordings
    assert "/29" not in settings.recordings


@pytest.mark.parametrize(
    "entry",
    [
        {"height": -3, "width": 400},
        {"height": True, "width": 4},
        {"rate_hz": "x", "flip": 1},
        {"height": 5},
        7,
    ],
)
def test_an_entry_that_cannot_be_used_says_nothing(entry):
    settings = Settings(recordings={"/a": entry})
    reading = RememberedReadings(settings).recall(SequenceSource("/a/a.dat"))
    assert reading in (None, RememberedReading())


def test_a_remembered_size_is_used_where_the_bits_show_none():
    log = []
    sequence = open_remembering(
        opener_of(None, log), SequenceSource("/a/a.dat"), RememberedReading(250, 400, rate_hz=5.0)
    )
    assert (sequence.source.height, sequence.source.width, sequence.source.rate_hz) == (250, 400, 5.0)


def test_clear_bits_count_more_than_a_remembered_size():
    sequence = open_remembering(
        opener_of(Size(30, 40), []), SequenceSource("/a/a.dat"), RememberedReading(250, 400, flip=False)
    )
    assert (sequence.source.height, sequence.source.flip) == (None, False)


def test_bits_that_were_put_right_once_are_put_right_again():
    remembered = RememberedReading(250, 400, instead_of="30 × 40")
    sequence = open_remembering(opener_of(Size(30, 40), []), SequenceSource("/a/a.dat"), remembered)
    assert sequence.source.height == 250
    sequence = open_remembering(opener_of(Size(50, 40), []), SequenceSource("/a/a.dat"), remembered)
    assert sequence.source.height is None


def test_what_is_said_now_counts_most():
    log = []
    source = SequenceSource("/a/a.dat", height=10, width=20, rate_hz=7.0)
    open_remembering(opener_of(None, log), source, RememberedReading(250, 400, rate_hz=5.0))
    assert log == [source]


def test_a_remembered_size_that_does_not_fit_leaves_the_question():
    with pytest.raises(GeometryError, match="nothing says"):
        open_remembering(opener_of(None, []), SequenceSource("/a/a.dat"), RememberedReading(2000, 400))
    with pytest.raises(GeometryError):
        open_remembering(opener_of(None, []), SequenceSource("/a/a.dat"), None)


def test_a_correction_that_fails_keeps_what_was_opened():
    remembered = RememberedReading(2000, 400, instead_of="30 × 40")
    sequence = open_remembering(opener_of(Size(30, 40), []), SequenceSource("/a/a.dat"), remembered)
    assert sequence.source.height is None
