"""OpenCV's Qt paths never reach ours. Asked of fresh interpreters, because an import happens once."""

import json
import os
import subprocess
import sys

import pytest

from app.environment import QT_PATH_VARIABLES

REPORT = f"print(json.dumps({{n: os.environ.get(n) for n in {QT_PATH_VARIABLES!r}}}))"


def environment_after(statement, **variables):
    program = f"import json, os\n{statement}\n{REPORT}"
    environment = {name: value for name, value in os.environ.items() if name not in QT_PATH_VARIABLES}
    ended = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=60,
        env=environment | variables,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout.splitlines()[-1])


def test_importing_opencv_changes_the_environment_and_so_needs_undoing():
    if sys.platform != "linux":
        pytest.skip("only the Linux wheels of OpenCV carry a Qt")
    after = environment_after("import cv2")
    assert any("cv2" in (value or "") for value in after.values())


def test_loading_opencv_our_way_leaves_no_trace():
    after = environment_after("from app.environment import load_opencv; load_opencv()")
    assert set(after.values()) == {None}


def test_what_the_user_had_set_is_kept():
    after = environment_after(
        "from app.environment import load_opencv; load_opencv()", QT_QPA_FONTDIR="/my/fonts"
    )
    assert after["QT_QPA_FONTDIR"] == "/my/fonts"


def test_an_earlier_import_is_forgotten_before_the_window_starts():
    after = environment_after(
        "import cv2; from app.environment import forget_opencv_qt_paths; forget_opencv_qt_paths()"
    )
    assert set(after.values()) == {None}


def test_a_real_window_opens_after_opencv_was_imported():
    if not os.environ.get("DISPLAY"):
        pytest.skip("needs an X server, for which Xvfb would do")
    program = (
        "import cv2\n"
        "from app.environment import forget_opencv_qt_paths\n"
        "forget_opencv_qt_paths()\n"
        "from PySide6.QtWidgets import QApplication, QWidget\n"
        "application = QApplication([])\n"
        "widget = QWidget()\n"
        "widget.show()\n"
        "application.processEvents()\n"
        "print(application.platformName(), widget.isVisible())"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=60,
        env=os.environ | {"QT_QPA_PLATFORM": "xcb"},
        check=False,
    )
    assert (ended.stdout.strip(), ended.returncode) == ("xcb True", 0), ended.stderr
