"""Parquet: predictions as data sets hold them, with the audio as text or as bytes and a path."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from asrdq.manifests.columns import AUDIO_PATH, Aliases
from asrdq.manifests.formats.parquet import ParquetFormat, open_parquet
from asrdq.manifests.formats.protocol import Chunk, Parsed

if TYPE_CHECKING:
    import pyarrow as pa

_PATH: Final = "path"


class ParquetHypotheses(ParquetFormat):
    """A row a clip; of an audio column of Hugging Face, bytes and path, the path alone counts."""

    def parse(self, chunk: Chunk, as_text: frozenset[str]) -> Parsed:
        """Read a batch, with paths in the place of audio."""
        import pyarrow.compute as pc

        batch: pa.RecordBatch = chunk.context
        for index, field in enumerate(batch.schema):
            if field.name in self.aliases[AUDIO_PATH] and field.type.num_fields:
                paths = pc.struct_field(batch.column(index), _PATH)
                batch = batch.set_column(index, field.name, paths)
        return super().parse(replace(chunk, context=batch), as_text)


def readable_aliases(path: Path, aliases: Aliases) -> Aliases:
    """Return aliases without the columns of a file that hold more than one value.

    Audio with a path in it stays among those of the audio path.
    """
    with open_parquet(path) as file:
        nested = {field.name: field.type for field in file.schema_arrow if field.type.num_fields}
    with_path = {name for name, kind in nested.items() if _has_path(kind)}
    return {
        column: [
            name
            for name in names
            if name not in nested or (column == AUDIO_PATH and name in with_path)
        ]
        for column, names in aliases.items()
    }


def _has_path(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_struct(kind)) and kind.get_field_index(_PATH) >= 0
