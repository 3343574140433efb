"""The rows of a manifest with converted audio in the place of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pyarrow as pa

from asrdq.audio import MODEL_RATE
from asrdq.manifests.columns import AUDIO_PATH, DURATION, OFFSET, UTT_ID

if TYPE_CHECKING:
    from collections.abc import Mapping

RATE, SAMPLES, CHANNEL = "sampling_rate", "num_samples", "channel"
RECORDING_ID = "recording_id"


class Converted:
    """Rows that name a whole converted file each; rows without one are left out.

    Args:
        rows: `utt_id`, `name` and `samples` of the rows whose audio is converted.
        folder: What stands before a name.
        recordings: Whether the format describes recordings by sampling rate, number of samples
            and id, as Lhotse does.
    """

    def __init__(self, rows: pl.DataFrame, folder: str, *, recordings: bool) -> None:
        self._rows = rows.select(UTT_ID, "name", "samples")
        self._folder, self._recordings = folder, recordings

    def place(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """See `asrdq.manifests.outgoing.Clips.place`.

        A row has the length of what was written and no offset. Columns that describe the samples
        of a file, as far as they are whole numbers, describe the new one.
        """
        asked = pl.DataFrame({UTT_ID: pl.Series(batch[UTT_ID].to_pylist(), dtype=pl.String)})
        found = asked.join(self._rows, on=UTT_ID, how="left", maintain_order="left")
        there = found["name"].is_not_null()
        kept, found = batch.filter(there.to_arrow().cast(pa.bool_())), found.filter(there)
        names, samples = found["name"].to_list(), found["samples"].to_list()
        times = pa.array([count / MODEL_RATE for count in samples], pa.float64())
        kept = _with(kept, AUDIO_PATH, _texts([self._folder + name for name in names]))
        kept = _with(kept, DURATION, times)
        kept = _with(kept, OFFSET, pa.nulls(len(kept), pa.float64()))
        facts = {RATE: [MODEL_RATE] * len(kept), SAMPLES: samples, CHANNEL: [0] * len(kept)}
        kept = self._described(kept, facts)
        if self._recordings:
            kept = _with(kept, RECORDING_ID, _texts(names))
        return kept

    def _described(self, batch: pa.RecordBatch, facts: Mapping[str, list[int]]) -> pa.RecordBatch:
        for column, values in facts.items():
            stated = column in batch.schema.names and pa.types.is_integer(
                batch.schema.field(column).type
            )
            if stated or self._recordings:
                batch = _with(batch, column, pa.array(values, pa.int64()))
        return batch


def _with(batch: pa.RecordBatch, column: str, values: pa.Array) -> pa.RecordBatch:
    index = batch.schema.get_field_index(column)
    if index < 0:
        return batch.append_column(column, values)
    return batch.set_column(index, column, values)


def _texts(values: list[str]) -> pa.Array:
    return pa.array(values, pa.string())
