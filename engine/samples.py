"""Pictures as they are stored and as values. Knows numpy alone."""

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.uint8] | NDArray[np.float32]
"""A picture (H, W, 3) RGB: bytes where its file has 8 bits, else values in [0, 1]."""

WHITE_LEVELS = (1023, 4095, 16383, 65535)
"""The largest samples of 10, 12, 14 and 16 bits: what is white where a camera counts with so many."""


def as_values(samples: Samples) -> NDArray[np.float32]:
    """Return what samples mean, float32 (H, W, 3) in [0, 1]; the same array where they are values."""
    if samples.dtype == np.uint8:
        return np.divide(samples, np.float32(255), dtype=np.float32)
    return np.asarray(samples, np.float32)
