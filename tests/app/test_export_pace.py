"""Videos that are exported have the pace and the sound of their source."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from app.state.compare.comparing import BLURRY, REFERENCE
from app.ui.dialogs.export_dialog import VIDEO, ExportDialog
from engine.frame_times import FrameRate
from engine.geometry import Span
from engine.moment import Moment
from engine.video import VideoFrames
from tests.app.test_export_dialog import choose, export, restored
from tests.engine.videos import film

FILM = Fraction(30000, 1001)


@pytest.fixture
def source(tmp_path):
    return film(tmp_path / "source.mp4", rate=FILM, frames=10)


@pytest.fixture
def open_dialog(opened_window, tmp_path, qtbot):
    """Open the dialog on ten frames that say of themselves what the video of ten frames says."""

    def open_it(source: Path | None = None, rate: FrameRate | None = None):
        sequence = opened_window.studio.session.sequence
        sequence.frame_rate = rate
        if source is not None:
            video = VideoFrames(source)
            sequence.frame_rate = FrameRate(video.frame_rate, "video", video.frame_times.is_even)
            sequence.frame_times, sequence.sound_tracks = video.frame_times, video.sound_tracks
            sequence.sound_of = video.sound_of
            video.close()
        opened_window.actions_by_key["export"].trigger()
        dialog = opened_window.findChild(ExportDialog)
        qtbot.waitUntil(dialog.isVisible)
        dialog.folder.setText(str(tmp_path / "out"))
        choose(dialog.what, VIDEO)
        dialog.left.setCurrentIndex(dialog.left.findData(BLURRY))
        dialog.right.setCurrentIndex(dialog.right.findData(REFERENCE))
        return dialog

    return open_it


def streams_of(path):
    with av.open(str(path)) as video:
        return video.streams.video[0].average_rate, len(video.streams.audio)


def warnings_of(dialog):
    return [notice.title for notice in dialog._studio.notices if notice.severity == "warning"]


def test_the_sources_own_pace_and_sound_are_what_is_proposed(open_dialog, source, tmp_path, qtbot):
    dialog = open_dialog(source)
    assert dialog.fps.value() == 29.97
    assert dialog.pace_note.text() == "The source's own is 30000/1001, says the video."
    assert dialog.sound.isVisible()
    assert dialog.sound.isChecked()

    assert export(dialog, qtbot).problem is None

    assert streams_of(tmp_path / "out/fake_comparison.mp4") == (FILM, 1)
    assert warnings_of(dialog) == []


def test_sound_can_be_left_out(open_dialog, source, tmp_path, qtbot):
    dialog = open_dialog(source)
    dialog.sound.click()
    export(dialog, qtbot)
    assert streams_of(tmp_path / "out/fake_comparison.mp4") == (FILM, 0)


def test_another_pace_has_no_sound_and_says_so(open_dialog, source, tmp_path, qtbot):
    dialog = open_dialog(source)
    dialog.fps.setValue(10)
    assert not dialog.sound.isEnabled()
    assert "At another pace its sound is left out." in dialog.pace_note.text()
    export(dialog, qtbot)
    assert streams_of(tmp_path / "out/fake_comparison.mp4") == (10, 0)


def test_frames_that_are_not_restored_leave_the_others_in_time_with_the_sound(
    open_dialog, opened_window, source, tmp_path, qtbot
):
    for index in (2, 3, 7):
        opened_window.studio.results.put(Moment(index), restored(0.5))
    dialog = open_dialog(source)
    dialog.right.setCurrentIndex(dialog.right.findData("restored"))
    assert export(dialog, qtbot).problem is None
    with av.open(str(tmp_path / "out/fake_comparison.mp4")) as video:
        times = [frame.pts * frame.time_base for frame in video.decode(video=0)]
        video.seek(0)
        samples = sum(frame.samples for frame in video.decode(audio=0))
    assert times == [0, 1 / FILM, 5 / FILM]
    assert samples / 48_000 == pytest.approx(float(6 / FILM), abs=1024 / 48_000)


def test_a_source_without_sound_has_nothing_to_tick(open_dialog, tmp_path):
    dialog = open_dialog(film(tmp_path / "silent.mp4", rate=FILM, frames=10, sounds=()))
    assert not dialog.sound.isVisible()


def test_where_nothing_says_the_rate_a_usual_one_is_proposed_and_named(open_dialog):
    dialog = open_dialog()
    assert dialog.fps.value() == 10
    assert dialog.pace == 10
    assert dialog.pace_note.text() == "Nothing says how many frames a second the source has."


def test_an_average_is_called_one_and_told_when_it_is_written(open_dialog, tmp_path, qtbot):
    dialog = open_dialog(rate=FrameRate(Fraction(45, 2), "alignment log", is_even=False))
    assert dialog.pace_note.text() == "The source's own is 22.5 on average, says the alignment log."
    export(dialog, qtbot)
    assert streams_of(tmp_path / "out/fake_comparison.mp4") == (Fraction(45, 2), 0)
    assert any("22.5 a second, their average" in title for title in warnings_of(dialog))


def test_what_becomes_of_the_sound_is_a_notice(open_dialog, source, tmp_path, qtbot):
    dialog = open_dialog(source)
    source.unlink()
    assert export(dialog, qtbot).problem is None
    assert any("sound of source.mp4 is left out: it is no longer there" in one for one in warnings_of(dialog))
    assert streams_of(tmp_path / "out/fake_comparison.mp4") == (FILM, 0)


def test_a_range_has_the_sound_of_just_that_stretch(open_dialog, opened_window, source, tmp_path, qtbot):
    position = opened_window.studio.position
    position.set_in(4)
    position.set_out(7)
    dialog = open_dialog(source)
    assert dialog.indices == (4, 5, 6, 7)
    export(dialog, qtbot)
    with av.open(str(tmp_path / "out/fake_comparison.mp4")) as video, av.open(str(source)) as whole:
        part = np.concatenate([frame.to_ndarray()[0] for frame in video.decode(audio=0)])
        all_of_it = np.concatenate([frame.to_ndarray()[0] for frame in whole.decode(audio=0)])
    begin = round(float(4 / FILM) * 48_000)
    length = min(len(part), len(all_of_it) - begin)
    assert length > 48_000 * float(4 / FILM) - 1100
    np.testing.assert_allclose(part[:length], all_of_it[begin : begin + length], atol=1e-4)
    assert Span(4, 8) == position.range
