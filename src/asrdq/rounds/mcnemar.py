"""McNemar's test on utterances: of those that only one round has right, how many are whose?

Exact, as `sc_stats` of the NIST toolkit SCTK defines it: under the null hypothesis each of these
utterances is a toss of a fair coin. (Where more than about 20 utterances differ, the integers of
sc_stats 1.3 overflow and it prints p values that are far too small: 0.000 for 13 of 40, which is
0.038.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest


@dataclass(frozen=True, slots=True)
class UtteranceTest:
    """The table of utterances, and the two-sided p value; 1 where no utterance differs."""

    both_right: int
    broken: int
    fixed: int
    both_wrong: int
    p: float


def mcnemar(wrong_before: NDArray[np.bool_], wrong_after: NDArray[np.bool_]) -> UtteranceTest:
    """Test whether two rounds have equally many utterances right.

    Args:
        wrong_before: Whether the first round has any error, shape (utterances,).
        wrong_after: The same of the second round.

    Example:
        >>> import numpy as np
        >>> mcnemar(np.array([True] * 5), np.array([False] * 5)).p
        0.0625
    """
    fixed = int((wrong_before & ~wrong_after).sum())
    broken = int((~wrong_before & wrong_after).sum())
    return UtteranceTest(
        both_right=int((~wrong_before & ~wrong_after).sum()),
        broken=broken,
        fixed=fixed,
        both_wrong=int((wrong_before & wrong_after).sum()),
        p=float(binomtest(fixed, fixed + broken).pvalue) if fixed + broken else 1.0,
    )
