"""Calibration: what score means a bad clip, learned from faults planted on the data at hand.

Each stratum with enough clips has its own instrument, out of fold one for each model; the smaller
ones share one. Every clip is scored by detectors that never saw its speaker.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Final, NamedTuple, Protocol

import numpy as np

from asrdq.alignment import Aligner
from asrdq.audit.calibration.detectors import Detector, fit_detectors, suspicion
from asrdq.audit.calibration.threshold import Threshold, find_threshold
from asrdq.audit.faults import GROSS
from asrdq.audit.trials import Flags, Group, Names, Numbers, Trials
from asrdq.errors import UsageError
from asrdq.results import plain

OWN_INSTRUMENT_FROM: Final = 30
CALIBRATION_FROM: Final = 20
ALL_STRATA: Final = "all strata"
SHIPPED_MODEL: Final = "shipped values"
_FOLDS: Final = 5
_ROUNDS: Final = 3
_LEARNING_BUDGET: Final = 0.02


class Instrument(Protocol):
    """What judges the clips of a group."""

    @property
    def fitted_on(self) -> str:
        """What it was fitted on."""
        ...

    @property
    def threshold(self) -> Threshold:
        """Where low quality begins."""
        ...

    def score(self, trials: Trials, rows: Flags) -> Numbers:
        """Return how suspect the chosen rows are, (n,); inf where there is no alignment."""
        ...

    def to_json(self) -> str:
        """Return what it judges by as JSON, without the speakers' names."""
        ...


@dataclass(frozen=True)
class Calibration:
    """A fitted instrument for one group or several.

    Attributes:
        fitted_on: The stratum, or `all strata`, with the fold where there are any.
        folds: Detectors of each fold, fitted without its speakers.
        fold_of: The fold whose detectors judge a speaker, the one that did not learn from that
            speaker; any other speaker is judged by the mean of all.
        by_clip: Whether folds are of clips, since one speaker has them all.
        threshold: Where low quality begins.
        clips: Untouched clips it was fitted on.
        planted: Planted copies it was fitted on.
        speakers: Speakers among them.
    """

    fitted_on: str
    folds: tuple[tuple[Detector, ...], ...]
    fold_of: dict[str, int]
    threshold: Threshold
    clips: int
    planted: int
    speakers: int
    by_clip: bool = False

    def score(self, trials: Trials, rows: Flags) -> Numbers:
        """Return how suspect the chosen rows are, (n,); inf where there is no alignment."""
        evidence, aligned = trials.evidence[rows], trials.aligned[rows]
        by_fold = np.array([suspicion(one, evidence, aligned) for one in self.folds])
        names = (trials.utt_ids if self.by_clip else trials.speakers)[rows]
        fold = np.array([self.fold_of.get(str(name), -1) for name in names], dtype=np.int64)
        own = by_fold[np.maximum(fold, 0), np.arange(len(evidence))]
        return np.where(fold >= 0, own, by_fold.mean(axis=0))

    def to_json(self) -> str:
        """Return the detectors and the threshold as JSON, without the speakers' names."""
        return json.dumps(plain({"threshold": self.threshold, "folds": self.folds}))


def shipped_calibration(aligner: Aligner) -> Calibration:
    """Return the instrument that comes along, for audits that are not to calibrate themselves.

    It was fitted by `tools/ship_calibration.py` on read English speech; on other data
    its thresholds are a start and no more.

    Raises:
        UsageError: It was fitted on the evidence of another aligner.
    """
    text = resources.files("asrdq.audit.calibration").joinpath("shipped.json").read_text("utf-8")
    data = json.loads(text)
    if (aligner.name, list(aligner.evidence_names)) != (data["aligner"], data["evidence"]):
        raise UsageError(
            f"the shipped thresholds are for the aligner '{data['aligner']}' and its evidence, "
            f"not for '{aligner.name}'",
            hint="leave out --no-calibration: thresholds are then fitted on this data",
        )
    folds = tuple(tuple(Detector.from_dict(one) for one in fold) for fold in data["folds"])
    threshold = Threshold(**data["threshold"])
    return Calibration(SHIPPED_MODEL, folds, {}, threshold, 0, 0, 0)


def confidence_of(scores: Numbers, threshold: float | Numbers) -> Numbers:
    """Map scores to 0…1 so that the threshold is 0.5; no alignment (inf) is 0."""
    with np.errstate(over="ignore", invalid="ignore"):
        confidence: Numbers = 1.0 / (1.0 + np.exp(np.clip(scores - threshold, -500.0, np.inf)))
    return np.where(np.isposinf(scores), 0.0, confidence)


def calibrate(trials: Trials, names: Sequence[str], budget: float) -> dict[Group, Calibration]:
    """Fit an instrument for each group; groups of few clips share one fitted on more.

    A group of fewer than 30 clips is judged by what is fitted on all strata of its model; where
    these are too few, on its stratum, whichever model judged it; and else on everything.

    The models are so small that threads would only wait for each other.

    Args:
        trials: Untouched clips and their planted copies.
        names: Names of the evidence columns.
        budget: Share of right clips that may be flagged.

    Returns:
        Group to its instrument. Groups are missing where all together have fewer than 20 usable
        untouched clips, and where the aligner gives no evidence: nothing can be calibrated then.
    """
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1):
        return _instruments(trials, names, budget)


def _instruments(trials: Trials, names: Sequence[str], budget: float) -> dict[Group, Calibration]:
    usable = trials.usable
    fitted: dict[_Pool, Calibration] = {}
    found: dict[Group, Calibration] = {}
    for group in trials.groups if names else ():
        for pool, least in _pools(group):
            rows = usable & pool.of(trials)
            if (rows & trials.untouched).sum() < least:
                continue
            if pool not in fitted:
                fitted[pool] = _fit(trials, rows, names, budget, str(pool))
            found[group] = fitted[pool]
            break
    return found


class _Pool(NamedTuple):
    """What an instrument is fitted on: None stands for all strata, or all folds."""

    stratum: str | None
    fold: str | None

    def __str__(self) -> str:
        stratum = ALL_STRATA if self.stratum is None else self.stratum
        return f"{stratum}, {self.fold}" if self.fold else stratum

    def of(self, trials: Trials) -> Flags:
        everything: Flags = np.ones(len(trials.clips), dtype=np.bool_)
        stratum = everything if self.stratum is None else trials.strata == self.stratum
        return stratum & (everything if self.fold is None else trials.folds == self.fold)


def _pools(group: Group) -> list[tuple[_Pool, int]]:
    """Return what may serve a group, the narrowest first, each with the clips that it takes."""
    return [
        (_Pool(group.stratum, group.fold), OWN_INSTRUMENT_FROM),
        (_Pool(None, group.fold), OWN_INSTRUMENT_FROM),
        (_Pool(group.stratum, None), OWN_INSTRUMENT_FROM),
        (_Pool(None, None), CALIBRATION_FROM),
    ]


def speaker_folds(speakers: Names) -> dict[str, int]:
    """Deal speakers to folds, those with the most clips first, to the smallest fold so far."""
    names, clips = np.unique(speakers, return_counts=True)
    sizes = np.zeros(min(_FOLDS, len(names)), dtype=np.int64)
    folds: dict[str, int] = {}
    for index in np.lexsort((names, -clips)):
        fold = int(np.argmin(sizes))
        folds[str(names[index])] = fold
        sizes[fold] += clips[index]
    return folds


def _fit(
    trials: Trials, rows: Flags, names: Sequence[str], budget: float, fitted_on: str
) -> Calibration:
    evidence, faults = trials.evidence[rows], trials.faults[rows]
    speakers, untouched = trials.speakers[rows], trials.untouched[rows]
    by_clip = len(set(speakers.tolist())) == 1
    if by_clip:
        speakers = trials.utt_ids[rows]
    fold_of = speaker_folds(speakers)
    fold = np.array([fold_of[str(speaker)] for speaker in speakers])
    gross = np.isin(faults, [fault.value for fault in GROSS])
    ruled, aligned = trials.ruled[rows], trials.aligned[rows]
    trusted = untouched & aligned & ~ruled
    scores = np.full(len(evidence), np.inf)
    detectors: list[tuple[Detector, ...]] = []
    for _ in range(_ROUNDS):
        detectors = []
        for number in range(max(fold_of.values()) + 1):
            learn = aligned & (fold != number)
            fitted = fit_detectors(evidence[learn], names, faults[learn], trusted[learn])
            judged = fold == number
            scores[judged] = suspicion(fitted, evidence[judged], aligned[judged])
            detectors.append(fitted)
        scores[ruled] = np.inf
        cut = find_threshold(scores[untouched], scores[gross], _LEARNING_BUDGET)
        trusted = untouched & (scores <= cut.value)
    return Calibration(
        fitted_on=fitted_on,
        folds=tuple(detectors),
        fold_of=fold_of,
        threshold=find_threshold(scores[untouched], scores[gross], budget),
        clips=int(untouched.sum()),
        planted=int((~untouched).sum()),
        speakers=1 if by_clip else len(fold_of),
        by_clip=by_clip,
    )


def separation(untouched: Numbers, planted: Numbers, hidden_share: float) -> float | None:
    """Return the area under the ROC curve of planted against right clips, ties counting half.

    Untouched clips hold a share of faulty ones; the most suspect clips make it up and are left
    out. Clips without a score (NaN) count on neither side; None where a side has no other.

    >>> separation(np.array([1.0, 2.0]), np.array([1.0, np.inf]), 0.0)
    0.625
    """
    scored, planted = untouched[~np.isnan(untouched)], planted[~np.isnan(planted)]
    right = np.sort(scored)[: round(len(scored) * (1.0 - hidden_share))]
    if not len(right) or not len(planted):
        return None
    below = np.searchsorted(right, planted, side="left")
    equal = np.searchsorted(right, planted, side="right") - below
    return float((below + 0.5 * equal).mean() / len(right))
