"""The evaluation that two rounds share: paired scores, groups, held-out rows, one seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asrdq.errors import unknown
from asrdq.rounds.change import Change, change_of
from asrdq.rounds.deltas import Changes
from asrdq.rounds.groups import Grouping
from asrdq.rounds.scope import Scope, scope_text

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Evaluation:
    """What decisions are made on.

    Attributes:
        changes: Both rounds, under one ruler.
        groupings: Partition of the rows by each column that somebody asked for.
        held_out: Rows that decide: those that the model was not trained on.
        restricted: Whether training data were named, so that some rows may not decide.
    """

    changes: Changes
    groupings: Mapping[str, Grouping]
    held_out: Mask
    restricted: bool

    def rows(self, scope: Scope) -> Mask:
        """Return the held-out rows of a scope.

        Raises:
            UsageError: No row has such a value.
        """
        mask = self.held_out.copy()
        for column, values in scope.items():
            mask &= _with_values(self.groupings[column], values)
        return mask

    def text(self, scope: Scope) -> str:
        """Return a scope in words, with a word on training data where they were named."""
        return scope_text(scope) + (", held out" if self.restricted else "")

    def change(self, metric: str, scope: Scope) -> Change:
        """Return how a metric changed over the held-out rows of a scope."""
        return self.changes.of(metric, self.rows(scope), self.text(scope))

    def each(self, metric: str, scope: Scope, by: str) -> list[Change]:
        """Return how a metric changed in each group that rows have; 0 rows where none decides."""
        grouping = self.groupings[by]
        group = np.where(self.rows(scope), grouping.of_row, -1)
        found, _ = self.changes.by(metric, group, len(grouping.names))
        return [
            change_of(found, number, metric, self.text({**scope, by: [name]}))
            for number, name in enumerate(grouping.names)
            if (grouping.of_row == number).any()
        ]

    def means(self, metric: str, scope: Scope, by: str) -> tuple[float | None, float | None]:
        """Return the plain means over groups of the new rate and of its change."""
        grouping = self.groupings[by]
        group = np.where(self.rows(scope), grouping.of_row, -1)
        found, _ = self.changes.by(metric, group, len(grouping.names))
        known = np.isfinite(found.change)
        if not known.any():
            return None, None
        return float(found.after[known].mean()), float(found.change[known].mean())


def _with_values(grouping: Grouping, values: Sequence[str]) -> Mask:
    numbers = []
    for value in values:
        if value not in grouping.names:
            raise unknown(f"value of {grouping.by}", value, grouping.names)
        numbers.append(grouping.names.index(value))
    mask: Mask = np.isin(grouping.of_row, numbers)
    return mask
