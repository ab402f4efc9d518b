"""A folder of sequences: listed at once, looked at when it is on screen."""

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from app.state.opening.data_set import Branch, DataSet, tree_of
from app.state.opening.sequence_facts import facts_of
from app.ui.data_set.data_set_model import PATH, DataSetModel, describe
from engine.errors import GeometryError, SequenceError
from engine.findings import Finding
from engine.source import SequenceSource

ROOT = Path("/data/set")
CLIPS = [ROOT / "train" / "a", ROOT / "train" / "b", ROOT / "雪 c.dat"]


@pytest.fixture
def data_set(pool, files, qtbot):
    data_set = DataSet(pool, files.open, lambda _: None, lister=lambda _: CLIPS)
    yield data_set
    files.gate.set()
    data_set.close()
    qtbot.waitUntil(lambda: not data_set._look_lane.busy)


def panel_of(window):
    return window.docks["data_set_panel"].widget()


@pytest.fixture
def several(files):
    error = SequenceError("several sequences are in this folder", path=ROOT)
    error.sequences = tuple(CLIPS)
    files.contents[str(ROOT)] = error
    return files


def test_sequences_stand_under_their_folders():
    assert tree_of(ROOT, CLIPS) == (
        Branch("train", None, (Branch("a", CLIPS[0]), Branch("b", CLIPS[1]))),
        Branch("雪 c.dat", CLIPS[2]),
    )


def test_folders_with_one_folder_are_one_branch():
    paths = [ROOT / "x/y/z/a", ROOT / "x/y/z/b"]
    (branch,) = tree_of(ROOT, paths)
    assert branch.name == "x/y/z"
    assert [below.path for below in branch.branches] == paths


def test_a_sequence_elsewhere_and_the_root_itself_are_listed_too():
    assert tree_of(ROOT, [Path("/else/train/clip")])[0].name == "else/train"
    assert tree_of(ROOT, [ROOT]) == (Branch("set", ROOT),)


def test_facts_say_what_is_there_and_what_is_missing(files):
    facts = facts_of(files.open, SequenceSource("clip"))
    assert (facts.frames, facts.planes, facts.lacks, facts.problem) == (10, 200, (), "")
    assert facts.thumbnail.shape == (60, 80, 3)
    files.contents["bare"] = {
        "recording": None,
        "has_reference": False,
        "findings": (Finding("odd", "Look at it"),),
    }
    facts = facts_of(files.open, SequenceSource("bare"))
    assert facts.lacks == ("no spikes", "no reference")
    assert describe(facts) == ("10 frames · 60 × 80", "no spikes · no reference · 1 note")
    assert all(sequence.closed for sequence in files.opened)


def test_a_broken_sequence_says_why(files):
    files.contents["bad"] = SequenceError("its frames differ in size", found="2 sizes")
    assert describe(facts_of(files.open, SequenceSource("bad"))) == (
        "Its frames differ in size (found 2 sizes)",
        "",
    )
    files.contents["unsaid"] = GeometryError("nothing says how large a plane is")
    assert facts_of(files.open, SequenceSource("unsaid")).needs_geometry
    files.contents["torn"] = {"broken": frozenset({0})}
    facts = facts_of(files.open, SequenceSource("torn"))
    assert facts.thumbnail is None
    assert "Not a picture" in facts.problem
    assert files.opened[-1].closed


def test_only_what_is_wanted_is_looked_at_and_the_newest_wish_counts(data_set, files, qtbot):
    data_set.show(ROOT, CLIPS)
    assert files.opened == []
    files.gate.clear()
    data_set.want(CLIPS)
    data_set.want([CLIPS[2]])
    files.gate.set()
    qtbot.waitUntil(lambda: data_set.facts(CLIPS[2]) is not None)
    assert [sequence.source.path for sequence in files.opened] == [str(CLIPS[0]), str(CLIPS[2])]
    data_set.want(CLIPS)
    qtbot.waitUntil(lambda: data_set.facts(CLIPS[1]) is not None)
    assert len(files.opened) == 3


def test_facts_of_another_data_set_are_dropped(data_set, files, qtbot):
    data_set.show(ROOT, CLIPS)
    files.gate.clear()
    data_set.want(CLIPS[:1])
    data_set.show(Path("/other"), CLIPS[:1])
    files.gate.set()
    qtbot.waitUntil(lambda: not data_set._look_lane.busy)
    assert data_set.facts(CLIPS[0]) is None


def test_an_unexpected_error_is_the_problem_of_one_sequence(data_set, files, qtbot):
    files.contents[str(CLIPS[0])] = OSError("the disk is gone")
    data_set.show(ROOT, CLIPS)
    data_set.want(CLIPS[:2])
    qtbot.waitUntil(lambda: data_set.facts(CLIPS[1]) is not None)
    assert "the disk is gone" in data_set.facts(CLIPS[0]).problem


def test_listing_again_forgets_what_was_known(data_set, qtbot):
    data_set.show(ROOT, CLIPS[:1])
    data_set.want(CLIPS[:1])
    qtbot.waitUntil(lambda: data_set.facts(CLIPS[0]) is not None)
    with qtbot.waitSignal(data_set.listed):
        data_set.reload()
    assert data_set.paths == tuple(CLIPS)
    assert data_set.facts(CLIPS[0]) is None


def test_a_folder_that_cannot_be_listed_is_told(pool, files, qtbot):
    def lister(_):
        raise SequenceError("nothing is there")

    data_set = DataSet(pool, files.open, lambda _: None, lister=lister)
    with qtbot.waitSignal(data_set.failed):
        data_set.open(ROOT)


def test_real_folders_are_listed_and_described(pool, qtbot, tmp_path):
    from PIL import Image

    for clip in ("one", "two"):
        for kind in ("blur", "sharp") if clip == "one" else ("blur",):
            folder = tmp_path / "set" / clip / kind
            folder.mkdir(parents=True)
            Image.new("RGB", (64, 48), "gray").save(folder / "0001.png")
    from app.state.session.session import open_with_engine

    data_set = DataSet(pool, open_with_engine, lambda _: None)
    with qtbot.waitSignal(data_set.listed):
        data_set.open(tmp_path / "set")
    data_set.want(data_set.paths)
    qtbot.waitUntil(lambda: all(data_set.facts(path) for path in data_set.paths))
    lacks = {path.name: data_set.facts(path).lacks for path in data_set.paths}
    assert lacks == {"one": ("no spikes",), "two": ("no spikes", "no reference")}
    (tmp_path / "set" / "two" / "blur" / "0001.png").write_bytes(b"broken")
    data_set.reload()
    qtbot.waitUntil(lambda: data_set.facts(data_set.paths[0]) is None)
    data_set.want(data_set.paths)
    qtbot.waitUntil(lambda: all(data_set.facts(path) for path in data_set.paths))
    assert data_set.facts(data_set.paths[1]).problem


def test_a_folder_of_several_shows_them_in_the_panel_and_opens_no_tab(window, several, qtbot):
    window.tabs.open_source(SequenceSource(str(ROOT)))
    panel = panel_of(window)
    qtbot.waitUntil(panel.isVisible)
    assert window.actions_by_key["data_set_panel"].isChecked()
    assert len(window.studio.notices) == 0
    assert window.studio.session.sequence is None
    assert "3 sequences" in panel.title.text()
    qtbot.waitUntil(lambda: all(window.data_set.facts(path) for path in CLIPS))
    assert "10 frames" in panel.model.index_of(CLIPS[0]).data(Qt.ItemDataRole.ToolTipRole)
    panel.grab()
    assert several.opened


@pytest.mark.usefixtures("several")
def test_a_double_click_opens_a_sequence_in_a_tab(window, qtbot):
    window.tabs.open_source(SequenceSource(str(ROOT)))
    panel = panel_of(window)
    qtbot.waitUntil(panel.isVisible)
    for clip in CLIPS[:2]:
        point = panel.tree.visualRect(panel.model.index_of(clip)).center()
        QTest.mouseClick(panel.tree.viewport(), Qt.MouseButton.LeftButton, pos=point)
        QTest.mouseDClick(panel.tree.viewport(), Qt.MouseButton.LeftButton, pos=point)
        qtbot.waitUntil(lambda clip=clip: window.studio.session.source == SequenceSource(str(clip)))
    assert len(window.tabs) == 2
    panel.tree.setFocus()
    panel.tree.setCurrentIndex(panel.model.index_of(CLIPS[2]))
    QTest.keyClick(panel.tree, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: len(window.tabs) == 3)


@pytest.mark.usefixtures("several")
def test_the_filter_leaves_what_has_the_name(window, qtbot):
    window.tabs.open_source(SequenceSource(str(ROOT)))
    panel = panel_of(window)
    qtbot.waitUntil(panel.isVisible)
    QTest.keyClicks(panel.filter, "c.DAT")
    assert not panel.model.index_of(CLIPS[0]).isValid()
    assert panel.model.index_of(CLIPS[2]).isValid()
    panel.filter.clear()
    assert panel.model.index_of(CLIPS[0]).data(PATH) == CLIPS[0]


def test_views_find_their_way_through_the_model(data_set, qtmodeltester):
    model = DataSetModel(data_set)
    data_set.show(ROOT, CLIPS)
    qtmodeltester.check(model)
    assert model.index_of(CLIPS[1]).parent().data() == "train"
    model.filter("TRAIN/B")
    qtmodeltester.check(model)
    assert model.count == 1


def test_the_only_sequence_of_a_folder_is_opened_at_once(window, files, qtbot):
    error = SequenceError("the sequence lies deeper", path=ROOT)
    error.sequences = (CLIPS[0],)
    files.contents[str(ROOT)] = error
    window.tabs.open_source(SequenceSource(str(ROOT), gamma=2.2))
    qtbot.waitUntil(lambda: window.studio.session.sequence is not None)
    assert window.studio.session.source == SequenceSource(str(CLIPS[0]), gamma=2.2)


def test_without_a_data_set_the_panel_says_how_to_get_one(window, qtbot):
    window.actions_by_key["data_set_panel"].trigger()
    panel = panel_of(window)
    qtbot.waitUntil(panel.isVisible)
    assert panel.button.isVisible()
    window.actions_by_key["reload_data_set"].trigger()
    assert panel.tree.indexAt(QPoint(5, 5)).data(PATH) is None


def test_only_the_newest_thousand_are_remembered(data_set, qtbot, monkeypatch):
    monkeypatch.setattr("app.state.opening.data_set.MOST_KNOWN", 2)
    data_set.show(ROOT, CLIPS)
    data_set.want(CLIPS)
    qtbot.waitUntil(lambda: data_set.facts(CLIPS[2]) is not None)
    assert data_set.facts(CLIPS[0]) is None
    assert np.isfinite(data_set.facts(CLIPS[1]).frames)
