"""What formats of one JSON object a line share."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from asrdq.manifests.columns import NUMBERS, SPEAKER, UTT_ID, Aliases
from asrdq.manifests.formats.destination import Destination
from asrdq.manifests.formats.exact_json import parse_exactly
from asrdq.manifests.formats.fast_json import parse_fast
from asrdq.manifests.formats.lines import BOM, line_chunks
from asrdq.manifests.formats.protocol import Chunk, Parsed
from asrdq.results import plain

if TYPE_CHECKING:
    import pyarrow as pa


def first_object(head: bytes) -> dict[str, Any] | None:
    """Return the object on the first line that is not blank; None where there is none.

    A line that is cut off by the end of the head gives an empty object.
    """
    line, _, _ = head.removeprefix(BOM).lstrip().partition(b"\n")
    if line[:1] != b"{":
        return None
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else None


class JsonLines:
    """Reads and writes flat JSON lines; a format gives the names of its columns."""

    typed: ClassVar[bool] = True
    holds: ClassVar[frozenset[str] | None] = None
    order: ClassVar[tuple[str, ...]] = ()
    suffix: ClassVar[str] = ".jsonl"
    keeps_paths: ClassVar[bool] = True
    aliases: Aliases

    def split(self, path: Path) -> Iterator[Chunk]:
        """Cut at line ends."""
        return line_chunks(path)

    def parse(self, chunk: Chunk, as_text: frozenset[str]) -> Parsed:
        """Read a chunk at once where it is clean, else line by line."""
        import numpy as np

        rows = parse_fast(chunk.data)
        if rows is None or not self._types_fit(rows.schema):
            return parse_exactly(chunk, self.aliases)
        lines = np.arange(chunk.first_line, chunk.first_line + rows.num_rows, dtype=np.int64)
        return Parsed(rows, lines, [])

    def _types_fit(self, schema: pa.Schema) -> bool:
        import pyarrow as pa

        for column, names in self.aliases.items():
            numeric = (pa.int64(), pa.float64(), pa.null())
            allowed = numeric if column in NUMBERS else (pa.string(), pa.null())
            if column in (UTT_ID, SPEAKER):
                allowed = (pa.int64(), *allowed)
            present = (schema.field(name).type for name in names if name in schema.names)
            if any(kind not in allowed for kind in present):
                return False
        return True

    def write(self, rows: pa.RecordBatchReader, out: Destination) -> None:
        """Write a JSON object a row; columns that are null in a row are left out of it."""
        with out.file() as file:
            for batch in rows:
                for row in batch.to_pylist():
                    record = {key: plain(value) for key, value in row.items() if value is not None}
                    file.write(json.dumps(record, ensure_ascii=False).encode() + b"\n")
