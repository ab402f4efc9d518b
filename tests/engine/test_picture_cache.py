"""What is kept of pictures: as stored, within its bytes, read once even when many ask."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.errors import FrameError, SequenceError
from engine.picture_cache import PictureCache
from engine.sequence import open_sequence


def picture(value: int = 0) -> np.ndarray:
    return np.full((4, 5, 3), value, np.uint8)


def test_a_picture_is_read_once_while_it_fits() -> None:
    cache, reads = PictureCache(2 * 60), []

    def ask(key: int) -> np.ndarray:
        return cache.picture(key, lambda: reads.append(key) or picture(key))

    for key in (1, 2, 1, 2, 3, 2, 1):
        assert (ask(key) == key).all()
    assert reads == [1, 2, 3, 1]


def test_one_larger_than_the_cache_is_not_kept() -> None:
    cache, reads = PictureCache(59), []
    for _ in range(2):
        cache.picture("large", lambda: reads.append(1) or picture())
    assert len(reads) == 2


def test_threads_that_want_the_same_share_one_reading() -> None:
    cache, reads, begun, go_on = PictureCache(1000), [], threading.Event(), threading.Event()

    def read() -> np.ndarray:
        reads.append(1)
        begun.set()
        assert go_on.wait(5)
        return picture(7)

    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(cache.picture, "one", read)
        assert begun.wait(5)
        others = [pool.submit(cache.picture, "one", read) for _ in range(3)]
        go_on.set()
        assert all((answer.result(5) == 7).all() for answer in (first, *others))
    assert len(reads) == 1


def test_what_is_measured_already_need_not_wait_for_another_measurement() -> None:
    cache, begun, go_on = PictureCache(1000), threading.Event(), threading.Event()
    cache.measured("quick", lambda: 1)

    def measure() -> int:
        begun.set()
        assert go_on.wait(5)
        return 2

    with ThreadPoolExecutor(2) as pool:
        slow = pool.submit(cache.measured, "slow", measure)
        try:
            assert begun.wait(5)
            assert pool.submit(cache.measured, "quick", lambda: 3).result(5) == 1
        finally:
            go_on.set()
        assert slow.result(5) == 2


def test_a_reading_that_fails_is_tried_again_by_who_waited() -> None:
    cache, reads, begun, go_on = PictureCache(1000), [], threading.Event(), threading.Event()

    def read() -> np.ndarray:
        reads.append(1)
        if len(reads) > 1:
            return picture(9)
        begun.set()
        assert go_on.wait(5)
        raise FrameError("broken")

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(cache.picture, "one", read)
        assert begun.wait(5)
        second = pool.submit(cache.picture, "one", read)
        go_on.set()
        with pytest.raises(FrameError):
            first.result(5)
        assert (second.result(5) == 9).all()


def test_after_closing_nothing_is_read() -> None:
    cache = PictureCache(1000)
    cache.close()
    with pytest.raises(SequenceError, match="closed"):
        cache.picture("one", picture)


def test_a_sequence_keeps_four_times_more_frames_of_eight_bits(tmp_path: Path) -> None:
    for index in range(4):
        values = np.random.default_rng(index).integers(0, 256, (20, 30, 3), dtype=np.uint8)
        Image.fromarray(values).save(tmp_path / f"{index}.png")
    with open_sequence(tmp_path, cache_bytes=4 * 20 * 30 * 3) as sequence:
        before = [sequence.frame(index) for index in range(4)]
        for path in tmp_path.glob("*.png"):
            path.unlink()
        for index in range(4):
            frame = sequence.frame(index)
            assert frame.dtype == np.float32
            assert not frame.flags.writeable
            np.testing.assert_array_equal(frame, before[index])
