import threading

import numpy as np
import pytest
from PIL import Image

from app.state.export.exporting import Exports


@pytest.fixture
def exports(pool):
    return Exports(pool)


def grey(value):
    return np.full((6, 8, 3), value, np.float32)


def test_every_picture_is_written_into_a_new_folder(exports, tmp_path, qtbot):
    items = [(tmp_path / "新 folder" / f"{n:04d}.png", grey(n / 10)) for n in range(3)]
    progress = []
    exports.progressed.connect(lambda done, total: progress.append((done, total)))
    with qtbot.waitSignal(exports.finished) as finished:
        exports.write(items, 8)
    assert finished.args[0] == [path for path, _ in items]
    assert progress == [(1, 3), (2, 3), (3, 3)]
    assert [Image.open(path).getpixel((0, 0))[0] for path, _ in items] == [0, 26, 51]


def test_a_target_that_cannot_be_written_is_told_and_the_next_export_works(exports, tmp_path, qtbot):
    (tmp_path / "file").write_text("in the way")
    with qtbot.waitSignal(exports.failed) as failed:
        exports.write([(tmp_path / "file" / "a.png", grey(0.5))], 8)
    assert "file" in str(failed.args[0])
    assert not exports.busy
    with qtbot.waitSignal(exports.finished):
        exports.write([(tmp_path / "a.png", grey(0.5))], 8)


def test_a_running_export_is_never_replaced_by_another(exports, tmp_path, qtbot, monkeypatch):
    gate = threading.Event()
    monkeypatch.setattr("engine.export.make_folder", lambda _: gate.wait(10))
    exports.write([(tmp_path / "a.png", grey(0.5))], 8)
    exports.write([(tmp_path / "b.png", grey(0.5))], 8)
    with qtbot.waitSignal(exports.finished):
        gate.set()
    assert [path.name for path in tmp_path.glob("*.png")] == ["a.png"]


def test_stopping_keeps_the_files_that_are_whole(exports, tmp_path, qtbot):
    exports.progressed.connect(lambda *_: exports.stop())
    with qtbot.waitSignal(exports.busy_changed, check_params_cb=lambda busy: not busy):
        exports.write([(tmp_path / f"{n}.png", grey(0.5)) for n in range(2000)], 8)
    written = list(tmp_path.iterdir())
    assert 0 < len(written) < 2000
    assert all(path.suffix == ".png" for path in written)
