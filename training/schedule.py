"""The learning rate as a function of the step, and nothing else, so that a resumed run is on it at once."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Schedule:
    """Options of the optimiser (AdamW) and its learning rate."""

    rate: float = 2e-4
    """Peak learning rate."""
    betas: tuple[float, float] = (0.9, 0.99)
    weight_decay: float = 1e-4
    warmup_steps: int = 256
    total_steps: int | None = None
    """Steps until the rate has fallen to its end; the trainer's max_steps where not given."""
    end_share: float = 0.01
    """The last rate, as a share of the peak."""
    flow_frozen_steps: int = 2000
    """First steps in which the optical flow network does not learn."""
    flow_share: float = 0.1
    """Its learning rate afterwards, as a share of the others'."""

    def __post_init__(self) -> None:
        if not self.rate > 0 or self.warmup_steps < 0 or not 0 <= self.end_share <= 1:
            raise ValueError(f"impossible schedule: {self}")


def rate_factor(step: int, *, warmup_steps: int, total_steps: int, end_share: float) -> float:
    """Return the share of the peak rate at an optimiser step, counted from 0.

    1. A straight rise through the warm-up. 2. Half a cosine down to `end_share`. 3. `end_share` for ever.
    """
    if step < warmup_steps:
        return (step + 1) / warmup_steps
    if step >= total_steps:
        return end_share
    share = (step - warmup_steps) / max(1, total_steps - warmup_steps)
    return end_share + (1 - end_share) * (1 + math.cos(math.pi * share)) / 2
