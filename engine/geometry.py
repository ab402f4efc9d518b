"""Where things are: sizes, pixel regions and spans, all frozen and half-open."""

from dataclasses import dataclass

SAME_ASPECT = 1.05
"""Shapes that differ less are of one field of view: sizes are rounded, and margins cut off."""


def are_same_aspect(one: float, other: float) -> bool:
    """Tell whether two ratios of width to height are one, as far as fields of view go."""
    return max(one, other) <= SAME_ASPECT * min(one, other)


@dataclass(frozen=True, order=True)
class Size:
    """Height and width of a picture in pixels."""

    height: int
    width: int

    def __post_init__(self) -> None:
        if self.height < 1 or self.width < 1:
            raise ValueError(f"a size needs at least one pixel each way, got {self}")

    def __str__(self) -> str:
        return f"{self.height} × {self.width}"

    @property
    def pixels(self) -> int:
        return self.height * self.width


@dataclass(frozen=True, order=True)
class Span:
    """Half-open range [start, stop) of frames or planes."""

    start: int
    stop: int

    def __post_init__(self) -> None:
        if self.stop < self.start:
            raise ValueError(f"a span cannot stop before it starts, got [{self.start}, {self.stop})")

    def __len__(self) -> int:
        return self.stop - self.start

    def __contains__(self, index: int) -> bool:
        return self.start <= index < self.stop

    def intersect(self, other: "Span") -> "Span":
        """Return the common part; an empty span at `self`'s nearer end where there is none."""
        start = min(max(self.start, other.start), self.stop)
        return Span(start, max(start, min(self.stop, other.stop)))


@dataclass(frozen=True, order=True)
class Region:
    """Rectangle of pixels: rows [top, bottom), columns [left, right)."""

    top: int
    left: int
    bottom: int
    right: int

    def __post_init__(self) -> None:
        if self.bottom <= self.top or self.right <= self.left:
            raise ValueError(f"a region needs at least one pixel, got {self}")

    @classmethod
    def whole(cls, size: Size) -> "Region":
        return cls(0, 0, size.height, size.width)

    @property
    def size(self) -> Size:
        return Size(self.bottom - self.top, self.right - self.left)

    @property
    def edges(self) -> tuple[int, int, int, int]:
        """Top, left, bottom, right."""
        return self.top, self.left, self.bottom, self.right

    @property
    def slices(self) -> tuple[slice, slice]:
        """Index of an (H, W, ...) array."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def intersect(self, other: "Region") -> "Region | None":
        top, left = max(self.top, other.top), max(self.left, other.left)
        bottom, right = min(self.bottom, other.bottom), min(self.right, other.right)
        return Region(top, left, bottom, right) if bottom > top and right > left else None

    def expand(self, margin_px: int, within: Size) -> "Region":
        """Grow by `margin_px` on every side, as far as a picture of size `within` reaches."""
        return Region(
            max(0, self.top - margin_px),
            max(0, self.left - margin_px),
            min(within.height, self.bottom + margin_px),
            min(within.width, self.right + margin_px),
        )

    def relative_to(self, outer: "Region") -> "Region":
        """Express this region in the coordinates of `outer`."""
        return Region(
            self.top - outer.top, self.left - outer.left, self.bottom - outer.top, self.right - outer.left
        )
