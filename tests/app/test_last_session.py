"""What was open comes back: from any file that can be used, and never at the price of the start."""

import json
from dataclasses import replace

import pytest

from app.settings import Settings
from app.state.opening.data_set import DataSet
from app.state.session.last_session import SessionRecord, TabRecord, read_session, session_path, write_session
from app.state.session.session_keeper import SessionKeeper
from app.state.session.tabs import Tabs
from app.state.studio import Studio
from app.ui.window.main_window import MainWindow
from engine.errors import GeometryError, SequenceError
from engine.source import SequenceSource

VIEW = {"x": 12.5, "y": 30.0, "px_per_pixel": 4.0}


@pytest.fixture
def clips(tmp_path):
    """Three folders that are there."""
    folders = [tmp_path / name for name in ("one", "雪 two", "three")]
    for folder in folders:
        folder.mkdir()
    return [str(folder) for folder in folders]


@pytest.fixture
def record(clips):
    one, two, three = (SequenceSource(clip) for clip in clips)
    return SessionRecord(
        (TabRecord(one, 3), TabRecord(two, 7, (2, 9), VIEW), TabRecord(three, 5, (4, 10))), current=1
    )


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state" / "session.json"


@pytest.fixture
def make(studio, path, qtbot):
    tabs = Tabs(studio)
    data_set = DataSet(studio.pool, studio.opener, lambda _: None, lister=lambda root: [root / "a"])

    def make():
        return SessionKeeper(tabs, data_set, path, lambda _: dict(VIEW), tabs)

    make.tabs, make.data_set = tabs, data_set
    yield make
    data_set.close()
    for each in tabs.studios:
        each.leave()
    qtbot.waitUntil(lambda: not any(each.session.busy for each in tabs.studios))


def opened(studio):
    return lambda: studio.session.sequence is not None


def test_a_session_comes_back_as_it_was_written(record, path):
    write_session(record, path)
    assert read_session(path) == record
    assert [file.name for file in path.parent.iterdir()] == ["session.json"]


@pytest.mark.parametrize("flat", ["/sensors/one.npz", "none"])
def test_what_the_sensors_pattern_is_known_by_comes_back(path, clips, flat):
    record = SessionRecord((TabRecord(SequenceSource(clips[0], flat=flat)),))
    write_session(record, path)
    assert read_session(path) == record


def test_without_a_file_there_is_no_session(path):
    assert read_session(path) is None
    assert session_path().name == "session.json"


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"version": 99}', b"[" * 100_000, b'{"tabs": []}'],
)
def test_a_file_that_cannot_be_used_is_passed_over(path, content):
    path.parent.mkdir()
    path.write_bytes(content)
    assert read_session(path) is None


def test_what_can_be_used_of_a_file_is_used(path):
    path.parent.mkdir()
    tabs = [
        7,
        {"source": {"path": 3}},
        {"source": {"path": "a"}, "frame": -4, "range": [5, 2], "view": []},
        {"source": {"path": "b"}, "frame": 2, "range": [1, True]},
    ]
    path.write_text(json.dumps({"version": 1, "tabs": tabs, "current": 50, "data_set": 5}))
    sources = (TabRecord(SequenceSource("a")), TabRecord(SequenceSource("b"), 2))
    assert read_session(path) == SessionRecord(sources, current=1)


def test_a_folder_that_cannot_be_written_costs_a_line_in_the_log(tmp_path, record, caplog):
    (tmp_path / "file").write_text("in the way")
    write_session(record, tmp_path / "file" / "session.json")
    write_session(SessionRecord((TabRecord(SequenceSource("a"), view={"x": object()}),)), tmp_path / "s.json")
    assert caplog.text.count("could not be saved") == 2
    assert not (tmp_path / "s.json").exists()


def test_the_one_in_front_is_opened_where_it_was_and_the_others_wait(make, record, path, qtbot):
    write_session(record, path)
    keeper = make()
    with qtbot.waitSignal(keeper.view_wanted) as wanted:
        assert keeper.begin()
    first, second, third = make.tabs.studios
    assert make.tabs.current is second
    assert wanted.args == [second, VIEW]
    assert (second.position.index, second.position.range.start, second.position.range.stop) == (7, 2, 9)
    assert first.session.sequence is None
    assert make.tabs.title(2) == "three"
    make.tabs.choose(2)
    qtbot.waitUntil(opened(third))
    qtbot.waitUntil(lambda: third.position.index == 5)
    assert third.position.range.start == 4
    assert first.session.sequence is None


def test_what_waits_is_kept_as_it_was(make, record, path, qtbot):
    write_session(record, path)
    keeper = make()
    with qtbot.waitSignal(keeper.view_wanted):
        keeper.begin()
    make.tabs.current.position.go(4)
    keeper.end()
    again = read_session(path)
    assert not again.restoring
    assert (again.tabs[0], again.tabs[2]) == (record.tabs[0], record.tabs[2])
    assert again.tabs[1].frame == 4
    assert again.current == 1


def test_changes_are_written_soon_without_being_asked(make, path, qtbot):
    make()
    make.tabs.open_source(SequenceSource("clip"))
    qtbot.waitUntil(opened(make.tabs.current))
    make.tabs.current.position.go(6)
    qtbot.waitUntil(lambda: path.exists() and read_session(path).tabs[0].frame == 6, timeout=10_000)
    assert read_session(path).tabs[0].view == VIEW


def test_a_start_in_which_nothing_was_done_keeps_the_file(make, record, path):
    write_session(record, path)
    make().end()
    assert read_session(path) == record


def test_what_is_gone_is_told_once_and_the_rest_opened(make, record, path, clips, tmp_path, qtbot):
    gone = tuple(TabRecord(SequenceSource(str(tmp_path / f"gone {n}"))) for n in range(3))
    write_session(SessionRecord((*gone, record.tabs[0]), 0, str(tmp_path / "gone set")), path)
    keeper = make()
    with qtbot.waitSignal(keeper.view_wanted):
        keeper.begin()
    assert [studio.session.source.path for studio in make.tabs.studios] == clips[:1]
    (notice,) = make.tabs.desk.notices
    assert notice.title.startswith("4 of what was open last are gone")


def test_when_everything_is_gone_nothing_but_a_message_comes(make, path, tmp_path, qtbot):
    write_session(SessionRecord((TabRecord(SequenceSource(str(tmp_path / "gone"))),)), path)
    make().begin()
    qtbot.waitUntil(lambda: len(make.tabs.desk.notices) == 1)
    assert len(make.tabs) == 1
    assert make.tabs.current.session.postponed is None
    qtbot.waitUntil(lambda: not read_session(path).restoring)


def test_a_data_set_comes_back(make, path, tmp_path, qtbot):
    write_session(SessionRecord(data_set=str(tmp_path)), path)
    with qtbot.waitSignal(make.data_set.listed):
        assert make().begin()
    assert make.data_set.root == tmp_path


def test_a_session_that_brought_the_program_down_is_not_opened_again_unasked(
    make, record, path, files, qtbot
):
    write_session(record, path)
    files.gate.clear()
    make().begin()
    qtbot.waitUntil(lambda: read_session(path).restoring)  # and here the program ends
    files.gate.set()
    qtbot.waitUntil(lambda: not read_session(path).restoring)
    for studio in make.tabs.studios:
        make.tabs.close(studio)
    write_session(replace(record, restoring=True), path)
    second = make()
    assert second.begin()
    assert make.tabs.current.session.postponed is None
    assert "ended while" in next(iter(make.tabs.desk.notices)).title
    second.reopen()
    qtbot.waitUntil(lambda: make.tabs.current.session.sequence is not None)
    assert not second.can_reopen


def test_leaving_while_it_is_being_opened_loses_nothing(make, record, path, files):
    write_session(record, path)
    files.gate.clear()
    keeper = make()
    keeper.begin()
    keeper.end()
    assert read_session(path) == record
    files.gate.set()


@pytest.mark.parametrize("error", [SequenceError("it is broken"), GeometryError("no size")])
def test_a_sequence_that_fails_is_a_message_and_the_next_one_comes(make, record, path, files, error, qtbot):
    files.contents[record.tabs[1].source.path] = error
    write_session(record, path)
    keeper = make()
    keeper.begin()
    qtbot.waitUntil(lambda: not read_session(path).restoring)
    if isinstance(error, SequenceError):
        qtbot.waitUntil(lambda: len(make.tabs) == 2)
        qtbot.waitUntil(opened(make.tabs.current))
        assert len(make.tabs.desk.notices) == 1


def test_the_file_names_a_frame_that_is_not_there_any_more(make, path, clips, qtbot):
    write_session(SessionRecord((TabRecord(SequenceSource(clips[0]), 500, (400, 600)),)), path)
    keeper = make()
    with qtbot.waitSignal(keeper.view_wanted):
        keeper.begin()
    assert make.tabs.current.position.index == 9
    assert not make.tabs.current.position.has_range


@pytest.fixture
def make_window(files, client, path, qtbot):
    """Windows one after another, as at one start after another."""
    made = []

    def make_window():
        studio = Studio(Settings(), make_client=lambda: client, opener=files.open)
        window = MainWindow(studio, studio.settings, path)
        window.resize(1200, 800)
        with qtbot.waitSignal(window.ready, timeout=30_000):
            window.show()
        made.append(window)
        return window

    yield make_window
    for window in made:
        window.close()
        window.deleteLater()


def test_the_window_comes_back_as_it_was_left(make_window, clips, qtbot):
    window = make_window()
    for clip in clips[:2]:
        window.tabs.open_source(SequenceSource(clip))
        qtbot.waitUntil(lambda: window.studio.pictures.view is not None)
    window.studio.position.go(5)
    window.actions_by_key["set_in"].trigger()
    window.workspace.panes.zoom_to(3.0)
    view = window.workspace.view_state()
    window.close()
    window = make_window()
    assert window.actions_by_key["reopen_session"].isEnabled()
    assert window.keeper.begin()
    qtbot.waitUntil(lambda: window.studio.pictures.view is not None)
    assert window.studio.session.source.path == clips[1]
    assert (window.studio.position.index, window.studio.position.range.start) == (5, 5)
    qtbot.waitUntil(lambda: window.workspace.panes.px_per_pixel == pytest.approx(3.0))
    assert window.workspace.view_state() == pytest.approx(view)
    assert not window.actions_by_key["reopen_session"].isEnabled()
    window.resize(900, 700)
    qtbot.waitUntil(lambda: window.workspace.view_state() == pytest.approx(view, rel=0.02))
    window.actions_by_key["fit"].trigger()
    assert window.workspace.view_state() == {}


def test_the_action_opens_it_and_the_switch_is_remembered(make_window, clips, qtbot):
    window = make_window()
    window.tabs.open_source(SequenceSource(clips[0]))
    qtbot.waitUntil(lambda: window.studio.pictures.view is not None)
    window.actions_by_key["restore_session"].trigger()
    assert window.settings.restore_session is False
    window.close()
    window = make_window()
    window.actions_by_key["reopen_session"].trigger()
    qtbot.waitUntil(opened(window.studio))


@pytest.mark.parametrize(
    "view", [{}, {"x": 1}, {"x": "a", "y": 1, "px_per_pixel": 2}, {**VIEW, "px_per_pixel": 0}]
)
def test_a_view_that_cannot_be_used_is_passed_over(opened_window, view):
    before = opened_window.workspace.panes.px_per_pixel
    opened_window.workspace.restore_view(view)
    assert opened_window.workspace.panes.px_per_pixel == before
