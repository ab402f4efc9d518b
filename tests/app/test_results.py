import numpy as np
import pytest

from app.state.compare.results import Restored, RestoredFrames, spikes_of
from engine.moment import Moment
from engine.source import SequenceSource

FRAME_BYTES = 10 * 10 * 3 * 4


def restored(value=0.0):
    return Restored(np.full((10, 10, 3), value, np.float32), "spike-ratio", 1.0, 0.1)


@pytest.fixture
def results():
    return RestoredFrames(3 * FRAME_BYTES)


def test_memory_stays_within_the_bound_and_the_least_recently_used_goes(results):
    gone = []
    results.evicted.connect(gone.append)
    for index in range(3):
        results.put(Moment(index), restored())
    results.get(Moment(0))
    results.put(Moment(3), restored())
    assert gone == [Moment(1)]
    assert results.moments == (Moment(0), Moment(2), Moment(3))
    assert results.bytes == 3 * FRAME_BYTES


def test_a_second_result_of_a_frame_replaces_the_first(results):
    results.put(Moment(5), restored(0.1))
    results.put(Moment(5), restored(0.2))
    assert len(results) == 1
    assert results.bytes == FRAME_BYTES
    assert results.get(Moment(5)).picture[0, 0, 0] == np.float32(0.2)


def test_the_newest_result_is_kept_even_where_it_alone_exceeds_the_bound():
    results = RestoredFrames(10)
    results.put(Moment(0), restored())
    results.put(Moment(1), restored())
    assert results.moments == (Moment(1),)


def test_looking_at_the_marks_does_not_count_as_use(results):
    for index in range(3):
        results.put(Moment(index), restored())
    results.peek(Moment(0))
    results.put(Moment(3), restored())
    assert Moment(0) not in results


def test_clearing_gives_the_memory_back(results):
    results.put(Moment(0), restored())
    results.clear()
    assert (len(results), results.bytes, results.get(Moment(0))) == (0, 0, None)


def test_what_is_made_with_another_pattern_of_the_sensor_is_made_otherwise():
    source = SequenceSource("clip")
    corrected = SequenceSource("clip", flat="/sensors/one.npz")
    assert len({spikes_of(one) for one in (source, corrected, SequenceSource("clip", flat="none"))}) == 3
