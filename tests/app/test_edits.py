"""Editing alignment windows, without widgets."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.settings import Settings
from app.state.alignment.edits import WindowEdits
from app.state.alignment.unsaved_edits import UnsavedEdits
from app.state.alignment.windows import SHORTEST_PLANES, drifted, scaled, shifted, snapped, with_edge
from app.state.compare.results import Restored, was_made_from
from app.state.studio import Studio
from app.ui.alignment.alignment_commands import alignment_handlers
from engine.alignment import AlignmentWindow, read_alignment_log
from engine.errors import AlignmentError
from engine.geometry import Span
from engine.source import SequenceSource

BASE = tuple(AlignmentWindow(20.0 * index, 20.0 * index + 16.0) for index in range(10))


@pytest.fixture
def edits():
    edits = WindowEdits()
    edits.begin(BASE)
    return edits


def test_steps_are_undone_and_done_again(edits):
    edits.set_window(3, AlignmentWindow(61.0, 70.0))
    edits.shift_all(5)
    assert edits.windows[3] == AlignmentWindow(66.0, 75.0)
    edits.stack.undo()
    assert edits.windows[3] == AlignmentWindow(61.0, 70.0)
    edits.stack.undo()
    assert edits.windows == BASE
    assert not edits.is_edited
    edits.stack.redo()
    edits.stack.redo()
    assert edits.windows[0] == AlignmentWindow(5.0, 21.0)
    assert edits.edited_frames == frozenset(range(10))


def test_a_drag_is_one_step_and_the_next_drag_another(edits):
    for plane in (1, 2, 3):
        edits.set_window_by_drag(0, AlignmentWindow(float(plane), 16.0), "drag 1")
    edits.set_window_by_drag(0, AlignmentWindow(5.0, 16.0), "drag 2")

    assert edits.stack.count() == 2
    edits.stack.undo()
    assert edits.windows[0] == AlignmentWindow(3.0, 16.0)
    edits.stack.undo()
    assert edits.windows == BASE


def test_a_drag_that_returns_leaves_no_step(edits):
    edits.set_window_by_drag(0, AlignmentWindow(3.0, 19.0), "drag 1")
    edits.set_window_by_drag(0, BASE[0], "drag 1")
    assert not edits.is_edited
    assert not edits.stack.canUndo()


def test_keys_pressed_again_are_one_step_but_other_keys_are_not(edits):
    for _ in range(3):
        edits.nudge(2, 1)
    edits.nudge(2, -10, "start")
    assert edits.stack.count() == 2
    assert edits.windows[2] == AlignmentWindow(33.0, 59.0)


def test_a_window_keeps_a_plane(edits):
    edits.move_edge(0, "start", 100)
    assert edits.windows[0] == AlignmentWindow(15.0, 16.0)
    edits.set_window(1, AlignmentWindow(40.0, 40.5))
    assert edits.windows[1] == AlignmentWindow(40.0, 41.0)


def test_all_windows_at_once(edits):
    edits.scale_all(0.5)
    assert edits.windows[1] == AlignmentWindow(24.0, 32.0)
    edits.drift(0.25)
    assert edits.windows[4] == AlignmentWindow(85.0, 93.0)
    edits.reset()
    assert edits.windows == BASE
    edits.stack.undo()
    assert edits.windows[4] == AlignmentWindow(85.0, 93.0)


def test_windows_for_another_number_of_frames_are_refused(edits):
    with pytest.raises(ValueError, match="10 frames"):
        edits.take(BASE[:3], "log")


windows = st.lists(
    st.tuples(st.floats(-1e4, 1e4), st.floats(1.0, 500.0)).map(
        lambda pair: AlignmentWindow(pair[0], pair[0] + pair[1])
    ),
    min_size=1,
    max_size=8,
).map(tuple)


@given(windows, st.floats(-1e3, 1e3), st.floats(1e-6, 1e6))
def test_no_change_makes_a_window_without_length(given_windows, planes, factor):
    for changed in (
        shifted(given_windows, planes),
        scaled(given_windows, factor),
        drifted(given_windows, planes),
        tuple(with_edge(window, "start", planes) for window in given_windows),
        tuple(with_edge(window, "stop", planes) for window in given_windows),
    ):
        assert all(window.length_planes >= SHORTEST_PLANES * 0.999 for window in changed)


def test_snapping_prefers_what_is_near_to_whole_planes():
    assert snapped(10.4, (12.5,), reach=3) == 12.5
    assert snapped(10.4, (12.5,), reach=1) == 10.0
    assert snapped(10.6, (), reach=1) == 11.0


def test_what_makes_a_result_stale():
    import numpy as np

    picture = np.zeros((2, 2, 3), np.float32)

    def of(*looked_at, windows=None):
        return Restored(picture, "network", 1.0, 0.1, windows, looked_at=looked_at or None)

    edited = (*BASE[:5], BASE[5].shifted(1.0), *BASE[6:])
    assert was_made_from(of(Span(4, 5)), 1.0, BASE, edited)
    assert not was_made_from(of(Span(5, 6)), 1.0, BASE, edited)
    assert not was_made_from(of(Span(0, 3), Span(2, 6)), 1.0, BASE, edited)
    assert was_made_from(of(Span(0, 3), Span(2, 5)), 1.0, BASE, edited)
    assert not was_made_from(of(Span(4, 5)), 2.2, BASE, edited)
    assert was_made_from(of(Span(5, 6), windows=edited), 1.0, BASE, edited)
    assert not was_made_from(of(), 1.0, BASE, edited)  # nobody has said on what it depends


# ------------------------------------------------------------------ kept until they are exported


def test_edits_outlive_a_crash(tmp_path, edits):
    kept = UnsavedEdits(edits, tmp_path)
    assert kept.begin("/data/clip") is None
    edits.shift_all(2.5)
    kept.write()

    again = WindowEdits()
    again.begin(BASE)
    assert UnsavedEdits(again, tmp_path).begin("/data/clip") == edits.windows
    assert UnsavedEdits(again, tmp_path).begin("/data/other") is None


def test_the_window_does_not_wait_for_the_disk_and_leaving_does(tmp_path, edits, pool, qtbot):
    kept = UnsavedEdits(edits, tmp_path, edits, pool=pool)
    kept.begin("/data/clip")
    kept._writing.acquire()  # the disk takes its time
    edits.shift_all(1)
    qtbot.waitUntil(lambda: not kept._timer.isActive())
    edits.shift_all(1)
    assert not list(tmp_path.iterdir())
    kept._writing.release()
    kept.end()
    (file,) = tmp_path.iterdir()
    assert json.loads(file.read_text())["windows"][0] == [2.0, 18.0]
    pool.shutdown(wait=True)
    assert json.loads(file.read_text())["windows"][0] == [2.0, 18.0]  # the older write came too late


def test_edits_are_written_soon_after_a_change(tmp_path, edits, qtbot):
    UnsavedEdits(edits, tmp_path, edits).begin("/data/clip")
    edits.shift_all(1)
    qtbot.waitUntil(lambda: len(list(tmp_path.iterdir())) == 1)
    edits.stack.undo()
    qtbot.waitUntil(lambda: not list(tmp_path.iterdir()))


@pytest.mark.parametrize("content", ["", "no json", "[]", '{"base": [[0, 1]], "windows": [[5, 1]]}'])
def test_a_file_that_cannot_be_used_is_passed_over(tmp_path, edits, content):
    kept = UnsavedEdits(edits, tmp_path)
    kept.begin("/data/clip")
    edits.shift_all(1)
    kept.write()
    (file,) = tmp_path.iterdir()
    file.write_text(content)
    again = WindowEdits()
    again.begin(BASE)
    assert UnsavedEdits(again, tmp_path).begin("/data/clip") is None


def test_edits_of_other_windows_are_not_brought_back(tmp_path, edits):
    kept = UnsavedEdits(edits, tmp_path)
    kept.begin("/data/clip")
    edits.shift_all(1)
    kept.write()
    kept_base = json.loads(next(tmp_path.iterdir()).read_text())["base"]
    assert kept_base == [[window.start, window.stop] for window in BASE]
    again = WindowEdits()
    again.begin((AlignmentWindow(BASE[0].start - 1, BASE[0].stop), *BASE[1:]))
    assert UnsavedEdits(again, tmp_path).begin("/data/clip") is None


def test_edits_of_other_windows_stay_beside_those_of_these(tmp_path, edits):
    kept = UnsavedEdits(edits, tmp_path)
    kept.begin("/data/clip")
    edits.shift_all(1)
    first = edits.windows
    kept.write()
    edits.begin(BASE[:5])
    assert kept.begin("/data/clip") is None
    edits.shift_all(2)
    kept.write()
    edits.begin(BASE)
    assert kept.begin("/data/clip") == first


def test_a_folder_that_refuses_costs_nothing_but_the_keeping(tmp_path, edits):
    blocked = tmp_path / "file"
    blocked.write_text("")
    kept = UnsavedEdits(edits, blocked)
    kept.begin("/data/clip")
    edits.shift_all(1)
    kept.write()
    assert edits.is_edited


# ------------------------------------------------------------------ in a studio


@pytest.fixture
def opened(studio, qtbot):
    studio.open_source(SequenceSource("clip"))
    qtbot.waitUntil(lambda: studio.pictures.view is not None and studio.spikes.voxels is not None)
    return studio


def test_edits_reach_the_voxels_and_the_jobs(opened, qtbot):
    opened.alignment.edits.shift_all(4)

    qtbot.waitUntil(lambda: opened.spikes.voxels.spans[0][0] == 4.0)
    assert opened.session.sequence.window(2).start == 44.0
    opened.deblur_frame()
    request = opened.jobs.queue.request(opened.jobs.queue.statuses[-1].number)
    assert request.windows[2] == AlignmentWindow(44.0, 60.0)
    opened.alignment.edits.stack.undo()
    assert opened.session.sequence is not None
    assert opened.session.sequence.windows_source == "log"


def test_opening_the_same_files_again_keeps_the_edits(opened, qtbot):
    opened.alignment.edits.nudge(0, 3)
    opened.set_gamma(2.2)
    qtbot.waitUntil(lambda: opened.session.sequence.gamma == 2.2)
    assert opened.session.sequence.window(0).start == 3.0
    assert opened.alignment.edits.stack.canUndo()


def test_another_sequence_starts_afresh(opened, qtbot):
    opened.alignment.edits.nudge(0, 3)
    opened.open_source(SequenceSource("other"))
    qtbot.waitUntil(lambda: opened.session.source.path == "other")
    assert not opened.alignment.edits.is_edited
    assert not opened.alignment.edits.stack.canUndo()


@pytest.fixture
def keeping(qtbot, files, client, tmp_path):
    """A studio that keeps edits, with a sequence open."""
    studio = Studio(Settings(), make_client=lambda: client, opener=files.open, edits_folder=tmp_path / "kept")
    studio.open_source(SequenceSource("clip"))
    qtbot.waitUntil(lambda: studio.session.sequence is not None)
    yield studio
    studio.close()


@pytest.mark.parametrize("leaving", ["another", "close"])
def test_edits_made_just_before_leaving_are_there_again(keeping, qtbot, leaving):
    keeping.alignment.edits.nudge(0, 3)  # nothing is written yet
    if leaving == "another":
        keeping.open_source(SequenceSource("other"))
        qtbot.waitUntil(lambda: keeping.session.source.path == "other")
    else:
        keeping.session.close()
    keeping.open_source(SequenceSource("clip"))
    with qtbot.waitSignal(keeping.alignment.brought_back) as brought:
        pass
    assert brought.args == [1]
    assert keeping.session.sequence.window(0).start == 3.0
    keeping.alignment.edits.stack.undo()
    assert keeping.session.sequence.window(0).start == 0.0


def test_a_drag_makes_only_the_window_anew_that_it_moves(opened):
    edits = opened.alignment.edits
    edits.set_window_by_drag(2, AlignmentWindow(41.0, 57.0), "drag")
    before = opened.session.sequence.windows
    edits.set_window_by_drag(2, AlignmentWindow(42.0, 58.0), "drag")
    after = opened.session.sequence.windows
    assert [new is old for old, new in zip(before, after, strict=True)] == [i != 2 for i in range(10)]
    assert after[2].start == 42.0


def test_a_log_goes_out_and_comes_back(opened, tmp_path):
    edits = opened.alignment.edits
    edits.shift_all(4)
    edited = edits.windows
    opened.alignment.write_log(tmp_path / "log.csv")
    assert len(read_alignment_log(tmp_path / "log.csv", 2000.0)) == 10
    edits.reset()
    opened.alignment.read_log(tmp_path / "log.csv")
    assert edits.windows == edited
    (tmp_path / "short.csv").write_text("frame_idx,t_start,t_end\n0,0.0,0.1\n")
    with pytest.raises(AlignmentError):
        opened.alignment.read_log(tmp_path / "short.csv")
    assert edits.windows == edited


class Chosen:
    """A file dialog in which the user takes `path`."""

    def __init__(self, path):
        self.path = path

    def one_file(self, *asked):
        asked[-1](self.path)


def test_what_is_odd_about_an_imported_log_is_told(opened, tmp_path):
    """Ten windows of 8 ms each 10 ms, written as ms: as seconds they lie outside the 0.1 s of spikes."""
    log = tmp_path / "log.csv"
    rows = [f"{index},{10 * index},{10 * index + 8}" for index in range(10)]
    log.write_text("\n".join(["frame_idx,t0,t1", *rows, "0,1,5", "10,0,8"]) + "\n")
    alignment_handlers(opened, Chosen(log))["import_log"]()
    assert opened.alignment.edits.windows == BASE
    told = {notice.title: notice for notice in opened.notices}
    assert all(notice.severity == "warning" and notice.advice for notice in told.values())
    (unit,) = (title for title in told if "taken for ms" in title)
    assert "--time-unit" in told[unit].advice
    assert "log.csv: 1 rows repeat a frame_idx; the first counts" in told
    assert "log.csv has 1 more rows than there are frames" in told


def test_a_log_with_nothing_odd_is_read_without_a_word(opened, tmp_path):
    opened.alignment.write_log(tmp_path / "log.csv")
    alignment_handlers(opened, Chosen(tmp_path / "log.csv"))["import_log"]()
    assert not list(opened.notices)
