"""Take the picture of the window that the README shows: the bundled sample, its fifth frame deblurred.

xvfb-run -s "-screen 0 1600x1000x24" python resources/pictures/take_picture.py
"""

import os
import tempfile
from pathlib import Path

from PySide6.QtCore import QEventLoop
from PySide6.QtWidgets import QApplication

from app.settings import Settings
from app.state.studio import Studio
from app.ui.main_window import MainWindow

TARGET = Path(__file__).with_name("studio.png")
SIZE_PX = (1400, 860)
FRAME = 4


def main() -> None:
    application = QApplication([])
    application.setStyle("fusion")
    studio = Studio(Settings(theme="dark"))
    window = MainWindow(studio, studio.settings)
    window.resize(*SIZE_PX)

    def run_until(condition: object) -> None:
        while not condition():  # type: ignore[operator]
            application.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)

    window.painted.connect(studio.open_sample)
    window.show()
    run_until(lambda: studio.pictures.view and studio.spikes.rate and window.workspace)
    studio.position.go(FRAME)
    run_until(lambda: studio.spikes.voxels and studio.spikes.voxels.index == FRAME)
    for index in (FRAME, *range(FRAME)):
        studio.position.go(index)
        studio.deblur_frame()
        run_until(lambda: not studio.jobs.is_running)
    studio.position.go(FRAME)
    studio.jobs.forget()
    scores = studio.metrics
    run_until(lambda: scores.scores and scores.scores.index == FRAME and scores.scores.restored)
    run_until(lambda: studio.spikes.voxels.index == FRAME)
    application.processEvents()
    window.grab().save(str(TARGET))
    window.close()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as home:
        os.environ["XDG_CONFIG_HOME"] = home
        main()
