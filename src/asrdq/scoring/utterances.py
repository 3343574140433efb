"""A block of utterances scored: counts of each, its wrong words, terms and spans."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

from asrdq.scoring.choices import normalised
from asrdq.scoring.edits import Edit, Edits, find_edits
from asrdq.scoring.entities import Spans, score_spans
from asrdq.scoring.keywords import KeywordScores, RowTerms, score_keywords
from asrdq.scoring.tables import EDITS, SPANS, TERMS, UTTERANCES
from asrdq.scoring.tokens import TokenPairs, tokenise

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from asrdq.scoring.vocabulary import Vocabulary
    from asrdq.text.normalisers import Normaliser

NOT_IN_REFERENCE = "absent_from_reference"


@dataclass(frozen=True, slots=True)
class Utterances:
    """What is to be scored: n utterances, and the terms and spans of some of them.

    Attributes:
        utt_id: Ids, shape (n,).
        reference: Texts as written; none is null.
        hypothesis: Texts as they came; none is null.
        weight: How many utterances of the manifest each one stands for.
        block: What makes utterances belong together, such as the speaker; null where unknown.
        terms: Terms that rows are asked for.
        spans: Tagged spans of references.
    """

    utt_id: pa.Array
    reference: pa.Array
    hypothesis: pa.Array
    weight: NDArray[np.float64]
    block: pa.Array
    terms: RowTerms
    spans: Spans


@dataclass(frozen=True, slots=True)
class ScoredUtterances:
    """Scores of utterances (schema `UTTERANCES`) and what lies behind them.

    Attributes:
        utterances: One row each, in the order they came in.
        edits: One row a wrong word (schema `EDITS`).
        terms: One row a term asked for (schema `TERMS`).
        term_row: The utterance of each of these rows.
        spans: One row a tagged span (schema `SPANS`).
        span_row: The utterance of each of these rows.
    """

    utterances: pa.RecordBatch
    edits: pa.RecordBatch
    terms: pa.RecordBatch
    term_row: NDArray[np.int64]
    spans: pa.RecordBatch
    span_row: NDArray[np.int64]


def score_utterances(
    given: Utterances, normaliser: Normaliser, vocabulary: Vocabulary
) -> ScoredUtterances:
    """Normalise and score utterances, of choices of words those that fit best.

    Texts that come out empty are scored as empty.
    """
    reference, hypothesis = normalised(given.reference, given.hypothesis, normaliser)
    pairs = tokenise(reference, hypothesis)
    edits = find_edits(pairs.references, pairs.hypotheses)
    keywords = score_keywords(pairs, edits, given.terms, vocabulary)
    counts = {
        **word_counts(pairs, edits),
        **character_counts(reference, hypothesis),
        **_keyword_counts(given.terms, keywords, len(reference)),
    }
    columns = {name: pa.array(count.astype(np.int32)) for name, count in counts.items()}
    columns |= {
        "utt_id": given.utt_id,
        "reference": reference,
        "hypothesis": hypothesis,
        "weight": pa.array(given.weight),
        "block": given.block,
    }
    return ScoredUtterances(
        pa.RecordBatch.from_pydict(columns, schema=UTTERANCES),
        _edit_rows(given.utt_id, pairs, edits),
        _term_rows(given, keywords),
        given.terms.row,
        _span_rows(given, pairs, edits, normaliser),
        given.spans.row,
    )


def word_counts(pairs: TokenPairs, edits: Edits) -> dict[str, NDArray[np.int64]]:
    """Return how many words each pair of texts has, and how many are right and wrong."""
    rows = len(pairs.references)
    words = pairs.references.lengths
    replaced, left_out, put_in = (edits.count(kind, rows) for kind in Edit)
    return {
        "words": words,
        "hits": words - replaced - left_out,
        "substitutions": replaced,
        "deletions": left_out,
        "insertions": put_in,
    }


def character_counts(reference: pa.Array, hypothesis: pa.Array) -> dict[str, NDArray[np.int64]]:
    """Return lengths in characters, spaces included, and least edits between both texts."""
    differs = pc.not_equal(reference, hypothesis)
    edits = np.zeros(len(reference), np.int64)
    sides = [texts.filter(differs).to_pylist() for texts in (reference, hypothesis)]
    if sides[0]:
        edits[np.asarray(differs)] = process.cpdist(
            *sides, scorer=Levenshtein.distance, dtype=np.int32
        )
    return {
        "characters": np.asarray(pc.utf8_length(reference)).astype(np.int64),
        "character_edits": edits,
    }


def _keyword_counts(
    asked: RowTerms, scores: KeywordScores, rows: int
) -> dict[str, NDArray[np.int64]]:
    scored = np.array([fault is None for fault in scores.fault], bool)
    return {
        "terms": np.bincount(asked.row[scored], minlength=rows),
        "missed_terms": np.bincount(asked.row[scores.missed], minlength=rows),
        "keyword_hits": scores.hits,
        "keyword_misses": scores.misses,
        "keyword_false": scores.false,
    }


def _edit_rows(utt_id: pa.Array, pairs: TokenPairs, edits: Edits) -> pa.RecordBatch:
    """Return the wrong words; the side that has no word is null."""
    kinds = pa.array([kind.name.lower() for kind in Edit])
    places = (
        (pairs.references, edits.reference, Edit.INSERTION),
        (pairs.hypotheses, edits.hypothesis, Edit.DELETION),
    )
    words = []
    for tokens, place, without in places:
        missing = edits.kind == without
        where = np.where(missing, 0, tokens.starts[edits.pair] + place)
        ids = tokens.ids[where] if len(tokens.ids) else np.zeros(len(where), np.int32)
        words.append(pairs.words.take(pa.array(ids, mask=missing)))
    columns = [
        utt_id.take(pa.array(edits.pair)),
        kinds.take(pa.array(edits.kind)),
        *words,
        pa.array(edits.reference.astype(np.int32)),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=EDITS)


def _term_rows(given: Utterances, scores: KeywordScores) -> pa.RecordBatch:
    faulty = np.array([fault is not None for fault in scores.fault], bool)
    columns = [
        given.utt_id.take(pa.array(given.terms.row)),
        pa.array(given.terms.term, pa.string()),
        pa.array(scores.missed, mask=faulty),
        pa.array(scores.fault, pa.string()),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=TERMS)


def _span_rows(
    given: Utterances, pairs: TokenPairs, edits: Edits, normaliser: Normaliser
) -> pa.RecordBatch:
    scores = score_spans(pairs, edits, given.spans, normaliser)
    columns = [
        given.utt_id.take(pa.array(given.spans.row)),
        pa.array(given.spans.label, pa.string()),
        pa.array(given.spans.text, pa.string()),
        pa.array(scores.words.astype(np.int32), mask=~scores.found),
        *(pa.array(scores.errors[kind].astype(np.int32), mask=~scores.found) for kind in Edit),
        pa.array([None if found else NOT_IN_REFERENCE for found in scores.found], pa.string()),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=SPANS)
