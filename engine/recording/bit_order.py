"""Which bit of a byte is the first of its eight pixels.

Strategy: the wrong order keeps neighbours within a byte and tears bytes apart: the last pixel of one then
lies beside what is the 16th pixel from it. So the sum of some planes jumps further from byte to byte when
it is read in the wrong order, whatever its width is.
"""

import math

import numpy as np
from numpy.typing import NDArray

from engine.recording.pitch import window_with_spikes

_SUMMED_PLANES = 64
_MOST_BYTES = 1 << 17
_SURE_ERRORS = 6.0

REVERSED = np.packbits(np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1), bitorder="little")
"""Every byte with its bits the other way round."""


def reverse_bits(packed: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a copy with the bits of every byte the other way round."""
    return REVERSED[packed]


def guess_msb_first(stored: NDArray[np.uint8], pitch_bytes: int) -> bool | None:
    """Tell whether the most significant bit comes first; None where the bits do not show it.

    stored: the whole file as uint8 (bytes,), mapped rather than read. pitch_bytes: bytes of one plane.
    """
    start, window = window_with_spikes(stored)
    first = -start % pitch_bytes
    planes = min(_SUMMED_PLANES, (len(window) - first) // pitch_bytes)
    used = min(pitch_bytes, _MOST_BYTES)
    if planes < 1 or used < 2:
        return None
    packed = window[first : first + planes * pitch_bytes].reshape(planes, pitch_bytes)[:, :used]
    # (bytes, bits) of summed planes, pixels of a byte as the usual order has them.
    sums = np.zeros((used, 8), np.int32)
    for plane in packed:
        sums += np.unpackbits(plane, bitorder="little").reshape(used, 8)
    lsb_jumps = np.square(sums[:-1, 7] - sums[1:, 0]).astype(np.float64)
    msb_jumps = np.square(sums[:-1, 0] - sums[1:, 7]).astype(np.float64)
    lead = lsb_jumps - msb_jumps
    error = float(lead.std()) / math.sqrt(len(lead))
    if abs(float(lead.mean())) <= _SURE_ERRORS * error or error == 0:
        return None
    return bool(lead.mean() > 0)
