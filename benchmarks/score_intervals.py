"""How often the 95 % interval of an error rate holds the truth.

    python benchmarks/score_intervals.py [SEED] [--trials N]

Corpora are drawn from a model of speakers: each has an error rate of its own (beta distributed), an
own number of utterances, and utterances of 3 to 24 words whose words go wrong independently. The
truth is the rate of the model. asrdq's interval and a plain percentile bootstrap of speakers, as it
is usually written, are held against it in the same run.
"""

from __future__ import annotations

import argparse
import json

import numpy as np

from asrdq.scoring.rates import COUNTERS, FORMULAS, Metric
from asrdq.scoring.resampling import Blocks, draw_again, interval

LEAST = 0.93
TRIALS, REPLICATES = 1500, 1000
SPEAKERS, RATES = (12, 25, 60, 200), (0.05, 0.15, 0.3)
SPREAD = 20
"""How much alike speakers are; the beta distribution has `rate * SPREAD` as its first parameter."""


def corpus(rng: np.random.Generator, speakers: int, rate: float) -> tuple[np.ndarray, np.ndarray]:
    """Return words and wrong words of each speaker."""
    utterances = 1 + rng.poisson(9, speakers)
    words = np.array([rng.integers(3, 25, size).sum() for size in utterances])
    own = rng.beta(rate * SPREAD, (1 - rate) * SPREAD, speakers)
    return words, rng.binomial(words, own)


def ours(words: np.ndarray, wrong: np.ndarray, seed: int) -> tuple[float, float]:
    """Return asrdq's limits of the word error rate."""
    counts = np.zeros((len(words), len(COUNTERS)))
    for name, values in (("words", words), ("hits", words - wrong), ("substitutions", wrong)):
        counts[:, COUNTERS.index(name)] = values
    found = interval(Blocks(counts), FORMULAS[Metric.WER], seed=seed, replicates=REPLICATES)
    return found.low, found.high


def percentiles(words: np.ndarray, wrong: np.ndarray, seed: int) -> tuple[float, float]:
    """Return the limits that percentiles of replicates give."""
    drawn = draw_again(np.random.default_rng(seed), REPLICATES, len(words))
    low, high = np.quantile((drawn @ wrong) / (drawn @ words), [0.025, 0.975])
    return float(low), float(high)


def coverage(speakers: int, rate: float, trials: int, seed: int) -> dict[str, float]:
    """Return how often each interval holds the rate of the model."""
    rng = np.random.default_rng([seed, speakers, round(1000 * rate)])
    held = {"asrdq": 0, "percentiles": 0}
    for trial in range(trials):
        words, wrong = corpus(rng, speakers, rate)
        for name, limits in (("asrdq", ours), ("percentiles", percentiles)):
            low, high = limits(words, wrong, trial)
            held[name] += low <= rate <= high
    return {name: round(count / trials, 4) for name, count in held.items()}


def main() -> None:
    """Print the coverage of each setting, and as the ratio the worst by what is promised."""
    parser = argparse.ArgumentParser()
    parser.add_argument("seed", nargs="?", type=int, default=0)
    parser.add_argument("--trials", type=int, default=TRIALS)
    given = parser.parse_args()
    worst = {"asrdq": 1.0, "percentiles": 1.0}
    every = []
    for speakers in SPEAKERS:
        for rate in RATES:
            found = coverage(speakers, rate, given.trials, given.seed)
            print(f"{speakers:4} speakers, WER {rate:.2f}: {found}")
            worst = {name: min(worst[name], share) for name, share in found.items()}
            every.append(found["asrdq"])
    figures = {"mean": round(float(np.mean(every)), 4), "least": worst["asrdq"], "most": max(every)}
    figures["least_of_percentiles"] = worst["percentiles"]
    print(json.dumps({"ratio": round(worst["asrdq"] / LEAST, 4), **figures}))


if __name__ == "__main__":
    main()
