"""Open a video file, and nothing that it might point at.

Strategy: libav sees bytes only, through a file that Python has opened, and may take them for a container or a
stream of pictures only. Playlists, patterns and addresses thus open no other file and no network. What libav
says is kept where a reader can look at it, and never reaches standard error.
"""

import logging
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

import av
import av.logging
from av.container import InputContainer
from av.packet import Packet
from av.stream import Discard, Disposition
from av.video.stream import VideoStream

from engine.decoders import DECODER_ERRORS, failing_as
from engine.errors import FrameError

CONTAINERS = (
    "mov,mp4,m4a,3gp,3g2,mj2",
    "matroska,webm",
    "avi",
    "mpegts",
    "mpeg",
    "mpegvideo",
    "asf",
    "flv",
    "live_flv",
    "ogg",
    "mxf",
    "gxf",
    "dv",
    "nut",
    "ivf",
    "rm",
    "yuv4mpegpipe",
    "h264",
    "hevc",
    "m4v",
    "mjpeg",
    "vc1",
    "obu",
    "av1",
    "gif",
    "png_pipe",
    "jpeg_pipe",
    "bmp_pipe",
    "tiff_pipe",
)
"""What libav may take a file for. Not: playlists (hls, concat, dash), patterns (image2), devices, text."""
BARE_STREAMS = frozenset(
    [
        "h264",
        "hevc",
        "m4v",
        "mjpeg",
        "vc1",
        "obu",
        "av1",
        "mpegvideo",
        "png_pipe",
        "jpeg_pipe",
        "bmp_pipe",
        "tiff_pipe",
    ]
)
"""Pictures alone, one after the other: no time stamps, and no rate but what the codec itself may say."""
_BUFFER_BYTES = 2**16
_ENDS_EARLY = re.compile(r"ended prematurely|partial file")
_CONVERT = "Convert it to MP4 (H.264), or to a folder of PNG files"


def keep_messages_off_stderr() -> None:
    """Send what libav says to Python's logging, from where nothing is printed."""
    logger = logging.getLogger("libav")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
        logger.propagate = False
        logger.setLevel(logging.CRITICAL + 1)
    # Also the same message twice: it may be about two frames.
    av.logging.set_skip_repeated(False)
    av.logging.set_level(av.logging.INFO)


class _File(FileIO):
    """A file for libav, which is told of places that cannot be: Python's own exception would be printed."""

    def seek(self, offset: int, whence: int = 0, /) -> int:
        try:
            return super().seek(offset, whence)
        except (OSError, OverflowError, ValueError):
            return -1


@dataclass(frozen=True)
class OpenedVideo:
    """A container, its stream of pictures, and the file behind both."""

    container: InputContainer
    stream: VideoStream
    file: FileIO
    streams: int
    """Streams of pictures in the file, cover art not counted."""
    ends_early: bool = False
    """The container says that more should follow, as far as opening it has shown."""

    def close(self) -> None:
        """Close the file.

        Decoding threads are waited for first, without Python's lock: freeing a decoder would hold it, while
        a thread of that decoder may wait for it to say something.
        """
        context = self.stream.codec_context
        if context.is_open:
            context.flush_buffers()
        self.container.close()
        self.file.close()


def open_video(path: Path) -> OpenedVideo:
    """Open `path`. Raises FrameError where it is missing, or no video."""
    with av.logging.Capture() as messages:
        container, file = open_container(path)
    try:
        with failing_as(lambda _: unreadable(path)):
            stream, streams = _best_stream(path, container)
    except BaseException:
        container.close()
        file.close()
        raise
    return OpenedVideo(container, stream, file, streams, tells_early_end(container, messages))


def open_container(path: Path) -> tuple[InputContainer, FileIO]:
    """Open a file for all that is in it; both are the caller's to close, in this order.

    Raises FrameError where it is missing, or no video.
    """
    if not path.is_file():
        raise FrameError("the video is not there", path=path)
    keep_messages_off_stderr()
    try:
        file = _File(path, "rb")
    except OSError as error:
        raise FrameError(f"the video cannot be read ({error.strerror})", path=path) from error
    try:
        if not path.stat().st_size:
            raise FrameError("the video is empty", path=path, advice="Copy it again")
        return _open(path, file), file
    except BaseException:
        file.close()
        raise


def tells_early_end(container: InputContainer, messages: list[tuple[int, str, str]]) -> bool:
    """Whether what libav said while it read `container` means that the file is not all there."""
    return any(
        name == container.format.name and _ENDS_EARLY.search(message) for _level, name, message in messages
    )


def _open(path: Path, file: FileIO) -> InputContainer:
    with failing_as(lambda _: unreadable(path)):
        return av.open(
            file,
            "r",
            options={"format_whitelist": ",".join(CONTAINERS)},
            metadata_errors="replace",
            buffer_size=_BUFFER_BYTES,
        )


def _best_stream(path: Path, container: InputContainer) -> tuple[VideoStream, int]:
    """The largest stream of pictures, of equals the first; cover art is none."""
    streams = [
        stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic
    ]
    if not streams:
        raise FrameError("the file has no video in it, only sound or other data", path=path)
    decodable = [stream for stream in streams if stream.codec_context is not None]
    if not decodable:
        raise FrameError(
            "the video is coded in a way that is not known",
            path=path,
            advice=_CONVERT,
        )
    best = max(decodable, key=lambda stream: stream.width * stream.height)
    for stream in container.streams:
        if stream.index != best.index:
            stream.discard = Discard.all
    return best, len(streams)


def packets_of(opened: OpenedVideo, at_break: Callable[[], object] = lambda: None) -> Iterator[Packet]:
    """Packets that hold something, in the order of the file; one that breaks has those that came.

    `at_break` is called where it breaks rather than ends.
    """
    packets = opened.container.demux(opened.stream)
    while True:
        try:
            packet = next(packets, None)
        except DECODER_ERRORS:
            at_break()
            return
        if packet is None:
            return
        if packet.size:
            yield packet


def unreadable(path: Path) -> FrameError:
    return FrameError("the video cannot be decoded", path=path, advice=_CONVERT)
