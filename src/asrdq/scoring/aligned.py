"""One hypothesis beside its reference, word by word."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import numpy as np
import pyarrow as pa

from asrdq.scoring.edits import Edit, find_edits
from asrdq.scoring.tokens import tokenise


class Mark(StrEnum):
    """What became of a word; the letters are those of sclite.

    Beside another hypothesis, which has a word too many there, one has `NOTHING`.
    """

    RIGHT = "C"
    SUBSTITUTED = "S"
    DELETED = "D"
    INSERTED = "I"
    NOTHING = " "


@dataclass(frozen=True, slots=True)
class AlignedWord:
    """One place of an alignment; the side that has no word there is empty."""

    mark: Mark
    reference: str
    hypothesis: str


def aligned(reference: str, hypothesis: str) -> list[AlignedWord]:
    """Return the alignment that is scored, in the order of the words.

    Args:
        reference: Normalised text; words are parted by single spaces.
        hypothesis: Normalised text.

    Example:
        >>> [(word.mark.value, word.hypothesis) for word in aligned("a b", "a x b")]
        [('C', 'a'), ('I', 'x'), ('C', 'b')]
    """
    left, right = reference.split(), hypothesis.split()
    pairs = tokenise(pa.array([reference]), pa.array([hypothesis]))
    edits = find_edits(pairs.references, pairs.hypotheses)
    words, i, j = [], 0, 0
    for index in np.lexsort((edits.hypothesis, edits.reference)).tolist():
        kind, at = Edit(int(edits.kind[index])), int(edits.reference[index])
        words += _right(left[i:at])
        i, j = at, j + at - i
        mark = _MARKS[kind]
        gone, came = kind is not Edit.INSERTION, kind is not Edit.DELETION
        words.append(AlignedWord(mark, left[i] if gone else "", right[j] if came else ""))
        i, j = i + gone, j + came
    return words + _right(left[i:])


def _right(words: list[str]) -> list[AlignedWord]:
    return [AlignedWord(Mark.RIGHT, word, word) for word in words]


_MARKS: Final[dict[Any, Mark]] = {
    Edit.SUBSTITUTION: Mark.SUBSTITUTED,
    Edit.DELETION: Mark.DELETED,
    Edit.INSERTION: Mark.INSERTED,
}
