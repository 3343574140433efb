"""Parquet files of an ingest in the making: written once, rewritten only where needed."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from asrdq.manifests.block import Block, Source, identify
from asrdq.manifests.columns import AUDIO_PATH, DURATION, TEXT, UTT_ID
from asrdq.manifests.identity import Fingerprint
from asrdq.manifests.paths import Root, locate
from asrdq.manifests.widening import common_type, convert, storable

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray
    from pyarrow.parquet import ParquetWriter

ROWS_A_FILE = 2_000_000
_UNREPEATED = frozenset({UTT_ID, AUDIO_PATH, TEXT, DURATION})


@dataclass(slots=True)
class Part:
    """One Parquet file, with what is remembered about its rows.

    Attributes:
        path: The file.
        schema: Its columns.
        root: The audio root its ids were made with.
        spans: For each block in it, in order: its file and the lines of its rows.
        own_id: Whether the file gave the id of each row, a piece a block.
        id_hash: Hash of the id of each row, a piece a block.
        sorted_hash: The same in order, of a file that is finished.
        digest: Sum of the row digests.
        seconds: Sum of the durations.
        untimed: Number of rows without a duration.
    """

    path: Path
    schema: pa.Schema
    root: Root
    spans: list[tuple[Source, NDArray[np.int64]]] = field(default_factory=list)
    own_id: list[NDArray[np.bool_]] = field(default_factory=list)
    id_hash: list[NDArray[np.uint64]] = field(default_factory=list)
    sorted_hash: NDArray[np.uint64] = field(default_factory=lambda: np.empty(0, np.uint64))
    digest: Fingerprint = field(default_factory=Fingerprint)
    seconds: float = 0.0
    untimed: int = 0

    @property
    def rows(self) -> int:
        """Number of rows."""
        return self.digest.rows

    def finish(self) -> None:
        """Put the hashes in order: for finished files while the next one is being written."""
        self.sorted_hash = np.sort(np.concatenate(self.id_hash))


class PartWriter:
    """Writes blocks in order to as few files as their columns allow.

    Attributes:
        parts: The files so far.
        kinds: Every column seen, with the type that holds all of its values so far.
        as_text: Metadata columns whose values had types that only text can hold together.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: ParquetWriter | None = None
        self.parts: list[Part] = []
        self.kinds: dict[str, pa.DataType] = {}
        self.as_text: set[str] = set()

    def write(self, block: Block) -> None:
        """Add the rows of a block."""
        self._learn(block)
        if not len(block.lines):
            return
        rows = self._conform(block.rows)
        last = self.parts[-1] if self.parts else None
        if (
            self._open is None
            or last is None
            or last.schema != rows.schema
            or last.root != block.root
            or last.rows >= ROWS_A_FILE
        ):
            last = self._begin(rows.schema, block.root)
        assert self._open is not None
        self._open.write_table(rows)
        last.spans.append((block.source, _compact(block.lines)))
        last.own_id.append(block.own_id)
        last.id_hash.append(block.id_hash)
        last.digest += block.digest
        last.seconds += total(rows)
        last.untimed += rows[DURATION].null_count

    def close(self) -> None:
        """Finish the last file."""
        if self._open is not None:
            self._open.close()
            self._open = None
            self.parts[-1].finish()

    def schema(self) -> pa.Schema:
        """Return the final columns of the manifest table."""
        import pyarrow as pa

        return pa.schema([(name, storable(kind)) for name, kind in self.kinds.items()])

    def rewrite(self, part: Part, rows: pa.Table) -> None:
        """Put other rows into a file, in the final types."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        final = self.schema()
        rows = pa.table(
            {name: convert(rows[name], final.field(name).type) for name in rows.column_names}
        )
        pq.write_table(rows, part.path, **_storage(rows.schema))
        part.schema = rows.schema
        part.seconds = total(rows)
        part.untimed = rows[DURATION].null_count

    def _learn(self, block: Block) -> None:
        import pyarrow as pa

        self.as_text |= block.mixed
        for name, kind in zip(block.rows.column_names, block.rows.schema.types, strict=True):
            before = self.kinds.get(name, pa.null())
            now = common_type(before, kind)
            texts = pa.types.is_string(now) and not (
                before in (now, pa.null()) and kind in (now, pa.null())
            )
            if texts:
                self.as_text.add(name)
            self.kinds[name] = now

    def _conform(self, rows: pa.Table) -> pa.Table:
        import pyarrow as pa

        columns = {}
        for name, kind in self.kinds.items():
            if pa.types.is_null(kind):
                continue
            present = name in rows.column_names
            column = rows[name] if present else pa.chunked_array([pa.nulls(rows.num_rows)])
            columns[name] = convert(column, storable(kind))
        return pa.table(columns)

    def _begin(self, schema: pa.Schema, root: Root) -> Part:
        import pyarrow.parquet as pq

        self.close()
        path = self._folder / f"part-{len(self.parts):05d}.parquet"
        self._open = pq.ParquetWriter(path, schema, **_storage(schema))
        self.parts.append(Part(path, schema, root))
        return self.parts[-1]


def _storage(schema: pa.Schema) -> dict[str, Any]:
    """Return Parquet options: dictionaries where values repeat, the rest where it pays."""
    repeated = [name for name in schema.names if name not in _UNREPEATED]
    packed = [name for name in schema.names if name not in (UTT_ID, DURATION)]
    bounded = [name for name in schema.names if name not in (UTT_ID, AUDIO_PATH, TEXT)]
    return {
        "use_dictionary": repeated,
        "compression": dict.fromkeys(packed, "snappy"),
        "write_statistics": bounded,
    }


def total(rows: pa.Table) -> float:
    """Return the sum of the durations in seconds, unknown ones counting nothing."""
    import pyarrow.compute as pc

    return float(pc.sum(rows[DURATION]).as_py() or 0.0)


def _compact(lines: NDArray[np.int64]) -> NDArray[np.int64]:
    return lines.astype(np.int32) if len(lines) and lines[-1] < 2**31 else lines


def reroot(writer: PartWriter, root: Root) -> None:
    """Make ids and digests anew in files that were written under a narrower audio root."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    for part in writer.parts:
        if part.root == root:
            continue
        rows = pq.read_table(part.path)
        own = pc.if_else(
            pa.array(np.concatenate(part.own_id)), rows[UTT_ID], pa.scalar(None, pa.string())
        )
        rows = rows.set_column(rows.column_names.index(UTT_ID), UTT_ID, own)
        located = locate(rows[AUDIO_PATH], part.root.folder)
        rows, keys = identify(rows, located, part.root.folder, root)
        writer.rewrite(part, rows)
        part.root, part.digest, part.id_hash = root, keys.digest, [keys.id_hash]
        part.finish()


def retype(writer: PartWriter) -> None:
    """Give files the final types where a later block widened a column."""
    import pyarrow.parquet as pq

    final = writer.schema()
    for part in writer.parts:
        if any(field.type != final.field(field.name).type for field in part.schema):
            writer.rewrite(part, pq.read_table(part.path))
