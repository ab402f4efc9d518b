"""What a fresh interpreter has loaded after an import: the window starts fast because of it."""

import json
import subprocess
import sys
from graphlib import TopologicalSorter

import grimp
import pytest

DECODERS = ("simplejpeg", "PIL", "imagecodecs", "tifffile", "av")
HEAVY = ("torch", "torch._dynamo", "sympy", "cv2", "numba", "PySide6", "pyqtgraph", *DECODERS)

NO_TORCH_NO_QT = ("torch", "PySide6", "pyqtgraph")
NO_COMPILER = ("torch._dynamo", "sympy")
NOTHING_HEAVY = HEAVY


def loaded_after(statement):
    """Return which heavy packages a new interpreter has loaded after `statement`."""
    program = f"{statement}\nimport json, sys\nprint(json.dumps([n for n in {HEAVY!r} if n in sys.modules]))"
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False
    )
    assert ended.returncode == 0, ended.stderr
    return set(json.loads(ended.stdout))


@pytest.mark.parametrize(
    ("statement", "forbidden"),
    [
        ("import engine", NOTHING_HEAVY),
        ("import engine.cli", NOTHING_HEAVY),
        ("import engine.worker.client", NOTHING_HEAVY),
        ("import engine.model, engine.model_files, engine.commands.listed_methods", NOTHING_HEAVY),
        ("import engine.restoration.own_methods, engine.restoration.methods", NO_TORCH_NO_QT),
        ("import engine.worker.process", NOTHING_HEAVY),
        ("import engine.worker.restorer", NO_TORCH_NO_QT),
        ("import engine.commands.info, engine.commands.restore, engine.commands.evaluate", NO_TORCH_NO_QT),
        (
            "import engine.sequence, engine.recording, engine.voxels, engine.export, engine.metrics",
            NO_TORCH_NO_QT,
        ),
        ("import engine.model, engine.restoration.network_method", NO_COMPILER),
        (
            "import importlib, pkgutil, app\n"
            "for module in pkgutil.walk_packages(app.__path__, 'app.'):\n"
            "    importlib.import_module(module.name)",
            ("torch",),
        ),
        ("import engine.pictures, engine.layouts, engine.frames, engine.opening", NOTHING_HEAVY),
        ("import app.ui.window.workspace", DECODERS),
    ],
)
def test_an_import_loads_none_of_what_it_must_not(statement, forbidden):
    assert not loaded_after(statement) & set(forbidden)


def test_the_check_sees_what_is_loaded():
    assert loaded_after("import cv2") == {"cv2"}


@pytest.mark.parametrize("package", ["engine", "training"])
def test_no_module_needs_one_that_needs_it(package):
    """For the sake of types alone, or within a function, neither."""
    graph = grimp.build_graph(package)
    needs = {
        module: graph.find_modules_directly_imported_by(module) - {module, package}
        for module in graph.modules - {package}
    }
    assert tuple(TopologicalSorter(needs).static_order())  # raises CycleError that names one
