"""How voxel bins are turned into pictures: counts or network values, colours, one scale or many."""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from app.settings import Settings

if TYPE_CHECKING:
    from engine.voxels import VoxelSpec

Values = Literal["counts", "network"]
Colours = Literal["grey", "viridis", "magma", "inferno", "coolwarm"]
VALUES: tuple[Values, ...] = get_args(Values)
COLOURS: tuple[Colours, ...] = get_args(Colours)
BRIGHTEST_QUANTILE = 0.998
SAMPLE = 50_000


@dataclass(frozen=True)
class VoxelLook:
    """What the user chose."""

    values: Values = "counts"
    """Spikes, or what they become before they enter the network."""
    colours: Colours = "grey"
    own_scale: bool = False
    """Every bin has its own white; else all share one."""
    takes: "VoxelSpec | None" = None
    """How the chosen network takes them; None where it takes none, or that is not known."""

    @classmethod
    def of(cls, settings: Settings, takes: "VoxelSpec | None" = None) -> "VoxelLook":
        values: Values = next((one for one in VALUES if one == settings.voxel_values), "counts")
        colours: Colours = next((one for one in COLOURS if one == settings.voxel_colours), "grey")
        return cls(values, colours, settings.voxel_own_scale, takes)

    @property
    def shown(self) -> Values:
        """What is really shown: counts, where nobody knows what the network makes of them."""
        return self.values if self.takes is not None else "counts"

    def keep(self, settings: Settings) -> None:
        settings.voxel_values, settings.voxel_colours = self.values, self.colours
        settings.voxel_own_scale = self.own_scale

    def levels(self, values: NDArray[np.float32]) -> tuple[NDArray[np.uint8], float, float]:
        """Return bins (K, h, w) as levels 0 to 255, and the values at both ends of a common scale.

        Counts begin at 0 and are shown by their square root, whose noise is the same everywhere.
        """
        low, high = self._range(values)
        if self.own_scale:
            scaled = np.stack([self._scaled(one, *self._range(one)) for one in values])
        else:
            scaled = self._scaled(values, low, high)
        return scaled, low, high

    def levels_of(self, values: NDArray[np.float32], index: int) -> NDArray[np.uint8]:
        """Return one of the bins, (h, w), as `levels` has it, without the cost of the others."""
        one = values[index]
        return self._scaled(one, *self._range(one if self.own_scale else values))

    def _range(self, values: NDArray[np.float32]) -> tuple[float, float]:
        sample = values.reshape(-1)[:: max(1, values.size // SAMPLE)]
        if self.shown == "counts":
            return 0.0, float(np.quantile(sample, BRIGHTEST_QUANTILE)) or 1.0
        low, high = np.quantile(sample, (1 - BRIGHTEST_QUANTILE, BRIGHTEST_QUANTILE))
        return float(low), float(high) if high > low else float(low) + 1.0

    def _scaled(self, values: NDArray[np.float32], low: float, high: float) -> NDArray[np.uint8]:
        if self.shown == "counts":
            values, low, high = np.sqrt(values), math.sqrt(low), math.sqrt(high)
        gain = 255 / (high - low) if math.isfinite(high - low) and high > low else 0.0
        return np.clip((values - np.float32(low)) * np.float32(gain), 0, 255).astype(np.uint8)


USUAL = VoxelLook()


@lru_cache
def colour_table(name: Colours) -> NDArray[np.uint8]:
    """Return the colours of levels 0 to 255 as RGB, (256, 3)."""
    if name == "grey":
        return np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)
    import pyqtgraph as pg  # late: a window shows itself before it is loaded

    if name == "coolwarm":
        ends = ((59, 76, 192), (221, 221, 221), (180, 4, 38))
        colours = pg.ColorMap([0.0, 0.5, 1.0], np.array(ends, np.uint8))
    else:
        colours = pg.colormap.get(name)
    return np.ascontiguousarray(colours.getLookupTable(0.0, 1.0, 256)[:, :3].astype(np.uint8))
