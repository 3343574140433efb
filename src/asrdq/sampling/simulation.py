"""Simulated audits of corpora whose truth is known: does the interval cover it?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from asrdq.sampling.intervals import population_limits


@dataclass(frozen=True, slots=True)
class Design:
    """A stratified audit: clips judged out of the clips there are, stratum by stratum."""

    name: str
    judged: tuple[int, ...]
    population: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Coverage:
    """How often an interval held the truth, and how wide it was on average (shares)."""

    design: Design
    rate: float
    audits: int
    coverage: float
    width: float
    normal_coverage: float
    normal_width: float


def simulate_audits(
    design: Design,
    rate: float,
    *,
    audits: int = 2000,
    seed: int = 0,
    fixed_corpus: bool = False,
) -> Coverage:
    """Audit simulated corpora and count how often the population rate is covered.

    Each audit has a corpus of its own: every clip is low with probability `rate`, and the
    sample is drawn from it without replacement; the truth is that corpus's own rate.

    Args:
        design: Strata with their sizes.
        rate: Probability of a low clip, in every stratum.
        audits: Number of audits.
        seed: Seed of corpora and samples.
        fixed_corpus: All audits draw from one corpus with exactly round(rate · N_h) low clips
            a stratum. Coverage then moves in steps with the counts where faults are rare.
    """
    random = np.random.default_rng(seed)
    judged, population = np.array(design.judged), np.array(design.population)
    shape = audits, len(judged)
    bad = np.broadcast_to(np.rint(rate * population).astype(np.int64), shape)
    if not fixed_corpus:
        bad = random.binomial(population, rate, shape)
    low = random.hypergeometric(bad, population - bad, judged)
    truth = bad.sum(axis=1) / population.sum()
    outcomes, back = np.unique(low, axis=0, return_inverse=True)
    ours = population_limits(outcomes, judged, population)
    plain = normal_limits(outcomes, judged, population)
    return Coverage(
        design,
        rate,
        audits,
        *_score(ours, back.ravel(), truth),
        *_score(plain, back.ravel(), truth),
    )


def normal_limits(
    low: NDArray[np.number],
    judged: NDArray[np.number],
    population: NDArray[np.number],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the plain normal (Wald) limits of the population rate at 95 %, to compare with.

    Args:
        low: Low-quality clips, shape (audits, strata).
        judged: Judged clips, shape (strata,).
        population: Clips of the stratum, shape (strata,).
    """
    weights = population / population.sum()
    share = low / judged
    left = (population - judged) / np.maximum(population - 1, 1)
    variance = (weights**2 * share * (1.0 - share) / judged * left).sum(axis=1)
    centre = (weights * share).sum(axis=1)
    half = norm.ppf(0.975) * np.sqrt(variance)
    return np.maximum(centre - half, 0.0), np.minimum(centre + half, 1.0)


def _score(
    limits: tuple[NDArray[np.float64], NDArray[np.float64]],
    audit: NDArray[np.intp],
    truth: NDArray[np.float64],
) -> tuple[float, float]:
    low, high = limits[0][audit], limits[1][audit]
    held = (low <= truth + 1e-9) & (truth <= high + 1e-9)
    return float(held.mean()), float((high - low).mean())
