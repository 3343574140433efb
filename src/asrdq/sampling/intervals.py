"""Limits of the population rate and of the corrected rate, for many audits at once.

Both invert a test: a rate belongs to the interval unless the counts are too unlikely under it.
`asrdq.sampling.estimators` is the face for one audit; simulations call this module directly.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from asrdq.sampling.combination import Floats, Tails, constrained_rates, tails

_HALVINGS = 32
_CURVE_HALVINGS = 44
_ATOM_ALLOWANCE = 1.4
_NUISANCE_COST = 0.6
_MOST_DRAWN = 0.95


def population_limits(
    low: NDArray[np.number],
    judged: NDArray[np.number],
    population: NDArray[np.number],
    confidence: float = 0.95,
) -> tuple[Floats, Floats]:
    """Return the limits of Σ W_h K_h / N_h, K_h being the low-quality clips of a stratum.

    The statistic is Σ W_h x_h / n_h. Its distribution at a candidate rate uses the stratum
    rates that are most likely among those with that rate, so a stratum without a single low
    clip still has a width. Sampling without replacement from N_h clips counts as
    n (N - 1)/(N - n) independent ones; a stratum that is judged completely adds no width.
    The tail is a mid-p tail by saddlepoint (see `combination`), with two guards for rare
    faults, where the statistic moves in steps: where no lower value is unlikely enough to be
    left out, the whole of 1 - confidence goes to the other side; and a value is left out only
    if its full tail is below 1.4 times that share. Taking the most likely stratum rates for
    the true ones is paid for by cutting the tails shorter by 0.6 (strata - 1) / clips. Limits are
    rounded outwards to whole clips of the manifest. `docs/decisions/0003-interval.md` tells how
    the method was chosen.

    Args:
        low: Low-quality clips x_h, shape (audits, strata); fractions are allowed.
        judged: Judged clips n_h ≥ 1, shape (strata,).
        population: Clips N_h ≥ n_h of the stratum in the manifest, shape (strata,).
        confidence: Nominal coverage, 0.95 by default.

    Returns:
        Lower and upper limits, shape (audits,), as shares of all Σ N_h clips.
    """
    low, judged, population = (np.asarray(a, dtype=np.float64) for a in (low, judged, population))
    clips = population.sum()
    open_strata = judged < population
    settled = (low / judged * population)[:, ~open_strata].sum(axis=1) / clips
    bounds = settled, settled
    if open_strata.any():
        bounds = _open_limits(
            low[:, open_strata],
            judged[open_strata],
            population[open_strata],
            population[open_strata] / clips,
            1.0 - confidence,
        )
        bounds = settled + bounds[0], settled + bounds[1]
    least = low.sum(axis=1) / clips
    most = least + (population - judged).sum() / clips
    return _whole_clips(np.maximum(bounds[0], least), np.minimum(bounds[1], most), clips)


def _whole_clips(lower: Floats, upper: Floats, clips: float) -> tuple[Floats, Floats]:
    """Round limits outwards to whole clips of the manifest: the truth is a count of them."""
    slack = 1e-9
    upper = np.ceil(upper * clips - slack) + 0.0  # -0.0 is no count
    return np.floor(lower * clips + slack) / clips, upper / clips


def _open_limits(
    low: Floats, judged: Floats, population: Floats, weights: Floats, alpha: float
) -> tuple[Floats, Floats]:
    """Return the limits of the part of the rate that strata with unjudged clips contribute."""
    trials = judged * (population - 1.0) / (population - judged)
    counts = low / judged * trials
    total = (weights * counts / trials).sum(axis=1)
    alpha *= 1.0 - min(0.5, _NUISANCE_COST * (len(judged) - 1) / judged.sum())

    def rates(position: Floats, sign: float) -> Floats:
        multiplier = sign * trials.sum() * position / (1.0 - position)
        return constrained_rates(multiplier, weights, counts, trials)

    def limit(sign: float) -> Floats:
        def plausible(position: Floats) -> NDArray[np.bool_]:
            found = tails(total, weights, trials, rates(position, sign))
            beyond = 1.0 - found.below if sign > 0 else found.below
            opposite = found.least if sign > 0 else found.most
            return _tail_size(beyond, found.atom) > np.clip(opposite, alpha / 2.0, alpha)

        edge = _last_true(plausible, len(counts), _HALVINGS)
        reached: Floats = (weights * rates(edge, sign)).sum(axis=1)
        return reached

    return limit(1.0), limit(-1.0)


def corrected_limits(
    flagged: NDArray[np.number],
    judged: NDArray[np.number],
    population: NDArray[np.number],
    recall: NDArray[np.number],
    false_alarms: NDArray[np.number],
    confidence: float = 0.95,
) -> tuple[Floats, Floats]:
    """Return the limits of the true rate π behind a flagged rate, inside 0..1.

    At the true π the statistic P - π·recall - (1 - π)·false alarms has mean 0: a linear
    combination of independent shares, tested as the population rate is, with the nuisance
    rates at their most likely values. Where recall barely exceeds the false alarms the limits
    widen up to 0..1 by themselves, as Fieller's do. The finite-population correction falls only
    on the part of the variance that comes from which clips were drawn: the instrument errs
    afresh on every clip, so auditing all of them does not end the doubt. Limits are rounded
    outwards to whole clips.

    Args:
        flagged: Clips found low, shape (audits, strata).
        judged: Judged clips n_h ≥ 1, shape (strata,).
        population: Clips N_h ≥ n_h of the stratum in the manifest, shape (strata,).
        recall: Planted faults found and planted, shape (audits, 2).
        false_alarms: Untouched sound clips flagged and tried, shape (audits, 2).
        confidence: Nominal coverage, 0.95 by default.
    """
    judged, population = np.asarray(judged, np.float64), np.asarray(population, np.float64)
    weights = population / population.sum()
    tested = np.column_stack([recall[:, 1], false_alarms[:, 1]])
    shares = np.column_stack(
        [flagged / judged, recall[:, 0] / recall[:, 1], false_alarms[:, 0] / false_alarms[:, 1]]
    )
    middle = _rogan_gladen((weights * shares[:, :-2]).sum(axis=1), shares[:, -2], shares[:, -1])

    def limit(end: float) -> Floats:
        def plausible(position: Floats) -> NDArray[np.bool_]:
            true_rate = middle + (end - middle) * position
            flags = _flag_trials(true_rate, shares, judged, population)
            found = _balance(true_rate, weights, shares, np.column_stack([flags, tested]))
            beyond = found.below if end > 0 else 1.0 - found.below
            return _tail_size(beyond, found.atom) > (1.0 - confidence) / 2.0

        edge = _last_true(plausible, len(flagged), _HALVINGS)
        reached: Floats = middle + (end - middle) * edge
        return reached

    return _whole_clips(limit(0.0), limit(1.0), population.sum())


def _flag_trials(
    true_rate: Floats,
    shares: Floats,
    judged: NDArray[np.number],
    population: NDArray[np.number],
) -> Floats:
    """Return as how many independent ones the flags of each stratum count, (audits, strata)."""
    left = (population - judged) / np.maximum(population - 1.0, 1.0)
    drawn = _drawn_part(true_rate, shares[:, -2], shares[:, -1])[:, None]
    trials: Floats = judged / (1.0 - drawn * (1.0 - left))
    return trials


def _balance(true_rate: Floats, weights: Floats, shares: Floats, trials: Floats) -> Tails:
    """Return the tails of P - π·recall - (1 - π)·false alarms at what was observed."""
    strata = np.broadcast_to(weights, (len(true_rate), len(weights)))
    signed = np.column_stack([strata, -true_rate, true_rate - 1.0])
    total = (signed * shares).sum(axis=1)
    return tails(total, signed, trials, _balanced_rates(signed, shares * trials, trials))


def _drawn_part(true_rate: Floats, recall: Floats, false_alarms: Floats) -> Floats:
    """Return which part of the variance of a flag comes from the clip, not the instrument.

    It is π(1 - π)(recall - false alarms)² out of f(1 - f), f being the flagged rate.
    """
    flagged = true_rate * recall + (1.0 - true_rate) * false_alarms
    between = true_rate * (1.0 - true_rate) * (recall - false_alarms) ** 2
    part: Floats = np.minimum(between / np.maximum(flagged * (1.0 - flagged), 1e-12), _MOST_DRAWN)
    return part


def _rogan_gladen(flagged: Floats, recall: Floats, false_alarms: Floats) -> Floats:
    power = np.maximum(recall - false_alarms, 1e-9)
    return np.clip((flagged - false_alarms) / power, 0.0, 1.0)


def _balanced_rates(weights: Floats, counts: Floats, trials: Floats) -> Floats:
    """Return the most likely rates whose weighted sum is 0."""
    total = (weights * counts / trials).sum(axis=1)
    sign = np.where(total > 0.0, 1.0, -1.0)
    scale = sign * trials.sum(axis=1)

    def rates(position: Floats) -> Floats:
        return constrained_rates(scale * position / (1.0 - position), weights, counts, trials)

    def short_of_zero(position: Floats) -> NDArray[np.bool_]:
        reached = (weights * rates(position)).sum(axis=1)
        short: NDArray[np.bool_] = sign * reached > 0.0
        return short

    return rates(_last_true(short_of_zero, len(counts), _CURVE_HALVINGS))


def _tail_size(beyond: Floats, atom: Floats) -> Floats:
    """Return the mid-p tail, or its full tail less an allowance where the steps are large."""
    return np.maximum(beyond, (beyond + 0.5 * atom) / _ATOM_ALLOWANCE)


def _last_true(
    condition: Callable[[Floats], NDArray[np.bool_]], audits: int, halvings: int
) -> Floats:
    """Return the greatest position in 0..1, for each audit, up to which a condition holds."""
    near, far = np.zeros(audits), np.ones(audits)
    holds_to_the_end = condition(np.full(audits, 1.0 - 1e-12))
    for _ in range(halvings):
        middle = 0.5 * (near + far)
        holds = condition(middle)
        near, far = np.where(holds, middle, near), np.where(holds, far, middle)
    return np.where(holds_to_the_end, 1.0 - 1e-12, near)
