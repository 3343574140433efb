"""A changed ruler: how much of a gain is the normaliser or the references, and not the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from asrdq.rounds.pairing import METRICS, quantities
from asrdq.rounds.scored import Round, Scored, read_scored, rescore
from asrdq.scoring.tables import SCORES
from asrdq.workspace.store import quote_name

if TYPE_CHECKING:
    from asrdq.workspace import Workspace


@dataclass(frozen=True, slots=True)
class RulerChange:
    """Both rounds under both rulers.

    Attributes:
        old: Normaliser and references of the older round's scores.
        new: Those of the newer round's.
        metrics: For each metric the four rates.
    """

    old: str
    new: str
    metrics: Mapping[str, FourRates]

    def __str__(self) -> str:
        lines = [f"the ruler changed: {self.old} → {self.new}; both rounds are compared by the new"]
        return "\n".join([*lines, *(f"  {name}: {rates}" for name, rates in self.metrics.items())])


@dataclass(frozen=True, slots=True)
class FourRates:
    """One metric of both rounds under both rulers; None where a ruler can no longer be had.

    Attributes:
        before_old: Older round, old ruler.
        before_new: Older round, new ruler.
        after_old: Newer round, old ruler.
        after_new: Newer round, new ruler.
    """

    before_old: float | None
    before_new: float | None
    after_old: float | None
    after_new: float | None

    @property
    def total(self) -> float | None:
        """The change as the two scorings show it: newer round, new ruler − older, old."""
        return _minus(self.after_new, self.before_old)

    @property
    def model(self) -> float | None:
        """The change of the model, by the new ruler."""
        return _minus(self.after_new, self.before_new)

    @property
    def by_ruler(self) -> float | None:
        """The change of the ruler, on the older round; with `model` it adds up to `total`."""
        return _minus(self.before_new, self.before_old)

    def __str__(self) -> str:
        if self.total is None or self.model is None or self.by_ruler is None:
            return "not measured"
        said = f"{self.total:+.4f} in all, {self.model:+.4f} by the model"
        said += f" and {self.by_ruler:+.4f} by the ruler"
        other = _minus(self.after_old, self.before_old)
        return said if other is None else f"{said}; by the old ruler the model makes {other:+.4f}"


def _same_references(workspace: Workspace, before: Round, after: Round) -> bool:
    """Return whether the utterances of two scorings have the same references.

    They have in one version of a manifest, where of a choice of words each round may be scored
    against another one; and in two versions where their normalised references are equal, or else
    the texts that these were made of.
    """
    if before.manifest == after.manifest:
        return True
    sides = (f"{SCORES} a", f"{SCORES} b", *(quote_name(str(s.manifest)) for s in (before, after)))
    found = workspace.query(
        f"SELECT 1 FROM {sides[0]} JOIN {sides[1]} USING (utt_id) "
        f"JOIN {sides[2]} c USING (utt_id) JOIN {sides[3]} d USING (utt_id) "
        "WHERE a.run_id = $before AND b.run_id = $after "
        "AND a.reference <> b.reference AND c.text <> d.text LIMIT 1",
        {"before": before.run_id, "after": after.run_id},
    )
    return not found.num_rows


@dataclass(frozen=True, slots=True)
class Measured:
    """Both rounds under the ruler of the newer one, and what the change of ruler did."""

    before: Scored
    after: Scored
    change: RulerChange | None


def by_one_ruler(workspace: Workspace, before: Round, after: Round) -> Measured:
    """Return both rounds by the normaliser and the references of the newer one.

    Where these are not those of the older one, the older round is scored again by the new
    ruler, and the newer one by the old, so that the gain can be taken apart.

    Raises:
        DataError: The normaliser of the newer scoring has changed since it was made.
    """
    old, new = read_scored(workspace, before), read_scored(workspace, after)
    same_normaliser = before.normaliser_hash == after.normaliser_hash
    if same_normaliser and _same_references(workspace, before, after):
        return Measured(old, new, None)
    again = rescore(workspace, before.hyps, after)
    back = rescore(workspace, after.hyps, before) if before.has_normaliser() else None
    metrics = {
        metric: FourRates(
            rate(old.utterances, metric),
            rate(again.utterances, metric),
            rate(back.utterances if back else None, metric),
            rate(new.utterances, metric),
        )
        for metric in METRICS
    }
    return Measured(again, new, RulerChange(before.ruler, after.ruler, metrics))


def rate(scores: pa.Table | None, metric: str) -> float | None:
    """Return a rate over all utterances; None where there is nothing to divide by."""
    if scores is None:
        return None
    errors, units = quantities(scores, metric)
    return float(errors.sum() / units.sum()) if units.sum() else None


def _minus(left: float | None, right: float | None) -> float | None:
    return None if left is None or right is None else left - right
