"""The order in which training sees its clips: a pure function of a seed and a position.

Every pass goes through all clips once, shuffled anew. A batch holds clips of one shape only. Position p is
batch p of the whole run, over all processes together; process r of W takes every W-th clip of it. So a run
that stops at any batch goes on at the next, on any number of workers, and W processes with batches of B see
what one process with batches of W · B sees.
"""

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Ticket:
    """One clip asked for: `draw` numbers all clips of a run, so it also seeds what is random about it."""

    index: int
    draw: int


class ClipOrder:
    """Batches of tickets from position `first` to `batches`.

    `shapes` says of each clip what must agree within a batch. A shape with fewer clips than a batch is
    filled up with repeats; of the others, what does not fill a batch waits for another pass.
    """

    def __init__(
        self,
        shapes: Sequence[Hashable],
        *,
        batch_size: int,
        batches: int,
        seed: int = 0,
        rank: int = 0,
        world_size: int = 1,
    ) -> None:
        if not len(shapes):
            raise ValueError("there are no clips to take")
        groups: dict[Hashable, list[int]] = {}
        for index, shape in enumerate(shapes):
            groups.setdefault(shape, []).append(index)
        self._groups = [np.array(group) for group in groups.values()]
        self._together = batch_size * world_size
        self._batches = batches
        self._seed = seed
        self._rank, self._world_size = rank, world_size
        self._pass: tuple[int, list[np.ndarray]] = (-1, [])
        self.first = 0
        self.batches_of_a_pass = sum(max(1, len(group) // self._together) for group in self._groups)

    def __len__(self) -> int:
        return self._batches

    def __iter__(self) -> Iterator[list[Ticket]]:
        for position in range(self.first, self._batches):
            yield self.at(position)

    def at(self, position: int) -> list[Ticket]:
        """Return the tickets of this process for the batch at `position`."""
        turn, place = divmod(position, self.batches_of_a_pass)
        if turn != self._pass[0]:
            self._pass = (turn, self._shuffled(turn))
        batch = self._pass[1][place]
        return [
            Ticket(int(batch[at]), position * self._together + at)
            for at in range(self._rank, self._together, self._world_size)
        ]

    def _shuffled(self, turn: int) -> list[np.ndarray]:
        generator = np.random.default_rng([self._seed, turn])
        batches: list[np.ndarray] = []
        for group in self._groups:
            order = generator.permutation(group)
            if len(order) < self._together:
                order = np.resize(order, self._together)
            whole = len(order) // self._together * self._together
            batches.extend(order[:whole].reshape(-1, self._together))
        return [batches[at] for at in generator.permutation(len(batches))]
