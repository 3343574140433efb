"""Scores in the making: Parquet files that grow block by block."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from asrdq.sampling.keys import draw_keys
from asrdq.scoring.tables import SCORES, SPAN_SCORES, TERM_SCORES, WORD_EDITS
from asrdq.workspace.store import quote_text

if TYPE_CHECKING:
    from types import TracebackType

    from asrdq.scoring.utterances import ScoredUtterances

UTT_KEY, BLOCK_KEY, STRATUM, WEIGHT = "utt_key", "block_key", "stratum", "weight"
_KEY_SEED = 0
_BATCH_ROWS = 65_536
_ENCODING: Any = {"compression": "none", "use_dictionary": False, "write_statistics": False}
"""The files live for seconds: to encode them would take longer than to write them."""


class Staged:
    """A file for each table; those that groups are made of have the keys of their blocks too."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writers: dict[str, pq.ParquetWriter] = {}

    def __enter__(self) -> Staged:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for writer in self._writers.values():
            writer.close()

    def add(self, scored: ScoredUtterances, beside: pa.RecordBatch) -> None:
        """Write a block of scores, with what makes groups of it beside each utterance."""
        keys = _keys(scored.utterances, beside)
        self._write(SCORES, _joined(scored.utterances, keys))
        self._write(WORD_EDITS, scored.edits)
        keys = keys.append_column(WEIGHT, scored.utterances[WEIGHT])
        self._write(TERM_SCORES, _joined(scored.terms, keys.take(pa.array(scored.term_row))))
        self._write(SPAN_SCORES, _joined(scored.spans, keys.take(pa.array(scored.span_row))))

    def _write(self, name: str, rows: pa.RecordBatch) -> None:
        if name not in self._writers:
            path = self._folder / f"{name}.parquet"
            self._writers[name] = pq.ParquetWriter(path, rows.schema, **_ENCODING)
        self._writers[name].write_batch(rows)

    def file(self, name: str) -> Path:
        """Return the file of a table; there is one when at least one block was added."""
        return self._folder / f"{name}.parquet"

    def relation(self, name: str) -> str:
        """Return what stands after FROM in a query of such a file."""
        return f"read_parquet({quote_text(str(self.file(name)))})"


def rows_of(
    path: Path, schema: pa.Schema, keys: dict[str, str]
) -> Callable[[], pa.RecordBatchReader]:
    """Return what gives the rows of a file, as often as it is asked, with keys in front."""
    whole = pa.schema([*((name, pa.string()) for name in keys), *schema])

    def read() -> pa.RecordBatchReader:
        file = pq.ParquetFile(path, pre_buffer=False)  # what was read ahead would be kept
        batches = file.iter_batches(_BATCH_ROWS, columns=schema.names)
        keyed = (
            pa.RecordBatch.from_arrays(
                [pa.repeat(pa.scalar(key), batch.num_rows) for key in keys.values()]
                + batch.columns,
                schema=whole,
            )
            for batch in batches
        )
        return pa.RecordBatchReader.from_batches(whole, keyed)

    return read


def _keys(utterances: pa.RecordBatch, beside: pa.RecordBatch) -> pa.RecordBatch:
    """Return what makes groups and blocks of utterances: numbers that any machine gives them."""
    block = utterances["block"]
    block_key = np.asarray(draw_keys(block.fill_null(""), _KEY_SEED))
    return beside.append_column(
        UTT_KEY, pa.array(draw_keys(utterances["utt_id"], _KEY_SEED))
    ).append_column(BLOCK_KEY, pa.array(block_key, mask=np.asarray(block.is_null())))


def _joined(left: pa.RecordBatch, right: pa.RecordBatch) -> pa.RecordBatch:
    schema = pa.schema([*left.schema, *right.schema])
    return pa.RecordBatch.from_arrays([*left.columns, *right.columns], schema=schema)
