"""Texts with a choice of words: which alternatives a reference and a hypothesis are scored with.

They are those with the fewest errors, as in NIST's sclite. Of several that are as good, those that
are written first are taken.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from asrdq.text.choices import offers_choice, pieces

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from asrdq.text.normalisers import Normaliser

TRIED_IN_HYPOTHESIS: Final = 6
"""Choices of one hypothesis that are tried; of those behind them the first alternative is taken."""

_Pieces = list[list[list[str]]]
"""Words of each alternative of each piece of a text."""


def normalised(
    reference: pa.Array, hypothesis: pa.Array, normaliser: Normaliser
) -> tuple[pa.Array, pa.Array]:
    """Return references and hypotheses as they are scored: normalised, each choice made.

    Pieces between choices and alternatives are normalised by themselves.

    Args:
        reference: Texts as written, shape (n,); none is null.
        hypothesis: As many texts.
        normaliser: What counts as the same text.
    """
    sides = reference, hypothesis
    plain = [normaliser.column(texts) for texts in sides]
    offered = pc.or_(*map(offers_choice, sides))
    if not pc.any(offered).as_py():
        return plain[0], plain[1]
    chosen = [
        best_texts(left, right)
        for left, right in zip(
            *(_pieces(texts.filter(offered), normaliser) for texts in sides), strict=True
        )
    ]
    made = (pa.array([pair[side] for pair in chosen], pa.string()) for side in (0, 1))
    first, second = (
        pc.replace_with_mask(texts, offered, words)
        for texts, words in zip(plain, made, strict=True)
    )
    return first, second


def _pieces(texts: pa.Array, normaliser: Normaliser) -> list[_Pieces]:
    """Return the words of each text; all alternatives are normalised in one go."""
    cut = [pieces(text) for text in texts.to_pylist()]
    flat = pa.array([one for text in cut for piece in text for one in piece], pa.string())
    words = iter(normaliser.column(flat).to_pylist())
    return [[[next(words).split() for _ in piece] for piece in text] for text in cut]


def best_texts(reference: _Pieces, hypothesis: _Pieces) -> tuple[str, str]:
    """Return both texts with the alternatives that have the fewest errors.

    Example:
        >>> best_texts([[["a"]], [["um"], ["uh"]]], [[["a", "uh"]]])
        ('a uh', 'a uh')
    """
    numbers: dict[str, int] = {}

    def numbered(words: Sequence[str]) -> NDArray[np.int64]:
        return np.array([numbers.setdefault(word, len(numbers)) for word in words], np.int64)

    network = [[numbered(words) for words in piece] for piece in reference]
    found: tuple[int, list[int], list[str]] | None = None
    for heard in _variants(hypothesis):
        errors, picks = _fewest_errors(network, numbered(heard))
        if found is None or errors < found[0]:
            found = errors, picks, heard
    assert found is not None
    _, picks, heard = found
    said = [word for piece, pick in zip(reference, picks, strict=True) for word in piece[pick]]
    return " ".join(said), " ".join(heard)


def _variants(text: _Pieces) -> list[list[str]]:
    left = TRIED_IN_HYPOTHESIS
    tried = []
    for piece in text:
        tried.append(piece if left > 0 else piece[:1])
        left -= len(piece) > 1
    return [list(itertools.chain(*words)) for words in itertools.product(*tried)]


def _fewest_errors(
    reference: list[list[NDArray[np.int64]]], hypothesis: NDArray[np.int64]
) -> tuple[int, list[int]]:
    """Return the fewest errors and the alternative of each piece that they are reached with.

    Edit distance over a chain of choices: `cost[j]` is the least cost of all pieces so far against
    the first j words of the hypothesis, `begins[j]` where the present piece then begins in it.
    """
    cost = np.arange(len(hypothesis) + 1)
    ways = []
    for piece in reference:
        reached = [_against(words, hypothesis, cost) for words in piece]
        costs = np.stack([each for each, _ in reached])
        pick = costs.argmin(axis=0)
        cost = np.take_along_axis(costs, pick[None], 0)[0]
        begins = np.take_along_axis(np.stack([each for _, each in reached]), pick[None], 0)[0]
        ways.append((pick, begins))
    at, picks = len(hypothesis), []
    for pick, begins in reversed(ways):
        picks.append(int(pick[at]))
        at = begins[at]
    return int(cost[-1]), picks[::-1]


def _against(
    words: NDArray[np.int64], hypothesis: NDArray[np.int64], cost: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the least costs after some words of a reference, and where the words then begin."""
    steps = np.arange(len(hypothesis) + 1)
    begins = steps
    for word in words.tolist():
        deleted = cost + 1
        replaced = cost[:-1] + (hypothesis != word)
        straight = replaced <= deleted[1:]
        without = np.concatenate([deleted[:1], np.where(straight, replaced, deleted[1:])])
        origin = np.concatenate([begins[:1], np.where(straight, begins[:-1], begins[1:])])
        lead = without - steps
        least = np.minimum.accumulate(lead)
        before = np.maximum.accumulate(np.where(lead == least, steps, 0))
        cost, begins = least + steps, origin[before]
    return cost, begins
