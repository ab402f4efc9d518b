"""The studio's budgets, in the real window while a job runs: scrubbing, four panes of 4K, long sessions.

    python tests/benchmarks/studio_budgets.py                 # everything, about four minutes on two cores
    python tests/benchmarks/studio_budgets.py scrub panes large session --cycles 40

Baselines: the blurry frame alone, the same panes without a job, the first cycles of a session.
"""

import argparse
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
from PIL import Image
from PySide6.QtCore import QEventLoop, QPointF
from PySide6.QtWidgets import QApplication
from screen import screen
from window_stalls import Waits

from app.__main__ import SWITCH_SECONDS
from app.environment import spare_collector
from app.settings import Settings
from app.state.compare.comparing import BLURRY, REFERENCE, RESTORED, TFP, Choice
from app.state.compare.pictures import FrameView
from app.state.opening.sources import sample_source
from app.state.spikes.spike_views import VoxelPictures
from app.state.studio import Studio
from app.ui.window.main_window import MainWindow
from engine.geometry import Size
from engine.source import SequenceSource

HD, UHD = Size(720, 1280), Size(2160, 3840)
PLANES_A_FRAME = 64
SCRUBBED = 200
PARTS = ("scrub", "panes", "large", "session")


class Stage:
    """One window, and the loop that keeps it going."""

    def __init__(self, application: QApplication) -> None:
        self._application = application
        self.studio = Studio(Settings(theme="dark", method="spike-ratio"))
        self.window = MainWindow(self.studio, self.studio.settings)
        self.window.resize(1500, 950)
        self.window.ready.connect(spare_collector)
        self.window.show()
        self.until(lambda: self.window.workspace is not None)

    def until(self, done: Callable[[], object], seconds: float = 60.0) -> None:
        end = time.monotonic() + seconds
        while not done():
            self._application.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 5)
            time.sleep(0.0002)
            if time.monotonic() > end:
                raise TimeoutError(f"jobs: {self.studio.jobs.status}")

    def for_seconds(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        self.until(lambda: time.monotonic() > end)

    def open(self, path: Path) -> None:
        self.studio.open_source(SequenceSource(str(path)))
        self.until(lambda: self.studio.session.opening is None and self.studio.pictures.view is not None)

    def close(self) -> None:
        self.window.close()


def write_sequence(folder: Path, size: Size, frames: int, kinds: int = 4) -> Path:
    """Write frames, references and spikes; only `kinds` pictures differ, the others are links."""
    source = np.random.default_rng(0)
    for name in ("blur", "sharp"):
        (folder / name).mkdir(parents=True)
        for index in range(frames):
            path = folder / name / f"{index:05d}.png"
            if index < kinds:
                noise = source.integers(0, 256, (size.height // 16, size.width // 16, 3), dtype=np.uint8)
                Image.fromarray(noise).resize((size.width, size.height), Image.Resampling.BICUBIC).save(path)
            else:
                os.link(folder / name / f"{index % kinds:05d}.png", path)
    spikes = Size(size.height // 2, size.width // 2)
    block = np.packbits(source.random((PLANES_A_FRAME, spikes.pixels)) < 0.3, axis=1, bitorder="little")
    with (folder / "spike.dat").open("wb") as file:
        for _ in range(frames):
            file.write(block.tobytes())
    (folder / "config.yaml").write_text(
        f"spike_h: {spikes.height}\nspike_w: {spikes.width}\nspike_rate_hz: 2000\nspike_flip: false\n"
        f"exposure_planes: {PLANES_A_FRAME}\nstride_planes: {PLANES_A_FRAME}\n"
    )
    return folder


def scrub(stage: Stage, root: Path) -> None:
    """Go through 720p frames as fast as picture and voxel strip of every one are there."""
    stage.open(write_sequence(root / "hd", HD, SCRUBBED))
    studio = stage.studio
    stage.until(lambda: studio.spikes.rate is not None)

    def is_shown(what: FrameView | VoxelPictures | None) -> bool:
        return what is not None and what.index == studio.position.index

    def pace(*, voxels: bool) -> float:
        began = time.perf_counter()
        for index in range(SCRUBBED):
            studio.position.go(index)
            stage.until(lambda: is_shown(studio.pictures.view))
            if voxels:
                stage.until(lambda: is_shown(studio.spikes.voxels))
        return SCRUBBED / (time.perf_counter() - began)

    alone = pace(voxels=False)
    quiet = pace(voxels=True)
    studio.deblur_all()
    stage.until(lambda: len(studio.results) > 0)
    waits = Waits()
    busy = pace(voxels=True)
    print(
        f"Scrubbing 720p: frames alone {alone:.0f} a second; with the voxel strip {quiet:.0f}; "
        f"while a job runs {busy:.0f} (at least 30)"
    )
    waits.report("scrubbing")
    studio.cancel()
    stage.until(lambda: not studio.jobs.is_running)


def panes(stage: Stage, root: Path) -> None:
    """Pan and zoom four panes of 4K, alone and while a job runs."""
    stage.open(write_sequence(root / "uhd", UHD, 3, kinds=1))
    studio, window = stage.studio, stage.window
    comparison = studio.comparison
    comparison.arrange(4)
    for slot, source in enumerate((BLURRY, REFERENCE, TFP, RESTORED)):
        comparison.choose(slot, Choice(source))
    comparison.choose(3, Choice(REFERENCE, BLURRY))
    stage.until(lambda: studio.pictures.view is not None and len(studio.pictures.view.pictures) == 3)
    grid = window.workspace.panes
    for name in ("4 × 4K", "with a job"):
        if name == "with a job":
            studio.deblur_all()
            stage.for_seconds(1.0)
        waits = Waits()
        began, steps = time.perf_counter(), 0
        while time.perf_counter() - began < 8:
            angle = steps / 15
            scale = 0.2 * 8 ** (0.5 + 0.5 * np.sin(angle / 3))
            centre = QPointF(1920 + 900 * np.cos(angle), 1080 + 500 * np.sin(angle))
            grid.first.look_at(centre, scale)
            grid.first.moved.emit()
            stage.until(lambda: True)
            QApplication.processEvents()
            steps += 1
        print(f"Pan and zoom, {name}: {steps / 8:.0f} views a second")
        waits.report(name)
    studio.cancel()
    stage.until(lambda: not studio.jobs.is_running)
    comparison.arrange(2)
    comparison.choose(1, Choice(RESTORED))


def large(stage: Stage, root: Path) -> None:
    """From the request to the first picture of a recording of 10 GB."""
    path = root / "large.dat"
    spikes = Size(1000, 1000)
    plane = np.packbits(np.random.default_rng(1).random(spikes.pixels) < 0.3, bitorder="little").tobytes()
    with path.open("wb") as file:
        file.write(plane * 200)
        file.truncate(len(plane) * 80_000)
    source = SequenceSource(str(path), height=spikes.height, width=spikes.width, rate_hz=20_000)
    began = time.perf_counter()
    stage.studio.open_source(source)
    stage.until(
        lambda: (
            stage.studio.session.source is not None
            and stage.studio.session.source.path == str(path)
            and stage.studio.pictures.view is not None
        )
    )
    seconds = time.perf_counter() - began
    print(f"A recording of {path.stat().st_size / 1e9:.0f} GB: first picture after {seconds:.2f} s (under 1)")


def session(stage: Stage, cycles: int) -> None:
    """Open, look, compare, edit, deblur and close again and again, as in an hour of work."""
    process, studio = psutil.Process(), stage.studio
    pick = random.Random(2)
    sizes = []
    for cycle in range(cycles):
        studio.open_source(sample_source())
        stage.until(lambda: studio.session.opening is None and studio.pictures.view is not None)
        stage.until(lambda: studio.spikes.rate is not None)
        for _ in range(20):
            studio.position.go(pick.randrange(studio.position.count))
            stage.until(lambda: studio.pictures.view.index == studio.position.index)
        studio.comparison.arrange(1 + cycle % 4)
        studio.comparison.choose(1, Choice(pick.choice((RESTORED, REFERENCE, TFP))))
        studio.alignment.edits.nudge(studio.position.index, 3, None)
        studio.alignment.edits.stack.undo()
        studio.deblur_all()
        stage.until(lambda: not studio.jobs.is_running)
        studio.session.close()
        stage.until(lambda: studio.session.sequence is None)
        sizes.append(process.memory_info().rss / 1e6)
    settled = sizes[min(5, cycles - 1)]
    print(
        f"Session of {cycles} cycles ({cycles * 20} frames looked at, {cycles * 12} restored): "
        f"{sizes[0]:.0f} MB after the first, {settled:.0f} after six, {sizes[-1]:.0f} at the end; "
        f"growth since the sixth {sizes[-1] - settled:+.0f} MB"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"any of {', '.join(PARTS)}; all without")
    parser.add_argument("--cycles", type=int, default=40)
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"no such part: {unknown}")
    options.parts = options.parts or list(PARTS)
    with screen(), tempfile.TemporaryDirectory() as home:
        for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
            os.environ[name] = home
        sys.setswitchinterval(SWITCH_SECONDS)  # as the program does
        application = QApplication([])
        application.setStyle("fusion")
        stage, root = Stage(application), Path(home)
        print(f"load {os.getloadavg()[0]:.1f}")
        if "scrub" in options.parts:
            scrub(stage, root)
        if "panes" in options.parts:
            panes(stage, root)
        if "large" in options.parts:
            large(stage, root)
        if "session" in options.parts:
            session(stage, options.cycles)
        stage.close()


if __name__ == "__main__":
    main()
