"""Rates of low quality with honest intervals, from counts per stratum."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

MINIMUM_POWER = 0.1
"""Recall minus false alarms below which a flagged rate is not corrected."""


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit on a rate.

    Args:
        value: The limit, 0 to 1.
        belongs_below: Whether a rate on the limit itself still counts as below it.
    """

    value: float
    belongs_below: bool = False


@dataclass(frozen=True, slots=True)
class Rate:
    """A share with its interval; `value` is None where it is not defined, `reason` says why."""

    value: float | None
    low: float
    high: float
    confidence: float = 0.95
    reason: str = ""

    def straddles(self, limit: Limit) -> bool:
        """Return whether the interval has values on both sides of a limit."""
        if limit.belongs_below:
            return self.low <= limit.value < self.high
        return self.low < limit.value <= self.high

    def __str__(self) -> str:
        value = "undefined" if self.value is None else f"{100 * self.value:.1f} %"
        return f"{value} [{100 * self.low:.1f}, {100 * self.high:.1f}]"


@dataclass(frozen=True, slots=True)
class StratumCount:
    """What an audit counted in one stratum.

    Args:
        name: Name of the stratum.
        population: Clips of the stratum in the whole manifest.
        judged: Audited clips that the instrument could judge.
        low: How many of them are of low quality.
    """

    name: str
    population: int
    judged: float
    low: float

    def __post_init__(self) -> None:
        if not 0 <= self.low <= self.judged <= self.population:
            raise ValueError(
                f"stratum '{self.name}': low {self.low}, judged {self.judged} and population "
                f"{self.population} must not decrease in this order"
            )


@dataclass(frozen=True, slots=True)
class Instrument:
    """What planted faults said about the instrument; counts may be fractional estimates.

    Args:
        found: Planted faults that the audit found.
        planted: Planted faults.
        false_alarms: Sound clips that the audit flagged.
        untouched: Sound clips tried.
    """

    found: float
    planted: float
    false_alarms: float
    untouched: float

    def __post_init__(self) -> None:
        pairs = (self.found, self.planted), (self.false_alarms, self.untouched)
        if not all(0 <= part <= whole and whole > 0 for part, whole in pairs):
            raise ValueError(f"an instrument needs trials and no more hits than trials: {self}")

    @property
    def power(self) -> float:
        """Recall minus false-alarm rate (Youden's index): 1 is perfect, 0 is a coin."""
        return self.found / self.planted - self.false_alarms / self.untouched


def wilson(
    found: float, trials: float, confidence: float = 0.95, *, population: int | None = None
) -> Rate:
    """Return a share with its score interval (Wilson 1927).

    Args:
        found: Hits among the trials.
        trials: Trials; with none the value is undefined and the interval is 0..1.
        confidence: Nominal coverage.
        population: Size of the finite population sampled without replacement, if there is one:
            n trials then count as n (N - 1)/(N - n), and a complete count has no width.

    >>> str(wilson(5, 50))
    '10.0 % [4.3, 21.4]'
    """
    from statistics import NormalDist

    if trials <= 0:
        return Rate(None, 0.0, 1.0, confidence, "no clip was judged")
    share = found / trials
    if population is not None and trials >= population:
        return Rate(share, share, share, confidence)
    fpc = 1.0 if population is None else (population - trials) / (population - 1)
    size = trials / fpc
    z = NormalDist().inv_cdf(0.5 + confidence / 2.0)
    centre = (share + z * z / (2 * size)) / (1 + z * z / size)
    half = z / (1 + z * z / size) * math.sqrt(share * (1 - share) / size + (z / size) ** 2 / 4)
    low = 0.0 if found == 0 else max(0.0, centre - half)
    high = 1.0 if found == trials else min(1.0, centre + half)
    return Rate(share, low, high, confidence)


def least_trials(share: float) -> int:
    """Return how many trials, all of them hits, take Wilson's lower limit up to a share below 1.

    With z of 95 % confidence, n of n hits have the lower limit n / (n + z²).

    >>> least_trials(0.80), round(wilson(16, 16).low, 3), round(wilson(15, 15).low, 3)
    (16, 0.806, 0.796)
    """
    from statistics import NormalDist

    z = NormalDist().inv_cdf(0.975)
    return math.ceil(z * z * share / (1.0 - share))


def sample_rate(strata: Sequence[StratumCount], confidence: float = 0.95) -> Rate:
    """Return the unweighted share of low clips among the judged ones, with Wilson's interval.

    It says how the sample is, not how the manifest is, unless every stratum was sampled at the
    same fraction.
    """
    return wilson(sum(s.low for s in strata), sum(s.judged for s in strata), confidence)


def population_interval(strata: Sequence[StratumCount], confidence: float = 0.95) -> Rate:
    """Return the rate of the whole manifest, Σ W_h p_h with W_h = N_h/N, and its interval.

    The method is that of `asrdq.sampling.intervals.population_limits`: a stratified mid-p
    interval with finite-population correction. With a stratum in which nothing was judged the
    value is undefined, and the interval allows that stratum any rate from 0 to 1.

    Args:
        strata: All strata of the manifest, those without a judged clip included.
        confidence: Nominal coverage.

    >>> guide = [StratumCount("whatsapp", 7000, 1000, 123), StratumCount("kan", 2500, 1000, 38),
    ...          StratumCount("tail", 500, 500, 31)]
    >>> round(population_interval(guide).value, 4)
    0.0987
    """
    import numpy as np

    from asrdq.sampling.intervals import population_limits

    clips = sum(s.population for s in strata)
    seen = [s for s in strata if s.judged > 0 and s.population > 0]
    if not seen:
        return Rate(None, 0.0, 1.0, confidence, "no clip was judged")
    covered = sum(s.population for s in seen)
    low, high = population_limits(
        np.array([[s.low for s in seen]]),
        np.array([s.judged for s in seen]),
        np.array([s.population for s in seen]),
        confidence,
    )
    least, most = float(low[0]) * covered / clips, float(high[0]) * covered / clips
    if covered < clips:
        blind = [s.name for s in strata if s.population > 0 and s.judged == 0]
        reason = f"no clip was judged in {', '.join(blind)}"
        return Rate(None, least, most + (clips - covered) / clips, confidence, reason)
    value = sum(s.population / clips * s.low / s.judged for s in seen)
    return Rate(value, min(least, value), max(most, value), confidence)


def corrected_rate(
    strata: Sequence[StratumCount], confidence: float = 0.95, *, instrument: Instrument
) -> Rate:
    """Return the population rate corrected for the instrument's own errors.

    π = (P - false alarms) / (recall - false alarms), P being the weighted flagged rate (Rogan
    and Gladen 1978), clipped to 0..1. The interval carries the doubt about P, recall and false
    alarms together (`asrdq.sampling.intervals.corrected_limits`).

    Args:
        strata: All strata of the manifest; `low` are the flagged clips.
        confidence: Nominal coverage.
        instrument: Recall and false alarms measured on planted faults.

    Returns:
        The rate; its value is undefined where a stratum has no judged clip, or where recall
        exceeds the false alarms by less than `MINIMUM_POWER`. The interval is 0..1 then.
    """
    import numpy as np

    from asrdq.sampling.intervals import corrected_limits

    flagged = population_interval(strata, confidence)
    if flagged.value is None:
        return Rate(None, 0.0, 1.0, confidence, flagged.reason)
    if instrument.power < MINIMUM_POWER:
        reason = (
            f"recall exceeds false alarms by {instrument.power:.2f} only: the instrument says "
            "too little about the true rate"
        )
        return Rate(None, 0.0, 1.0, confidence, reason)
    seen = [s for s in strata if s.population > 0]
    low, high = corrected_limits(
        np.array([[s.low for s in seen]]),
        np.array([s.judged for s in seen]),
        np.array([s.population for s in seen]),
        np.array([[instrument.found, instrument.planted]]),
        np.array([[instrument.false_alarms, instrument.untouched]]),
        confidence,
    )
    alarms = instrument.false_alarms / instrument.untouched
    value = min(1.0, max(0.0, (flagged.value - alarms) / instrument.power))
    return Rate(value, min(float(low[0]), value), max(float(high[0]), value), confidence)
