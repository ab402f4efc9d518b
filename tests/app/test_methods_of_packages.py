"""Methods of packages in the window: listed, chosen, used through the worker; and on what results depend."""

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from PySide6.QtGui import QKeySequence

from app.settings import Settings, load_settings, save_settings
from app.state.compare.results import Restored, was_made_from
from app.state.jobs.found_methods import look_for_methods
from app.state.studio import Studio
from app.ui.help.shortcut_editor import ShortcutEditor
from app.ui.window.main_window import MainWindow
from engine.alignment_window import AlignmentWindow
from engine.geometry import Size, Span
from engine.moment import Moment, centres
from engine.recording import write_packed
from engine.restoration.options import ComputeOptions
from engine.source import SequenceSource
from engine.worker.blocks import FrameBlock
from engine.worker.messages import FrameDone, RestoreRequest, SlotReleased
from engine.worker.process import Inbox, serve
from engine.worker.protocol import JobRecord
from engine.worker.restorer import SequenceRestorer

GROUP = "spike_deblur.methods"
PATIENCE_MS = 60_000
SIZE = Size(24, 32)
EXPOSURE = 16


@pytest.fixture
def clip(tmp_path):
    """Forty frames with their spikes and a log."""
    random = np.random.default_rng(8)
    folder = tmp_path / "clip"
    (folder / "blur").mkdir(parents=True)
    for index in range(40):
        levels = random.integers(0, 160, (SIZE.height, SIZE.width, 3), dtype=np.uint8)
        Image.fromarray(levels).save(folder / "blur" / f"{index:04d}.png")
    planes = (random.random((40 * EXPOSURE, SIZE.height, SIZE.width)) < 0.3).astype(np.uint8)
    write_packed(folder / "spike.dat", planes)
    (folder / "config.yaml").write_text(
        f"spike_h: {SIZE.height}\nspike_w: {SIZE.width}\nspike_rate_hz: 1000\n"
    )
    return folder


@pytest.fixture
def start(qtbot):
    """Start the window with the real worker, and wait until packages were looked through."""
    windows = []

    def start(settings=None):
        studio = Studio(settings or Settings())
        window = MainWindow(studio, studio.settings)
        window.resize(1200, 800)
        with qtbot.waitSignal(studio.desk.restoring.found_changed, timeout=PATIENCE_MS):
            window.show()
        windows.append(window)
        return window

    yield start
    for window in windows:
        window.close()


def titles(window):
    box = window.restore_panel.method
    return [box.itemText(row) for row in range(box.count())]


def choose(window, title):
    box = window.restore_panel.method
    row = next(row for row in range(box.count()) if box.itemText(row).startswith(title))
    box.setCurrentIndex(row)
    box.activated.emit(row)


def restore(window, qtbot, clip, frame=0):
    studio = window.studio
    if studio.session.sequence is None:
        studio.open_source(SequenceSource(str(clip)))
        qtbot.waitUntil(lambda: studio.session.sequence is not None, timeout=PATIENCE_MS)
    studio.position.go(frame)
    with qtbot.waitSignal(studio.jobs.ended, timeout=PATIENCE_MS) as ended:
        studio.deblur_frame()
    return ended.args[0]


# ------------------------------------------------------------------ listed, chosen, used


def test_the_method_of_a_package_is_listed_chosen_and_restores(start, packages, clip, qtbot):
    packages.install_lab_method()
    window = start()
    assert "lab_method.restoring" not in sys.modules

    assert [title.partition(" (")[0] for title in titles(window)[-2:]] == ["Brighten", "Middle TFP"]
    action = window.actions_by_key["by_method_middle-tfp"]
    menu = [one.text() for one in window.actions_by_key.menus["Deblur"].actions()]
    at = menu.index("By the network")
    assert menu[at + 1 : at + 4] == ["By Brighten", "By Middle TFP", ""]
    assert action in window.tool_bar.deblur.menu().actions()
    assert action.shortcut() == QKeySequence("Ctrl+Alt+2")
    assert "the spikes of the middle quarter" in action.toolTip()

    action.trigger()
    assert window.settings.method == "middle-tfp"
    assert window.restore_panel.method.currentText() == "Middle TFP"
    assert "in grey" in window.restore_panel.card.text()
    assert "lab-method 1.0" in window.restore_panel.card.text()
    assert action.isChecked()
    assert not window.actions_by_key["by_network"].isChecked()

    status = restore(window, qtbot, clip, frame=3)
    assert (status.problem, status.frames_done) == ("", 1)
    result = window.studio.results.peek(Moment(3))
    grey = np.ptp(result.picture, axis=2)
    assert (result.method, result.looked_at, float(grey.max())) == ("middle-tfp", (Span(3, 4),), 0.0)
    assert "lab_method.restoring" not in sys.modules


def test_a_method_of_a_package_takes_its_own_models(start, packages, clip, tmp_path, qtbot):
    packages.install_lab_method()
    window = start()
    restoring = window.tabs.desk.restoring
    choose(window, "Brighten")
    assert "needs a model" in window.restore_panel.card.text()
    assert ".gain" in restoring.model_suffixes

    gain = tmp_path / "half.gain"
    gain.write_text("gain 0.5")
    with qtbot.waitSignal(restoring.found_changed, timeout=PATIENCE_MS):
        window.restore_panel.add_model(gain)
    assert (restoring.chosen.method, restoring.chosen.model) == ("brighten", str(gain))
    assert "gain 0.5" in window.restore_panel.card.text()
    assert window.settings.models == []

    assert restore(window, qtbot, clip, frame=2).problem == ""
    blurry = np.asarray(Image.open(clip / "blur" / "0002.png")) / 255
    np.testing.assert_allclose(window.studio.results.peek(Moment(2)).picture, blurry / 2, atol=1e-3)

    restoring.forget_model(str(gain))
    assert window.settings.models_of == {"brighten": []}
    bad = tmp_path / "bad.gain"
    bad.write_text("nothing of this kind")
    with qtbot.waitSignal(restoring.found_changed, timeout=PATIENCE_MS):
        window.restore_panel.add_model(bad)
    assert "this is no gain" in window.restore_panel.card.text().lower()
    assert any("bad.gain" in notice.line for notice in window.studio.notices)


def test_the_keys_of_a_method_can_be_changed_and_taken_keys_are_left_alone(start, packages):
    packages.install_lab_method()
    window = start(Settings(shortcuts={"fit": "Ctrl+Alt+1"}))
    actions = window.actions_by_key
    assert actions["by_method_brighten"].shortcut() == QKeySequence("Ctrl+Alt+2")
    assert actions["by_method_middle-tfp"].shortcut() == QKeySequence("Ctrl+Alt+3")
    editor = ShortcutEditor(actions, window.settings.shortcuts, window)
    editor.choose("by_method_middle-tfp")
    editor._change("by_method_middle-tfp", QKeySequence("Ctrl+Alt+M"))
    assert actions["by_method_middle-tfp"].shortcut() == QKeySequence("Ctrl+Alt+M")


# ------------------------------------------------------------------ chosen before, gone, broken


def test_a_method_that_was_chosen_is_chosen_again(start, packages, clip, tmp_path, qtbot):
    save_settings(Settings(method="middle-tfp"), tmp_path / "settings.json")
    settings, problems = load_settings(tmp_path / "settings.json")
    assert (settings.method, problems) == ("middle-tfp", [])
    packages.install_lab_method()
    window = start(settings)
    assert window.restore_panel.method.currentText() == "Middle TFP"
    assert window.actions_by_key["by_method_middle-tfp"].isChecked()
    assert restore(window, qtbot, clip).problem == ""


def test_a_method_that_is_gone_says_so_and_nothing_else_takes_its_place(start, clip, qtbot):
    window = start(Settings(method="middle-tfp"))
    assert window.restore_panel.method.currentText() == "middle-tfp (cannot be used)"
    assert "no such method" in window.restore_panel.card.text()
    assert "there is no method 'middle-tfp'" in restore(window, qtbot, clip).problem
    assert len(window.studio.results) == 0
    window.actions_by_key["by_ratio"].trigger()
    assert "middle-tfp" not in " ".join(titles(window))


WANTS_TORCH = "import torch\nMETHOD = None"
LOOK = """
import sys
from app.state.jobs.found_methods import look_for_methods
for one in look_for_methods({}):
    print(one.name, [str(problem) for problem in one.problems.values()])
print([name for name in ("torch", "cv2", "lab_method.restoring") if name in sys.modules])
import torch  # is possible again
"""


def test_the_window_has_no_torch_whatever_a_package_imports(packages):
    packages.install(
        "wants-torch",
        f"[{GROUP}]\nheavy = heavy_description:METHOD\n",
        modules={"heavy_description": WANTS_TORCH},
    )
    packages.install_lab_method()
    ended = subprocess.run(
        [sys.executable, "-c", LOOK], capture_output=True, text=True, timeout=120, check=True
    )
    brighten, heavy, middle, loaded = ended.stdout.splitlines()
    assert (brighten, middle, loaded) == ("brighten []", "middle-tfp []", "[]")
    assert "must not import torch" in heavy


def test_broken_packages_are_told_once_and_cost_the_others_nothing(start, packages, monkeypatch):
    # What is refused is another library here, since other tests have loaded torch in this process.
    monkeypatch.setattr("app.state.jobs.found_methods.FORBIDDEN", "a_heavy_library")
    packages.install("wants-torch", f"[{GROUP}]\nheavy = heavy_description:METHOD\n", "3.0")
    packages.install("no-module", f"[{GROUP}]\nnowhere = no_such_module:METHOD\n")
    packages.install("thief", f"[{GROUP}]\nspike-ratio = thief:METHOD\n")
    modules = {"heavy_description": "import a_heavy_library\nMETHOD = None", "a_heavy_library": ""}
    packages.install("heavy", "", modules=modules)
    packages.install_lab_method()

    window = start()
    window.tabs.desk.restoring._on_found(window.tabs.desk.restoring._found)

    told = [notice.line for notice in window.studio.notices]
    assert [notice.count for notice in window.studio.notices] == [1, 1, 1]
    assert any(
        "heavy of wants-torch 3.0" in line and "must not import a_heavy_library" in line for line in told
    )
    assert any("nowhere of no-module 1.0" in line for line in told)
    assert any("spike-ratio of thief 1.0 is not used" in line for line in told)
    assert titles(window)[0] == "Spike ratio"
    assert "Middle TFP" in titles(window)
    assert [title for title in titles(window) if title.endswith("(cannot be used)")]
    assert "by_method_heavy" not in window.actions_by_key.by_key
    window.actions_by_key["by_ratio"].trigger()
    assert window.tabs.desk.restoring.chosen.problem == ""


def test_importing_torch_is_possible_again_once_packages_were_looked_through():
    finders = list(sys.meta_path)
    look_for_methods({})
    assert sys.meta_path == finders


# ------------------------------------------------------------------ on what a result depends


def done_by(restorer, clip, windows, clip_frames, frames):
    """Restore frames in this process; return every FrameDone by its frame."""
    block = FrameBlock.create(len(frames), SIZE)
    try:
        request = RestoreRequest(
            1,
            SequenceSource(str(clip)),
            centres(range(frames.start, frames.stop)),
            "brighten",
            block.shared,
            windows=windows,
            options=ComputeOptions(clip_frames=clip_frames, tile=Size(64, 64)),
            model=str(clip / "x.gain"),
        )
        inbox, sent = Inbox(), {}

        def send(message):
            if isinstance(message, FrameDone):
                sent[message.frame] = message
                inbox.put(SlotReleased(1, message.slot))

        serve(JobRecord(request), restorer, inbox, send)
    finally:
        block.close()
    return sent


@pytest.mark.parametrize(
    ("frames", "clip_frames", "moved", "stale"),
    [
        (Span(8, 24), 16, 21, set(range(8, 24))),  # all of them in one clip
        (Span(0, 40), 16, 21, set(range(13, 27))),  # clips of 0 to 13, 13 to 26, 26 to 39
        (Span(0, 40), 16, 0, set(range(14))),
        (Span(0, 40), 1, 21, {21}),
        (Span(0, 40), 4, 21, set(range(18, 25))),  # the last of one clip and the first of the next
    ],
)
def test_a_result_is_stale_where_the_worker_would_compute_it_again(
    clip, packages, frames, clip_frames, moved, stale
):
    """A frame that comes at once, from the worker's results, is fresh; and every other one is not."""
    packages.install_lab_method()
    (clip / "x.gain").write_text("gain 0.5")
    windows = tuple(AlignmentWindow(i * EXPOSURE, (i + 1) * EXPOSURE) for i in range(40))
    edited = tuple(one.shifted(2.0 * (index == moved)) for index, one in enumerate(windows))
    restorer = SequenceRestorer()
    before = done_by(restorer, clip, windows, clip_frames, frames)
    after = done_by(restorer, clip, edited, clip_frames, frames)

    assert sorted(before) == sorted(after) == list(range(frames.start, frames.stop))
    fresh = {frame for frame, message in after.items() if message.seconds == 0.0}
    picture = np.zeros((2, 2, 3), np.float32)
    told_fresh = set()
    for frame, message in before.items():
        seen = tuple(Span(*span) for span in message.looked_at)
        result = Restored(picture, "brighten", 1.0, 0.1, windows, looked_at=seen)
        if was_made_from(result, 1.0, windows, edited):
            told_fresh.add(frame)
    assert told_fresh == fresh
    assert before.keys() - fresh == stale


def test_what_the_worker_says_a_result_depends_on_makes_it_stale_in_the_window(start, packages, clip, qtbot):
    packages.install_lab_method()
    gain = clip / "x.gain"
    gain.write_text("gain 0.5")
    window = start(Settings(method="brighten", model=str(gain), models_of={"brighten": [str(gain)]}))
    restoring = window.tabs.desk.restoring
    restoring.set_options(device="auto", precision="auto", tile_px=0, clip_frames=16, memory_gb=0.0)
    assert restore(window, qtbot, clip, frame=10).problem == ""
    studio = window.studio
    (seen,) = studio.results.peek(Moment(10)).looked_at
    assert len(seen) == 16
    assert not studio.is_stale(10)
    for frame in (seen.start - 1, seen.stop):
        if 0 <= frame < 40:
            studio.alignment.edits.nudge(frame, 1)
            assert not studio.is_stale(10)
    for frame in (seen.start, seen.stop - 1):
        studio.alignment.edits.nudge(frame, 1)
        assert studio.is_stale(10)
        studio.alignment.edits.stack.undo()
        assert not studio.is_stale(10)
