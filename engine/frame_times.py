"""How many frames a second a sequence has, exactly, and when each of them is shown.

Rates are fractions: 30000/1001 is not 29.97, and after an hour of sound the difference is heard.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from engine.alignment import AlignmentWindow
from engine.findings import Finding
from engine.geometry import Span

RateSource = Literal["video", "alignment log", "exposures"]
LOG_ROUNDING_S = 1e-6
"""Logs keep six decimals: two starts may be off by half a microsecond each."""
_ROUNDED_NS = Fraction(2, 1_000_000_000)
_LARGEST_DENOMINATOR = 1_000_000


@dataclass(frozen=True)
class FrameRate:
    """Frames a second, and what tells it."""

    exact: Fraction
    known_by: RateSource
    is_even: bool = True
    """Every frame is shown as long as any other; else the rate is their average."""

    @property
    def hz(self) -> float:
        return float(self.exact)

    @property
    def text(self) -> str:
        """The exact rate: "30000/1001", "25"."""
        return str(self.exact)


@dataclass(frozen=True)
class FrameTimes:
    """When each frame of a video is shown: `ticks` × `tick` seconds after the first."""

    ticks: tuple[int, ...]
    """Ascending, from 0."""
    tick: Fraction
    """Seconds."""
    begins_at: Fraction
    """When the first frame is shown on the clock of its file, in seconds: that of the file's sound, too."""
    rate: Fraction
    """Frames a second, on average where they are not even."""

    @property
    def is_even(self) -> bool:
        return all(b - a == self.ticks[1] for a, b in itertools.pairwise(self.ticks))

    def at(self, frame: int) -> Fraction:
        """Return when a frame is shown, in seconds after the first; after the last one, when that ends."""
        if frame < len(self.ticks):
            return self.ticks[frame] * self.tick
        return self.ticks[-1] * self.tick + 1 / self.rate

    def stretch(self, frames: Span) -> tuple[Fraction, Fraction]:
        """Return from when to when frames are shown, on the clock of the file."""
        return self.begins_at + self.at(frames.start), self.begins_at + self.at(frames.stop)


def meant_rate(rate: Fraction) -> Fraction:
    """Return the rate that one stands for which was read from a frame's length in whole nanoseconds.

    Matroska keeps that, and libav makes 19001/317 of 60000/1001.
    """
    plain = (Fraction(round(rate)), Fraction(round(rate * 1001 / 1000) * 1000, 1001))
    near = (
        one for one in plain if one and abs(1 / one - 1 / rate) <= _ROUNDED_NS and abs(one / rate - 1) < 1e-6
    )
    return next(near, rate)


def rate_facts(rate: FrameRate | None) -> dict[str, float | str | bool | None]:
    """Return what reports say of a rate: all null where nothing tells it."""
    return {
        "frame_rate_hz": None if rate is None else rate.hz,
        "frame_rate": None if rate is None else rate.text,
        "frame_rate_from": None if rate is None else rate.known_by,
        "frame_rate_is_even": None if rate is None else rate.is_even,
    }


def rate_of_windows(
    windows: Sequence[AlignmentWindow], limits: Sequence[Span], rate_hz: float | None, known_by: RateSource
) -> FrameRate | None:
    """Return how many exposures begin in a second; None where nothing says it.

    Exposures in recordings of their own say nothing: nobody knows how far apart these were made.
    """
    if rate_hz is None or len(windows) < 2 or len(set(limits)) != 1:
        return None
    planes = Fraction(rate_hz)
    starts = [Fraction(window.start) / planes for window in windows]
    if any(b <= a for a, b in itertools.pairwise(starts)):
        return None
    mean = (len(starts) - 1) / (starts[-1] - starts[0])
    rounding = Fraction(LOG_ROUNDING_S)
    for rate in _plain_rates(mean):
        if all(abs(start - starts[0] - at / rate) <= rounding for at, start in enumerate(starts)):
            return FrameRate(rate, known_by)
    return FrameRate(mean.limit_denominator(_LARGEST_DENOMINATOR), known_by, is_even=False)


def _plain_rates(mean: Fraction) -> tuple[Fraction, ...]:
    """Rates that a mean stands for, the plainest first: whole ones, those of television, all others."""
    whole = round(mean)
    television = Fraction(round(mean * 1001 / 1000) * 1000, 1001)
    plain = (Fraction(whole), television, mean.limit_denominator(1000), mean.limit_denominator(60_000))
    return tuple(dict.fromkeys(rate for rate in (*plain, mean.limit_denominator(10**9)) if rate > 0))


def about_average(rate: FrameRate, name: str, has_times: bool) -> tuple[Finding, ...]:
    """Say where a video is given an average rate, since times of its frames are not known one by one."""
    if rate.is_even or has_times:
        return ()
    return (
        Finding(
            f"the frames of {name} are not even: the video shows {rate.hz:.6g} a second, their average",
            "Export pictures, and take their times from the log, where each one's time matters",
        ),
    )


def about_rounding(
    times: Sequence[Fraction], rate: Fraction, name: str, *, in_ms: bool
) -> tuple[Finding, ...]:
    """Say where a container that keeps whole milliseconds cannot keep times as they are.

    Frames that follow a rate are no such case: Matroska keeps that beside them.
    """
    on_grid = all((time * rate).denominator == 1 for time in times)
    if not in_ms or on_grid or all((1000 * time).denominator == 1 for time in times):
        return ()
    return (
        Finding(
            f"the frames of {name} are not even, and Matroska keeps their times to the millisecond",
            "Export as .mp4 where a fraction of a millisecond matters",
        ),
    )
