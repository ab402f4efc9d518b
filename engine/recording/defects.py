"""Sensor pixels whose spikes say nothing about the light: dead ones never fire, hot ones always do.

Strategy: count a bounded number of planes, in short runs spread over the recording. A pixel without a spike
is dead where light must have made it fire, and dark where not. What must have been is asked of

- its neighbours: whole rows and columns (up to 8 together) that keep still between others that fire, rows
  and columns that keep still from the border inwards, and single pixels with spikes all around. Black parts
  of a scene are larger, have no straight edges from border to border, or shade off: where some pixels nearly
  keep still the scene may take others all the way;
- the frames, where the sequence has some: what keeps still where frames are as bright as in places that
  fire is dead, whatever its shape, and what the frames show dark, too, is dark.

Only where chance would need ten thousand recordings to do the same is a claim made. Hot pixels are found in
the same way: the planes in which a pixel keeps still take the place of its spikes.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.findings import Finding
from engine.geometry import Size
from engine.recording.plane_sample import sample_counts
from engine.recording.quiet_pixels import Mask, Quiet, alike, mean_light, settled
from engine.recording.recording import SpikeSource

DEAD_PER_PLANE = 0.001
"""Spikes a plane that a dead pixel may show all the same."""
HOT_PER_PLANE = 0.01
"""Planes in which a hot pixel may keep still all the same."""
FAR_LOWER = 0.2
"""Part of the planes in which the neighbours of a hot pixel keep still, at least: white places are bright."""
CLIPPED = 0.9
"""Frames as white as this do not say how bright it was."""
WHOLE_LINE = 0.95
LINE_PX = 8
"""Defects in a row of at least so many pixels are named as a part of a line."""
NAMED = 8


@dataclass(frozen=True, eq=False)
class Defects:
    """Pixels of a spike camera whose spikes are not to be believed, rows and columns as shown, from 0."""

    dead: Mask
    """(h, w): never fires while there is light."""
    hot: Mask
    """(h, w): fires at every plane."""

    @classmethod
    def none(cls, size: Size) -> "Defects":
        """Return that nothing is wrong with a camera of `size`."""
        fine = np.zeros((size.height, size.width), bool)
        return cls(fine, fine)

    def __bool__(self) -> bool:
        return bool(self.dead.any() or self.hot.any())

    @property
    def mask(self) -> Mask:
        """(h, w): dead or hot."""
        return self.dead | self.hot

    @property
    def finding(self) -> Finding | None:
        """Name the dead and the hot places; None where there are none."""
        said = [
            _listed(mask, one, many)
            for mask, one, many in (
                (self.dead, "never fires (dead)", "never fire (dead)"),
                (self.hot, "fires at every plane (hot)", "fire at every plane (hot)"),
            )
            if mask.any()
        ]
        if not said:
            return None
        return Finding(
            f"defects of the spike camera: {'; '.join(said)}",
            "Restore all the same: narrow places are filled from their neighbours and wide ones left to the "
            "blurry frame; check the sensor and its readout",
        )


def find_defects(
    recording: SpikeSource, frames: Callable[[], Iterable[NDArray[np.float32]]] | None = None
) -> Defects:
    """Return which pixels of a recording are dead or hot.

    `frames` gives blurry frames (H, W, 3) of the same view; it is called only where spikes alone do not tell.
    Parts of the recording that cannot be read count as not there.
    """
    sample = sample_counts(recording)
    dark = Quiet.of(sample.counts, math.floor(DEAD_PER_PLANE * sample.planes), 0)
    gaps = np.maximum(np.float32(sample.planes) - sample.counts, 0)
    bright = Quiet.of(gaps, math.floor(HOT_PER_PLANE * sample.planes), FAR_LOWER * sample.planes)
    if sample.planes == 0 or not (dark.mask.any() or bright.mask.any()):
        return Defects.none(recording.info.size)
    claims = dark.by_lines(), bright.by_lines()
    alone = [
        quiet.outstanding(quiet.alone(claimed)) for quiet, claimed in zip((dark, bright), claims, strict=True)
    ]
    light = None
    if frames is not None and (dark.is_open or bright.is_open or any(map(np.any, (*claims, *alone)))):
        light = mean_light(frames(), recording.info.size)
    if light is None or not alike(light, sample.counts, ~(dark.mask | bright.mask)):
        dead, hot = (claimed | lone for claimed, lone in zip(claims, alone, strict=True))
    else:
        dead = settled(dark, claims[0] | alone[0], light)
        hot = settled(bright, claims[1] | alone[1], 1 - light, told=light < CLIPPED)
    return Defects(dead, hot & ~dead)


def _listed(mask: Mask, one: str, many: str) -> str:
    """Name the rows, columns, parts of them and pixels of a mask, and what each or all of them do."""
    rows = np.flatnonzero(mask.mean(axis=1) >= WHOLE_LINE)
    left = mask.copy()
    left[rows] = False
    columns = np.flatnonzero(left.sum(axis=0) >= WHOLE_LINE * (len(mask) - len(rows)))
    columns = columns if len(rows) < len(mask) else columns[:0]
    left[:, columns] = False
    parts = []
    for turned, word in ((False, "row"), (True, "column")):
        for line, first, last in _long_runs(left.T if turned else left):
            (left.T if turned else left)[line, first : last + 1] = False
            other = "row" if turned else "column"
            parts.append(f"{word} {line} ({other}s {first} to {last})")
    pieces = [*_ranges("row", rows), *_ranges("column", columns)]
    pieces += parts[:NAMED] + ([f"{len(parts) - NAMED} more parts of lines"] if len(parts) > NAMED else [])
    places = [f"({row}, {column})" for row, column in np.argwhere(left)[:NAMED].tolist()]
    pixels = int(left.sum())
    if pixels:
        dots = ", …" if pixels > NAMED else ""
        word = "pixel" if pixels == 1 else f"{pixels} pixels"
        pieces.append(f"{word} at (row, column) {', '.join(places)}{dots}")
    single = len(rows) + len(columns) + len(parts) + pixels == 1
    return f"{', '.join(pieces)} {one if single else many}"


def _ranges(word: str, lines: NDArray[np.intp]) -> list[str]:
    """Name lines, those side by side together."""
    if len(lines) == 0:
        return []
    groups = np.split(lines, np.flatnonzero(np.diff(lines) > 1) + 1)
    names = [str(group[0]) if len(group) == 1 else f"{group[0]} to {group[-1]}" for group in groups]
    more = [f"{len(names) - NAMED} more"] if len(names) > NAMED else []
    return [f"{word if len(lines) == 1 else word + 's'} {', '.join(names[:NAMED] + more)}"]


def _long_runs(mask: Mask) -> list[tuple[int, int, int]]:
    """Return line, first and last of the runs of at least 8 pixels in the rows of a mask."""
    found = []
    for line in np.flatnonzero(mask.sum(axis=1) >= LINE_PX).tolist():
        edges = np.flatnonzero(np.diff(np.concatenate([[False], mask[line], [False]])))
        found += [
            (line, int(first), int(stop) - 1)
            for first, stop in zip(edges[::2], edges[1::2], strict=True)
            if stop - first >= LINE_PX
        ]
    return found
