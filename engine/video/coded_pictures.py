"""What a packet's first bytes say of the picture in it, where its container does not say it.

Sources: ITU-T H.264, 7.3.2.1.1 and 7.3.3 (which packets are second fields); RFC 6386, 9.1 and the VP9
bitstream specification, 6.2 (frames that are only referred to); ISO/IEC 14496-2, 6.2.3 (pictures not coded).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from av.packet import Packet

PictureKind = Literal["frame", "second field", "hidden", "unknown"]
HIDES_FRAMES = frozenset({"vp8", "vp9", "av1", "mpeg4", "h264", "hevc", "vvc"})
"""Codecs whose packets need not be frames."""
_LEAST_CODED_VOP_BYTES = 16
_CHROMA_PROFILES = frozenset({100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135})
_SLICE_BYTES = 24


def examine_with(codec: str, extradata: bytes | None) -> Callable[[Packet], PictureKind]:
    """Return what tells, packet after packet in the order of the file, what each of them holds."""
    if codec == "h264":
        return _FieldPairs(extradata or b"").examine
    if codec == "vp8":
        return lambda packet: "frame" if memoryview(packet)[0] & 0x10 else "hidden"
    if codec == "vp9":
        return _examine_vp9
    if codec == "mpeg4":
        return _examine_mpeg4
    return lambda _: "frame"


def is_left_out_of_prediction(codec: str, extradata: bytes | None, packet: Packet) -> bool:
    """Whether no other picture is predicted from this one, so that damage stays in it."""
    if packet.is_disposable:
        return True
    if codec != "h264":
        return False
    units = [unit for unit in _nal_units(bytes(packet), extradata or b"") if 1 <= unit[0] & 0x1F <= 5]
    return bool(units) and all(not unit[0] & 0x60 for unit in units)


def _examine_vp9(packet: Packet) -> PictureKind:
    data = memoryview(packet)
    if data[-1] & 0xE0 == 0xC0:
        return "frame"  # several in one packet, of which the last is shown
    first = data[0]
    if first & 0x30 == 0x30:
        return "frame"  # profile 3 has its bits elsewhere
    repeats, shows = first & 0x08, first & 0x02
    return "frame" if repeats or shows else "hidden"


def _examine_mpeg4(packet: Packet) -> PictureKind:
    data = bytes(packet)
    if data.count(b"\0\0\1\xb6") != 1 or len(data) < _LEAST_CODED_VOP_BYTES:
        return "unknown"
    return "frame"


@dataclass(frozen=True)
class _Sequence:
    """What of an H.264 sequence parameter set leads to a slice's field."""

    only_frames: bool
    frame_number_bits: int
    separate_planes: bool


class _FieldPairs:
    """Finds the second fields of an H.264 stream."""

    def __init__(self, extradata: bytes) -> None:
        self._extradata = extradata
        self._sequence: _Sequence | None = None
        self._first: tuple[int, bool] | None = None
        """Frame number and parity of a field that waits for its partner."""
        for unit in _parameter_sets(extradata):
            self._take(unit)

    def examine(self, packet: Packet) -> PictureKind:
        if self._sequence is not None and self._sequence.only_frames:
            return "frame"
        for unit in _nal_units(bytes(packet), self._extradata):
            kind = unit[0] & 0x1F
            if kind == 7:
                self._take(unit)
            elif kind in (1, 5):
                return self._examine_slice(unit)
        return "frame" if self._sequence is not None else "unknown"

    def _take(self, unit: bytes) -> None:
        if unit and unit[0] & 0x1F == 7:
            try:
                self._sequence = _read_sequence(unit)
            except IndexError:
                self._sequence = None

    def _examine_slice(self, unit: bytes) -> PictureKind:
        sequence, first = self._sequence, self._first
        self._first = None
        if sequence is None:
            return "unknown"
        if sequence.only_frames:
            return "frame"
        bits = _Bits(unit[1:_SLICE_BYTES])
        try:
            for _ in range(3):
                bits.unsigned()
            if sequence.separate_planes:
                bits.take(2)
            number = bits.take(sequence.frame_number_bits)
            if not bits.take(1):
                return "frame"
            parity = bool(bits.take(1))
        except IndexError:
            return "unknown"
        if first == (number, not parity):
            return "second field"
        self._first = (number, parity)
        return "frame"


def _read_sequence(unit: bytes) -> _Sequence:
    bits = _Bits(unit[1:])
    profile = bits.take(8)
    bits.take(16)
    bits.unsigned()
    separate = False
    if profile in _CHROMA_PROFILES:
        chroma = bits.unsigned()
        if chroma == 3:
            separate = bool(bits.take(1))
        bits.unsigned()
        bits.unsigned()
        bits.take(1)
        if bits.take(1):
            for at in range(12 if chroma == 3 else 8):
                if bits.take(1):
                    _skip_scaling_list(bits, 16 if at < 6 else 64)
    number_bits = bits.unsigned() + 4
    order = bits.unsigned()
    if order == 0:
        bits.unsigned()
    elif order == 1:
        bits.take(1)
        bits.unsigned()
        bits.unsigned()
        for _ in range(bits.unsigned()):
            bits.unsigned()
    bits.unsigned()
    bits.take(1)
    bits.unsigned()
    bits.unsigned()
    return _Sequence(bool(bits.take(1)), number_bits, separate)


def _skip_scaling_list(bits: "_Bits", size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following:
            code = bits.unsigned()
            following = (last + (-(code // 2) if code % 2 == 0 else (code + 1) // 2)) % 256
        last = following or last


class _Bits:
    """Bits of a NAL unit, most significant first. Raises IndexError at its end."""

    def __init__(self, unit: bytes) -> None:
        payload = unit.replace(b"\0\0\3", b"\0\0")
        self._value = int.from_bytes(payload, "big")
        self._left = 8 * len(payload)

    def take(self, count: int) -> int:
        self._left -= count
        if self._left < 0:
            raise IndexError
        return self._value >> self._left & ((1 << count) - 1)

    def unsigned(self) -> int:
        """Take an Exp-Golomb code."""
        zeros = 0
        while not self.take(1):
            zeros += 1
        return (1 << zeros) - 1 + self.take(zeros)


def _nal_units(data: bytes, extradata: bytes) -> list[bytes]:
    """The beginnings of NAL units, whether they follow start codes or their lengths."""
    if len(extradata) > 6 and extradata[0] == 1:
        size = (extradata[4] & 3) + 1
        units, at = [], 0
        while at + size < len(data):
            length = int.from_bytes(data[at : at + size], "big")
            units.append(data[at + size : at + size + min(length, 256)])
            at += size + length
        return [unit for unit in units if unit]
    return [unit[:256] for unit in data.split(b"\0\0\1")[1:] if unit]


def _parameter_sets(extradata: bytes) -> list[bytes]:
    if len(extradata) > 6 and extradata[0] == 1:
        units, at = [], 6
        for _ in range(extradata[5] & 0x1F):
            length = int.from_bytes(extradata[at : at + 2], "big")
            units.append(extradata[at + 2 : at + 2 + length])
            at += 2 + length
        return units
    return _nal_units(extradata, b"")
