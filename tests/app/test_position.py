import pytest

from app.state.session.position import Position
from engine.geometry import Span


@pytest.fixture
def position():
    position = Position()
    position.reset(10)
    return position


@pytest.fixture
def visited(position):
    visited = []
    position.changed.connect(visited.append)
    return visited


def test_steps_stop_at_both_ends(position, visited):
    position.step(-1)
    position.go(99)
    position.step(1)
    position.step(-3)
    assert visited == [9, 6]


def test_without_frames_nothing_moves():
    position = Position()
    position.go(5)
    position.step(1)
    assert (position.index, position.count) == (0, 0)


def test_the_range_is_everything_until_it_is_set(position):
    assert not position.has_range
    assert position.range == Span(0, 10)


def test_in_and_out_points_are_both_inside_the_range(position):
    position.set_in(3)
    position.set_out(6)
    assert position.has_range
    assert position.range == Span(3, 7)


@pytest.mark.parametrize(
    ("first", "then", "expected"), [("in", "out", Span(0, 3)), ("out", "in", Span(6, 10))]
)
def test_a_point_set_beyond_the_other_frees_the_other(position, first, then, expected):
    getattr(position, f"set_{first}")(6 if first == "in" else 2)
    getattr(position, f"set_{then}")(2 if first == "in" else 6)
    assert position.range == expected


def test_another_sequence_starts_without_a_range(position):
    position.set_in(3)
    position.reset(4, index=2)
    assert position.range == Span(0, 4)
    assert position.index == 2
