"""The table of changes: every metric in every group, corrected for being many."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from asrdq.rounds.blocks import UTTERANCE, Blocking, block_sums, single_rows
from asrdq.rounds.change import Change, change_of
from asrdq.rounds.detectable import detectable_change, holm
from asrdq.rounds.groups import Grouping
from asrdq.rounds.paired import REPLICATES, Differences, paired_differences
from asrdq.rounds.pairing import Pairing
from asrdq.rounds.schema import DELTAS


@dataclass(frozen=True, slots=True)
class Changes:
    """Changes of a pairing, all from the same blocks and the same seed.

    Attributes:
        pairing: Both rounds.
        blocking: What is drawn as one.
        replicates: Bootstrap replicates.
        seed: Seed of the resampling.
    """

    pairing: Pairing
    blocking: Blocking
    replicates: int = REPLICATES
    seed: int = 0

    def of(self, metric: str, rows: NDArray[np.bool_], scope: str) -> Change:
        """Return the change of a metric over some of the utterances."""
        found, _ = self.by(metric, np.where(rows, 0, -1).astype(np.int64), 1)
        return change_of(found, 0, metric, scope)

    def by(
        self, metric: str, group: NDArray[np.int64], groups: int
    ) -> tuple[Differences, NDArray[np.bool_]]:
        """Return the changes of a metric by group, and whether utterances were the blocks.

        Speakers are the blocks. Of a group with one speaker only, utterances are: what is said
        of it then holds for this speaker.

        Args:
            metric: `wer`, `cer`, `ser` or `ker`.
            group: Number of the group of each utterance; −1 for none.
            groups: Number of groups.
        """
        found = self._differences(metric, self.blocking, group, groups)
        alone = (found.blocks == 1) & (found.rows > 1)
        by_utterance = alone | (self.blocking.unit == UTTERANCE)
        if alone.any():
            number = np.where(alone, np.cumsum(alone) - 1, -1)
            inside = np.where(group >= 0, number[group], -1)
            single = single_rows(inside >= 0, self.seed)
            finer = self._differences(metric, single, inside, int(alone.sum()))
            for field in dataclasses.fields(Differences):
                getattr(found, field.name)[alone] = getattr(finer, field.name)
        return found, by_utterance

    def _differences(
        self, metric: str, blocking: Blocking, group: NDArray[np.int64], groups: int
    ) -> Differences:
        sums = block_sums(self.pairing, metric, blocking, group, groups)
        found = paired_differences(sums, replicates=self.replicates, seed=self.seed)
        if metric in _SHARES:
            for limits in (found.low, found.high):
                np.clip(limits, -1.0, 1.0, out=limits)
        return found

    def table(self, metric: str, grouping: Grouping) -> pa.Table:
        """Return one row a group, schema `DELTAS`; groups without units are left out.

        `adjusted_p` is corrected over the groups by Holm's rule.
        """
        found, by_utterance = self.by(metric, grouping.of_row, len(grouping.names))
        method = np.where(found.resampled, "bootstrap", np.where(found.blocks > 1, "t", "none"))
        columns: dict[str, Any] = {
            "metric": np.full(len(method), metric, object),
            "by": np.full(len(method), grouping.by, object),
            "group": np.array(grouping.names, object),
            "blocked_by": np.where(by_utterance, UTTERANCE, self.blocking.unit).astype(object),
            **{name: getattr(found, name) for name in _TAKEN},
            "adjusted_p": holm(found.p),
            "detectable": _possible(metric, detectable_change(found.error, found.blocks)),
            "method": method.astype(object),
        }
        known = np.isfinite(found.change)
        arrays = [
            pa.array(columns[field.name][known], field.type, from_pandas=True) for field in DELTAS
        ]
        return pa.Table.from_arrays(arrays, schema=DELTAS)


_SHARES = frozenset({"ser", "ker"})
"""Rates that cannot pass 1, and so cannot change by more than 1."""


def _possible(metric: str, detectable: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the changes that can be detected; NaN where no change could be as large."""
    return np.where((metric in _SHARES) & (detectable > 1), np.nan, detectable)


_TAKEN = (
    "rows", "blocks", "before", "after", "change", "low", "high",
    "relative", "relative_low", "relative_high", "improvement", "p",
)  # fmt: skip
