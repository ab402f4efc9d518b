"""The page of notes: every finding with what to do about it."""

import pytest
from PySide6.QtWidgets import QLabel, QScrollArea, QWidget

from app.ui.help.pages import MOST_HEIGHT_PX, findings_page
from engine.findings import Finding


@pytest.fixture
def show(qtbot):
    parent = QWidget()
    qtbot.addWidget(parent)

    def show(*findings):
        page = findings_page(parent, "clip", ["10 frames"], findings)
        with qtbot.waitExposed(page):
            page.show()
        return page

    return show


def label(page, text):
    return next(one for one in page.findChildren(QLabel) if one.text() == text)


def test_a_remedy_stands_nearer_to_its_finding_than_to_the_next(show):
    page = show(Finding("log.csv is odd", "Check it"), Finding("spike.dat is odd", "Copy it"))
    texts = ("log.csv is odd.", "Check it.", "spike.dat is odd.", "Copy it.")
    first, its_remedy, second, _ = (label(page, text).geometry() for text in texts)
    assert 0 <= its_remedy.top() - first.bottom() < second.top() - its_remedy.bottom()


@pytest.mark.parametrize("count", [0, 1, 5])
def test_few_findings_are_seen_without_scrolling(show, count):
    long = "windows have 20 planes, 10 of 10 lie in the recording and cover 95 % of it, " * 2
    page = show(*(Finding(f"log {at}: {long}", "Say the unit") for at in range(count)))
    assert page.findChild(QScrollArea).verticalScrollBar().maximum() == 0


def test_many_findings_are_scrolled_to(show):
    page = show(*(Finding(f"finding {at}", "Check it") for at in range(60)))
    assert page.height() <= MOST_HEIGHT_PX
    assert page.findChild(QScrollArea).verticalScrollBar().maximum() > 0
