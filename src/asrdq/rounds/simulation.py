"""Simulated pairs of rounds whose true change is known: does the interval cover it?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from asrdq.rounds.paired import BlockSums, Floats, Integers, paired_differences

_REPLICATES: Final = 2000


@dataclass(frozen=True, slots=True)
class Design:
    """An evaluation set and what two rounds do on it.

    Attributes:
        name: What it is called.
        speakers: Blocks.
        rows: Utterances of a speaker, on average; their number varies unless it is 1.
        words: Words of an utterance, on average; 1 makes the rate a share of utterances or terms.
        before: True error rate of the first round.
        after: True error rate of the second round.
        unlike: Spread of the rates between speakers, as the standard deviation of log odds.
        agreement: Share of words whose outcome is drawn once for both rounds.
    """

    name: str
    speakers: int
    rows: float = 1.0
    words: float = 12.0
    before: float = 0.15
    after: float = 0.12
    unlike: float = 0.5
    agreement: float = 0.6


@dataclass(frozen=True, slots=True)
class Coverage:
    """How often the interval held the true change, and how wide it was on average."""

    design: Design
    rounds: int
    coverage: float
    width: float


def simulate(
    design: Design,
    *,
    rounds: int = 2000,
    seed: int = 0,
    confidence: float = 0.95,
) -> Coverage:
    """Draw pairs of rounds and count how often the interval covers the true change.

    The truth is the change over all speakers there could be, weighted by words as the rate is.

    Args:
        design: What is drawn.
        rounds: Number of pairs of rounds.
        seed: Seed of everything.
        confidence: Nominal coverage.
    """
    random = np.random.default_rng(seed)
    shape = design.speakers, rounds
    words = _words(random, design, shape)
    odds = random.normal(0.0, design.unlike, shape)
    sums = _draw(random, design, words, odds)
    found = paired_differences(sums, replicates=_REPLICATES, seed=seed, confidence=confidence)
    truth = _truth(design)
    held = (found.low <= truth + 1e-12) & (truth - 1e-12 <= found.high)
    return Coverage(design, rounds, float(held.mean()), float((found.high - found.low).mean()))


def _words(random: np.random.Generator, design: Design, shape: tuple[int, int]) -> Integers:
    rows = random.poisson(design.rows - 1, shape) + 1 if design.rows > 1 else np.ones(shape, int)
    words = rows + random.poisson(rows * (design.words - 1))
    return words.astype(np.int64)


def _draw(random: np.random.Generator, design: Design, words: Integers, odds: Floats) -> BlockSums:
    before, after = _rate(design.before, odds), _rate(design.after, odds)
    shared = random.binomial(words, design.agreement)
    own = words - shared
    low, high = np.minimum(before, after), np.maximum(before, after)
    in_both = random.binomial(shared, low)
    in_worse = random.binomial(shared - in_both, (high - low) / np.maximum(1 - low, 1e-12))
    worse_before = before > after
    errors_before = in_both + in_worse * worse_before + random.binomial(own, before)
    errors_after = in_both + in_worse * ~worse_before + random.binomial(own, after)
    units = words.astype(np.float64)
    return BlockSums(
        errors_before.astype(np.float64),
        errors_after.astype(np.float64),
        units,
        units,
        np.ones(units.shape),
        np.ones(units.shape[1]),
    )


def _rate(rate: float, odds: Floats) -> Floats:
    if rate in (0.0, 1.0):
        return np.full(odds.shape, rate)
    own: Floats = 1 / (1 + np.exp(-(np.log(rate / (1 - rate)) + odds)))
    return own


def _truth(design: Design) -> float:
    """Return the mean change over speakers, by quadrature; words do not depend on the rates."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    odds = design.unlike * nodes
    change = _rate(design.after, odds) - _rate(design.before, odds)
    return float((weights * change).sum() / weights.sum())
