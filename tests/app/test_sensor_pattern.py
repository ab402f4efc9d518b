"""The sensor's pattern in the window: a pane of its own, kept with clicks, used again only with a word."""

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialogButtonBox, QFileDialog, QLineEdit, QMessageBox
from shiboken6 import isValid

from app.settings import Settings
from app.state.compare.comparing import BLURRY, PATTERN, REFERENCE, Choice
from app.state.compare.results import Restored, spikes_of
from app.state.session.session import open_with_engine
from app.state.studio import Studio
from app.ui.dialogs.reading_dialog import ReadingDialog
from engine.errors import RecordingError
from engine.fixed_pattern import FixedPattern, matching
from engine.fixed_pattern.kept import read_pattern, write_pattern
from engine.fixed_pattern.matching import Match
from engine.moment import Moment
from engine.recording import write_packed
from engine.source import SequenceSource
from engine.worker.messages import Accepted, Finished

LEFT = Qt.MouseButton.LeftButton
HEIGHT, WIDTH = 30, 40


def pattern(known=1.0, seed=0, height=HEIGHT, width=WIDTH):
    """A pattern of which the uppermost part is known; its first pixel has a gain of 1.25."""
    gain = (1 + 0.04 * np.random.default_rng(seed).standard_normal((height, width))).astype(np.float32)
    gain[0, 0] = 1.25
    told = np.zeros_like(gain)
    told[: round(known * height)] = 1
    return FixedPattern(np.where(told > 0, gain, np.float32(1)), told, None, "recording", 12)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "sensors"


@pytest.fixture
def studio(qtbot, files, client, folder):
    studio = Studio(Settings(), make_client=lambda: client, opener=files.open, patterns_folder=folder)
    with qtbot.captureExceptions() as exceptions:
        yield studio
    assert not exceptions
    for sequence in files.opened:
        sequence.gate.set()
    studio.close() if isValid(studio) else studio.desk.close()


@pytest.fixture
def proven(monkeypatch):
    monkeypatch.setattr(matching, "match_pattern", lambda *_: Match(1.0, 0.01))


@pytest.fixture
def native_dialogs_off():
    QApplication.setAttribute(Qt.ApplicationAttribute.AA_DontUseNativeDialogs, True)
    yield
    QApplication.setAttribute(Qt.ApplicationAttribute.AA_DontUseNativeDialogs, False)


def open_now(window, qtbot, source=None):
    studio = window.studio
    with qtbot.waitSignal(studio.session.opened):
        studio.open_source(source or SequenceSource("clip"))
    qtbot.waitUntil(lambda: studio.pictures.view is not None)
    return studio


def show_pattern(window, qtbot, slot=1):
    window.studio.comparison.set_active(slot)
    window.actions_by_key["show_pattern"].trigger()
    pane = window.workspace.panes.panes[slot]
    qtbot.waitUntil(lambda: window.studio.sensor.why_missing != "computing")
    return pane


def shown(window, kind):
    return [child for child in window.findChildren(kind) if child.isVisible()]


def hover(pane, x, y):
    pane.pixel_hovered.emit((x, y))


def notices(studio):
    return [notice.title for notice in studio.notices]


# ---------------------------------------------------------------------- the pane


def test_a_key_shows_the_pattern_and_what_it_was_measured_on(window, files, qtbot):
    files.contents["clip"] = {"pattern": pattern(known=0.5)}
    open_now(window, qtbot)
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    window.studio.comparison.set_active(1)
    QTest.keyClick(window, Qt.Key.Key_P)
    pane = window.workspace.panes.second
    qtbot.waitUntil(lambda: pane.item.picture is not None)
    assert pane.title.text() == "Sensor pattern"
    spread = np.std(pattern(known=0.5).gain[:15])
    about = (
        f"spread {100 * spread:.2g} %, known in 50 % of the pixels, measured on 12 windows of this recording"
    )
    qtbot.waitUntil(lambda: pane.readout.text() == about)
    assert f"white {300 * spread:.1f} % more" in pane.title.toolTip()
    assert pane.item.picture.size.height == HEIGHT


def test_the_gain_of_the_pixel_under_the_mouse_is_told(window, files, qtbot):
    files.contents["clip"] = {"pattern": pattern(known=0.5)}
    open_now(window, qtbot)
    pane = show_pattern(window, qtbot)
    qtbot.waitUntil(lambda: pane.item.picture is not None)
    hover(pane, 1, 1)  # the frame has twice as many pixels as the sensor either way
    assert pane.readout.text() == "gain 1.250 (+25.0 %)"
    qtbot.waitUntil(lambda: window._status.spikes.text().endswith(", gain 1.250"))
    hover(pane, 1, 59)
    assert pane.readout.text() == "gain not known"
    qtbot.waitUntil(lambda: window._status.spikes.toolTip() == "Pixel (0, 29) of the spike camera")
    assert "gain" not in window._status.spikes.text()
    pane.pixel_hovered.emit(None)
    assert pane.readout.text().startswith("spread ")


def test_where_nothing_moves_the_pane_says_so_and_offers_a_flat_field(window, qtbot):
    open_now(window, qtbot)
    pane = show_pattern(window, qtbot)
    qtbot.waitUntil(lambda: pane.hint.label.text().startswith("Nothing is known of the sensor's pattern"))
    assert pane.item.picture is None
    assert not window.actions_by_key["use_pattern"].isEnabled()
    QTest.mouseClick(pane.hint.button, LEFT)
    (dialog,) = shown(window, ReadingDialog)
    dialog.reject()


def test_why_there_is_none_is_told(window, files, qtbot):
    open_now(window, qtbot, SequenceSource("clip", flat="none"))
    pane = show_pattern(window, qtbot)
    qtbot.waitUntil(lambda: pane.hint.label.text() == "The sensor's pattern is not corrected, as was said.")
    files.contents["broken"] = {
        "pattern": RecordingError("it cannot be read", path="a.dat", advice="copy it")
    }
    open_now(window, qtbot, SequenceSource("broken"))
    qtbot.waitUntil(lambda: pane.hint.label.text() == "a.dat: It cannot be read. Copy it")
    files.contents["frames"] = {"recording": None}
    open_now(window, qtbot, SequenceSource("frames"))
    qtbot.waitUntil(lambda: pane.hint.label.text().startswith("Only the recording of a spike camera"))
    assert not window.actions_by_key["keep_pattern"].isEnabled()


def test_nothing_is_measured_before_somebody_looks(window, files, qtbot):
    files.contents["clip"] = {"pattern": AssertionError("nobody has asked")}
    studio = open_now(window, qtbot)
    assert (studio.sensor.pattern, studio.sensor.why_missing) == (None, "")


def test_the_window_goes_on_while_it_is_measured(window, files, qtbot):
    files.contents["clip"] = {"pattern": pattern()}
    studio = open_now(window, qtbot)
    files.opened[-1].gate.clear()
    window.studio.comparison.choose(1, Choice(PATTERN))
    assert studio.sensor.why_missing == "computing"
    files.opened[-1].gate.set()
    qtbot.waitUntil(lambda: studio.pictures.view.picture(Choice(PATTERN)) is not None)
    studio.position.go(3)
    qtbot.waitUntil(lambda: studio.pictures.view.index == 3)
    assert studio.pictures.view.picture(Choice(PATTERN)) is studio.sensor.picture.display


def test_the_pattern_of_the_sequence_before_is_not_shown(window, files, qtbot):
    files.contents["clip"] = {"pattern": pattern()}
    open_now(window, qtbot)
    pane = show_pattern(window, qtbot)
    qtbot.waitUntil(lambda: pane.item.picture is not None)
    open_now(window, qtbot, SequenceSource("other"))
    qtbot.waitUntil(lambda: pane.hint.label.text().startswith("Nothing is known"))
    assert pane.item.picture is None
    assert pane.readout.text() == ""


def test_nothing_is_subtracted_from_a_pattern(studio):
    comparison = studio.comparison
    comparison.choose(0, Choice(PATTERN, REFERENCE))
    comparison.choose(1, Choice(BLURRY, PATTERN))
    assert comparison.shown == (Choice(PATTERN), Choice(BLURRY))
    comparison.take_values({"choices": [["pattern", "blurry"]]})
    assert comparison.choice(0) == Choice(PATTERN)


def test_contrast_does_not_change_what_grey_means(window, files, qtbot):
    files.contents["clip"] = {"pattern": pattern()}
    studio = open_now(window, qtbot)
    show_pattern(window, qtbot)
    qtbot.waitUntil(lambda: studio.pictures.view.picture(Choice(PATTERN)) is not None)
    window.actions_by_key["auto_contrast"].trigger()
    qtbot.waitUntil(lambda: studio.pictures.view.look == studio.comparison.look)
    assert studio.pictures.view.picture(Choice(PATTERN)) is studio.sensor.picture.display


# ---------------------------------------------------------------------- keeping it


def test_the_menu_of_the_pane_keeps_it_and_undo_forgets_it(window, files, qtbot, folder):
    files.contents["clip"] = {"pattern": pattern()}
    studio = open_now(window, qtbot)
    pane = show_pattern(window, qtbot)
    pane.menu.aboutToShow.emit()
    texts = [action.text() for action in pane.menu.actions()]
    at = texts.index("Use for this sensor from now on")
    with qtbot.waitSignal(studio.sensor.written):
        pane.menu.actions()[at].trigger()
    (path,) = folder.iterdir()
    assert path.name.startswith("fake_30x40_")
    assert (read_pattern(path).gain == pattern().gain).all()
    banner = window.banner
    assert banner.title.text().startswith("Kept: recordings of this sensor")
    assert banner.act.text() == "Undo"
    QTest.mouseClick(banner.act, LEFT)
    assert list(folder.iterdir()) == []
    assert banner.title.text() == "The pattern is not kept any more"


def test_closing_the_sequence_takes_the_buttons_of_its_messages_away(window, files, qtbot, folder):
    files.contents["clip"] = {"pattern": pattern()}
    studio = open_now(window, qtbot)
    with qtbot.waitSignal(studio.sensor.written):
        window.actions_by_key["use_pattern"].trigger()
    assert len(studio.notices) == 1
    window.actions_by_key["close"].trigger()
    assert len(studio.notices) == 0
    assert len(list(folder.iterdir())) == 1


def test_it_is_measured_first_where_nobody_has_looked_yet(window, files, qtbot, folder):
    files.contents["clip"] = {"pattern": pattern()}
    studio = open_now(window, qtbot)
    with qtbot.waitSignal(studio.sensor.written):
        window.actions_by_key["use_pattern"].trigger()
    assert len(list(folder.iterdir())) == 1
    open_now(window, qtbot, SequenceSource("still"))
    window.actions_by_key["keep_pattern"].trigger()
    qtbot.waitUntil(lambda: "Nothing is known of this sensor's pattern that could be kept" in notices(studio))
    assert shown(window, QFileDialog) == []


@pytest.mark.usefixtures("native_dialogs_off")
def test_it_is_saved_where_the_user_says(window, files, qtbot, tmp_path):
    files.contents["clip"] = {"pattern": pattern()}
    studio = open_now(window, qtbot)
    window.actions_by_key["keep_pattern"].trigger()
    qtbot.waitUntil(lambda: len(shown(window, QFileDialog)) == 1)
    (dialog,) = shown(window, QFileDialog)
    assert [name.rsplit("/", 1)[-1] for name in dialog.selectedFiles()] == ["fake_sensor.npz"]
    name = dialog.findChild(QLineEdit)
    name.clear()
    QTest.keyClicks(name, str(tmp_path / "mine"))
    with qtbot.waitSignal(studio.sensor.written):
        dialog.accept()
    assert (read_pattern(tmp_path / "mine.npz").gain == pattern().gain).all()
    assert notices(studio) == ["Sensor's pattern saved"]


def test_a_folder_that_refuses_is_told(window, files, qtbot, folder):
    folder.write_text("a file where the folder should be")
    files.contents["clip"] = {"pattern": pattern()}
    studio = open_now(window, qtbot)
    with qtbot.waitSignal(studio.sensor.failed):
        window.actions_by_key["use_pattern"].trigger()
    assert [notice.severity for notice in studio.notices] == ["error"]


# ---------------------------------------------------------------------- using it again


def keep(folder, kept, name="car"):
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}_30x40_{kept.digest[:8]}.npz"
    write_pattern(kept, path)
    return path


@pytest.mark.usefixtures("proven")
def test_a_proven_pattern_is_used_with_a_word_and_can_be_refused_for_good(window, folder, qtbot):
    path = keep(folder, pattern())
    studio = open_now(window, qtbot)
    qtbot.waitUntil(lambda: studio.session.source.flat == str(path))
    assert window.banner.title.text() == "The pattern kept of this sensor is used: car"
    assert not window.banner._leave.isActive()  # it stays until somebody has read it
    assert studio.session.said == SequenceSource("clip")
    assert studio.desk.recent.sources == (SequenceSource("clip"),)
    pane = show_pattern(window, qtbot)
    qtbot.waitUntil(lambda: pane.readout.text().endswith(", kept of car"))
    assert window.banner.act.text() == "Do not use"
    with qtbot.waitSignal(studio.session.opened):
        QTest.mouseClick(window.banner.act, LEFT)
    assert studio.session.source.flat is None
    assert studio.settings.own_patterns == ["clip"]
    assert notices(studio) == []
    open_now(window, qtbot, SequenceSource("other"))
    qtbot.waitUntil(lambda: studio.session.source.flat == str(path))
    open_now(window, qtbot)
    qtbot.waitUntil(lambda: not studio.sensor._looking.busy and not studio.session.busy)
    assert studio.session.source.flat is None
    assert notices(studio) == []


@pytest.mark.parametrize(
    "match", [Match(0.3, 0.1), Match(0.2, 0.03), Match(0.0, 0.02), Match(0.0, float("inf"))]
)
def test_what_is_not_proven_is_not_used(window, folder, qtbot, monkeypatch, match):
    monkeypatch.setattr(matching, "match_pattern", lambda *_: match)
    keep(folder, pattern())
    studio = open_now(window, qtbot)
    qtbot.waitUntil(lambda: not studio.sensor._looking.busy)
    assert (studio.session.source.flat, notices(studio)) == (None, [])


@pytest.mark.usefixtures("proven")
def test_a_recording_that_tells_more_itself_needs_none(window, files, folder, qtbot):
    keep(folder, pattern(known=0.5))
    files.contents["clip"] = {"pattern": pattern(known=0.8)}
    studio = open_now(window, qtbot)
    qtbot.waitUntil(lambda: not studio.sensor._looking.busy)
    assert studio.session.source.flat is None


@pytest.mark.usefixtures("proven")
def test_what_the_user_says_is_not_overruled(window, folder, qtbot):
    keep(folder, pattern())
    studio = open_now(window, qtbot, SequenceSource("clip", flat="none"))
    qtbot.waitUntil(lambda: not studio.sensor._looking.busy)
    assert (studio.session.source.flat, notices(studio)) == ("none", [])


@pytest.mark.usefixtures("proven")
def test_a_running_job_is_not_cut_short(window, client, folder, qtbot):
    studio = open_now(window, qtbot)
    studio.deblur_frame()
    qtbot.waitUntil(lambda: studio.jobs.is_running)
    path = keep(folder, pattern())
    studio.sensor.found.emit(path)
    assert studio.session.opening is None
    client.answers = [Accepted(1, 1, 1), Finished(1, 0.1)]
    qtbot.waitUntil(lambda: studio.session.source.flat == str(path))


@pytest.mark.usefixtures("proven")
def test_results_from_before_are_stale(window, folder, qtbot):
    studio = open_now(window, qtbot)
    before = spikes_of(studio.session.source)
    picture = np.full((60, 80, 3), 0.5, np.float32)
    studio._on_frame_restored(Moment(0), Restored(picture, "network", 1.0, 0.1, spikes=before))
    path = keep(folder, pattern())
    studio.session.add_flat(str(path))
    qtbot.waitUntil(lambda: studio.session.source.flat == str(path))
    assert studio.is_stale(0)
    title = window.workspace.panes.second.title
    qtbot.waitUntil(
        lambda: title.text().startswith("Restored · stale: spikes are read or corrected otherwise · network")
    )


@pytest.mark.usefixtures("proven")
def test_it_stays_while_other_things_are_said_and_goes_with_another_recording(window, folder, qtbot):
    path = keep(folder, pattern())
    studio = open_now(window, qtbot)
    qtbot.waitUntil(lambda: studio.session.added_flat == str(path))
    with qtbot.waitSignal(studio.session.opened):
        studio.set_gamma(2.2)
    assert (studio.session.source.flat, studio.session.added_flat) == (str(path), str(path))
    assert len(studio.notices) == 1
    path.unlink()
    with qtbot.waitSignal(studio.session.opened):
        studio.session.reopen(spikes="other.dat")
    assert (studio.session.source.flat, studio.session.added_flat) == (None, None)
    assert notices(studio) == []


@pytest.mark.usefixtures("proven")
def test_a_damaged_kept_file_is_told_once_and_left_alone(window, folder, qtbot):
    folder.mkdir()
    damaged = folder / "damaged.npz"
    damaged.write_bytes(b"PK but no archive")
    studio = open_now(window, qtbot)
    qtbot.waitUntil(lambda: len(studio.notices) == 1)
    (notice,) = studio.notices
    assert notice.title.startswith("A kept pattern cannot be used, and is left as it is: ")
    assert (notice.where, notice.count) == (str(damaged), 1)
    assert damaged.read_bytes() == b"PK but no archive"
    open_now(window, qtbot, SequenceSource("other"))
    qtbot.waitUntil(lambda: not studio.sensor._looking.busy)
    assert [one.count for one in studio.notices] == [1]


def test_a_kept_pattern_that_is_gone_is_told_and_the_recordings_own_used(window, folder, qtbot):
    path = keep(folder, pattern())
    path.unlink()
    studio = open_now(window, qtbot, SequenceSource("clip", flat=str(path)))
    assert studio.session.source.flat is None
    assert notices(studio) == ["The kept pattern of the sensor is not there any more"]


# ---------------------------------------------------------------------- the dialog


def ask(window):
    window.actions_by_key["reading"].trigger()
    (dialog,) = shown(window, ReadingDialog)
    return dialog


def accept(dialog):
    button = dialog.findChild(QDialogButtonBox).button(QDialogButtonBox.StandardButton.Open)
    QTest.mouseClick(button, LEFT)


def drop(dialog, *paths):
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    action, keys = Qt.DropAction.CopyAction, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPoint(5, 5), action, mime, LEFT, keys)
    dialog.dragEnterEvent(enter)
    if enter.isAccepted():
        dialog.dropEvent(QDropEvent(QPointF(5, 5), action, mime, LEFT, keys))
    return enter.isAccepted()


@pytest.mark.usefixtures("native_dialogs_off")
def test_nothing_a_file_or_the_recording_itself_can_be_chosen(window, qtbot, tmp_path):
    flat = tmp_path / "flat field.npz"
    write_pattern(pattern(), flat)
    studio = open_now(window, qtbot)
    dialog = ask(window)
    what = dialog.pattern.what
    assert what.currentText() == "This recording, where enough moves"
    QTest.keyClick(what, Qt.Key.Key_Down)
    assert what.currentText() == "Nothing: it is not corrected"
    with qtbot.waitSignal(studio.session.opened):
        accept(dialog)
    assert studio.session.source.flat == "none"
    dialog = ask(window)
    assert dialog.pattern.flat == "none"
    QTest.mouseClick(dialog.pattern.choose_file, LEFT)
    (file_dialog,) = shown(dialog, QFileDialog)
    file_dialog.selectFile(str(flat))
    file_dialog.accept()
    assert dialog.pattern.what.currentText() == "flat field.npz"
    with qtbot.waitSignal(studio.session.opened):
        accept(dialog)
    assert studio.session.source.flat == str(flat)
    assert studio.desk.recent.sources == (SequenceSource("clip", flat=str(flat)),)
    dialog = ask(window)
    assert dialog.pattern.flat == str(flat)
    dialog.pattern.what.setCurrentIndex(0)
    with qtbot.waitSignal(studio.session.opened):
        accept(dialog)
    assert studio.session.source.flat is None


def test_one_file_can_be_dropped(window, qtbot, tmp_path):
    open_now(window, qtbot)
    dialog = ask(window)
    assert not drop(dialog, tmp_path / "a.dat", tmp_path / "b.dat")
    assert drop(dialog, tmp_path / "flat.dat")
    assert dialog.pattern.flat == str(tmp_path / "flat.dat")
    dialog.reject()


def test_a_file_that_cannot_be_used_leaves_the_sequence_open(window, files, qtbot):
    studio = open_now(window, qtbot)
    dialog = ask(window)
    dialog.pattern.choose("/gone/flat.dat")
    files.contents["clip"] = RecordingError("no flat field: it shows a scene", path="/gone/flat.dat")
    with qtbot.waitSignal(studio.session.failed):
        accept(dialog)
    assert studio.session.source == SequenceSource("clip")
    assert notices(studio) == ["No flat field: it shows a scene"]


def test_kept_patterns_of_this_size_are_offered_and_any_is_forgotten_when_confirmed(window, qtbot, folder):
    path = keep(folder, pattern())
    other = folder / "lab_250x400_00000000.npz"
    other.write_bytes(b"of another size")
    studio = open_now(window, qtbot)
    dialog = ask(window)
    offered = [dialog.pattern.what.itemText(row) for row in range(dialog.pattern.what.count())]
    assert offered[2:] == ["Kept: car · 30 × 40"]
    dialog.pattern.choose(str(path))
    menu = dialog.pattern.forget.menu()
    assert sorted(action.text() for action in menu.actions()) == ["car · 30 × 40", "lab · 250 × 400"]
    forget = next(action for action in menu.actions() if action.text().startswith("car"))
    forget.trigger()
    (box,) = shown(dialog, QMessageBox)
    QTest.mouseClick(box.button(QMessageBox.StandardButton.Cancel), LEFT)
    assert path.exists()
    forget.trigger()
    (box,) = shown(dialog, QMessageBox)
    QTest.mouseClick(next(one for one in box.buttons() if one.text() == "Forget"), LEFT)
    assert not path.exists()
    assert other.exists()
    assert dialog.pattern.flat is None
    assert [action.text() for action in menu.actions()] == ["lab · 250 × 400"]
    dialog.reject()
    assert notices(studio) == ["The pattern is not kept any more"]


@pytest.mark.usefixtures("proven")
def test_forgetting_what_is_in_use_opens_the_sequence_without_it(window, qtbot, folder):
    path = keep(folder, pattern())
    studio = open_now(window, qtbot)
    qtbot.waitUntil(lambda: studio.session.added_flat == str(path))
    dialog = ask(window)
    dialog.pattern.forget.menu().actions()[0].trigger()
    (box,) = shown(dialog, QMessageBox)
    with qtbot.waitSignal(studio.session.opened):
        QTest.mouseClick(next(one for one in box.buttons() if one.text() == "Forget"), LEFT)
    assert studio.session.source.flat is None
    with qtbot.waitSignal(studio.session.opened):
        accept(dialog)
    assert studio.settings.own_patterns == []  # it was forgotten, not refused


@pytest.mark.usefixtures("proven")
def test_choosing_the_recording_instead_of_a_kept_pattern_is_remembered(window, qtbot, folder):
    path = keep(folder, pattern())
    studio = open_now(window, qtbot)
    qtbot.waitUntil(lambda: studio.session.added_flat == str(path))
    dialog = ask(window)
    assert dialog.pattern.what.currentText() == "Kept: car · 30 × 40"
    dialog.pattern.what.setCurrentIndex(0)
    with qtbot.waitSignal(studio.session.opened):
        accept(dialog)
    assert studio.settings.own_patterns == ["clip"]
    dialog = ask(window)
    dialog.pattern.choose(str(path))
    with qtbot.waitSignal(studio.session.opened):
        accept(dialog)
    assert studio.settings.own_patterns == []
    assert (studio.session.source.flat, studio.session.added_flat) == (str(path), None)


# ---------------------------------------------------------------------- real files


def record(path, gain, seed=0):
    """Spikes of a still, smooth scene on a sensor of pixels that integrate light and keep the residue."""
    height, width = gain.shape
    y, x = np.mgrid[:height, :width]
    light = 0.25 + 0.1 * np.sin(x / 15) * np.cos(y / 11)
    charge = np.random.default_rng(seed).random(gain.shape)
    path.parent.mkdir()
    planes = np.zeros((1200, height, width), np.uint8)
    for plane in planes:
        charge += gain * light
        plane[:] = charge >= 1
        charge -= plane
    write_packed(path, planes, flip=False)
    return path


def test_a_still_recording_of_a_kept_sensor_is_corrected_and_one_of_another_sensor_is_not(
    qtbot, client, folder, tmp_path
):
    draw = np.random.default_rng(5).standard_normal
    own, other = (np.float32(1) + np.float32(0.037) * draw((64, 96)).astype(np.float32) for _ in range(2))
    kept = FixedPattern(own, np.ones_like(own), None, "flat field", 16)
    folder.mkdir()
    path = folder / f"flat_64x96_{kept.digest[:8]}.npz"
    write_pattern(kept, path)
    studio = Studio(Settings(), make_client=lambda: client, opener=open_with_engine, patterns_folder=folder)
    try:
        for name, gain, flat in (("same", own, str(path)), ("other", other, None)):
            recording = record(tmp_path / name / f"{name}.dat", gain, seed=len(name))
            source = SequenceSource(str(recording), height=64, width=96, flip=False)
            with qtbot.waitSignal(studio.session.opened, timeout=30_000):
                studio.open_source(source)
            idle = lambda: not (studio.sensor._looking.busy or studio.session.busy)  # noqa: E731
            qtbot.waitUntil(idle, timeout=30_000)
            assert studio.session.source.flat == flat, name
        studio.comparison.choose(1, Choice(PATTERN))
        qtbot.waitUntil(lambda: studio.sensor.why_missing == "not told", timeout=30_000)
    finally:
        studio.close()
