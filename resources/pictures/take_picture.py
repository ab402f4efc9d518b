"""Take the pictures of the window that the README shows: the bundled sample, its fifth frame deblurred.

xvfb-run -s "-screen 0 1600x1000x24" python resources/pictures/take_picture.py
"""

import os
import tempfile
import time
from pathlib import Path

from PySide6.QtCore import QEventLoop
from PySide6.QtWidgets import QApplication

from app.settings import Settings
from app.state.compare.comparing import BLURRY, REFERENCE, RESTORED, TFP, Choice
from app.state.studio import Studio
from app.ui.window.main_window import MainWindow

FOLDER = Path(__file__).parent
SIZE_PX = (1400, 860)
FRAME = 4
SETTLED_SECONDS = 1.0


def main() -> None:
    application = QApplication([])
    application.setStyle("fusion")
    studio = Studio(Settings(theme="dark"))
    window = MainWindow(studio, studio.settings)
    window.resize(*SIZE_PX)

    def run_until(condition: object) -> None:
        while not condition():  # type: ignore[operator]
            application.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)

    def take(name: str) -> None:
        settled = time.monotonic() + SETTLED_SECONDS
        while time.monotonic() < settled:
            application.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 20)
        window.grab().save(str(FOLDER / name))

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
    window.docks["queue_panel"].hide()
    window.docks["alignment_panel"].hide()
    window.docks["restore_panel"].hide()
    take("studio.png")
    comparison = studio.comparison
    comparison.arrange(4)
    for slot, choice in enumerate((BLURRY, RESTORED, TFP)):
        comparison.choose(slot, Choice(choice))
    comparison.choose(3, Choice(RESTORED, REFERENCE))
    window.actions_by_key["voxels"].trigger()
    window.workspace.panes.zoom_to(1.6)
    window.docks.show("picture_panel")
    window.workspace.panes.pixel_hovered.emit((420, 262))
    take("compare.png")
    window.close()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as home:
        os.environ["XDG_CONFIG_HOME"] = home
        main()
