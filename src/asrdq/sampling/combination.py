"""Tails of a weighted sum of binomial shares, under the most likely rates that give a set sum.

This is the numerical ground of the intervals in `asrdq.sampling.estimators`. The statistic is
T = Σ w_h x_h / n_h with independent x_h ~ Binomial(n_h, p_h). Two things are needed to invert a
test about Σ w_h p_h:

- the nuisance: the rates p_h that make the counts most likely among all with the same Σ w_h p_h
  (constrained maximum likelihood, as in Miettinen and Nurminen 1985), here a one-parameter
  curve in the Lagrange multiplier;
- the tail P(T ≤ t) under those rates, by the saddlepoint formula of Lugannani and Rice (1980)
  in the form of Barndorff-Nielsen's r*. Without a continuity correction it approximates the
  mid-p tail P(T < t) + ½ P(T = t), which is what keeps discrete intervals near their nominal
  coverage (Agresti and Gottard 2007).

Arrays are (audits, strata), so that thousands of simulated audits are one call. `trials` may be
fractional: a sample without replacement counts as n(N - 1)/(N - n) trials.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, ndtr, xlog1py, xlogy

Floats = NDArray[np.float64]

_NEWTON_STEPS = 60
_NEAR = 1e-4
_TINY = 1e-300
_LEAST_LOG = -1e9
_SURE = 1e-13


def constrained_rates(
    multiplier: Floats, weights: Floats, counts: Floats, trials: Floats
) -> Floats:
    """Return the most likely rates on the curve of one Lagrange multiplier.

    The rate of a stratum solves x/p - (n - x)/(1 - p) = λ w. At λ = 0 it is x/n; the weighted
    sum falls as λ grows, to its least at +∞ and its greatest at -∞.

    Args:
        multiplier: λ, shape (audits,).
        weights: w_h, any sign, shape (audits, strata) or (strata,).
        counts: x_h, shape (audits, strata).
        trials: n_h > 0, shape (audits, strata) or (strata,).
    """
    slope = multiplier[:, None] * weights
    middle = trials + slope
    root = np.sqrt(np.maximum(middle**2 - 4.0 * slope * counts, 0.0))
    with np.errstate(divide="ignore", invalid="ignore"):
        small = 2.0 * counts / (middle + root)
        large = (middle - root) / (2.0 * slope)
    return np.clip(np.where(middle > 0.0, small, large), 0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Tails:
    """Probabilities of T about its observed value t, each of shape (audits,)."""

    below: Floats
    """P(T < t) + ½ P(T = t), the lower mid-p tail."""
    atom: Floats
    """P(T = t); about 0 where T does not live on a lattice."""
    least: Floats
    """Probability of the least value that T can take."""
    most: Floats
    """Probability of the greatest value that T can take."""


def tails(total: Floats, weights: Floats, trials: Floats, rates: Floats) -> Tails:
    """Return the tails of T = Σ w_h Binomial(n_h, p_h) / n_h at t.

    Args:
        total: t, shape (audits,).
        weights: w_h, shape (audits, strata) or (strata,).
        trials: n_h, shape (audits, strata) or (strata,).
        rates: p_h, shape (audits, strata).
    """
    step = weights / trials
    settled = (rates < _SURE) | (rates > 1.0 - _SURE)
    rates = np.where(settled, np.rint(rates), rates)
    ends = _log_ends(weights, trials, rates, settled)
    least, most = (np.exp(end.sum(axis=-1)) for end in ends)
    first = np.where(settled, weights * rates, np.minimum(weights, 0.0)).sum(axis=-1)
    last = np.where(settled, weights * rates, np.maximum(weights, 0.0)).sum(axis=-1)
    slack = 1e-9 * np.abs(weights).sum(axis=-1)
    tilt, tilted = _saddlepoint(total, weights, step, rates)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        spread = (weights * step * tilted * (1.0 - tilted)).sum(axis=-1)
        drop = tilt * total - _log_moment(tilt, step, trials, rates)
        root = np.sign(tilt) * np.sqrt(np.maximum(2.0 * drop, 0.0))
        corrected = root + np.log(tilt * np.sqrt(spread) / root) / root
        height = np.exp(-drop) / np.sqrt(2.0 * np.pi * spread)
        span, damping = _lattice(step, trials, tilted)
        atom = height * span * damping
    below = ndtr(np.where((np.abs(root) < _NEAR) | ~np.isfinite(corrected), root, corrected))
    places = [total < first - slack, total > last + slack, total <= first + slack]
    places.append(total >= last - slack)
    below = np.select(places, [0.0, 1.0, 0.5 * least, 1.0 - 0.5 * most], below)
    atom = np.select(places, [0.0, 0.0, least, most], np.nan_to_num(atom, posinf=0.0))
    share = _variance_share(step, trials, rates)
    nearly = [damping * np.exp((end * share).sum(axis=-1)) for end in ends]
    return Tails(below, atom, np.maximum(least, nearly[0]), np.maximum(most, nearly[1]))


def _log_ends(
    weights: Floats, trials: Floats, rates: Floats, settled: NDArray[np.bool_]
) -> tuple[Floats, Floats]:
    """Return each stratum's log probability of standing at its least and its greatest value.

    It is 0 for a stratum that has one value only.
    """
    none = np.maximum(xlog1py(trials, -rates), _LEAST_LOG)
    every = np.maximum(xlogy(trials, rates), _LEAST_LOG)
    rising, idle = weights > 0.0, settled | (weights == 0.0)
    least, most = np.where(rising, none, every), np.where(rising, every, none)
    return np.where(idle, 0.0, least), np.where(idle, 0.0, most)


def _variance_share(step: Floats, trials: Floats, rates: Floats) -> Floats:
    """Return each stratum's variance as a share of the greatest one."""
    variance = trials * rates * (1.0 - rates) * step**2
    greatest = np.maximum(variance.max(axis=-1, keepdims=True), _TINY)
    share: Floats = variance / greatest
    return share


def _lattice(step: Floats, trials: Floats, tilted: Floats) -> tuple[Floats, Floats]:
    """Return the span of the lattice nearest to T, and how much T lives on it.

    The span is the step of the stratum that varies most; how much is the size of the
    characteristic function at that lattice's frequency: 1 on a lattice, 0 off any.
    """
    step = np.broadcast_to(step, tilted.shape)
    variance = trials * tilted * (1.0 - tilted)
    chosen = np.argmax(variance * step**2, axis=-1)[:, None]
    span = np.abs(np.take_along_axis(step, chosen, axis=-1))
    turn = 1.0 - np.cos(2.0 * np.pi * step / span)
    size = np.log1p(np.maximum(-2.0 * tilted * (1.0 - tilted) * turn, -1.0))
    return span[:, 0], np.exp(0.5 * (trials * size).sum(axis=-1))


def _saddlepoint(
    total: Floats, weights: Floats, step: Floats, rates: Floats
) -> tuple[Floats, Floats]:
    """Solve K'(s) = t by Newton's method inside a bracket; return s and the tilted rates."""
    with np.errstate(divide="ignore"):
        log_odds = np.log(rates) - np.log1p(-rates)
    size = np.maximum(np.abs(step).max(axis=-1), _TINY)
    tilt = np.zeros_like(total)
    low, high = np.full_like(total, -700.0) / size, np.full_like(total, 700.0) / size
    tilted = rates
    for _ in range(_NEWTON_STEPS):
        tilted = expit(log_odds + tilt[:, None] * step)
        miss = (weights * tilted).sum(axis=-1) - total
        spread = (weights * step * tilted * (1.0 - tilted)).sum(axis=-1)
        high = np.where(miss > 0.0, tilt, high)
        low = np.where(miss > 0.0, low, tilt)
        with np.errstate(divide="ignore", invalid="ignore"):
            new = tilt - miss / spread
        inside = (new > low) & (new < high)
        new = np.where(inside, new, 0.5 * (low + high))
        done = np.abs(new - tilt) <= 1e-8 * (np.abs(tilt) + 1e-3 / size)
        tilt = new
        if done.all():
            break
    return tilt, tilted


def _log_moment(tilt: Floats, step: Floats, trials: Floats, rates: Floats) -> Floats:
    """Return K(s) = Σ n_h log(1 - p_h + p_h exp(s w_h / n_h))."""
    grown = np.logaddexp(np.log1p(-rates), np.log(rates) + tilt[:, None] * step)
    moment: Floats = (trials * grown).sum(axis=-1)
    return moment
