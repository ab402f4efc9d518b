"""What a video file says about time: the unit of its time stamps, and the rates that it names."""

import re
from fractions import Fraction

from engine.frame_times import meant_rate
from engine.video.container import BARE_STREAMS, OpenedVideo

_Y4M_HEADER_BYTES = 256
_Y4M_RATE = re.compile(rb"[^\n]* F([0-9]+):([0-9]+)[ \n]")


def clock_of(opened: OpenedVideo) -> tuple[Fraction | None, tuple[Fraction, ...]]:
    """Return the unit of time stamps in seconds and the rates that the file names.

    A bare stream of pictures names a rate in its codec's header or none, and Y4M may say that its rate is
    not known: what libav then says is its default, and the unit is None where all time stamps are of that.
    """
    stream = opened.stream
    time_base = stream.time_base or Fraction(1)
    name = opened.container.format.name
    if name in BARE_STREAMS:
        coded = stream.codec_context.framerate
        return time_base, (coded,) if coded else ()
    if name == "yuv4mpegpipe" and not _y4m_names_rate(opened):
        return None, ()
    rates = (stream.average_rate, stream.base_rate, stream.guessed_rate)
    return time_base, tuple(dict.fromkeys(meant_rate(rate) for rate in rates if rate))


def _y4m_names_rate(opened: OpenedVideo) -> bool:
    """Whether the first line has a rate that is one; "F0:0" says that it is not known."""
    at = opened.file.tell()
    opened.file.seek(0)
    header = opened.file.read(_Y4M_HEADER_BYTES)
    opened.file.seek(at)
    found = _Y4M_RATE.match(header)
    return found is not None and int(found[1]) > 0 and int(found[2]) > 0
