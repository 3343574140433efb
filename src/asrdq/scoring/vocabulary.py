"""Terms of one or more words, and where they stand in many texts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from asrdq.scoring.tokens import UNKNOWN

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from asrdq.scoring.tokens import TokenPairs, Tokens


class Vocabulary:
    """Distinct terms after normalising; terms that come out alike are one.

    Attributes:
        terms: Normalised terms, none of them empty.
        index: The number of each term as it was written; `UNKNOWN` where nothing is left of it.
    """

    def __init__(self, written: Iterable[str], normalise: Callable[[str], str]) -> None:
        normalised = {term: normalise(term) for term in written}
        self.terms = sorted({term for term in normalised.values() if term})
        numbers = {term: number for number, term in enumerate(self.terms)}
        self.index = {term: numbers.get(own, UNKNOWN) for term, own in normalised.items()}
        words = [term.split(" ") for term in self.terms]
        self._words = [word for term in words for word in term]
        self.lengths = np.array([len(term) for term in words], np.int64)

    def __len__(self) -> int:
        """Return the number of terms."""
        return len(self.terms)

    def numbered(self, pairs: TokenPairs) -> NumberedTerms:
        """Return the terms in the numbers of some texts' words."""
        starts = np.concatenate([[0], np.cumsum(self.lengths)]).astype(np.int64)
        return NumberedTerms(pairs.numbers(self._words), starts)


@dataclass(frozen=True, slots=True)
class Occurrences:
    """Where terms stand: `term`, `text` and `place` (in the words of all texts), shape (n,)."""

    term: NDArray[np.int64]
    text: NDArray[np.int64]
    place: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class NumberedTerms:
    """Terms as numbers of words, laid out as texts are in `Tokens`."""

    ids: NDArray[np.int32]
    starts: NDArray[np.int64]

    def find(self, tokens: Tokens, words: int) -> Occurrences:
        """Return every occurrence of every term; one term does not overlap with itself.

        Args:
            tokens: The texts.
            words: How many different words the texts have.
        """
        lengths = np.diff(self.starts)
        known = np.array(
            [
                bool((self.ids[a:b] != UNKNOWN).all())
                for a, b in zip(self.starts, self.starts[1:], strict=False)
            ],
            bool,
        )
        terms = np.flatnonzero(known)
        firsts = self.ids[self.starts[terms]]
        order = np.argsort(firsts, kind="stable")
        terms, firsts = terms[order], firsts[order]
        begins = np.searchsorted(firsts, np.arange(words))
        many = np.searchsorted(firsts, np.arange(words), side="right") - begins
        place = np.flatnonzero(many[tokens.ids] > 0) if words else np.empty(0, np.int64)
        number = many[tokens.ids[place]]
        term = terms[_ranges(begins[tokens.ids[place]], number)]
        place = np.repeat(place, number)
        text = np.searchsorted(tokens.starts, place, side="right") - 1
        ends = tokens.starts[text + 1]
        for step in range(1, int(lengths.max(initial=1))):
            goes_on = lengths[term] > step
            fits = place + step < ends
            same = np.zeros(len(place), bool)
            asked = goes_on & fits
            same[asked] = (
                tokens.ids[place[asked] + step] == self.ids[self.starts[term[asked]] + step]
            )
            kept = ~goes_on | same
            term, text, place, ends = term[kept], text[kept], place[kept], ends[kept]
        alone = _apart(term, text, place, lengths)
        return Occurrences(term[alone], text[alone], place[alone])


def _ranges(begins: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return `begin, begin + 1, …` for each beginning, as many as its count, in one array."""
    before = np.cumsum(counts) - counts
    shifted: NDArray[np.int64] = np.arange(int(counts.sum())) + np.repeat(begins - before, counts)
    return shifted


def _apart(
    term: NDArray[np.int64],
    text: NDArray[np.int64],
    place: NDArray[np.int64],
    lengths: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Return the occurrences that are left when a term may not overlap with itself."""
    order = np.lexsort((place, term))
    same = (np.diff(term[order]) == 0) & (np.diff(text[order]) == 0)
    close = np.diff(place[order]) < lengths[term[order]][1:]
    if not np.any(same & close):
        return order
    kept: list[int] = []
    last: dict[int, int] = {}
    for number in order.tolist():
        key = int(term[number])
        if key not in last or place[number] >= last[key] + lengths[key]:
            kept.append(number)
            last[key] = int(place[number])
    return np.array(kept, np.int64)
