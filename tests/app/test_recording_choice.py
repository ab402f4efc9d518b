"""What a recording could be, found out away from the window."""

import threading

import numpy as np
import pytest

from app.state.opening.recording_choice import RecordingChoice
from app.state.opening.recording_pictures import Painted, look, paint
from engine.errors import GeometryError
from engine.geometry import Size
from engine.recording import write_packed
from engine.recording.bit_order import reverse_bits

SIZE = Size(250, 400)


def spiking(size=SIZE, planes=60):
    """A camera over bumps and a darker rectangle."""
    rows, columns = np.mgrid[: size.height, : size.width]
    light = 0.5 + (np.sin(rows / 17) + np.cos(columns / 23) + np.sin((rows + 2 * columns) / 41)) / 8
    light[20:90, 60:140] *= 0.3
    charge = np.random.default_rng(3).random(light.shape)
    result = np.zeros((planes, *light.shape), np.uint8)
    for plane in result:
        charge += 0.3 * light
        plane[:] = charge >= 1
        charge -= plane
    return result


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    path = tmp_path_factory.mktemp("spikes") / "a.dat"
    write_packed(path, spiking())
    return path.read_bytes()


@pytest.fixture
def recording(packed, tmp_path):
    path = tmp_path / "雪 a.dat"
    path.write_bytes(packed)
    return path


@pytest.fixture
def make(pool, qtbot):
    made = []

    def make(path, **options):
        choice = RecordingChoice(pool, path, **options)
        made.append(choice)
        qtbot.waitUntil(lambda: not choice.busy)
        return choice

    yield make
    for choice in made:
        choice.close()


def all_painted(choice):
    return all(card.painted or card.problem for card in choice.cards)


def test_the_three_questions_are_answered_at_once(make, recording, qtbot):
    choice = make(recording)
    assert choice.card.size == SIZE
    assert choice.card.planes == 60
    assert choice.shown_flip is True
    assert choice.can_open
    assert choice.said_size is None
    qtbot.waitUntil(lambda: all_painted(choice))
    assert choice.card.painted.picture.shape == (SIZE.height, SIZE.width)
    assert len(choice.cards) > 2


def test_another_card_says_its_size(make, recording):
    choice = make(recording)
    choice.choose(1)
    assert choice.said_size == choice.cards[1].size != SIZE
    choice.choose(99)
    assert choice.chosen == 1


def test_what_is_typed_becomes_a_card_and_a_known_size_chooses_its_card(make, recording, qtbot):
    choice = make(recording)
    others = len(choice.cards)
    choice.type_size(Size(250, 392))
    assert (choice.chosen, choice.card.reason, len(choice.cards)) == (0, "typed", others + 1)
    qtbot.waitUntil(lambda: choice.card.painted is not None)
    assert choice.card.remainder_bytes == 60 * 12500 % (250 * 392 // 8)
    assert choice.said_size == Size(250, 392)
    choice.type_size(Size(251, 392))
    assert len(choice.cards) == others + 1
    choice.type_size(SIZE)
    assert choice.card.reason == "bits"
    choice.type_size(None)
    assert choice.card.size == SIZE


def test_a_size_larger_than_the_file_is_a_message_on_its_card(make, recording, qtbot):
    choice = make(recording)
    choice.type_size(Size(9000, 9000))
    qtbot.waitUntil(lambda: bool(choice.card.problem))
    assert "shorter than one plane" in choice.card.problem
    assert not choice.can_open
    choice.choose(1)
    assert choice.can_open


def test_bits_stored_the_other_way_are_found_and_can_be_denied(make, packed, tmp_path, qtbot):
    path = tmp_path / "other.dat"
    path.write_bytes(reverse_bits(np.frombuffer(packed, np.uint8)).tobytes())
    choice = make(path)
    assert choice.shown_msb_first
    assert choice.said_msb_first is True
    qtbot.waitUntil(lambda: all_painted(choice))
    right = choice.card.painted.picture
    choice.say_bits(False)
    assert choice.said_msb_first is False
    assert choice.said_size == SIZE
    qtbot.waitUntil(lambda: choice.card.painted.picture is not right)
    qtbot.waitUntil(lambda: not np.array_equal(choice.card.painted.picture, right))


def test_the_order_of_bits_that_was_said_is_kept(make, recording):
    choice = make(recording, msb_first=True, size=SIZE)
    assert choice.shown_msb_first
    choice.say_bits(None)
    assert choice.said_msb_first is None or choice.look.msb_first


def test_a_file_that_is_no_recording_is_a_problem_and_no_exception(make, tmp_path):
    (tmp_path / "x.dat").write_bytes(b"")
    for path in (tmp_path / "x.dat", tmp_path / "none.dat", tmp_path):
        choice = make(path)
        assert choice.problem is not None
        assert not choice.can_open
        assert choice.cards == []


def test_pictures_of_what_was_wanted_before_are_dropped(make, recording, qtbot):
    gate, started = threading.Event(), threading.Event()

    def slow(_path, size, _msb_first, at):
        if at == 0.5:
            started.set()
            gate.wait(10)
        return Painted(np.full((2, 2), round(at * 100), np.uint8), 60, 0, size)

    choice = make(recording, painter=slow)
    assert started.wait(10)
    for at in (0.1, 0.2, 0.9):
        choice.go(at)
    gate.set()
    qtbot.waitUntil(lambda: all_painted(choice))
    qtbot.waitUntil(lambda: not choice._paint_lane.busy)
    assert {int(card.painted.picture[0, 0]) for card in choice.cards} == {90}


def test_an_unexpected_error_while_painting_becomes_a_problem(make, recording, qtbot):
    def broken(*_):
        raise OSError("the disk is gone")

    choice = make(recording, painter=broken)
    qtbot.waitUntil(lambda: choice.problem is not None)


def test_a_remembered_size_is_the_one_that_is_chosen(make, tmp_path, qtbot):
    path = tmp_path / "dark.dat"
    path.write_bytes(bytes(120_000))
    choice = make(path, size=Size(100, 120), flip=False)
    assert choice.card.size == Size(100, 120)
    assert choice.shown_flip is False
    qtbot.waitUntil(lambda: all_painted(choice))
    assert choice.card.planes == 80


def test_looking_and_painting_name_what_is_wrong(recording):
    assert look(recording, None).readings[0].geometry.size == SIZE
    assert paint(recording, Size(1000, 600), None, 1.0).picture.shape == (480, 288)
    with pytest.raises(GeometryError):
        paint(recording, Size(30000, 30000), None, 0.0)
