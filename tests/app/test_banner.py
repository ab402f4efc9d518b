import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from app.state.notices import Notices
from app.ui.window.banner import Banner
from engine.errors import FrameError


@pytest.fixture
def notices():
    return Notices()


@pytest.fixture
def banner(notices, theme, qtbot):
    place = QWidget()
    qtbot.addWidget(place)
    place.resize(700, 300)
    place.show()
    return Banner(notices, theme, place)


def click(button):
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def test_it_is_there_only_while_there_is_something_to_say(banner, notices):
    assert not banner.isVisible()
    notices.error(FrameError("broken", path="a.png", advice="copy it again"))
    assert banner.isVisible()
    assert banner.title.text() == "Broken"
    assert banner.text.text() == "a.png\nCopy it again"
    click(banner.dismiss)
    assert not banner.isVisible()
    assert len(notices) == 0


def test_several_messages_stay_one_banner_and_can_be_leafed_through(banner, notices):
    for name in ("a.png", "b.png", "c.png"):
        notices.error(FrameError("broken", path=name))
    assert banner.text.text() == "c.png"
    assert banner.others.text() == "2 more"
    seen = []
    for _ in range(3):
        click(banner.others)
        seen.append(banner.text.text())
    assert seen == ["b.png", "a.png", "c.png"]


def test_a_repeated_message_shows_how_often(banner, notices):
    for _ in range(3):
        notices.error(FrameError("broken", path="a.png"))
    assert "× 3" in banner.title.text()
    assert not banner.others.isVisible()


def test_good_news_leaves_by_itself_and_errors_stay(banner, notices, qtbot):
    banner._leave.setInterval(1)
    notices.inform("Exported", where="a.png")
    qtbot.waitUntil(lambda: not banner.isVisible())
    notices.error(FrameError("broken"))
    assert not banner._leave.isActive()


def test_a_long_message_is_wrapped_and_shown_whole(banner, notices):
    notices.error(FrameError("x " * 400, path="/" + "long name/" * 30))
    assert banner.height() > 100
    assert banner.geometry().right() <= banner.parentWidget().width()


def test_text_of_a_message_is_never_read_as_markup(banner, notices):
    notices.error(FrameError("<b>bold</b>", path="<img src=x>"))
    assert banner.title.textFormat() == Qt.TextFormat.PlainText
    assert banner.text.text() == "<img src=x>"
