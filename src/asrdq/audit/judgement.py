"""The judgement of clips: low quality or not, every reason, or why nothing can be said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from asrdq.audit.calibration.fitting import Instrument, confidence_of
from asrdq.audit.reasons import FACTS, UNUSABLE, InstrumentStatus, Reason
from asrdq.audit.trials import Flags, Group, Names, Numbers, Trials


@dataclass(frozen=True)
class Judgement:
    """Columns of the length of the trials, (n,).

    Attributes:
        scores: How suspect the evidence is; inf without an alignment, NaN without an instrument.
        confidence: The scores mapped to 0…1, 0.5 at the threshold; NaN where nothing is known.
        rules: For each reason whether it applies: those of the trials, `low_confidence` and
            `duration_differs`.
        instrument: `ok`, or why the entry could not be judged.
    """

    scores: Numbers
    confidence: Numbers
    rules: Mapping[Reason, Flags]
    instrument: Names

    @property
    def judged(self) -> Flags:
        """The entries with a verdict."""
        found: Flags = self.instrument == InstrumentStatus.OK
        return found

    @property
    def low_quality(self) -> Flags:
        """The entries with a reason to be of low quality; meaningless where not judged."""
        found: Flags = np.any(list(self.rules.values()), axis=0)
        return found

    def with_reasons(self, more: Mapping[Reason, Flags]) -> Judgement:
        """Return the judgement with reasons that do not come from the aligner."""
        return replace(self, rules={**self.rules, **more})


def score_trials(
    trials: Trials, instruments: Mapping[Group, Instrument]
) -> tuple[Numbers, Numbers]:
    """Return scores and thresholds of all entries; NaN in groups without an instrument."""
    scores = np.full(len(trials.clips), np.nan)
    thresholds = np.full(len(trials.clips), np.nan)
    for group, instrument in instruments.items():
        rows = trials.of(group)
        scores[rows] = instrument.score(trials, rows)
        thresholds[rows] = instrument.threshold.value
    return scores, thresholds


def judge(
    trials: Trials,
    scores: Numbers,
    thresholds: Numbers,
    verdicts: Mapping[Group, str],
    confidence_minimum: float,
) -> Judgement:
    """Judge every entry.

    Args:
        trials: The entries with the rules that need no calibration.
        scores: From `score_trials`.
        thresholds: From `score_trials`.
        verdicts: Group to what its calibration says of the instrument; a clip of a group
            whose instrument is too weak or missing is judged by plain facts only (no file,
            nothing in it, no text, another duration than stated) and otherwise not at all.
        confidence_minimum: Confidence below which a clip is of low quality.
    """
    confidence = confidence_of(scores, thresholds)
    unusable = np.any([trials.rules[reason] for reason in UNUSABLE], axis=0)
    confidence[np.isnan(trials.coverage) | unusable | ~trials.judgeable] = np.nan
    rules = {
        **trials.rules,
        Reason.LOW_CONFIDENCE: confidence < confidence_minimum,
        Reason.DURATION_DIFFERS: trials.duration_differs,
    }
    fact = np.any([rules[reason] for reason in FACTS], axis=0)
    status = np.array(trials.table["status"].to_pylist(), dtype=np.str_)
    instrument = np.full(len(trials.clips), InstrumentStatus.OK, dtype="U32")
    for group in trials.groups:
        verdict = verdicts.get(group, InstrumentStatus.TOO_FEW)
        if verdict in (InstrumentStatus.TOO_WEAK, InstrumentStatus.TOO_FEW):
            instrument[trials.of(group) & ~fact] = verdict
    broken = ~trials.judgeable & ~fact
    instrument[broken] = status[broken]
    return Judgement(scores, confidence, rules, instrument)
