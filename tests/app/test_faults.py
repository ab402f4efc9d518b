"""Nothing that goes wrong in the window ends it, and a log says what it was."""

import logging
import signal
import sys
import threading

import pytest

from app.faults import FaultCatcher, write_log_to
from app.interrupts import Interrupts
from app.state.notices import Notices


@pytest.fixture
def notices():
    return Notices()


@pytest.fixture
def caught(notices):
    catcher = FaultCatcher(notices)
    before = sys.excepthook, threading.excepthook
    catcher.install()
    yield notices
    catcher.uninstall()
    sys.excepthook, threading.excepthook = before


def test_an_exception_nobody_caught_becomes_a_message(caught):
    sys.excepthook(KeyError, KeyError("x"), None)
    (notice,) = caught
    assert "KeyError" in notice.facts


def test_an_exception_of_a_thread_becomes_a_message_in_the_window_thread(caught, qtbot):
    def fail():
        raise ValueError("in a thread")

    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    qtbot.waitUntil(lambda: len(caught) == 1)
    assert "in a thread" in next(iter(caught)).facts


def test_the_log_holds_what_was_logged(tmp_path):
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    try:
        write_log_to(tmp_path / "logs" / "studio.log")
        logging.getLogger("app.somewhere").error("it went wrong")
    finally:
        for handler in set(root.handlers) - set(before):
            root.removeHandler(handler)
            handler.close()
        root.setLevel(level)
    assert "it went wrong" in (tmp_path / "logs" / "studio.log").read_text()


def test_a_log_that_cannot_be_written_is_no_reason_not_to_start(tmp_path):
    (tmp_path / "file").write_text("in the way")
    write_log_to(tmp_path / "file" / "studio.log")


@pytest.mark.parametrize("which", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_closes_the_window_and_then_has_its_old_meaning(qtbot, which):
    before = signal.getsignal(which)
    calls = []
    interrupts = Interrupts(lambda: calls.append("close"))
    try:
        signal.raise_signal(which)
        qtbot.waitUntil(lambda: calls == ["close"])
    finally:
        interrupts.restore()
    assert signal.getsignal(which) is before
