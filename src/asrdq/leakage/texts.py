"""The same and nearly the same texts, of two manifests or within one."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from asrdq.engine.threads import in_threads
from asrdq.leakage.matches import MATCHES, Compared
from asrdq.leakage.near import NearIndex
from asrdq.leakage.plan import Kind, LeakPlan
from asrdq.leakage.words import Words, blocks, normalised

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from asrdq.workspace import ManifestVersion, Workspace

_THREADS = 2
_SHOWN_CHARACTERS = 100

_FOUND: Final[pl.Schema] = pl.Schema(
    {"kind": pl.String, "text": pl.Int64, "other": pl.String, "similarity": pl.Float32}
)


@dataclass(frozen=True)
class TextRows:
    """Rows of a manifest by their normalised text.

    Attributes:
        rows: utt_id and number of the text of each row that has words enough.
        texts: The different texts.
    """

    rows: pl.DataFrame
    texts: pa.Array

    @classmethod
    def read(cls, workspace: Workspace, manifest: ManifestVersion, min_words: int) -> TextRows:
        """Read and normalise the texts of a manifest."""
        ids, texts = [], []
        with workspace.stream(manifest, ["utt_id", "text"]) as reader:
            for batch in reader:
                text = normalised(batch.column("text"))
                kept = pc.greater_equal(_word_counts(text), min_words)
                ids.append(batch.column("utt_id").filter(kept))
                texts.append(text.filter(kept))
        column = pa.chunked_array(texts, pa.string()).combine_chunks().dictionary_encode()
        rows = {"utt_id": pa.chunked_array(ids, pa.string()), "text": column.indices}
        return cls(pl.DataFrame(rows).cast({"text": pl.Int64}), column.dictionary)


def shared_texts(
    workspace: Workspace,
    train: ManifestVersion,
    evaluation: ManifestVersion,
    plan: LeakPlan,
    advance: Callable[[float], None],
) -> Compared:
    """Compare all texts of a training manifest with those of an evaluation manifest."""
    asked = TextRows.read(workspace, evaluation, plan.min_words)
    if not len(asked.texts):
        return _nothing("the evaluation manifest has no text")
    with workspace.stream(train, ["utt_id"], "text <> ''") as reader:
        if not any(batch.num_rows for batch in reader):
            return _nothing("the training manifest has no text")
    index = NearIndex.build(asked.texts, plan.near)
    compare = functools.partial(_batch, index, near=str(Kind.NEAR_TEXT) in plan.kinds())
    found, touched = [], dict.fromkeys(map(str, (Kind.TEXT, Kind.NEAR_TEXT)), 0)
    with workspace.stream(train, ["utt_id", "text"]) as reader:
        for _, (rows, part) in in_threads(compare, reader, _THREADS):
            advance(rows)
            for kind, count in part.group_by("kind").agg(pl.col("other").n_unique()).iter_rows():
                touched[kind] += count
            found.append(_best(part))
    return Compared(_as_matches(asked, _best(pl.concat(found))), touched, {})


def repeated_texts(
    workspace: Workspace,
    manifest: ManifestVersion,
    plan: LeakPlan,
    advance: Callable[[float], None],
) -> Compared:
    """Compare the texts of one manifest with each other."""
    asked = TextRows.read(workspace, manifest, plan.min_words)
    if not len(asked.texts):
        return _nothing("the manifest has no text")
    groups = asked.rows.sort("utt_id").group_by("text", maintain_order=True)
    first = groups.agg(pl.first("utt_id").alias("other"), pl.len().alias("rows")).sort("text")
    exact = _exact_repeats(asked, first)
    near = _best(_no_finds())
    if str(Kind.NEAR_TEXT) in plan.kinds():
        index = NearIndex.build(asked.texts, plan.near)
        names = first["other"].to_arrow().cast(pa.string())
        pieces = (
            pa.record_batch({"utt_id": names.slice(at, len(block)), "text": block})
            for at, block in blocks(asked.texts)
        )
        compare, parts = functools.partial(_batch, index, near=True), []
        for _, (rows, part) in in_threads(compare, pieces, _THREADS):
            advance(rows * len(asked.rows) / len(asked.texts))
            parts.append(_best(part.filter(pl.col("kind") == str(Kind.NEAR_TEXT))))
        near = _best(pl.concat(parts))
    matches = pa.concat_tables([exact, _as_matches(asked, near)])
    return Compared(matches, {}, {})


def _batch(index: NearIndex, batch: pa.RecordBatch, near: bool) -> tuple[int, pl.DataFrame]:
    """Return the number of rows, and a line for each pair with an indexed text."""
    found = [_no_finds()]
    for at, block in blocks(normalised(batch.column("text"))):
        names = batch.column("utt_id").slice(at, len(block))
        words = Words.of(block)
        place = pc.index_in(pa.array(words.texts()), pa.array(index.hashes))
        there = place.is_valid().to_numpy(zero_copy_only=False) & (words.counts > 0)
        same = np.flatnonzero(there)
        found.append(_finds(Kind.TEXT, place.take(pa.array(same)), names, same, 1.0))
        if near:
            pairs = index.search(block, words)
            found.append(
                _finds(Kind.NEAR_TEXT, pairs.indexed, names, pairs.asked, pairs.similarity)
            )
    return batch.num_rows, pl.concat(found)


def _finds(
    kind: Kind,
    text: pa.Array | NDArray[np.int64],
    names: pa.Array,
    rows: NDArray[np.int64],
    similarity: float | NDArray[np.float32],
) -> pl.DataFrame:
    others = names.take(pa.array(rows))
    frame = pl.DataFrame({"text": text, "other": others})
    near = pl.Series("similarity", np.broadcast_to(np.float32(similarity), len(rows)))
    return (
        frame.with_columns(pl.lit(str(kind)).alias("kind"), near).select(list(_FOUND)).cast(_FOUND)
    )


def _no_finds() -> pl.DataFrame:
    return pl.DataFrame(schema=_FOUND)


def _best(pairs: pl.DataFrame) -> pl.DataFrame:
    """Return, for each kind and text, how many others there are and which is the nearest."""
    many = pl.col("others").sum() if "others" in pairs.columns else pl.len()
    ordered = pairs.sort(["similarity", "other"], descending=[True, False])
    return ordered.group_by("kind", "text", maintain_order=True).agg(
        pl.first("other"), pl.first("similarity"), many.cast(pl.Int64).alias("others")
    )


def _exact_repeats(asked: TextRows, first: pl.DataFrame) -> pa.Table:
    """Return the rows that have the text of another row: of each, the first other by id."""
    second = (
        asked.rows.sort("utt_id")
        .group_by("text", maintain_order=True)
        .agg(pl.col("utt_id").slice(1, 1).first().alias("second"))
    )
    rows = asked.rows.join(first.filter(pl.col("rows") > 1), on="text").join(second, on="text")
    other = pl.when(pl.col("utt_id") == pl.col("other")).then("second").otherwise("other")
    return _table(
        rows.with_columns(
            other.alias("other"),
            (pl.col("rows") - 1).cast(pl.Int64).alias("others"),
            pl.lit(str(Kind.TEXT)).alias("kind"),
            pl.lit(1.0).alias("similarity"),
        ),
        asked,
    )


def _as_matches(asked: TextRows, best: pl.DataFrame) -> pa.Table:
    return _table(asked.rows.join(best, on="text"), asked)


def _table(rows: pl.DataFrame, asked: TextRows) -> pa.Table:
    text = asked.texts.take(rows["text"].to_arrow())
    detail = pc.utf8_slice_codeunits(text, 0, _SHOWN_CHARACTERS)
    shown = pl.Series("detail", detail, dtype=pl.String)
    frame = rows.with_columns(shown).rename({"other": "other_utt_id"})
    return frame.select(MATCHES.names).to_arrow().cast(MATCHES)


def _word_counts(texts: pa.Array) -> pa.Array:
    """Return the number of words of normalised texts."""
    spaces = pc.count_substring(texts, " ")
    return pc.if_else(pc.equal(texts, ""), 0, pc.add(spaces, 1))


def _nothing(why: str) -> Compared:
    gaps = {str(Kind.TEXT): why, str(Kind.NEAR_TEXT): why}
    return Compared(MATCHES.empty_table(), {}, gaps)
