"""How many more clips, and of which stratum, would take an interval off a limit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from asrdq.sampling.estimators import Rate, StratumCount, population_interval


@dataclass(frozen=True, slots=True)
class MoreClips:
    """What would decide a verdict whose interval straddles a limit.

    Args:
        limit: The limit that the interval straddles.
        total: Further clips to audit; None where no number of them is expected to decide.
        by_stratum: Further clips per stratum, the largest share first.
        expected: The interval expected then, at the present rates.
        explanation: All of it in a sentence.
    """

    limit: float
    total: int | None
    explanation: str
    by_stratum: dict[str, int] = field(default_factory=dict)
    expected: Rate | None = None


def clips_to_decide(
    strata: Sequence[StratumCount], limit: float, confidence: float = 0.95
) -> MoreClips:
    """Return the least number of further clips for which the interval leaves a limit.

    It is an expectation: the rates of the strata are taken to stay as they are. Further clips
    go where the width comes from: to stratum h in proportion to W_h √(p_h (1 - p_h)) (Neyman
    1934), p_h drawn a little towards ½ so that a stratum without a fault still gets some, and
    never more than the stratum has.

    Args:
        strata: All strata of the manifest with their counts.
        limit: A limit of the policy.
        confidence: Nominal coverage of the interval.
    """
    room = sum(s.population - math.ceil(s.judged) for s in strata)
    low, high = 0, room
    if _expected(strata, high, confidence).straddles(limit):
        return MoreClips(limit, None, _hopeless(strata, limit))
    while high - low > 1:
        middle = (low + high) // 2
        if _expected(strata, middle, confidence).straddles(limit):
            low = middle
        else:
            high = middle
    more = _spread(strata, high)
    named = dict(sorted(((k, n) for k, n in more.items() if n), key=lambda item: -item[1]))
    expected = _expected(strata, high, confidence)
    return MoreClips(limit, high, _advice(strata, limit, named, high, room), named, expected)


def _expected(strata: Sequence[StratumCount], extra: int, confidence: float) -> Rate:
    more = _spread(strata, extra)
    return population_interval([_grown(s, more[s.name]) for s in strata], confidence)


def _grown(stratum: StratumCount, extra: int) -> StratumCount:
    if extra == 0 or stratum.judged == 0:
        low = stratum.low + extra * _likely_rate(stratum)
        return StratumCount(stratum.name, stratum.population, stratum.judged + extra, low)
    judged = min(float(stratum.population), stratum.judged + extra)
    low = judged * stratum.low / stratum.judged
    return StratumCount(stratum.name, stratum.population, judged, low)


def _likely_rate(stratum: StratumCount) -> float:
    return (stratum.low + 1.0) / (stratum.judged + 2.0)


def _spread(strata: Sequence[StratumCount], extra: int) -> dict[str, int]:
    """Spread further clips so that the whole sample comes near to Neyman's allocation."""
    need = {s.name: s.population * _deviation(_likely_rate(s)) for s in strata}
    room = {s.name: s.population - math.ceil(s.judged) for s in strata}
    judged = {s.name: s.judged for s in strata}
    low, high = 0.0, max((judged[k] + room[k]) / max(need[k], 1e-12) for k in need)
    for _ in range(60):
        middle = 0.5 * (low + high)
        filled = sum(min(room[k], max(0.0, middle * need[k] - judged[k])) for k in need)
        low, high = (middle, high) if filled < extra else (low, middle)
    exact = {k: min(float(room[k]), max(0.0, high * need[k] - judged[k])) for k in need}
    whole = {k: math.floor(v + 1e-9) for k, v in exact.items()}
    rest = extra - sum(whole.values())
    for name in sorted(exact, key=lambda k: whole[k] - exact[k]):
        step = min(max(rest, 0), 1, room[name] - whole[name])
        whole[name] += step
        rest -= step
    return whole


def _deviation(rate: float) -> float:
    return math.sqrt(rate * (1.0 - rate))


def _hopeless(strata: Sequence[StratumCount], limit: float) -> str:
    value = population_interval(strata).value
    rate = "unknown" if value is None else f"{100 * value:.2f} %"
    return (
        f"at the present rates even the whole manifest would not decide: the rate is {rate} and "
        f"the limit {100 * limit:g} %"
    )


def _advice(
    strata: Sequence[StratumCount], limit: float, named: dict[str, int], total: int, room: int
) -> str:
    clips = ", ".join(f"{count:,} of {name}" for name, count in named.items())
    advice = (
        f"about {total:,} more clips would decide about the limit of {100 * limit:g} %: {clips}"
    )
    if total > 0.5 * room:
        value = population_interval(strata).value or 0.0
        advice += (
            f" (that is {100 * total / room:.0f} % of all that is left: the rate of "
            f"{100 * value:.1f} % lies close to the limit)"
        )
    return advice
