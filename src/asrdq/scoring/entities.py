"""Word errors inside tagged spans of references, by the class of the span."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from asrdq.scoring.edits import Edit
from asrdq.scoring.keywords import span_errors
from asrdq.scoring.tokens import UNKNOWN
from asrdq.scoring.vocabulary import Vocabulary

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from asrdq.scoring.edits import Edits
    from asrdq.scoring.tokens import TokenPairs


@dataclass(frozen=True, slots=True)
class Spans:
    """Tagged spans of n references: `row`, `label` and `text` as written, shape (spans,) each."""

    row: NDArray[np.int64]
    label: Sequence[str]
    text: Sequence[str]


@dataclass(frozen=True, slots=True)
class SpanScores:
    """Errors of spans, shape (spans,).

    Attributes:
        found: Whether the text of the span stands in its reference; others have no words.
        words: Words of the span.
        errors: Words replaced, words left out, and words put in between.
    """

    found: NDArray[np.bool_]
    words: NDArray[np.int64]
    errors: dict[Edit, NDArray[np.int64]]


def score_spans(
    pairs: TokenPairs, edits: Edits, spans: Spans, normalise: Callable[[str], str]
) -> SpanScores:
    """Return the word errors inside spans.

    The first span of a text in a row is its first occurrence in the reference, the second one
    the second.
    """
    if not len(spans.text):
        nothing = np.empty(0, np.int64)
        return SpanScores(np.empty(0, bool), nothing, dict.fromkeys(Edit, nothing))
    vocabulary = Vocabulary(dict.fromkeys(spans.text), normalise)
    said = vocabulary.numbered(pairs).find(pairs.references, len(pairs.words))
    places: dict[tuple[int, int], list[int]] = {}
    for text, term, place in zip(
        said.text.tolist(), said.term.tolist(), said.place.tolist(), strict=True
    ):
        places.setdefault((text, term), []).append(place)
    place = np.full(len(spans.text), UNKNOWN, np.int64)
    length = np.zeros(len(spans.text), np.int64)
    for number, (row, text) in enumerate(zip(spans.row.tolist(), spans.text, strict=True)):
        term = vocabulary.index[text]
        if left := places.get((row, term)):
            place[number], length[number] = left.pop(0), vocabulary.lengths[term]
    found = place != UNKNOWN
    return SpanScores(found, length, span_errors(pairs, edits, np.maximum(place, 0), length))
