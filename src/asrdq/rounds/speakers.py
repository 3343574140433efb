"""Tests on speakers: how many does the newer round serve better?

The sign test and the Wilcoxon signed-rank test on the word error rates of speakers, as `sc_stats`
of the NIST toolkit SCTK makes them. They ask another question than the change of the pooled rate:
every speaker counts the same, however much was said.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import pyarrow.compute as pc
from scipy.stats import binomtest, wilcoxon

from asrdq.rounds.paired import Floats
from asrdq.rounds.pairing import Pairing, quantities

_SAME = 0.00005
"""Rates that differ by less count as equal, as in sc_stats: half a hundredth of a per cent."""


@dataclass(frozen=True, slots=True)
class SpeakerTest:
    """How many speakers have a lower, a higher and the same rate, and two-sided p values.

    Attributes:
        better: Speakers with a lower rate in the newer round.
        worse: Speakers with a higher one.
        same: Speakers whose rate is the same; the sign test counts half of them on each side, and
            an odd one against a difference.
        sign_p: p of the sign test, exact.
        wilcoxon_p: p of the signed-rank test by the normal distribution; null under 8 speakers.
    """

    better: int
    worse: int
    same: int
    sign_p: float
    wilcoxon_p: float | None

    def __str__(self) -> str:
        return (
            f"speakers: {self.better:,} better, {self.worse:,} worse, {self.same:,} the same "
            f"(sign test p = {self.sign_p:.2g})"
        )


def speaker_rates(pairing: Pairing) -> tuple[Floats, Floats]:
    """Return the WER of each speaker in both rounds; speakers without words are left out.

    Utterances without a speaker do not count.
    """
    codes = pairing.after["block"].combine_chunks().dictionary_encode()
    known = np.asarray(codes.indices.is_valid())
    speaker = np.asarray(pc.fill_null(codes.indices, 0))[known]
    size = len(codes.dictionary)
    rates = []
    for rows in (pairing.before, pairing.after):
        errors, words = (
            np.bincount(speaker, each[known], size) for each in quantities(rows, "wer")
        )
        rates.append(np.divide(errors, words, out=np.full(size, np.nan), where=words > 0))
    spoke = np.isfinite(rates[0]) & np.isfinite(rates[1])
    return rates[0][spoke], rates[1][spoke]


def speaker_test(before: Floats, after: Floats) -> SpeakerTest | None:
    """Test whether speakers have the same rates in both rounds; None without two speakers.

    Args:
        before: Rate of each speaker in the older round.
        after: The same in the newer round.

    Example:
        >>> speaker_test(np.array([0.3, 0.2, 0.4]), np.array([0.2, 0.1, 0.3])).sign_p
        0.25
    """
    if len(before) < 2:
        return None
    change = after - before
    change[np.abs(change) < _SAME] = 0.0
    better, worse = int((change < 0).sum()), int((change > 0).sum())
    same = len(change) - better - worse
    fewer = min(min(better, worse) + (same + 1) // 2, len(change) // 2)
    sign = float(binomtest(fewer, len(change)).pvalue)
    return SpeakerTest(better, worse, same, sign, _wilcoxon(change))


def _wilcoxon(change: Floats) -> float | None:
    if len(change) < 8:
        return None
    if not change.any():
        return 1.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return float(wilcoxon(change, zero_method="zsplit", method="approx").pvalue)
