"""Where a pixel of a frame lies among the spikes: points, regions and pictures, both ways.

Strategy: without a homography both cameras show one field of view edge to edge, and everything is a scale.
With one, pictures of spikes are drawn once on a grid that lies on the frame edge to edge, as fine as the
spikes are (`grid_size`, `on_grid`); whatever compares frames and spikes works there, by scale alone. So only
this module knows of anything else.
"""

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import RegistrationError
from engine.geometry import Region, Size
from engine.registration.homography import (
    Between,
    Beyond,
    Homography,
    Matrix,
    check_homography,
    corners,
    homography_of,
    mapped,
    matrix_of,
    scale_matrix,
    scales_at,
)

SAME_PX = 1e-6
"""A homography that differs less from the scale, in spike pixels, is the scale."""
MOST_GRID = 4
"""Times the pixels of the larger camera that a grid may have: spikes may cover a small part of the frame."""
FADE_PX = 8
"""Frame pixels from where the spikes end to where they are believed in full."""
REACH_PX = 2
"""Spike pixels around a place that its value is drawn from."""
MOST_SAMPLES = 32
"""Each way, within one pixel that covers several of the other camera's."""
_EDGE_PX = 1e-9


@dataclass(frozen=True)
class Registration:
    """The map between frames and spikes, fixed for a sequence.

    Points are (N, 2) float64, x and y; pixel centres lie at integers. `homography`, 3 × 3, takes (x, y, 1) of
    a frame to a multiple of (x, y, 1) of the spikes as they are shown; None where both show one field of
    view, whose outer edges lie on each other: x of the spikes = (x + 0.5) · their width / the frame's − 0.5.
    Raises RegistrationError for a homography that cannot be.
    """

    frame_size: Size
    spike_size: Size
    homography: Homography | None = None

    def __post_init__(self) -> None:
        if self.homography is None:
            return
        homography = homography_of(self.homography)
        matrix = matrix_of(homography)
        check_homography(matrix, self.frame_size, self.spike_size)
        at = corners(self.frame_size)
        scale = scale_matrix(self.frame_size, self.spike_size)
        is_scale = bool(np.abs(mapped(matrix, at) - mapped(scale, at)).max() < SAME_PX)
        object.__setattr__(self, "homography", None if is_scale else homography)

    # -------------------------------------------------------------- facts

    @property
    def is_scale(self) -> bool:
        """Both cameras show one field of view, edge to edge."""
        return self.homography is None

    @cached_property
    def matrix(self) -> Matrix:
        """(3, 3): takes (x, y, 1) of a frame to a multiple of (x, y, 1) of the spikes."""
        if self.homography is None:
            return scale_matrix(self.frame_size, self.spike_size)
        return matrix_of(self.homography)

    @cached_property
    def inverse(self) -> Matrix:
        """(3, 3): takes (x, y, 1) of the spikes to a multiple of (x, y, 1) of a frame."""
        return np.linalg.inv(self.matrix).astype(np.float64)

    def to_json(self) -> dict[str, Any]:
        """Return plain values for a file; `from_json` reads them."""
        return {
            "frame_size": [self.frame_size.height, self.frame_size.width],
            "spike_size": [self.spike_size.height, self.spike_size.width],
            "homography": None if self.homography is None else [list(row) for row in self.homography],
        }

    @classmethod
    def from_json(cls, value: object) -> "Registration":
        """Return what `to_json` gave. Raises RegistrationError for anything else."""
        keys = {"frame_size", "spike_size", "homography"}
        if not isinstance(value, dict) or set(value) != keys:
            raise RegistrationError(
                "this is no registration",
                found=_quoted(value),
                expected=f"the keys {', '.join(sorted(keys))}",
            )
        frame_size, spike_size = (_size_of_json(value[key], key) for key in ("frame_size", "spike_size"))
        homography = value["homography"]
        return cls(frame_size, spike_size, None if homography is None else homography_of(homography))

    # -------------------------------------------------------------- points

    def points_to_spikes(self, points: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return where points (N, 2), x and y in pixels of a frame, lie in spike pixels."""
        return mapped(self.matrix, np.asarray(points, np.float64))

    def points_to_frame(self, points: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return where points (N, 2), x and y in spike pixels, lie in pixels of a frame."""
        return mapped(self.inverse, np.asarray(points, np.float64))

    def spike_pixel(self, pixel: tuple[int, int]) -> tuple[int, int] | None:
        """Return the spike pixel (x, y) that the centre of a frame's pixel (x, y) lies in; None for none."""
        size, frame = self.spike_size, self.frame_size
        if self.homography is None:
            x = min(size.width - 1, int((pixel[0] + 0.5) * size.width / frame.width))
            y = min(size.height - 1, int((pixel[1] + 0.5) * size.height / frame.height))
            return x, y
        at = self.points_to_spikes(np.array([pixel], np.float64))
        if not _inside(at, size)[0]:
            return None
        x, y = (
            min(max(math.floor(value + 0.5), 0), most - 1)
            for value, most in zip(at[0].tolist(), (size.width, size.height), strict=True)
        )
        return x, y

    # -------------------------------------------------------------- regions

    def region_to_spikes(self, region: Region, margin_px: int = 0) -> Region | None:
        """Return the smallest region of spike pixels that covers all a region of a frame shows.

        With `margin_px` more on every side, as far as the sensor reaches; None where the spikes see nothing
        of it.
        """
        return _covering(self.matrix, region, self.spike_size, margin_px)

    def region_to_frame(self, region: Region, margin_px: int = 0) -> Region | None:
        """Return the smallest region of a frame that covers all a region of spike pixels shows, likewise."""
        return _covering(self.inverse, region, self.frame_size, margin_px)

    # -------------------------------------------------------------- pictures

    def picture_to_spikes(
        self, picture: NDArray[np.float32], *, beyond: Beyond = "mirrored"
    ) -> NDArray[np.float32]:
        """Return what spike pixels see of a frame, (H, W) or (H, W, c) float32: means of what they cover."""
        from engine.light.filters import resized_by_area  # OpenCV takes a while to import
        from engine.registration.warping import warped

        self._check(picture, self.frame_size, "a frame")
        if self.homography is None:
            return resized_by_area(picture, self.spike_size)
        return warped(
            picture,
            homography_of(self.inverse),
            self.spike_size,
            samples=_samples(self.inverse, self.spike_size),
            beyond=beyond,
        )

    def picture_to_frame(
        self, picture: NDArray[np.float32], *, beyond: Beyond = "nothing"
    ) -> NDArray[np.float32]:
        """Return a picture of spikes, (h, w) or (h, w, c) float32, as frames show it, between its pixels."""
        from engine.light.filters import resized_linear
        from engine.registration.warping import warped

        self._check(picture, self.spike_size, "a picture of spikes")
        if self.homography is None:
            return resized_linear(picture, self.frame_size)
        return warped(
            picture,
            homography_of(self.matrix),
            self.frame_size,
            samples=_samples(self.matrix, self.frame_size),
            beyond=beyond,
        )

    # -------------------------------------------------------------- spikes on the frame

    @cached_property
    def grid_size(self) -> Size:
        """Size of pictures of spikes that lie on the frame edge to edge: the sensor's own where it does.

        Otherwise as fine as the spikes are at the middle of the frame.
        """
        if self.homography is None:
            return self.spike_size
        middle = ((self.frame_size.width - 1) / 2, (self.frame_size.height - 1) / 2)
        across, down = scales_at(self.matrix, middle)[0].tolist()
        width, height = across * self.frame_size.width, down * self.frame_size.height
        most = MOST_GRID * max(self.frame_size.pixels, self.spike_size.pixels)
        shrink = min(1.0, math.sqrt(most / (width * height)))
        return Size(max(1, round(height * shrink)), max(1, round(width * shrink)))

    @cached_property
    def seen(self) -> Region:
        """The smallest region of a frame that holds every pixel of which there are spikes."""
        if self.covers_frame:
            return Region.whole(self.frame_size)
        covered = self.covered_frame()
        if not covered.any():
            return self.region_to_frame(Region.whole(self.spike_size)) or Region.whole(self.frame_size)
        rows, columns = (np.flatnonzero(covered.any(axis=axis)) for axis in (1, 0))
        return Region(int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1)

    @cached_property
    def seen_part(self) -> "Registration":
        """The registration of what `seen` shows, as a frame of its own."""
        return self.part(self.seen)

    def part(self, region: Region) -> "Registration":
        """Return the registration of what a region of a frame shows, as a frame of its own."""
        if region == Region.whole(self.frame_size):
            return self
        moved = np.array([[1, 0, region.left], [0, 1, region.top], [0, 0, 1]], np.float64)
        return Registration(region.size, self.spike_size, homography_of(self.matrix @ moved))

    @cached_property
    def of_grid(self) -> "Registration":
        """The registration of a picture of `grid_size` that lies on the frame."""
        if self.homography is None:
            return Registration(self.spike_size, self.spike_size)
        to_frame = scale_matrix(self.grid_size, self.frame_size)
        return Registration(self.grid_size, self.spike_size, homography_of(self.matrix @ to_frame))

    def on_grid(
        self,
        picture: NDArray[np.float32],
        *,
        between: Between = "linear",
        beyond: Beyond = "nothing",
        region: Region | None = None,
        cut: Region | None = None,
    ) -> NDArray[np.float32]:
        """Return a picture of spikes, (h, w) or (h, w, c), on the grid; the very same where that is its own.

        With a `region` of the grid only that; `picture` is then what `cut_of_grid` says.
        """
        if self.homography is None:
            return picture
        from engine.registration.warping import warped

        matrix = self.of_grid.matrix
        samples = 1 if between == "nearest" else _samples(matrix, self.grid_size)
        return warped(
            picture,
            homography_of(matrix),
            self.grid_size,
            samples=samples,
            between=between,
            beyond=beyond,
            region=region,
            cut=cut,
        )

    def cut_of_grid(self, region: Region) -> Region:
        """Return the spike pixels that a region of the grid is drawn from: all where it reaches beyond."""
        if self.homography is None:
            return region
        at = mapped(self.of_grid.matrix, _outline(region)) + 0.5
        (left, top), (right, bottom) = np.floor(at.min(axis=0)), np.ceil(at.max(axis=0))
        whole = Region.whole(self.spike_size)
        if left < 0 or top < 0 or right > whole.right or bottom > whole.bottom:
            return whole
        return Region(int(top), int(left), int(bottom), int(right)).expand(REACH_PX, self.spike_size)

    # -------------------------------------------------------------- what is covered

    @cached_property
    def covers_frame(self) -> bool:
        """Whether there are spikes of every pixel of a frame."""
        return self.homography is None or bool(
            _inside(mapped(self.matrix, corners(self.frame_size)), self.spike_size).all()
        )

    def covered_frame(self) -> NDArray[np.bool_]:
        """Return of which pixels of a frame there are spikes, (H, W): their centres lie in a spike pixel."""
        return _covered(self.matrix, self.frame_size, self.spike_size)

    def covered_spikes(self) -> NDArray[np.bool_]:
        """Return which spike pixels frames show, (h, w), likewise."""
        return _covered(self.inverse, self.spike_size, self.frame_size)

    def covered_grid(self) -> NDArray[np.bool_]:
        """Return of which pixels of the grid there are spikes, (h, w) of `grid_size`."""
        return _covered(self.of_grid.matrix, self.grid_size, self.spike_size)

    def share_of_spikes(self) -> NDArray[np.float32] | None:
        """Return how far what the spikes say counts in a frame, (H, W) from 0 to 1; None for 1 everywhere.

        0 where there are none, and 1 from a few pixels inwards.
        """
        return None if self.covers_frame else _share(self)

    def _check(self, picture: NDArray[np.float32], size: Size, what: str) -> None:
        if picture.shape[:2] != (size.height, size.width):
            raise RegistrationError(
                f"the picture is not {what} of this registration",
                found=" × ".join(map(str, picture.shape)),
                expected=str(size),
            )


@lru_cache(2)
def _share(registration: Registration) -> NDArray[np.float32]:
    import cv2

    covered = registration.covered_frame().view(np.uint8)
    inwards = cv2.distanceTransform(covered, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    share = np.clip(np.asarray(inwards, np.float32) / np.float32(FADE_PX), 0.0, 1.0)
    share.flags.writeable = False
    return share


def _covered(matrix: Matrix, size: Size, other: Size) -> NDArray[np.bool_]:
    covered = np.empty((size.height, size.width), bool)
    x = np.arange(size.width)
    for row in range(size.height):  # all at once would take as much memory as many frames
        covered[row] = _inside(mapped(matrix, np.stack([x, np.full_like(x, row)], axis=1)), other)
    return covered


def _inside(points: NDArray[np.float64], size: Size) -> NDArray[np.bool_]:
    """Tell which points (N, 2) lie in a pixel of a picture, its outer edges being of it."""
    least = -0.5 - _EDGE_PX
    x, y = points[:, 0], points[:, 1]
    within: NDArray[np.bool_] = (x >= least) & (y >= least)
    return within & (x <= size.width - 0.5 + _EDGE_PX) & (y <= size.height - 0.5 + _EDGE_PX)


def _outline(region: Region) -> Matrix:
    """Return the outer corners of a region, (4, 2) x and y."""
    left, right, top, bottom = (edge - 0.5 for edge in (region.left, region.right, region.top, region.bottom))
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]])


def _covering(matrix: Matrix, region: Region, size: Size, margin_px: int) -> Region | None:
    """Return the pixels of the other picture that a region's outline touches the inside of."""
    at = mapped(matrix, _outline(region)) + 0.5
    left, top = (math.floor(edge + SAME_PX) for edge in at.min(axis=0).tolist())
    right, bottom = (math.ceil(edge - SAME_PX) for edge in at.max(axis=0).tolist())
    covering = Region(top, left, max(bottom, top + 1), max(right, left + 1))
    seen = covering.intersect(Region.whole(size))
    return None if seen is None else seen.expand(margin_px, size)


def _samples(matrix: Matrix, size: Size) -> int:
    """Return how many samples each way a pixel needs that covers several of the other picture."""
    most = max(float(scales_at(matrix, (float(x), float(y)))[1].max()) for x, y in corners(size))
    return min(MOST_SAMPLES, max(1, math.ceil(most - 0.05)))


def _size_of_json(value: object, key: str) -> Size:
    edges = value if isinstance(value, list | tuple) else []
    if len(edges) != 2 or any(
        isinstance(edge, bool) or not isinstance(edge, int) or edge < 1 for edge in edges
    ):
        raise RegistrationError(
            f"{key} is no size", found=_quoted(value), expected="height and width, whole numbers above 0"
        )
    return Size(*edges)


def _quoted(value: object) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= 80 else f"{text[:80]}…"
