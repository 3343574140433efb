"""Error counts, which can be added, and the rates that follow from them.

Formulas as in jiwer 4: with H hits, S substitutions, D deletions and I insertions, N = H + S + D
words in the reference and P = H + S + I in the hypothesis. Where jiwer puts a number on texts
without any word of reference (its WER is the number of insertions then), there is no rate here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import astuple, dataclass, fields
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


class Metric(StrEnum):
    """A rate that is scored; shares between 0 and 1, though WER, CER and MACRO_WER can pass 1."""

    WER = "wer"
    CER = "cer"
    MER = "mer"
    WIL = "wil"
    WIP = "wip"
    SER = "ser"
    KER = "ker"
    KEYWORD_PRECISION = "keyword_precision"
    KEYWORD_RECALL = "keyword_recall"
    KEYWORD_F1 = "keyword_f1"
    MACRO_WER = "macro_wer"


HIGHER_IS_BETTER: Final = frozenset(
    {Metric.WIP, Metric.KEYWORD_PRECISION, Metric.KEYWORD_RECALL, Metric.KEYWORD_F1}
)


@dataclass(frozen=True, slots=True)
class ErrorCounts:
    """What was counted over some utterances; counts are added, rates never averaged.

    Weighted sums of a stratified sample have the same form, so all counts are floats.

    Attributes:
        utterances: Utterances scored.
        wrong: Those with any error.
        words: Words in references.
        hits: Words that are right.
        substitutions: Words that are another word in the hypothesis.
        deletions: Words that the hypothesis lacks.
        insertions: Words that only the hypothesis has.
        characters: Characters in references, spaces between words included.
        character_edits: Least edits of characters between both texts.
        keyword_rows: Utterances with a term to be scored.
        keyword_missed: Sum over them of the share of their terms that was missed.
        keyword_hits: Occurrences of terms that were heard.
        keyword_misses: Occurrences in references that were not.
        keyword_false: Occurrences in hypotheses where the reference has none.
        worded: Utterances whose reference has words.
        wer_sum: Sum over them of each one's own WER.

    Example:
        >>> counts = ErrorCounts(words=10, hits=8, substitutions=1, deletions=1, insertions=1)
        >>> counts.rate(Metric.WER), (counts + counts).rate(Metric.WER)
        (0.3, 0.3)
    """

    utterances: float = 0.0
    wrong: float = 0.0
    words: float = 0.0
    hits: float = 0.0
    substitutions: float = 0.0
    deletions: float = 0.0
    insertions: float = 0.0
    characters: float = 0.0
    character_edits: float = 0.0
    keyword_rows: float = 0.0
    keyword_missed: float = 0.0
    keyword_hits: float = 0.0
    keyword_misses: float = 0.0
    keyword_false: float = 0.0
    worded: float = 0.0
    wer_sum: float = 0.0

    def __add__(self, other: ErrorCounts) -> ErrorCounts:
        """Return the counts of both together."""
        return ErrorCounts(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))

    @property
    def errors(self) -> float:
        """Substitutions, deletions and insertions."""
        return self.substitutions + self.deletions + self.insertions

    def rate(self, metric: Metric) -> float:
        """Return a rate; NaN where there is nothing to divide by."""
        return float(FORMULAS[metric].value(self._row())[0])

    def units(self, metric: Metric) -> float:
        """Return what the rate is a share of: words, characters, utterances or occurrences."""
        return float(FORMULAS[metric].quantities(self._row())[0, 1])

    def _row(self) -> Floats:
        return np.array([astuple(self)], np.float64)


COUNTERS: Final = tuple(field.name for field in fields(ErrorCounts))
"""Names of the counts, in the order of the columns that a `Formula` takes."""


@dataclass(frozen=True, slots=True)
class Formula:
    """A rate as a product of powers of sums of counts: all that an interval needs to know of it.

    Attributes:
        sums: Matrix of shape (counters, quantities): which counts are added for each quantity,
            the first one standing above the line.
        powers: The power of each quantity; they add up to 0, so that twice as many utterances of
            the same kind leave the rate as it is.
        bounded: Whether the rate cannot pass 1.
        complement: Whether it is one minus the product.
    """

    sums: Floats
    powers: tuple[int, ...]
    bounded: bool = True
    complement: bool = False

    def quantities(self, counts: Floats) -> Floats:
        """Return the quantities, shape (n, quantities), of counts of shape (n, counters)."""
        return counts @ self.sums

    def value(self, counts: Floats) -> Floats:
        """Return a rate for each row of counts, shape (n,); NaN where it is not defined."""
        return self.value_and_gradient(self.quantities(counts))[0]

    def value_and_gradient(self, quantities: Floats) -> tuple[Floats, Floats]:
        """Return rates, shape (n,), and their derivatives by each quantity, (n, quantities)."""
        below = quantities[:, 1:].copy()
        if len(self.powers) > 2:  # a hypothesis without a word preserves nothing of a reference
            below[:, 1:] = np.where(below[:, 1:] > 0, below[:, 1:], 1.0)
        above, power = quantities[:, 0], self.powers[0]
        defined = (below > 0).all(axis=1)
        safe = np.where(below > 0, below, 1.0)
        divisor = np.where(
            defined, np.prod(safe ** -np.array(self.powers[1:], float), axis=1), math.nan
        )
        value = above**power / divisor
        gradient = np.column_stack(
            [power * above ** (power - 1) / divisor]
            + [own * value / safe[:, k] for k, own in enumerate(self.powers[1:])]
        )
        return (1 - value, -gradient) if self.complement else (value, gradient)


def _formula(*quantities: str, powers: tuple[int, ...] = (1, -1), **options: bool) -> Formula:
    """Return a formula whose quantities are named like `hits + insertions`."""
    sums = np.zeros((len(COUNTERS), len(quantities)))
    for column, quantity in enumerate(quantities):
        for name in quantity.split(" + "):
            sums[COUNTERS.index(name), column] += 1
    return Formula(sums, powers, **options)


_ERRORS = "substitutions + deletions + insertions"
_PRESERVED = ("hits", "words", "hits + substitutions + insertions")

FORMULAS: Final[Mapping[Metric, Formula]] = {
    Metric.WER: _formula(_ERRORS, "words", bounded=False),
    Metric.CER: _formula("character_edits", "characters", bounded=False),
    Metric.MER: _formula(_ERRORS, "words + insertions"),
    Metric.WIP: _formula(*_PRESERVED, powers=(2, -1, -1)),
    Metric.WIL: _formula(*_PRESERVED, powers=(2, -1, -1), complement=True),
    Metric.SER: _formula("wrong", "utterances"),
    Metric.KER: _formula("keyword_missed", "keyword_rows"),
    Metric.KEYWORD_PRECISION: _formula("keyword_hits", "keyword_hits + keyword_false"),
    Metric.KEYWORD_RECALL: _formula("keyword_hits", "keyword_hits + keyword_misses"),
    Metric.KEYWORD_F1: _formula(
        "keyword_hits + keyword_hits",
        "keyword_hits + keyword_hits + keyword_misses + keyword_false",
    ),
    Metric.MACRO_WER: _formula("wer_sum", "worded", bounded=False),
}
"""How each rate follows from counts; sources: jiwer 4 for the word rates, the playbook for KER."""
