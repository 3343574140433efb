"""Detectors over the evidence of an alignment: words that do not fit, ends in haste, voice alone.

A clip is as suspect as the worst of them makes it. One detector for all loses faults: a long
pause that is hardly louder than usual would have to be made up for by badly fitting words
(measured in `docs/decisions/0005-calibration.md`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from asrdq.audit.faults import PLANTED, Fault

Matrix = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

_CLIPPED_LOW, _CLIPPED_HIGH = -5.0, 8.0
_SMALLEST_SPREAD: Final = {"wide_beams": 0.2}
_PENALTY: Final = 0.3
_PLANTED_WEIGHT: Final = 2.0
_BODY_LOW, _BODY_MIDDLE = 0.1, 0.5


@dataclass(frozen=True, slots=True)
class DetectorPlan:
    """Which evidence a detector looks at and which faults it learns to tell from right clips."""

    name: str
    evidence: tuple[str, ...]
    faults: tuple[Fault, ...]


_CTC_WORDS: Final = ("weak_tokens", "windowed_minimum", "path_excess", "absent_words")
_SLOTS: Final = (
    "slot_doubt",
    "weakest_slot",
    "slot_entropy",
    "worst_entropy",
    "repaired_times",
    "zero_length",
    "out_of_order",
)
PLANS: Final = (
    DetectorPlan(
        "words",
        (
            "wide_beams",
            "word_cost",
            "weak_phones",
            "weakest_word",
            "weakest_word_excess",
            "weakest_run_excess",
            "short_phones",
            "word_run_cost",
            "word_run_excess",
            *_CTC_WORDS,
            *_SLOTS,
        ),
        tuple(fault for fault in PLANTED if fault is not Fault.MISSING_WORDS),
    ),
    DetectorPlan(
        "ends",
        ("wide_beams", "word_run_haste", "edge_excess", "edge_haste"),
        (Fault.EXTRA_WORDS, Fault.HALF_AUDIO),
    ),
    DetectorPlan(
        "voice",
        (
            "uncovered_voice",
            "longest_uncovered_s",
            "worst_silence",
            "total_silence",
            "other_sounds",
        ),
        (Fault.MISSING_WORDS, Fault.SWAPPED_TEXT),
    ),
)


@dataclass(frozen=True)
class Detector:
    """A logistic model over standardised evidence, in units of the spread of right clips.

    Attributes:
        columns: Columns of the evidence matrix it reads.
        center: Median of right clips, per column.
        spread: Standard deviation of right clips, per column.
        weights: Of the standardised columns.
        shift: Median score of right clips: score 0.
        scale: From that median down to the tenth percentile: score 1. Only the lower half sets
            the unit, since faults that hide among the untouched clips lie in the upper one.
    """

    columns: tuple[int, ...]
    center: Matrix
    spread: Matrix
    weights: Matrix
    shift: float
    scale: float

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Detector:
        """Read a detector back from JSON types."""
        return cls(
            columns=tuple(data["columns"]),
            center=np.array(data["center"]),
            spread=np.array(data["spread"]),
            weights=np.array(data["weights"]),
            shift=data["shift"],
            scale=data["scale"],
        )

    def score(self, evidence: Matrix) -> Matrix:
        """Score rows (n, evidence) of aligned clips to (n,): larger is more suspect.

        NaN, where a measure does not apply, counts as the median of right clips.
        """
        raw = _standardised(evidence[:, self.columns], self.center, self.spread) @ self.weights
        return (raw - self.shift) / self.scale


def _standardised(evidence: Matrix, center: Matrix, spread: Matrix) -> Matrix:
    standard: Matrix = np.clip((evidence - center) / spread, _CLIPPED_LOW, _CLIPPED_HIGH)
    return np.where(np.isnan(standard), 0.0, standard)


def fit_detectors(
    evidence: Matrix, names: Sequence[str], faults: npt.NDArray[np.str_], trusted: Flags
) -> tuple[Detector, ...]:
    """Fit every detector that the evidence allows.

    Args:
        evidence: Rows of aligned clips, (n, evidence).
        names: The columns' names.
        faults: What was planted in each row, (n,).
        trusted: The untouched rows to learn right clips from, (n,).

    Without a trusted or a planted row a detector has no weights: every score is 0.
    """
    return tuple(_fit(plan, evidence, list(names), faults, trusted) for plan in plans_for(names))


def plans_for(names: Sequence[str]) -> tuple[DetectorPlan, ...]:
    """Return the detectors that an aligner's evidence allows, each with what there is of its own.

    Evidence of names that no plan has goes into one detector for all faults.
    """
    planned = {name for plan in PLANS for name in plan.evidence}
    others = tuple(name for name in names if name not in planned)
    plans = [
        DetectorPlan(plan.name, own, plan.faults)
        for plan in PLANS
        if (own := tuple(name for name in plan.evidence if name in names))
    ]
    return (*plans, DetectorPlan("all", others, PLANTED)) if others else tuple(plans)


def suspicion(detectors: Sequence[Detector], evidence: Matrix, aligned: Flags) -> Matrix:
    """Return the worst score of the detectors, (n,); inf where there is no alignment."""
    scores = np.full(len(evidence), np.inf)
    if aligned.any():
        scores[aligned] = np.max([one.score(evidence[aligned]) for one in detectors], axis=0)
    return scores


def _fit(
    plan: DetectorPlan,
    evidence: Matrix,
    names: list[str],
    faults: npt.NDArray[np.str_],
    trusted: Flags,
) -> Detector:
    from sklearn.linear_model import LogisticRegression

    columns = tuple(names.index(name) for name in plan.evidence)
    center, spread = _spread_of_right(
        evidence[trusted if trusted.any() else slice(None)][:, columns], plan.evidence
    )
    planted = np.isin(faults, plan.faults)
    rows = trusted | planted
    standard = _standardised(evidence[rows][:, columns], center, spread)
    weights = np.zeros(len(columns))
    if planted[rows].any() and trusted.any():
        weight = np.where(planted[rows], _PLANTED_WEIGHT / len(plan.faults), 1.0)
        model = LogisticRegression(C=_PENALTY, max_iter=2000)
        model.fit(standard, planted[rows], sample_weight=weight)
        weights = np.asarray(model.coef_[0], dtype=np.float64)
    raw = standard[~planted[rows]] @ weights
    low, middle = np.quantile(raw, [_BODY_LOW, _BODY_MIDDLE]) if len(raw) else (0.0, 0.0)
    return Detector(columns, center, spread, weights, float(middle), float(middle - low) or 1.0)


def _spread_of_right(right: Matrix, names: Sequence[str]) -> tuple[Matrix, Matrix]:
    """Return median and standard deviation of each column, (evidence,), NaN left out."""
    center, spread = np.zeros(len(names)), np.zeros(len(names))
    for index, values in enumerate(right.T):
        known = values[~np.isnan(values)]
        if len(known):
            center[index], spread[index] = np.median(known), known.std()
    return center, np.maximum(spread, [_SMALLEST_SPREAD.get(name, 1e-3) for name in names])
