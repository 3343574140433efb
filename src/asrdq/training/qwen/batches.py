"""Which clips make a step, and which GPU hears which of them in which pass.

A step is drawn from seed and epoch alone. How many GPUs share it, and how many clips one can hold,
only decides into how many passes it is cut: the same steps are made on one GPU and on eight.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from asrdq.errors import UsageError
from asrdq.sampling.weights import GroupSize, nested_weights
from asrdq.training.qwen.rows import Row

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Draw(NamedTuple):
    """A clip of an epoch.

    Attributes:
        row: Its number among the rows.
        epoch: The epoch, from 0.
        copy: How often it came before in this epoch; more than 0 only where groups are mixed.
        masked: Whether no loss is taken of it: it fills a pass that would be empty.
    """

    row: int
    epoch: int
    copy: int = 0
    masked: bool = False


@dataclass(frozen=True, slots=True)
class Sharing:
    """How a step is shared.

    Attributes:
        effective: Clips of a step.
        batch: Most clips of a GPU and pass.
        world: GPUs.
        rank: This one.
    """

    effective: int
    batch: int
    world: int = 1
    rank: int = 0

    @property
    def passes(self) -> int:
        """Passes of a whole step."""
        return math.ceil(self.effective / (self.batch * self.world))


class EpochBatches:
    """Gives the passes of an epoch, each a list of `Draw`s; it is the batch sampler of a loader.

    Clips of a step are sorted by length before they are shared, so that those that are padded to
    one length are of like length. With buckets, whole steps are of like length too: as many
    steps as there are buckets are drawn together, sorted, and cut.

    Args:
        rows: What there is.
        sharing: How steps are shared.
        seed: Of the order.
        buckets: Steps that are sorted together; None or 1 for none.
        temperature: τ by which the groups of the rows are mixed.

    Raises:
        UsageError: A step has fewer clips than there are GPUs.
    """

    def __init__(
        self,
        rows: Sequence[Row],
        sharing: Sharing,
        *,
        seed: int,
        buckets: int | None = None,
        temperature: float = 1.0,
    ) -> None:
        if sharing.effective < sharing.world:
            raise UsageError(
                f"a step has {sharing.effective} clips, and {sharing.world} GPUs want one each",
                hint="raise trainer.effective_batch, or take fewer GPUs",
            )
        self.sharing = sharing
        self.epoch = 0
        self._seed, self._buckets = seed, buckets or 1
        self._seconds = np.array([row.duration_s for row in rows])
        self._mix = _Mix(rows, temperature) if temperature != 1.0 and rows[0].groups else None

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch, from 0."""
        self.epoch = epoch

    def __len__(self) -> int:
        """Return the passes of an epoch."""
        whole, left = divmod(len(self._seconds), self.sharing.effective)
        rest = math.ceil(left / (self.sharing.batch * self.sharing.world))
        return whole * self.sharing.passes + rest

    def __iter__(self) -> Iterator[list[Draw]]:
        for step in self.steps(self.epoch):
            for one in self._shared(step):
                yield one[self.sharing.rank]

    def steps(self, epoch: int) -> list[list[Draw]]:
        """Return the clips of each step of an epoch; only the last step may be smaller."""
        rng = np.random.default_rng([self._seed, epoch])
        order = self._order(rng)
        size = self.sharing.effective
        whole = len(order) // size
        steps: list[NDArray[np.int64]] = []
        for begin in range(0, whole, self._buckets):
            pool = order[begin * size : min(begin + self._buckets, whole) * size]
            if self._buckets > 1:
                pool = pool[np.argsort(self._seconds[pool], kind="stable")]
            cut = pool.reshape(-1, size)
            steps += list(rng.permutation(cut) if self._buckets > 1 else cut)
        if len(order) % size:
            steps.append(order[whole * size :])
        return self._numbered(steps, epoch)

    def _order(self, rng: np.random.Generator) -> NDArray[np.int64]:
        if self._mix is not None:
            return self._mix.draw(len(self._seconds), rng)
        return rng.permutation(len(self._seconds))

    def _numbered(self, steps: Sequence[NDArray[np.int64]], epoch: int) -> list[list[Draw]]:
        seen = np.zeros(len(self._seconds), np.int64)
        numbered = []
        for step in steps:
            draws = []
            for index in step.tolist():
                draws.append(Draw(index, epoch, int(seen[index])))
                seen[index] += 1
            numbered.append(draws)
        return numbered

    def _shared(self, step: list[Draw]) -> Iterator[list[list[Draw]]]:
        """Give the passes of a step: the clips of each GPU, as evenly as they can be shared."""
        world = self.sharing.world
        passes = math.ceil(len(step) / (self.sharing.batch * world))
        by_length = sorted(step, key=lambda draw: (-self._seconds[draw.row], draw))
        idle = passes * world - len(by_length)
        by_length += [by_length[-1]._replace(masked=True)] * max(0, idle)
        cells = np.array_split(np.arange(len(by_length)), passes * world)
        for number in range(passes):
            own = cells[number * world : (number + 1) * world]
            yield [[by_length[place] for place in cell.tolist()] for cell in own]


class _Mix:
    """Draws an epoch from nested groups with weights w_i^τ ÷ Σ w_j^τ, w being hours.

    An epoch has as many clips as there are rows. A group that gets more than it has comes several
    times as a whole, and the rest of its share is drawn without replacement.
    """

    def __init__(self, rows: Sequence[Row], temperature: float) -> None:
        order = sorted(range(len(rows)), key=lambda index: rows[index].groups)
        leaves, self._members = [], []
        for group, members in groupby(order, key=lambda index: rows[index].groups):
            indices = list(members)
            hours = math.fsum(rows[index].duration_s for index in indices) / 3600
            leaves.append(GroupSize(group, len(indices), hours))
            self._members.append(np.array(indices))
        weights = nested_weights(leaves, [temperature] * len(leaves[0].group))
        shares = {tuple(row["group"]): row["probability"] for row in weights}
        self._shares = np.array([shares[leaf.group] for leaf in leaves])

    def draw(self, clips: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """Return `clips` rows in a random order."""
        ends = np.rint(np.cumsum(self._shares) * clips).astype(np.int64)
        counts = np.diff(ends, prepend=0)
        drawn = []
        for members, count in zip(self._members, counts.tolist(), strict=True):
            whole, left = divmod(count, len(members))
            drawn += [np.tile(members, whole), rng.permutation(members)[:left]]
        return rng.permutation(np.concatenate(drawn))
