from pathlib import Path

import pytest

from app.state.notices import KEPT_NOTICES, Notices, describe
from engine.errors import FrameError


@pytest.fixture
def notices():
    return Notices()


def test_an_engine_error_says_what_where_and_what_to_do():
    error = FrameError(
        "the picture ends early",
        path="a b/雪.png",
        found="100 bytes",
        expected="2000",
        advice="copy it again",
    )
    notice = describe(error)
    assert notice.severity == "error"
    assert notice.title == "The picture ends early"
    assert notice.where == str(Path("a b/雪.png"))
    assert notice.facts == "found 100 bytes, expected 2000"
    assert notice.advice == "Copy it again"
    assert notice.details == ""


def test_any_other_exception_is_a_fault_of_the_studio_with_its_traceback():
    try:
        {}["missing"]
    except KeyError as error:
        notice = describe(error, "read the frame")
    assert notice.title == "Could not read the frame"
    assert "KeyError" in notice.facts
    assert "Traceback" in notice.details


def test_the_same_message_again_is_counted_not_repeated(notices):
    for _ in range(1000):
        notices.error(FrameError("broken", path="a.png"))
    notices.error(FrameError("broken", path="b.png"))
    assert [(notice.where, notice.count) for notice in notices] == [("a.png", 1000), ("b.png", 1)]


def test_a_repeated_message_becomes_the_newest(notices):
    for path in ("a.png", "b.png", "a.png"):
        notices.error(FrameError("broken", path=path))
    assert [notice.where for notice in notices] == ["b.png", "a.png"]


def test_a_flood_of_different_messages_stays_bounded(notices):
    for number in range(10 * KEPT_NOTICES):
        notices.warn(f"warning {number}")
    assert len(notices) == KEPT_NOTICES


def test_dismissing_one_leaves_the_others(notices):
    notices.warn("one")
    notices.warn("two")
    notices.dismiss(next(iter(notices)).number)
    assert [notice.title for notice in notices] == ["two"]
    notices.dismiss_all()
    assert len(notices) == 0


def test_one_line_holds_everything(notices):
    notices.error(FrameError("broken", path="a.png", found="1", advice="Copy it again"))
    assert next(iter(notices)).line == "a.png: Broken (found 1). Copy it again"
