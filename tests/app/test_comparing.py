import numpy as np
import pytest

from app.display import NEUTRAL, Look, display_difference
from app.state.compare.comparing import (
    BLURRY,
    RATIO,
    REFERENCE,
    RESTORED,
    TFI,
    TFP,
    Choice,
    Comparison,
    maker_of,
    result_source,
)
from app.state.compare.probe import SpikeProbe
from app.state.compare.results import Restored
from engine.geometry import Region
from engine.moment import Moment
from engine.source import SequenceSource


@pytest.fixture
def comparison():
    return Comparison()


def shows(comparison):
    return tuple(choice.source for choice in comparison.shown)


def test_two_panes_at_first_and_up_to_four(comparison):
    assert shows(comparison) == (BLURRY, RESTORED)
    comparison.arrange(4)
    assert shows(comparison) == (BLURRY, RESTORED, REFERENCE, TFP)
    comparison.arrange(9)
    assert comparison.count == 4
    comparison.arrange(0)
    assert shows(comparison) == (BLURRY,)


def test_keys_speak_to_the_active_pane(comparison):
    comparison.set_active(1)
    comparison.choose_source(TFI)
    assert shows(comparison) == (BLURRY, TFI)
    comparison.subtract(REFERENCE)
    assert comparison.shown[1] == Choice(TFI, REFERENCE)
    comparison.subtract(REFERENCE)
    assert comparison.shown[1] == Choice(TFI)
    comparison.set_active(3)  # hidden: the last one that is shown is meant
    assert comparison.active == 1


def test_nothing_is_subtracted_from_itself(comparison):
    comparison.choose(0, Choice(TFP, TFP))
    assert comparison.shown[0] == Choice(TFP)


def test_flipping_goes_one_pane_on_and_back(comparison):
    comparison.arrange(3)
    comparison.flip(True)
    assert shows(comparison) == (RESTORED, REFERENCE, BLURRY)
    comparison.flip(False)
    assert shows(comparison) == (BLURRY, RESTORED, REFERENCE)


def test_one_pane_flips_to_a_picture_that_is_ready(comparison):
    comparison.arrange(1)
    assert comparison.wanted.sources == {BLURRY, RESTORED}
    comparison.flip(True)
    assert shows(comparison) == (RESTORED,)


def test_a_wipe_shows_two_pictures_in_one_pane(comparison):
    comparison.arrange(3)
    comparison.wipe()
    assert (comparison.count, shows(comparison)) == (1, (BLURRY, RESTORED))
    comparison.arrange(2)
    assert not comparison.wiping


def test_blinking_flips_until_it_is_stopped(comparison, qtbot):
    comparison._blink.setInterval(5)
    with qtbot.waitSignals([comparison.arranged] * 3):
        comparison.blink(True)
    comparison.blink(False)
    assert not comparison.flipped


def test_results_are_gone_round(comparison):
    comparison.set_active(1)
    seen = []
    for _ in range(4):
        comparison.next_result(["network", "spike-ratio"])
        seen.append(comparison.shown[1].source)
    assert [maker_of(source) for source in seen] == ["network", "spike-ratio", None, "network"]


def test_choices_come_back_and_what_is_no_choice_is_passed_over(comparison):
    comparison.arrange(3)
    comparison.choose(2, Choice(result_source("network"), BLURRY))
    again = Comparison()
    again.take_values(comparison.to_values())
    assert again.shown == comparison.shown
    again.take_values({"choices": [["nonsense", ""], 5, ["tfp"]], "count": True, "wipe": "yes"})
    assert again.shown[2] == Choice(result_source("network"), BLURRY)
    assert not again.wiping


def test_contrast_is_fitted_to_what_most_values_are(comparison):
    values = np.full((100, 100, 3), 0.4, np.float32)
    values[:50] = 0.2
    values[0, 0] = 1.0
    comparison.fit_look(values)
    assert (comparison.look.black, comparison.look.white) == pytest.approx((0.2, 0.4))
    comparison.set_look(NEUTRAL)
    comparison.fit_look(np.full((10, 10, 3), 0.4, np.float32))
    assert comparison.look == NEUTRAL


def test_look_is_a_line_and_a_power():
    picture = np.linspace(0, 1, 12, dtype=np.float32).reshape(2, 2, 3)
    look = Look(0.25, 0.75, 2.0)
    expected = np.clip((picture - 0.25) / 0.5, 0, 1) ** 0.5
    np.testing.assert_allclose(look.apply(picture), expected, atol=1e-6)
    assert NEUTRAL.apply(picture) is picture


def test_a_difference_is_grey_where_nothing_differs():
    one = np.full((4, 4, 3), 0.5, np.float32)
    other = one.copy()
    other[0] = 0.45
    shown = display_difference(one, other, 4.0).rgb
    assert (shown[1:] == 128).all()
    assert (shown[0] == int((0.5 + 4 * 0.05) * 255 + 0.5)).all()


# ------------------------------------------------------------------ the pictures that are asked for


@pytest.fixture
def opened(studio, qtbot):
    studio.open_source(SequenceSource("clip"))
    qtbot.waitUntil(lambda: studio.pictures.view is not None)
    return studio


def choose(studio, slot, choice, qtbot):
    studio.comparison.choose(slot, choice)
    qtbot.waitUntil(lambda: studio.pictures.view.picture(choice) is not None)
    return studio.pictures.view.picture(choice)


def test_a_reference_and_a_difference_are_read_when_they_are_wanted(opened, qtbot):
    reference = choose(opened, 1, Choice(REFERENCE), qtbot)
    assert (reference.rgb == round(0.1 * 255)).all()
    difference = choose(opened, 1, Choice(REFERENCE, BLURRY), qtbot)
    assert (difference.rgb == int((0.5 + 4 * 0.1) * 255 + 0.5)).all()
    opened.comparison.set_gain(1.0)
    qtbot.waitUntil(lambda: opened.pictures.view.gain == 1.0)
    assert (opened.pictures.view.picture(Choice(REFERENCE, BLURRY)).rgb == int(0.6 * 255 + 0.5)).all()


def test_every_picture_is_of_the_frame_on_screen(opened, qtbot):
    opened.comparison.choose(1, Choice(REFERENCE))
    told = []
    opened.pictures.changed.connect(lambda: told.append(opened.pictures.view))
    for index in (3, 5, 8):
        opened.position.go(index)
    qtbot.waitUntil(lambda: opened.pictures.view.index == 8)
    for view in told:
        if view is not None and view.picture(Choice(REFERENCE)) is not None:
            assert view.values(REFERENCE)[0, 0, 0] == pytest.approx(view.blurry_values[0, 0, 0] + 0.1)


def test_pictures_of_spikes_follow_the_window(opened, qtbot):
    first = choose(opened, 1, Choice(TFP), qtbot)
    assert first.size == opened.session.sequence.recording.info.size
    opened.alignment.edits.nudge(0, 10, None)
    qtbot.waitUntil(lambda: opened.pictures.view.made_from[0].start == 10.0)
    assert opened.pictures.view.picture(Choice(TFP)) is not first


def test_what_cannot_be_shown_says_why(studio, files, qtbot):
    files.contents["clip"] = {"recording": None, "has_reference": False}
    studio.open_source(SequenceSource("clip"))
    studio.comparison.arrange(4)
    studio.comparison.choose(1, Choice(RATIO))
    qtbot.waitUntil(lambda: studio.pictures.view is not None and len(studio.pictures.view.missing) == 3)
    assert studio.pictures.view.missing == {REFERENCE: "reference", TFP: "spikes", RATIO: "spikes"}


def test_contrast_reaches_every_picture(opened, qtbot):
    opened.position.go(5)
    opened.comparison.set_look(Look(0.0, 0.1, 1.0))
    qtbot.waitUntil(lambda: opened.pictures.view.index == 5 and opened.pictures.view.look.white == 0.1)
    assert (opened.pictures.view.blurry.rgb == 128).all()
    opened.position.go(6)
    qtbot.waitUntil(lambda: opened.pictures.view.index == 6)
    assert (opened.pictures.view.blurry.rgb == 153).all()


def restored(value, method):
    return Restored(np.full((60, 80, 3), value, np.float32), method, 1.0, 0.1)


def test_results_of_several_methods_are_shown_side_by_side(opened, qtbot):
    opened.results.put(Moment(0), restored(0.25, "network"))
    opened._on_frame_restored(Moment(0), restored(0.5, "spike-ratio"))
    opened.comparison.arrange(3)
    network = choose(opened, 2, Choice(result_source("network")), qtbot)
    assert (network.rgb == 64).all()
    qtbot.waitUntil(lambda: opened.pictures.view.restored is not None)
    assert (opened.pictures.view.restored.rgb == 128).all()
    assert opened.results.makers == ("network", "spike-ratio")
    metrics = opened.metrics
    qtbot.waitUntil(lambda: metrics.scores is not None and len(metrics.scores.by_source) == 3)
    scores = opened.metrics.scores.by_source
    assert scores[result_source("network")].psnr == pytest.approx(-20 * np.log10((64 - 26) / 255), abs=0.01)


def test_a_region_is_measured_alone(opened, qtbot):
    qtbot.waitUntil(lambda: opened.metrics.scores is not None)
    region = Region(10, 10, 40, 40)
    opened.comparison.set_region(region)
    qtbot.waitUntil(lambda: opened.metrics.scores.region == region)
    assert opened.metrics.scores.blurry.psnr == pytest.approx(-20 * np.log10(26 / 255), abs=0.01)


# ------------------------------------------------------------------ the pixel under the mouse


def test_the_probe_counts_inside_the_window_only(opened, pool, qtbot):
    probe = SpikeProbe(pool)
    probe.ask(opened.session.lease, 0, (0, 0))
    qtbot.waitUntil(lambda: probe.pixel is not None)
    assert (probe.pixel.planes, probe.pixel.x, probe.pixel.y) == (16, 0, 0)
    probe.ask(opened.session.lease, 0, None)
    assert probe.pixel is None


def test_a_late_answer_does_not_replace_newer_scores(opened, qtbot):
    qtbot.waitUntil(lambda: opened.metrics.scores is not None)
    view, region = opened.pictures.view, Region(10, 10, 40, 40)
    late = ((view, region, {}, {BLURRY: view.blurry_values}), {BLURRY: opened.metrics.scores.blurry})
    opened.metrics._on_answer(*late)
    assert opened.metrics.scores.region is None
    opened.comparison.set_region(region)
    assert opened.metrics.scores.region == region  # it was remembered


def test_networks_of_one_name_are_not_taken_for_each_other(opened):
    picture = np.zeros((60, 80, 3), np.float32)
    for folder in ("a", "b"):
        opened.results.put(
            Moment(0), Restored(picture, "network", 1.0, 0.1, model=f"/{folder}/best.safetensors")
        )
    assert opened.results.makers == ("network best (a)", "network best (b)")


def test_blurry_scores_of_virtual_frames_follow_their_windows(studio, files, qtbot):
    files.contents["clip"] = {"is_virtual": True}
    studio.open_source(SequenceSource("clip"))
    qtbot.waitUntil(lambda: studio.metrics.scores is not None)
    first = studio.metrics.scores.blurry
    sequence = files.opened[0]
    brighter = np.full((60, 80, 3), 0.3, np.float32)
    type(sequence).frame_samples, before = (lambda *_: brighter), type(sequence).frame_samples
    try:
        studio.alignment.edits.nudge(0, 3, None)
        qtbot.waitUntil(lambda: studio.metrics.scores is not None and studio.metrics.scores.blurry != first)
    finally:
        type(sequence).frame_samples = before
    assert first.psnr < studio.metrics.scores.blurry.psnr == np.inf  # the same but for its brightness
