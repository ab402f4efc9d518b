"""What the process needs around it: Qt's environment whatever `import cv2` does to it, and a quiet collector.

The opencv-python wheel brings a Qt of its own and, when imported, points QT_QPA_PLATFORM_PLUGIN_PATH and
QT_QPA_FONTDIR at it. A QApplication made after that loads the wrong platform plugin and dies; one made
before hands the wrong paths to its child processes.
"""

import gc
import os
from threading import Lock

QT_PATH_VARIABLES = ("QT_QPA_PLATFORM_PLUGIN_PATH", "QT_QPA_FONTDIR")

_loading = Lock()


def load_opencv() -> None:
    """Import cv2 and give Qt's path variables their old values back. Any thread may call it first."""
    with _loading:
        before = {name: os.environ.get(name) for name in QT_PATH_VARIABLES}
        try:
            import cv2  # noqa: F401
        finally:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value


def forget_opencv_qt_paths() -> None:
    """Remove path variables that an earlier `import cv2` left behind. Call before making a QApplication."""
    for name in QT_PATH_VARIABLES:
        parts = os.environ.get(name, "").replace("\\", "/").split("/")
        if "cv2" in parts:
            del os.environ[name]


def spare_collector() -> None:
    """Let the collector of cyclic garbage pass over all that is alive now and will stay.

    It stops every thread while it looks, among 150 000 objects of the libraries for longer than a frame.
    """
    gc.collect()
    gc.freeze()
