"""The evaluation that two rounds share: paired scores, groups, held-out rows, one seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from asrdq.errors import unknown
from asrdq.rounds.blocks import Blocking, block_sums
from asrdq.rounds.change import Change, change_of
from asrdq.rounds.groups import Grouping
from asrdq.rounds.paired import Differences, paired_differences
from asrdq.rounds.pairing import Pairing
from asrdq.rounds.scope import Scope, scope_text

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Evaluation:
    """Everything that changes are computed from.

    Attributes:
        pairing: Both rounds under one ruler.
        blocking: What is drawn as one.
        groupings: Partition of the rows by each column that somebody asked for.
        held_out: Rows that decide: those that the model was not trained on.
        restricted: Whether training data were named, so that some rows may not decide.
        replicates: Bootstrap replicates.
        seed: Seed of the resampling.
    """

    pairing: Pairing
    blocking: Blocking
    groupings: Mapping[str, Grouping]
    held_out: Mask
    restricted: bool
    replicates: int
    seed: int
    _masks: dict[str, Mask] = field(default_factory=dict, repr=False)

    def rows(self, scope: Scope) -> Mask:
        """Return the held-out rows of a scope.

        Raises:
            UsageError: No row has such a value.
        """
        name = scope_text(scope)
        if name not in self._masks:
            mask = self.held_out.copy()
            for column, values in scope.items():
                mask &= _with_values(self.groupings[column], values)
            self._masks[name] = mask
        return self._masks[name]

    def text(self, scope: Scope) -> str:
        """Return a scope in words, with a word on training data where they were named."""
        return scope_text(scope) + (", held out" if self.restricted else "")

    def change(self, metric: str, scope: Scope) -> Change:
        """Return how a metric changed over the held-out rows of a scope."""
        group = np.where(self.rows(scope), 0, -1).astype(np.int64)
        return change_of(self.differences(metric, group, 1), 0, metric, self.text(scope))

    def means(self, metric: str, scope: Scope, by: str) -> tuple[float | None, float | None]:
        """Return the plain mean over groups of the new rate and of its change."""
        grouping = self.groupings[by]
        group = np.where(self.rows(scope), grouping.of_row, -1)
        found = self.differences(metric, group, len(grouping.names))
        known = np.isfinite(found.change)
        if not known.any():
            return None, None
        return float(found.after[known].mean()), float(found.change[known].mean())

    def differences(self, metric: str, group: NDArray[np.int64], groups: int) -> Differences:
        """Return the differences of a metric in groups of rows; −1 is no group."""
        sums = block_sums(self.pairing, metric, self.blocking, group, groups)
        return paired_differences(sums, replicates=self.replicates, seed=self.seed)

    def utt_ids(self) -> pa.ChunkedArray:
        """Return the ids of the utterances."""
        return self.pairing.before["utt_id"]


def _with_values(grouping: Grouping, values: Sequence[str]) -> Mask:
    numbers = []
    for value in values:
        if value not in grouping.names:
            raise unknown(f"value of {grouping.by}", value, grouping.names)
        numbers.append(grouping.names.index(value))
    mask: Mask = np.isin(grouping.of_row, numbers)
    return mask
