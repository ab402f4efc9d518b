"""A restorer that does what the name of the method says, for tests of the worker process.

The pictures are constant: frame number / 100, so a test can tell which frame it got.
"""

import itertools
import os
import sys
import time

import numpy as np

from engine.errors import MethodError, OperationCancelled
from engine.geometry import Region, Size
from engine.worker.messages import RestoreRequest
from engine.worker.process import JobReporter

TILES = 4
TILE_SECONDS = 0.05


class ScriptedRestorer:
    def __init__(self) -> None:
        self.jobs_served = 0

    def __call__(self, request: RestoreRequest, report: JobReporter) -> None:
        self.jobs_served += 1
        wanted = request.wanted
        method = request.method
        if method == "engine-error":
            raise MethodError("no weights", path="weights.safetensors", advice="Choose another file")
        if method == "bug":
            raise ZeroDivisionError("two\nlines")
        report.planned(TILES * len(wanted), len(wanted))
        if method == "forgets-frames":
            return
        if method == "stubborn":
            report.tile(wanted[0], Region(0, 0, 1, 1), _picture(request, wanted[0].frame), 1)
            while True:
                time.sleep(0.01)
        size = Size(request.frames.height, request.frames.width)
        edges = [size.width * column // TILES for column in range(TILES + 1)]
        tiles_done = 0
        for moment in wanted:
            started = time.perf_counter()
            picture = np.zeros((size.height, size.width, 3), np.float32)
            for left, right in itertools.pairwise(edges):
                if report.is_cancelled():
                    raise OperationCancelled("stopped")
                if method == "slow":
                    time.sleep(TILE_SECONDS)
                picture[:, left:right] = moment.frame / 100
                tiles_done += 1
                report.tile(moment, Region(0, left, size.height, right), picture, tiles_done)
                if method == "dies":
                    os._exit(7)
                if method == "fails-midway" and moment == wanted[1]:
                    raise MethodError("the second frame is bad")
            report.frame(moment, picture, time.perf_counter() - started)


def _picture(request: RestoreRequest, frame: int) -> np.ndarray:
    return np.full((request.frames.height, request.frames.width, 3), frame / 100, np.float32)


class RestorerTellingItsModules:
    """Fail with the names of the heavy modules that the worker has imported by itself."""

    def __call__(self, request: RestoreRequest, report: JobReporter) -> None:
        assert not report.is_cancelled()
        heavy = [name for name in ("torch", "cv2", "PySide6", "numba") if name in sys.modules]
        raise MethodError(f"{request.method}: {heavy}")


def make_broken() -> ScriptedRestorer:
    raise OSError("no such device")


class RestorerTellingHowThreadsWait:
    """Fail with the OpenMP policy that a library loaded from here on would find."""

    def __call__(self, request: RestoreRequest, report: JobReporter) -> None:
        assert not report.is_cancelled()
        raise MethodError(f"{request.method}, threads wait: {os.environ.get('OMP_WAIT_POLICY')}")
