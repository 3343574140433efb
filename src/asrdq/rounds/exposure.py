"""What the model was trained on: rows and terms of the evaluation that the training data hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from asrdq.rounds.groups import Grouping
from asrdq.scoring.tokens import tokenise
from asrdq.scoring.vocabulary import Vocabulary

if TYPE_CHECKING:
    from asrdq.text.normalisers import Normaliser
    from asrdq.workspace import ManifestVersion, Workspace

EXPOSURE, TERM_EXPOSURE = "exposure", "term_exposure"
HELD_OUT, TRAINED_ON = "held out", "trained on"
UNSEEN, SEEN = "unseen", "seen"


@dataclass(frozen=True, slots=True)
class Exposure:
    """What training data and evaluation share.

    Attributes:
        same_id: Ids of evaluation rows whose utt_id is in the training data.
        same_audio: Ids of those whose audio is.
        same_text: Ids of those whose normalised text is.
        seen: Normalised terms that stand in a training text.
        notes: What could not be compared.
    """

    same_id: pa.Array
    same_audio: pa.Array
    same_text: pa.Array
    seen: frozenset[str]
    notes: tuple[str, ...]

    def grouping(self, utt_ids: pa.ChunkedArray) -> Grouping:
        """Return held-out rows apart from rows that the model was trained on."""
        shared = pa.concat_arrays([self.same_id, self.same_audio, self.same_text])
        trained = np.asarray(pc.is_in(utt_ids, shared)).astype(np.int64)
        return Grouping(EXPOSURE, (HELD_OUT, TRAINED_ON), trained)

    def term_grouping(self, terms: pa.ChunkedArray, normaliser: Normaliser) -> Grouping:
        """Return terms (as they are written) that are unseen in training apart from seen ones."""
        known = {term: normaliser(term) in self.seen for term in terms.unique().to_pylist()}
        seen = np.array([known[term] for term in terms.to_pylist()], np.int64)
        return Grouping(TERM_EXPOSURE, (UNSEEN, SEEN), seen)

    def summary(self) -> str:
        """Return how many rows and terms are known from training."""
        return (
            f"in the training data: {len(self.same_id):,} rows by utt_id, "
            f"{len(self.same_audio):,} by audio, {len(self.same_text):,} by text; "
            f"{len(self.seen):,} terms"
        )


def find_exposure(
    workspace: Workspace,
    train: ManifestVersion,
    evaluation: ManifestVersion,
    scores: pa.Table,
    terms: Iterable[str],
    normaliser: Normaliser,
) -> Exposure:
    """Return which rows and terms of an evaluation the training data hold.

    A row is known by its utt_id, by its audio (as `asrdq leaks` finds it, which also writes the
    table `leaks`), or by its text after normalising; a term by its words, in order and adjacent,
    in the normalised text of a training row.

    Args:
        workspace: Where the manifests are.
        train: What the model was trained on.
        evaluation: What it was scored on.
        scores: Rows with `utt_id` and the normalised `reference`.
        terms: Terms as they are written.
        normaliser: The one that the scores were made with.
    """
    vocabulary = Vocabulary(terms, normaliser)
    same_id, known_texts, seen = [], [], np.zeros(len(vocabulary), bool)
    references = pc.unique(scores["reference"])
    for ids, texts in _batches(workspace, train, normaliser):
        same_id.append(ids.filter(pc.is_in(ids, scores["utt_id"])))
        known_texts.append(texts.filter(pc.is_in(texts, references)))
        seen |= _stand_in(texts, vocabulary)
    texts = pc.unique(pa.chunked_array(known_texts, pa.string()))
    by_text = pc.and_(pc.is_in(scores["reference"], texts), pc.not_equal(scores["reference"], ""))
    by_audio, notes = _same_audio(workspace, train, evaluation, scores["utt_id"])
    return Exposure(
        pc.unique(pa.chunked_array(same_id, pa.string())),
        by_audio,
        scores["utt_id"].filter(by_text).combine_chunks(),
        frozenset(np.array(vocabulary.terms, object)[seen]),
        notes,
    )


def _batches(
    workspace: Workspace, train: ManifestVersion, normaliser: Normaliser
) -> Iterator[tuple[pa.Array, pa.Array]]:
    with workspace.stream(train, ["utt_id", "text"]) as reader:
        for batch in reader:
            texts = normaliser.column(batch.column("text"))
            yield batch.column("utt_id"), pc.fill_null(texts, "")


def _stand_in(texts: pa.Array, vocabulary: Vocabulary) -> NDArray[np.bool_]:
    """Return which terms stand in any of the texts."""
    pairs = tokenise(texts, pa.repeat("", len(texts)))
    found = vocabulary.numbered(pairs).find(pairs.references, len(pairs.words))
    there = np.zeros(len(vocabulary), bool)
    there[found.term] = True
    return there


def _same_audio(
    workspace: Workspace,
    train: ManifestVersion,
    evaluation: ManifestVersion,
    utt_ids: pa.ChunkedArray,
) -> tuple[pa.Array, tuple[str, ...]]:
    from asrdq.leakage import LeakPlan, find_leaks

    found = find_leaks(workspace, train, evaluation, LeakPlan(only=("audio",)))
    [row] = found.findings.to_pylist()
    ids = found.leaks["utt_id"]
    ids = ids.filter(pc.is_in(ids, utt_ids)).combine_chunks()
    gap = row["detail"]
    notes = (f"rows trained on by their audio may be missing: {gap}",) if gap else ()
    return ids, notes
