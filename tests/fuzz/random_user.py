"""A user who clicks, types, drags and scrolls at random in the whole window, and finds what that breaks.

    python tests/fuzz/random_user.py --minutes 5 [--seed N]

Everything that is open gets its share: menus, dialogs, panels. Exceptions, Qt's warnings, and a window that
no longer answers count as errors; the seed repeats the run as far as threads allow. Files are written in a
temporary home only.
"""

import argparse
import contextlib
import faulthandler
import os
import random
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from PySide6.QtCore import QEvent, QPoint, QPointF, Qt, QTimer, QtMsgType, qInstallMessageHandler
from PySide6.QtGui import QAction, QDesktopServices, QDrag, QMouseEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QFileDialog, QMenu, QWidget
from shiboken6 import isValid

from app.settings import Settings
from app.state.opening.sources import sample_source
from app.state.studio import Studio
from app.ui.window.main_window import MainWindow

LEFT_ALONE = {"quit", "log"}
"""Actions that end the run, or start another program."""
EXPECTED = ("This plugin does not support", "propagateSizeHints", "QFileSystemWatcher")
ATTEND_MS = 150
LONGEST_ANSWER_SECONDS = 5.0
KEYS = (
    *(getattr(Qt.Key, f"Key_{name}") for name in "ABCDFINORSVWX123456789"),
    *(Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Home, Qt.Key.Key_End),
    *(Qt.Key.Key_Tab, Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Escape, Qt.Key.Key_Delete),
)


class RandomUser:
    """Acts in a window until it is told to stop."""

    def __init__(self, window: MainWindow, seed: int) -> None:
        self._window = window
        self._random = random.Random(seed)
        self.done: Counter[str] = Counter()
        self.errors: list[str] = []
        self.slowest = (0.0, "")
        self.last = ""
        self._attending = QTimer(interval=ATTEND_MS)
        self._attending.timeout.connect(self._attend)
        self._attending.start()

    def _attend(self) -> None:
        """Answer what waits inside a click, as the menu of a button does, or inside a drag of an item."""
        QDrag.cancel()
        popup = QApplication.activePopupWidget()
        if popup is not None and self._random.random() < 0.5:
            popup.close()
        elif popup is not None:
            keys = (Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Up, Qt.Key.Key_Return, Qt.Key.Key_Right)
            QTest.keyClick(popup, self._random.choice(keys))

    def act(self) -> None:
        """Do one thing, and let the window answer."""
        began = time.monotonic()
        deeds = (self._click, self._click, self._key, self._action, self._drag, self._wheel, self._menu)
        deed = self._random.choice(deeds)
        self.last = deed.__name__
        deed()
        QTest.qWait(self._random.choice((0, 0, 5, 20)))
        self._leave_dialogs()
        took = time.monotonic() - began
        if took > self.slowest[0]:
            self.slowest = (took, self.last)
        if took > LONGEST_ANSWER_SECONDS:
            self.errors.append(f"no answer for {took:.1f} s after {self.last}")
        self.done[self.last.split()[0]] += 1

    def _front(self) -> QWidget:
        """Return the window that takes events now: a menu or dialog if there is one."""
        return QApplication.activePopupWidget() or QApplication.activeModalWidget() or self._window

    def _widget(self) -> QWidget | None:
        """Return something visible of the window in front."""
        front = self._front()
        inside = [one for one in front.findChildren(QWidget) if one.isVisible() and one.width() > 2]
        return self._random.choice(inside) if inside else None

    def _place(self, widget: QWidget) -> QPoint:
        return QPoint(self._random.randrange(widget.width()), self._random.randrange(max(1, widget.height())))

    def _click(self) -> None:
        widget = self._widget()
        if widget is None:
            return
        self.last = f"click {type(widget).__name__} {widget.objectName()}"
        button = self._random.choice((Qt.MouseButton.LeftButton,) * 5 + (Qt.MouseButton.RightButton,))
        modifiers = self._random.choice(
            (Qt.KeyboardModifier.NoModifier,) * 4 + (Qt.KeyboardModifier.ShiftModifier,)
        )
        if self._random.random() < 0.1:
            QTest.mouseDClick(widget, button, modifiers, self._place(widget))
        else:
            QTest.mouseClick(widget, button, modifiers, self._place(widget))

    def _key(self) -> None:
        target = QApplication.focusWidget() or self._front()
        key = self._random.choice(KEYS)
        self.last = f"key {key.name} on {type(target).__name__}"
        modifiers = self._random.choice(
            (
                *(Qt.KeyboardModifier.NoModifier,) * 5,
                Qt.KeyboardModifier.ShiftModifier,
                Qt.KeyboardModifier.AltModifier,
            )
        )
        QTest.keyClick(target, key, modifiers)

    def _action(self) -> None:
        """Trigger any action that can be done, as its shortcut would."""
        if QApplication.activeModalWidget() is not None:
            return
        actions: dict[str, QAction] = self._window.actions_by_key.by_key
        key = self._random.choice(list(actions))
        self.last = f"action {key}"
        if actions[key].isEnabled():
            actions[key].trigger()

    def _drag(self) -> None:
        widget = self._widget()
        if widget is None:
            return
        self.last = f"drag {type(widget).__name__} {widget.objectName()}"
        modifiers = self._random.choice(
            (
                Qt.KeyboardModifier.NoModifier,
                Qt.KeyboardModifier.ShiftModifier,
                Qt.KeyboardModifier.AltModifier,
            )
        )
        points = [self._place(widget) for _ in range(self._random.randrange(2, 6))]
        left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
        steps = [(QEvent.Type.MouseButtonPress, points[0], left, left)]
        steps += [(QEvent.Type.MouseMove, point, none, left) for point in points[1:]]
        steps += [(QEvent.Type.MouseButtonRelease, points[-1], left, none)]
        for kind, at, button, held in steps:
            if not isValid(widget):
                return
            place = QPointF(widget.mapToGlobal(at))
            QApplication.sendEvent(widget, QMouseEvent(kind, QPointF(at), place, button, held, modifiers))
            QApplication.processEvents()

    def _wheel(self) -> None:
        widget = self._widget()
        if widget is None:
            return
        self.last = f"wheel {type(widget).__name__} {widget.objectName()}"
        at = self._place(widget)
        turn = QPoint(0, self._random.choice((-480, -120, 120, 480)))
        event = QWheelEvent(
            QPointF(at),
            QPointF(widget.mapToGlobal(at)),
            QPoint(),
            turn,
            Qt.MouseButton.NoButton,
            self._random.choice((Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ControlModifier)),
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(widget, event)

    def _menu(self) -> None:
        """Open a menu of the menu bar, or walk in the one that is open."""
        popup = QApplication.activePopupWidget()
        if isinstance(popup, QMenu):
            self.last = f"menu key in {popup.title()}"
            QTest.keyClick(popup, self._random.choice((Qt.Key.Key_Down, Qt.Key.Key_Up, Qt.Key.Key_Escape)))
            return
        if QApplication.activeModalWidget() is None:
            menu = self._random.choice(list(self._window.actions_by_key.menus.values()))
            self.last = f"menu {menu.title()}"
            menu.popup(self._window.mapToGlobal(QPoint(60, 30)))

    def _leave_dialogs(self) -> None:
        """Close what asks for files at once, and every other dialog now and then."""
        for widget in QApplication.topLevelWidgets():
            if isinstance(widget, QDialog) and widget.isVisible():
                patience = 1.0 if isinstance(widget, QFileDialog) else 0.04
                if self._random.random() < patience:
                    widget.reject()
        popup = QApplication.activePopupWidget()
        if popup is not None and self._random.random() < 0.2:
            popup.close()


@contextlib.contextmanager
def told_of_errors(user: RandomUser) -> Iterator[None]:
    """Collect what goes wrong meanwhile."""

    def on_exception(kind: type[BaseException], error: BaseException, trace: object) -> None:
        lines = traceback.format_exception(kind, error, trace)  # type: ignore[arg-type]
        user.errors.append(f"after {user.last}:\n{''.join(lines)}")

    def on_message(kind: QtMsgType, _: object, text: str) -> None:
        serious = kind in (QtMsgType.QtWarningMsg, QtMsgType.QtCriticalMsg, QtMsgType.QtFatalMsg)
        if serious and not any(known in text for known in EXPECTED):
            user.errors.append(f"after {user.last}: Qt says {text}")

    hook = sys.excepthook
    handler = qInstallMessageHandler(on_message)
    sys.excepthook = on_exception
    try:
        yield
    finally:
        sys.excepthook = hook
        qInstallMessageHandler(handler)


def run(seconds: float, seed: int) -> RandomUser:
    """Let a random user work in a window of its own."""
    application = QApplication.instance() or QApplication([])
    assert isinstance(application, QApplication)
    QDesktopServices.openUrl = lambda *_: True  # type: ignore[method-assign, assignment]
    studio = Studio(Settings(theme="dark"))
    window = MainWindow(studio, studio.settings)
    window.resize(1300, 850)
    for key in LEFT_ALONE:
        window.actions_by_key[key].setEnabled(False)
    user = RandomUser(window, seed)
    with told_of_errors(user):
        window.show()
        QTest.qWaitForWindowExposed(window)
        studio.open_source(sample_source())
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            user.act()
            if window.studio.session.sequence is None and user.done.total() % 25 == 0:
                window.tabs.open_source(sample_source())
        for widget in QApplication.topLevelWidgets():
            if isinstance(widget, QDialog):
                widget.reject()
        window.close()
        QTest.qWait(200)
    return user


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    with tempfile.TemporaryDirectory() as home:
        for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "HOME"):
            os.environ[name] = home
        os.chdir(home)
        faulthandler.dump_traceback_later(options.minutes * 60 + 60, exit=True)
        user = run(options.minutes * 60, options.seed)
        left = sum(path.is_file() for path in Path(home).rglob("*"))
    print(f"{user.done.total()} deeds: " + ", ".join(f"{what} {count}" for what, count in user.done.items()))
    print(f"slowest answer {user.slowest[0]:.2f} s, after {user.slowest[1]}; {left} files in the home")
    for error, count in Counter(user.errors).most_common():
        print(f"--- {count} ×\n{error}")
    print(f"{len(user.errors)} errors")
    return 1 if user.errors else 0


if __name__ == "__main__":
    sys.exit(main())
