"""Two scored rounds, joined on utt_id."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from asrdq.errors import DataError
from asrdq.rounds.paired import Floats

Ids = Literal["strict", "common"]
_LISTED = 20


@dataclass(frozen=True, slots=True)
class Pairing:
    """The utterances of both rounds, row by row the same.

    Attributes:
        before: Rows of the first round, with the columns of the table `scores`.
        after: Rows of the second round.
        only_before: Utterances that only the first round has, and that were left out.
        only_after: Those that only the second has.
    """

    before: pa.Table
    after: pa.Table
    only_before: int = 0
    only_after: int = 0

    def __len__(self) -> int:
        """Return the number of utterances."""
        return int(self.before.num_rows)

    @property
    def utt_ids(self) -> pa.ChunkedArray:
        """Ids of the utterances."""
        return self.before["utt_id"]

    def filter(self, keep: NDArray[np.bool_]) -> Pairing:
        """Return some of the utterances."""
        mask = pa.array(keep)
        return Pairing(self.before.filter(mask), self.after.filter(mask))


def pair(before: pa.Table, after: pa.Table, *, ids: Ids = "strict") -> Pairing:
    """Join two rounds on utt_id, in the order of the ids.

    Args:
        before: Scores of the first round.
        after: Scores of the second round.
        ids: `strict`: both have the same utterances; `common`: those that both have.

    Raises:
        DataError: The utterances differ, an utterance stands twice, or none is in both.
    """
    for name, rows in (("first", before), ("second", after)):
        if pc.count_distinct(rows["utt_id"]).as_py() < rows.num_rows:
            raise DataError(f"an utt_id stands twice in the scores of the {name} round")
    only_before = _missing(before, after)
    only_after = _missing(after, before)
    if ids == "strict" and (len(only_before) or len(only_after)):
        raise _different(only_before, only_after)
    if len(only_before) == before.num_rows:
        raise DataError("the rounds have no utterance in common")
    shared = before
    if len(only_before):
        shared = before.filter(pc.is_in(before["utt_id"], after["utt_id"]))
    shared = shared.sort_by("utt_id")
    place = pc.index_in(shared["utt_id"], after["utt_id"])
    return Pairing(shared, after.take(place), len(only_before), len(only_after))


def _missing(rows: pa.Table, others: pa.Table) -> pa.ChunkedArray:
    ids = rows["utt_id"]
    return ids.filter(pc.invert(pc.is_in(ids, others["utt_id"])))


def _different(only_before: pa.ChunkedArray, only_after: pa.ChunkedArray) -> DataError:
    told = []
    for name, ids in (("first", only_before), ("second", only_after)):
        if len(ids):
            listed = ", ".join(map(str, ids.slice(0, _LISTED).to_pylist()))
            more = f" and {len(ids) - _LISTED:,} more" if len(ids) > _LISTED else ""
            told.append(f"only the {name} round has {len(ids):,}: {listed}{more}")
    return DataError(
        f"the rounds do not have the same utterances; {'; '.join(told)}",
        hint="score both on the same version of the manifest, or compare what they share: "
        "--ids common",
    )


def pair_terms(pairing: Pairing, before: pa.Table, after: pa.Table) -> Pairing:
    """Return the terms of paired utterances, a row a term that both rounds were asked for.

    The rows have the columns that `ker` is made of, so that a term counts as an utterance with
    one term does; blocks and weights are those of their utterances.

    Args:
        pairing: The utterances.
        before: Terms of the first round: `utt_id`, `term`, `missed`.
        after: Terms of the second round.
    """
    sides = []
    for terms in (before, after):
        key = pc.binary_join_element_wise(terms["utt_id"], terms["term"], "\x1f")
        first = terms.append_column("key", key).group_by("key", use_threads=False)
        sides.append(
            first.aggregate([(name, "first") for name in ("utt_id", "term", "missed")])
            .rename_columns(["key", "utt_id", "term", "missed"])
            .sort_by("key")
        )
    shared = [
        side.filter(pc.is_in(side["key"], other["key"]))
        for side, other in zip(sides, reversed(sides), strict=True)
    ]
    row = pc.index_in(shared[0]["utt_id"], pairing.utt_ids)
    kept = pc.is_valid(row)
    rows = row.filter(kept)
    one = pa.array(np.ones(len(rows), np.int32))
    return Pairing(
        *(
            pa.table(
                {
                    "utt_id": side["utt_id"].filter(kept),
                    "term": side["term"].filter(kept),
                    "terms": one,
                    "missed_terms": side["missed"].filter(kept).cast(pa.int32()),
                    "weight": pairing.after["weight"].take(rows),
                    "block": pairing.after["block"].take(rows),
                }
            )
            for side in shared
        )
    )


def quantities(scores: pa.Table, metric: str) -> tuple[Floats, Floats]:
    """Return errors and units of each utterance for a rate, each of shape (utterances,).

    `wer`: word errors and words of the reference. `cer`: the same in characters. `ser`: whether
    there is an error, and 1. `ker`: share of the terms that was missed, and 1 where there is a
    term. Rows of a weighted sample count by their weights.
    """
    errors, units = _PARTS[metric](scores)
    weight = numbers(scores, "weight")
    return errors * weight, units * weight


def numbers(scores: pa.Table, column: str) -> Floats:
    """Return a column as floats."""
    found: Floats = scores[column].to_numpy().astype(np.float64)
    return found


def word_error_counts(scores: pa.Table) -> Floats:
    """Return S + D + I of each utterance."""
    return sum((numbers(scores, kind) for kind in _EDITS), np.zeros(scores.num_rows))


_EDITS = ("substitutions", "deletions", "insertions")


def _keywords(scores: pa.Table) -> tuple[Floats, Floats]:
    terms, missed = numbers(scores, "terms"), numbers(scores, "missed_terms")
    return missed / np.maximum(terms, 1.0), (terms > 0).astype(np.float64)


_PARTS = {
    "wer": lambda rows: (word_error_counts(rows), numbers(rows, "words")),
    "cer": lambda rows: (numbers(rows, "character_edits"), numbers(rows, "characters")),
    "ser": lambda rows: ((word_error_counts(rows) > 0) * 1.0, np.ones(rows.num_rows)),
    "ker": _keywords,
}
METRICS = tuple(_PARTS)
