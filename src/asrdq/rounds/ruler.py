"""A changed ruler: how much of a gain is the normaliser or the references, and not the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from asrdq.rounds.pairing import quantities


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


def same_references(before: pa.Table, after: pa.Table) -> bool:
    """Return whether the utterances of both scorings have the same normalised references."""
    place = pc.index_in(before["utt_id"], after["utt_id"])
    shared = pc.is_valid(place)
    theirs = after["reference"].take(place.filter(shared))
    return bool(pc.all(pc.equal(before["reference"].filter(shared), theirs)).as_py() in (True, None))


def rate(scores: pa.Table | None, metric: str) -> float | None:
    """Return a rate over all utterances; None where there is nothing to divide by."""
    if scores is None:
        return None
    errors, units = quantities(scores, metric)
    return float(errors.sum() / units.sum()) if units.sum() else None


def _minus(left: float | None, right: float | None) -> float | None:
    return None if left is None or right is None else left - right
