"""The values behind a source of a pane: read, or made of the spikes, in a thread."""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from app.display import FloatPicture, display_picture
from app.state.alignment.window_pictures import shown_rate
from app.state.compare.comparing import RATIO, REFERENCE, SPIKE_SOURCES, TFI, TFP, maker_of
from app.state.compare.results import Restored
from app.state.pattern.pattern_picture import PatternPicture
from app.state.spikes.network_input import bins_of, network_values
from app.state.spikes.voxel_look import VoxelLook, colour_table
from engine.alignment_window import AlignmentWindow
from engine.geometry import Size, Span
from engine.registration import Registration

if TYPE_CHECKING:
    from engine.sequence import Sequence

MadeFrom = tuple[AlignmentWindow | None, float, Registration | None]
"""The alignment window, gamma and registration: what pictures made of spikes depend on."""


def made_from(sequence: "Sequence", index: int) -> MadeFrom:
    """Return what a frame's pictures made of spikes depend on."""
    registration = None if sequence.recording is None else sequence.registration
    return (sequence.window(index) if sequence.windows else None, sequence.gamma, registration)


def why_missing(sequence: "Sequence", source: str) -> str:
    """Return why a frame has no such picture, one of the keys of the panes' hints; empty if it has."""
    if source == REFERENCE and not sequence.has_reference:
        return "reference"
    if source in SPIKE_SOURCES and sequence.recording is None:
        return "spikes"
    return ""


def read_source(
    sequence: "Sequence",
    index: int,
    source: str,
    results: tuple[Restored, ...],
) -> FloatPicture | None:
    """Return the float32 (h, w, 3) values of a source in [0, 1], None where the frame has none.

    Pictures made of spikes lie on the frame edge to edge, as fine as the spikes are. `read_voxel_bin`
    reads a voxel bin. Raises what reading the sequence raises.
    """
    maker = maker_of(source)
    if maker is not None:
        return next((one.picture for one in results if one.made_by == maker), None)
    if source == REFERENCE:
        return sequence.reference(index)
    if source not in SPIKE_SOURCES or sequence.recording is None:
        return None
    if source == RATIO:
        return _spike_ratio(sequence, index)
    assert source in (TFP, TFI)
    rate = sequence.tfp(index) if source == TFP else sequence.tfi(index)
    return sequence.registration.on_grid(shown_rate(rate, sequence.gamma))


def _spike_ratio(sequence: "Sequence", index: int) -> FloatPicture:
    from engine.restoration.method_names import SPIKE_RATIO
    from engine.restoration.methods import make_method
    from engine.restoration.restoration import Restoration, restored

    request = Restoration.of_frames(sequence, Span(index, index + 1), make_method(SPIKE_RATIO))
    return next(restored(request)).picture


def read_voxel_bin(
    sequence: "Sequence", index: int, voxel_bin: int, look: VoxelLook
) -> tuple[FloatPicture, FloatPicture]:
    """Return one bin as it looks in the strip, (h, w, 3), and what its colours stand for, (h, w, 1).

    These are spikes a pixel, or what the network takes.
    """
    grid = sequence.voxels(index, bins_of(look.takes))
    values = np.asarray(grid)
    if look.takes is not None and look.shown == "network":
        values = network_values(grid, look.takes)
    number = min(voxel_bin, len(values) - 1)
    colours = colour_table(look.colours).astype(np.float32) / np.float32(255)
    shown, told = colours[look.levels_of(values, number)], values[number][..., None].copy()
    registration = sequence.registration
    return registration.on_grid(shown, between="nearest"), registration.on_grid(told, between="nearest")


def pattern_on_frame(sequence: "Sequence", picture: PatternPicture) -> PatternPicture:
    """Return the picture of a sensor's pattern as it lies on the frame; it is not known beyond the sensor."""
    if sequence.recording is None or sequence.registration.is_scale:
        return picture
    registration = sequence.registration
    values, gain = (registration.on_grid(one, between="nearest") for one in (picture.values, picture.gain))
    gain = np.where(registration.covered_grid()[..., None], gain, np.float32(np.nan))
    return replace(picture, values=values, gain=gain, display=display_picture(values))


def at_size(picture: FloatPicture, size: Size) -> FloatPicture:
    """Return a picture enlarged or reduced to the size of another, to subtract them."""
    from engine.light.filters import resized_linear  # OpenCV takes a while to import

    return resized_linear(picture, size)
