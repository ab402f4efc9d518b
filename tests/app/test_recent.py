"""What was opened lately comes back from the menu and the empty page; several files are opened at once."""

import pytest
from PySide6.QtCore import QCoreApplication, QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PySide6.QtTest import QTest

from app.settings import Settings, load_settings, save_settings
from app.state.opening.recent import RecentSources, name_of, place_of
from app.state.session.source_values import source_of, values_of
from app.ui.window.recent_menu import RecentMenu
from engine.source import SequenceSource

FULL = SequenceSource(
    "/雪 a",
    spikes="/s.dat",
    reference="/r",
    alignment="/l.csv",
    height=250,
    width=400,
    rate_hz=20000.0,
    flip=False,
    msb_first=True,
    gamma=2.2,
    exposure_planes=33.0,
    stride_planes=16.5,
)


@pytest.mark.parametrize("source", [FULL, SequenceSource("a")])
def test_a_source_comes_back_from_its_values(source):
    assert source_of(values_of(source)) == source


@pytest.mark.parametrize("values", [None, [], {}, {"path": ""}, {"path": 3}, {"path": "a\0b"}, {"height": 4}])
def test_values_without_a_path_are_no_source(values):
    assert source_of(values) is None


def test_values_that_cannot_be_are_left_out():
    values = {"path": "a", "height": 2.5, "width": True, "gamma": -1, "flip": "yes", "rate_hz": float("nan")}
    assert source_of({**values, "spikes": 7, "future": 1}) == SequenceSource("a")


def test_the_newest_comes_first_once_and_only_so_many_stay(tmp_path):
    settings = Settings()
    recent = RecentSources(settings)
    for number in range(20):
        recent.add(SequenceSource(f"/{number}"))
    recent.add(SequenceSource("/15", gamma=2.2))
    assert [source.path for source in recent.sources][:3] == ["/15", "/19", "/18"]
    assert len(recent.sources) == 12
    save_settings(settings, tmp_path / "s.json")
    assert RecentSources(load_settings(tmp_path / "s.json")[0]).sources == recent.sources


def test_entries_that_cannot_be_used_are_passed_over():
    assert RecentSources(Settings(recent=[{"path": 1}, {"path": "a"}])).sources == (SequenceSource("a"),)


def test_a_source_is_called_by_its_name_and_place(monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    assert (name_of(SequenceSource("/home/me/d/a")), place_of(SequenceSource("/home/me/d/a"))) == ("a", "~/d")
    assert place_of(SequenceSource("/home/mean/a")) == "/home/mean"
    assert name_of(SequenceSource("/")) == "/"


def test_the_menu_has_keys_and_forgets(qtbot):
    recent, chosen = RecentSources(Settings()), []
    menu = RecentMenu(recent, chosen.append)
    qtbot.addWidget(menu)
    assert not menu.menuAction().isEnabled()
    recent.add(SequenceSource("/data/a & b"))
    recent.add(SequenceSource("/data/c"))
    first, second, _, clear = menu.actions()
    assert first.shortcut().toString() == "Ctrl+Alt+1"
    assert second.text().startswith("a && b")
    second.trigger()
    assert chosen == [SequenceSource("/data/a & b")]
    clear.trigger()
    assert recent.sources == ()


def test_what_was_opened_is_offered_in_the_menu_and_on_the_empty_page(window, qtbot, tmp_path):
    folder = tmp_path / "clip"
    folder.mkdir()
    with qtbot.waitSignal(window.studio.session.opened):
        window.commands.open_paths([folder])
    assert window.tabs.desk.recent.sources[0].path == str(folder)
    window.actions_by_key["close"].trigger()
    (row,) = window.empty._recent_rows
    qtbot.waitUntil(row.isVisible)
    with qtbot.waitSignal(window.studio.session.opened):
        QTest.mouseClick(row, Qt.MouseButton.LeftButton)


def test_what_is_gone_leaves_the_list_with_one_message(window):
    window.tabs.desk.recent.add(SequenceSource("/gone/away"))
    window.commands.open_recent(SequenceSource("/gone/away"))
    assert window.tabs.desk.recent.sources == ()
    assert len(window.studio.notices) == 1
    assert window.empty._recent_rows == []


def drop(window, *paths):
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    action, button, keys = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    window.dragEnterEvent(QDragEnterEvent(QPoint(5, 5), action, mime, button, keys))
    window.dropEvent(QDropEvent(QPointF(5, 5), action, mime, button, keys))


def test_what_is_dragged_over_the_window_is_told_that_it_may_be_dropped(opened_window):
    window, hint = opened_window, opened_window.drop_hint
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile("/a.dat")])
    action, button, keys = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPoint(5, 5), action, mime, button, keys)
    QCoreApplication.sendEvent(window, enter)
    assert enter.isAccepted()
    assert hint.isVisible()
    assert hint.size() == window.stack.size()
    hint.grab()
    QCoreApplication.sendEvent(window, QDragLeaveEvent())
    assert not hint.isVisible()
    text = QMimeData()
    text.setText("hello")
    QCoreApplication.sendEvent(window, QDragEnterEvent(QPoint(5, 5), action, text, button, keys))
    assert not hint.isVisible()


def test_several_that_are_dropped_open_in_a_tab_each(window, qtbot, tmp_path):
    folders = [tmp_path / name for name in ("a", "雪 b", "c")]
    for folder in folders:
        folder.mkdir()
    drop(window, *folders)
    qtbot.waitUntil(lambda: all(studio.session.sequence for studio in window.tabs.studios))
    assert [studio.session.source.path for studio in window.tabs.studios] == [str(path) for path in folders]


def test_too_many_at_once_are_not_all_opened(window, qtbot, tmp_path):
    drop(window, *(tmp_path / f"{number}.dat" for number in range(30)))
    assert len(window.tabs) == 12
    assert "12 of 30" in next(iter(window.studio.notices)).title
    qtbot.waitUntil(lambda: all(studio.session.sequence for studio in window.tabs.studios))


def test_a_log_alone_is_for_the_sequence_in_front(opened_window, qtbot, tmp_path):
    log = tmp_path / "alignment.csv"
    log.touch()
    with qtbot.waitSignal(opened_window.studio.session.opened):
        drop(opened_window, log)
    assert opened_window.studio.session.source.alignment == str(log)
    assert len(opened_window.tabs) == 1


def test_the_list_takes_no_more_room_than_there_is(window):
    for number in range(8):
        window.tabs.desk.recent.add(SequenceSource(f"/data/{number}"))
    window.resize(680, 460)
    window.resize(900, 900)
    shown = [row for row in window.empty._recent_rows if not row.isHidden()]
    assert len(shown) == 6
