"""What `import engine` gives, its examples, the README's and the notebook's, and that it is the one road."""

import ast
import doctest
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import engine
import engine.public
from engine.cli import main
from engine.errors import MethodError
from engine.export import write_picture
from engine.moment import Moment
from engine.pictures import read_picture
from engine.restoration.events import FrameFailed, FrameRestored
from engine.sequence import Sequence

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "resources" / "samples" / "city"


@pytest.fixture(autouse=True)
def at_the_root(monkeypatch):
    monkeypatch.chdir(ROOT)


def test_the_examples_of_the_docstrings_are_true():
    found = [one for one in doctest.DocTestFinder().find(engine.public, "public") if one.examples]
    assert len(found) == 2
    runner = doctest.DocTestRunner()
    for one in found:
        assert runner.run(one).failed == 0


def test_the_snippet_of_the_readme_runs(tmp_path, monkeypatch):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    snippet = re.search(r"```python\n(.*?)```", readme, re.DOTALL)[1]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "resources").symlink_to(ROOT / "resources")
    quick = snippet.replace("frames=(3, 4))", 'frames=(3, 4), method="spike-ratio")')
    assert quick != snippet
    names = {}
    exec(compile(quick, "README.md", "exec"), names)
    assert read_picture(tmp_path / "0004.png").shape == (480, 640, 3)


def test_every_cell_of_the_notebook_runs(capsys):
    notebook = json.loads((ROOT / "resources/notebooks/restore.ipynb").read_text(encoding="utf-8"))
    names = {"__name__": "notebook"}
    for cell in notebook["cells"]:
        assert not cell.get("outputs")
        if cell["cell_type"] == "code":
            source = "".join(cell["source"])
            ast.parse(source)
            exec(compile(source, cell["id"], "exec"), names)
    assert min(names["gains_db"]) > 3
    assert "dB" in capsys.readouterr().out


@pytest.mark.parametrize("method", ["spike-ratio", "network"])
def test_a_picture_is_to_the_byte_what_the_command_line_writes(tmp_path, method):
    source = ROOT / "resources" / "samples" / "city"
    region = ["--region", "64,32,96,64"]
    asked = ["--frames", "2:4", "--method", method, *region]
    assert main(["restore", str(source), "--out", str(tmp_path / "out"), *asked]) == 0
    with engine.open(source) as sequence:
        where = engine.public.Region(32, 64, 96, 160)
        events = list(engine.restore(sequence, frames=(2, 4), method=method, region=where))
        for event in events:
            if isinstance(event, FrameRestored):
                name = f"{sequence.frame_name(event.frame)}.png"
                write_picture(tmp_path / name, event.picture)
                assert (tmp_path / name).read_bytes() == (tmp_path / "out" / name).read_bytes()
                assert event.picture.dtype == np.float32
    assert [event.moment for event in events if isinstance(event, FrameRestored)] == [Moment(2), Moment(3)]


def test_a_damaged_frame_is_an_event_and_the_others_go_on(monkeypatch):
    read = Sequence.frame

    def frame(self, index):
        if index == 3:
            raise KeyError("273")
        return read(self, index)

    monkeypatch.setattr(Sequence, "frame", frame)
    with engine.open(SAMPLE) as sequence:
        events = list(engine.restore(sequence, frames=(2, 5), method="spike-ratio"))
    assert [event.frame for event in events if isinstance(event, FrameRestored)] == [2, 4]
    assert [event.frame for event in events if isinstance(event, FrameFailed)] == [3]


def test_what_cannot_be_is_refused_at_once():
    with engine.open(SAMPLE) as sequence:
        for wrong in ((5, 3), (0, 99), 99, (-1, 2)):
            with pytest.raises(MethodError, match="within 0 to 12"):
                engine.restore(sequence, wrong, method="spike-ratio")
        with pytest.raises(MethodError, match="both"):
            engine.restore(sequence, 3, moments=[Moment(3)])
        with pytest.raises(MethodError, match="positive edge"):
            engine.restore(sequence, 3, tile=0)
        with pytest.raises(MethodError, match="frame"):
            engine.score(sequence, sequence.frame(3))


def test_nothing_is_loaded_before_it_is_needed():
    program = (
        "import sys, engine\n"
        "assert 'numpy' not in sys.modules and {'open', 'restore', 'score'} <= set(dir(engine))\n"
        f"sequence = engine.open({str(SAMPLE)!r})\n"
        "events = list(engine.restore(sequence, 3, method='spike-ratio'))\n"
        "assert 'torch' not in sys.modules and 'PySide6' not in sys.modules\n"
        "print(type(events[-1]).__name__)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, timeout=120, check=False
    )
    assert (ended.stdout.strip(), ended.stderr) == ("Finished", "")
