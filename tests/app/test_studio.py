"""The parts of the state answering each other, without a widget."""

import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.state.jobs.jobs import JobState
from engine.alignment import AlignmentWindow
from engine.errors import GeometryError, SequenceError
from engine.geometry import Region
from engine.moment import Moment
from engine.source import SequenceSource
from engine.worker.messages import Accepted, Cancelled, Failed, Finished, FrameDone, TileDone


@pytest.fixture
def opened(studio, qtbot):
    studio.open_source(SequenceSource("clip"))
    qtbot.waitUntil(lambda: studio.pictures.view is not None)
    return studio


@pytest.fixture
def say(opened, client):
    def say(*messages):
        client.answers.extend(messages)
        while client.answers or opened.bridge._inbox:
            opened.bridge._deliver()

    return say


def restored(client, job, slot, value):
    client.pictures[job, slot] = np.full((60, 80, 3), value, np.float32)


def deblur_first(studio, client, say, value=0.5):
    job = len(client.submitted) + 1
    restored(client, job, 0, value)
    studio.deblur_frame()
    say(Accepted(job, 1, 1), FrameDone(job, Moment(studio.position.index), 0, 0.1), Finished(job, 0.1))


def test_opening_shows_the_first_frame_and_counts_its_spikes(opened, client, qtbot):
    qtbot.waitUntil(lambda: opened.spikes.rate is not None and opened.spikes.voxels is not None)
    assert opened.position.count == 10
    assert opened.pictures.view.index == 0
    assert client.started


def test_stepping_shows_the_frame_asked_for(opened, qtbot):
    opened.position.go(7)
    qtbot.waitUntil(lambda: opened.pictures.view.index == 7)
    assert opened.pictures.view.name == "0008"
    assert opened.pictures.view.blurry.rgb[0, 0, 0] == round(0.07 * 255)
    qtbot.waitUntil(lambda: opened.spikes.voxels.index == 7)


def test_scrubbing_over_everything_reads_little_and_ends_where_the_slider_ends(opened, files, qtbot):
    sequence = files.opened[0]
    sequence.gate.clear()
    sequence.read.clear()
    for index in range(1, 10):
        opened.position.go(index)
    sequence.gate.set()
    qtbot.waitUntil(lambda: opened.pictures.view.index == 9)
    assert sequence.read == [1, 9]


def test_a_broken_frame_is_a_message_and_the_others_still_show(studio, files, qtbot):
    files.contents["clip"] = {"broken": frozenset({3})}
    studio.open_source(SequenceSource("clip"))
    qtbot.waitUntil(lambda: studio.pictures.view is not None)
    studio.position.go(3)
    qtbot.waitUntil(lambda: studio.pictures.view is None)
    assert "0004.png" in studio.pictures.problem
    assert [notice.where for notice in studio.notices] == ["0004.png"]
    studio.position.go(4)
    qtbot.waitUntil(lambda: studio.pictures.view is not None)
    assert studio.pictures.problem == ""


def test_a_restored_frame_is_shown_beside_its_blurry_one(opened, client, say, qtbot):
    deblur_first(opened, client, say)
    qtbot.waitUntil(lambda: opened.pictures.view.result is not None)
    assert opened.pictures.view.restored.rgb[0, 0, 0] == 128
    assert opened.results.moments == (Moment(0),)
    opened.position.go(1)
    qtbot.waitUntil(lambda: opened.pictures.view.index == 1)
    assert opened.pictures.view.restored is None
    opened.position.go(0)
    qtbot.waitUntil(lambda: opened.pictures.view.index == 0)
    assert opened.pictures.view.restored is not None


def test_tiles_are_shown_as_they_arrive_and_go_when_the_job_is_cancelled(opened, client, say, qtbot):
    restored(client, 1, 0, 1.0)
    opened.deblur_frame()
    say(Accepted(1, 4, 1), TileDone(1, Moment(0), 0, 0, 0, 30, 80, 1))
    qtbot.waitUntil(lambda: opened.pictures.view.is_partial)
    assert opened.pictures.view.restored.rgb[0, 0, 0] == 255
    assert opened.pictures.view.restored.rgb[59, 0, 0] == 0
    opened.cancel()
    say(Cancelled(1))
    assert opened.pictures.view.restored is None
    assert opened.jobs.status.state is JobState.CANCELLED


def test_both_pictures_are_scored_against_the_reference(opened, client, say, qtbot):
    qtbot.waitUntil(lambda: opened.metrics.scores is not None)
    assert opened.metrics.scores.blurry.psnr == pytest.approx(-20 * np.log10(26 / 255))
    deblur_first(opened, client, say, value=0.1)
    qtbot.waitUntil(lambda: opened.metrics.scores.restored is not None)
    assert opened.metrics.scores.restored.psnr == float("inf")


def test_a_failed_job_is_one_message_with_the_workers_text(opened, say):
    opened.deblur_all()
    say(Failed(1, "spike.dat: the recording ends early. Copy it again", "Traceback", "error"))
    (notice,) = opened.notices
    assert "ends early" in notice.title
    assert opened.can_deblur


def test_changing_gamma_keeps_place_and_results_and_marks_them_as_made_before(opened, client, say, qtbot):
    opened.position.go(4)
    deblur_first(opened, client, say)
    with qtbot.waitSignal(opened.session.opened):
        opened.set_gamma(2.2)
    assert opened.position.index == 4
    assert opened.session.sequence.gamma == 2.2
    assert opened.results.peek(Moment(4)).gamma == 1.0
    deblur_first(opened, client, say)
    assert client.submitted[-1][0].gamma == 2.2
    assert opened.results.peek(Moment(4)).gamma == 2.2


def test_another_sequence_forgets_results_and_abandons_the_job(opened, client, say, qtbot):
    deblur_first(opened, client, say)
    restored(client, 2, 1, 0.5)
    opened.deblur_all()
    say(Accepted(2, 10, 10))
    with qtbot.waitSignal(opened.session.opened):
        opened.open_source(SequenceSource("other"))
    assert client.cancelled == [2]
    say(FrameDone(2, Moment(0), 1, 0.1), Cancelled(2))
    assert len(opened.results) == 0


def test_a_sequence_that_cannot_be_opened_is_one_message(studio, files, qtbot):
    files.contents["none"] = SequenceError("nothing is there", path="none", advice="Choose another folder")
    with qtbot.waitSignal(studio.session.failed):
        studio.open_source(SequenceSource("none"))
    (notice,) = studio.notices
    assert (notice.title, notice.where, notice.advice) == (
        "Nothing is there",
        "none",
        "Choose another folder",
    )


def test_an_unknown_geometry_asks_and_is_no_error(studio, files, qtbot):
    files.contents["a.dat"] = GeometryError("nothing says how large a plane is", path="a.dat")
    with qtbot.waitSignal(studio.geometry_needed):
        studio.open_source(SequenceSource("a.dat"))
    assert len(studio.notices) == 0


def test_without_spikes_there_is_nothing_to_deblur(studio, files, qtbot):
    files.contents["clip"] = {"recording": None}
    studio.open_source(SequenceSource("clip"))
    qtbot.waitUntil(lambda: studio.pictures.view is not None)
    assert not studio.can_deblur
    studio.deblur_frame()
    assert not studio.jobs.is_running


def test_exported_files_are_named_as_the_frames_and_hold_what_is_shown(opened, client, say, tmp_path, qtbot):
    deblur_first(opened, client, say, value=0.3)
    with qtbot.waitSignal(opened.exports.finished):
        opened.export_all(tmp_path / "out")
    written = np.asarray(Image.open(tmp_path / "out" / "0001.png"))
    qtbot.waitUntil(lambda: opened.pictures.view.result is not None)
    assert (written == opened.pictures.view.restored.rgb).all()
    (notice,) = opened.notices
    assert notice.severity == "information"


def test_what_can_be_done_follows_the_state(opened, client, say):
    assert (opened.can_deblur, opened.can_cancel, opened.can_export_frame) == (True, False, False)
    restored(client, 1, 0, 0.5)
    opened.deblur_frame()
    assert (opened.can_deblur, opened.can_cancel) == (True, True)
    say(Accepted(1, 1, 1), FrameDone(1, Moment(0), 0, 0.1), Finished(1, 0.1))
    assert (opened.can_deblur, opened.can_cancel, opened.can_export_frame) == (True, False, True)
    opened.position.go(1)
    assert (opened.can_export_frame, opened.can_export_all) == (False, True)


def test_closing_ends_worker_threads_and_files(opened, client, files):
    opened.deblur_all()
    opened.close()
    assert client.closed
    assert files.opened[0].closed


def test_dropping_what_cannot_be_opened_says_so(studio, tmp_path):
    studio.open_paths([tmp_path / "notes.csv"])
    (notice,) = studio.notices
    assert notice.severity == "warning"
    assert "notes.csv" in notice.where


def test_a_result_made_from_other_spikes_is_stale(opened, client, say, tmp_path, qtbot):
    deblur_first(opened, client, say)
    assert not opened.is_stale(0)
    opened.add_spikes(tmp_path / "other.dat")
    qtbot.waitUntil(lambda: opened.session.source.spikes is not None and opened.session.opening is None)
    assert Moment(0) in opened.results
    assert opened.is_stale(0)


def test_a_result_made_with_the_windows_of_another_log_is_stale(opened, client, say, files, qtbot):
    deblur_first(opened, client, say)
    moved = tuple(AlignmentWindow(20 * i + 7, 20 * i + 18) for i in range(10))
    files.contents["clip"] = {"moved": moved}
    opened.add_alignment(Path("other.csv"))
    qtbot.waitUntil(lambda: len(files.opened) == 2 and opened.session.opening is None)
    qtbot.waitUntil(lambda: opened.alignment.edits.base == tuple(moved))
    assert opened.is_stale(0)


def test_a_frame_is_exported_as_it_was_when_its_name_was_asked_for(opened, client, say, tmp_path, qtbot):
    deblur_first(opened, client, say, 0.25)
    shown = opened.results.peek(Moment(0))
    opened.position.go(5)
    with qtbot.waitSignal(opened.exports.ended):
        opened.export_frame(tmp_path / "0001.png", 8, shown)
    assert (np.asarray(Image.open(tmp_path / "0001.png")) == 64).all()


def test_frames_whose_files_differ_in_their_suffix_only_get_files_of_their_own(opened, client, say, tmp_path):
    deblur_first(opened, client, say)
    opened.position.go(1)
    deblur_first(opened, client, say)
    opened.session.sequence.frame_name = lambda index: "Same" if index else "same"
    targets = opened.export_targets(tmp_path)
    assert [path.name for path in targets.values()] == ["same.png", "Same_0002.png"]


def test_closing_tells_of_an_export_that_it_cuts_short(opened):
    begun, go_on = threading.Event(), threading.Event()

    def endless(_):
        begun.set()
        go_on.wait(10)

    opened.exports.run(endless)
    assert begun.wait(5)
    opened.leave()
    go_on.set()
    assert any("export was stopped" in notice.title for notice in opened.notices)


def test_a_deblurred_region_is_seen_over_an_older_result(opened, client, say, qtbot):
    deblur_first(opened, client, say, 0.25)
    qtbot.waitUntil(lambda: opened.pictures.view.result is not None)
    opened._on_region_restored(Moment(0), Region(10, 20, 30, 40), np.full((60, 80, 3), 0.75, np.float32))
    qtbot.waitUntil(lambda: opened.pictures.view.is_partial)
    assert (opened.pictures.view.restored.rgb[10:30, 20:40] == 191).all()
    opened._on_region_restored(Moment(0), Region(0, 0, 10, 10), np.full((60, 80, 3), 0.5, np.float32))
    qtbot.waitUntil(lambda: (opened.pictures.view.restored.rgb[:10, :10] == 128).all())
    assert (opened.pictures.view.restored.rgb[10:30, 20:40] == 191).all()
    deblur_first(opened, client, say, 1.0)
    qtbot.waitUntil(lambda: opened.pictures.view.result is not None)
    assert (opened.pictures.view.restored.rgb == 255).all()


def test_playing_every_frame_leaves_out_the_broken_one_only(studio, files, qtbot):
    files.contents["clip"] = {"broken": frozenset({2})}
    studio.open_source(SequenceSource("clip"))
    qtbot.waitUntil(lambda: studio.pictures.view is not None)
    studio.settings.play_every_frame, studio.settings.play_loop = True, False
    seen = []
    studio.pictures.changed.connect(lambda: studio.pictures.view and seen.append(studio.pictures.view.index))
    studio.playback.play()
    qtbot.waitUntil(lambda: studio.pictures.view is not None and studio.pictures.view.index == 9)
    assert [index for index in range(10) if index not in seen] in ([2], [0, 2])


def test_frames_do_not_wait_for_what_takes_long(opened, qtbot):
    go_on = threading.Event()
    for _ in range(8):
        opened.desk.long_pool.submit(go_on.wait, 20)
    opened.exports.run(lambda _: None)
    opened.position.go(6)
    qtbot.waitUntil(lambda: opened.pictures.view.index == 6)
    assert opened.exports.busy  # it waits its turn
    go_on.set()
    qtbot.waitUntil(lambda: not opened.exports.busy)
