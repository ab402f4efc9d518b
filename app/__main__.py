"""Start the studio: `python -m app [PATH]`; without a path it opens the last session, else the sample."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from app.environment import forget_opencv_qt_paths, spare_collector
from engine.source import NO_FLAT, SequenceSource
from engine.time_units import TimeUnit

SWITCH_SECONDS = 0.001
"""How long a computing thread may keep the window's thread from running; Python's own choice is 5 ms."""


def read_arguments(argv: Sequence[str]) -> tuple[SequenceSource | None, bool]:
    """Return what the command line asks to open (None: nothing), and whether the sample is wanted."""
    parser = argparse.ArgumentParser(
        prog="spike-deblur-studio",
        description="Look at a blurry sequence and its spikes, deblur it, compare and export.",
    )
    parser.add_argument("path", nargs="?", help="folder, video or recording; what was open last if left out")
    parser.add_argument("--empty", action="store_true", help="open nothing")
    parser.add_argument("--spikes", help="recording that belongs to the frames")
    parser.add_argument("--reference", help="folder of sharp pictures to compare with")
    parser.add_argument("--alignment", help="alignment log (CSV)")
    parser.add_argument("--height", type=int, help="rows of the spike camera")
    parser.add_argument("--width", type=int, help="columns of the spike camera")
    parser.add_argument("--rate", type=float, help="planes per second")
    parser.add_argument("--gamma", type=float, help="1: spikes integrate code values; 2.2: linear light")
    parser.add_argument("--exposure-planes", type=float, help="length of a virtual exposure")
    parser.add_argument("--stride-planes", type=float, help="distance of virtual exposures")
    parser.add_argument("--time-unit", choices=get_args(TimeUnit), help="what times in logs and events count")
    parser.add_argument("--white", type=int, help="the stored sample that is white in frames with 16 bits")
    parser.add_argument(
        "--flat", help="flat field or kept pattern of the spike camera; none corrects nothing"
    )
    given = parser.parse_args(argv)
    if given.path is None:
        return None, not given.empty
    return (
        SequenceSource(
            path=str(Path(given.path).absolute()),
            spikes=given.spikes,
            reference=given.reference,
            alignment=given.alignment,
            height=given.height,
            width=given.width,
            rate_hz=given.rate,
            gamma=given.gamma,
            exposure_planes=given.exposure_planes,
            stride_planes=given.stride_planes,
            time_unit=given.time_unit,
            white=given.white,
            flat=given.flat if given.flat in (None, NO_FLAT) else str(Path(given.flat).absolute()),
        ),
        False,
    )


def has_display() -> bool:
    """Whether there is a screen to open a window on; Qt itself would abort without one."""
    if not sys.platform.startswith("linux"):
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the window until it is closed; return the exit status."""
    source, wants_sample = read_arguments(sys.argv[1:] if argv is None else argv)
    if not has_display():
        sys.stderr.write(
            "spike-deblur-studio: there is no display here. "
            "Set DISPLAY, or use spike-deblur on the command line\n"
        )
        return 1
    forget_opencv_qt_paths()
    sys.setswitchinterval(SWITCH_SECONDS)
    from PySide6.QtWidgets import QApplication

    from app.faults import FaultCatcher, log_what_qt_says, write_log_to
    from app.interrupts import Interrupts
    from app.settings import APPLICATION, load_settings, log_path, settings_path
    from app.state.alignment.unsaved_edits import edits_folder
    from app.state.pattern.kept_patterns import patterns_folder
    from app.state.session.last_session import session_path
    from app.state.spikes.kept_rates import rates_folder
    from app.state.studio import Studio
    from app.translation import fit_font, translate
    from app.ui.window.main_window import MainWindow

    log_what_qt_says()
    write_log_to(log_path())
    application = QApplication([sys.argv[0]])
    application.setApplicationName(APPLICATION)
    application.setStyle("fusion")
    settings, problems = load_settings(settings_path())
    translate(application, settings.language)
    fit_font(application, settings.language)
    studio = Studio(
        settings,
        edits_folder=edits_folder(),
        rates_folder=rates_folder(),
        patterns_folder=patterns_folder(),
    )
    faults = FaultCatcher(studio.notices)
    faults.install()
    window = MainWindow(studio, settings, session_path())
    interrupts = Interrupts(window.close)
    for problem in problems:
        studio.notices.warn(problem)

    def open_first() -> None:
        if source is not None:
            studio.open_source(source)
        elif wants_sample:
            began = settings.restore_session and window.keeper is not None and window.keeper.begin()
            if not began:
                studio.open_sample()

    window.painted.connect(open_first)
    window.ready.connect(spare_collector)
    window.show()
    try:
        return application.exec()
    finally:
        interrupts.restore()
        faults.uninstall()


if __name__ == "__main__":
    sys.exit(main())
