"""How many more clips, and of which stratum, would take an interval off a limit."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from asrdq.sampling.estimators import Limit, Rate, StratumCount, population_interval

Estimate = Callable[[Sequence[StratumCount], float], Rate]
"""A rate with its interval from the counts of all strata and a confidence."""
Need = Callable[[StratumCount], float]
"""How large the sample of a stratum should be, in proportion to the others'."""


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


def neyman_need(stratum: StratumCount) -> float:
    """Return W_h √(p_h (1 - p_h)) times a constant: where the width comes from (Neyman 1934).

    p_h is drawn a little towards ½ so that a stratum without a fault still gets some clips.
    """
    rate = _likely_rate(stratum)
    return stratum.population * math.sqrt(rate * (1.0 - rate))


def present_need(stratum: StratumCount) -> float:
    """Return the clips it has: the sample keeps its make-up, and so the unweighted rate."""
    return stratum.judged


def clips_to_decide(
    strata: Sequence[StratumCount],
    limit: Limit,
    confidence: float = 0.95,
    *,
    estimate: Estimate = population_interval,
    need: Need = neyman_need,
) -> MoreClips | None:
    """Return the least number of further clips for which the interval leaves a limit.

    It is an expectation: the rates of the strata are taken to stay as they are. No stratum is
    asked for more clips than it has.

    Args:
        strata: All strata of the manifest with their counts.
        limit: A limit of the policy.
        confidence: Nominal coverage of the interval.
        estimate: The rate that decides.
        need: Where further clips go.

    Returns:
        None where the present interval does not straddle the limit.
    """

    def expected(extra: int) -> Rate:
        more = _spread(strata, extra, need)
        return estimate([_grown(s, more[s.name]) for s in strata], confidence)

    present = estimate(strata, confidence)
    if not present.straddles(limit):
        return None
    room = sum(s.population - math.ceil(s.judged) for s in strata)
    if expected(room).straddles(limit):
        return MoreClips(limit.value, None, _hopeless(present, limit))
    low, high = 0, room
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if expected(middle).straddles(limit) else (low, middle)
    more = _spread(strata, high, need)
    named = dict(sorted(((k, n) for k, n in more.items() if n), key=lambda item: -item[1]))
    advice = _advice(present, limit, named, high, room)
    return MoreClips(limit.value, high, advice, named, expected(high))


def _grown(stratum: StratumCount, extra: int) -> StratumCount:
    if extra == 0 or stratum.judged == 0:
        low = stratum.low + extra * _likely_rate(stratum)
        return StratumCount(stratum.name, stratum.population, stratum.judged + extra, low)
    judged = min(float(stratum.population), stratum.judged + extra)
    low = judged * stratum.low / stratum.judged
    return StratumCount(stratum.name, stratum.population, judged, low)


def _likely_rate(stratum: StratumCount) -> float:
    return (stratum.low + 1.0) / (stratum.judged + 2.0)


def _spread(strata: Sequence[StratumCount], extra: int, wanted: Need) -> dict[str, int]:
    """Spread further clips so that the whole sample comes near to what is wanted of each."""
    need = {s.name: wanted(s) for s in strata}
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


def _hopeless(present: Rate, limit: Limit) -> str:
    rate = "unknown" if present.value is None else f"{100 * present.value:.2f} %"
    return (
        f"at the present rates even the whole manifest would not decide: the rate is {rate} and "
        f"the limit {100 * limit.value:g} %"
    )


def _advice(present: Rate, limit: Limit, named: dict[str, int], total: int, room: int) -> str:
    clips = ", ".join(f"{count:,} of {name}" for name, count in named.items())
    advice = (
        f"about {total:,} more clips would decide about the limit of "
        f"{100 * limit.value:g} %: {clips}"
    )
    if total > 0.5 * room:
        advice += (
            f" (that is {100 * total / room:.0f} % of all that is left: the rate of "
            f"{100 * (present.value or 0.0):.1f} % lies close to the limit)"
        )
    return advice
