"""Open `.npy` and `.npz` files: unpacked planes, or an event list."""

from pathlib import Path

from engine.errors import RecordingError
from engine.recording.arrays import list_arrays
from engine.recording.event_columns import has_events
from engine.recording.event_opening import open_events
from engine.recording.opening import Given
from engine.recording.plane_opening import open_planes, plane_array
from engine.recording.recording import Recording
from engine.recording.sidecar import find_sidecar


def open_array(path: Path, head: bytes, given: Given) -> Recording:
    """Open one `.npy` or `.npz` file whose first bytes are `head`."""
    arrays = list_arrays(path, head)
    sidecar = find_sidecar(path)
    planes = plane_array(arrays)
    if planes is not None:
        return open_planes(planes, given, sidecar)
    if has_events(arrays):
        return open_events(path, arrays, given, sidecar)
    raise RecordingError(
        "neither planes nor events are in this file",
        path=path,
        found=", ".join(f"{array.key or 'array'} {array.shape} {array.dtype}" for array in arrays[:6]),
        expected="an array (planes, H, W), under the key spk where there are several, or events t, x, y[, p]",
    )
