"""NeMo manifests: one JSON object a line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, ClassVar, Final

from asrdq.manifests.columns import ID_NAMES, NUMBERS, SPEAKER, UTT_ID, Aliases
from asrdq.manifests.formats.exact_json import parse_exactly
from asrdq.manifests.formats.fast_json import parse_fast
from asrdq.manifests.formats.lines import split_lines
from asrdq.manifests.formats.protocol import Chunk, Parsed
from asrdq.results import plain

if TYPE_CHECKING:
    import pyarrow as pa


_ALIASES: Final[Aliases] = {
    "utt_id": ID_NAMES,
    "audio_path": ("audio_filepath", "audio_path", "audio_file"),
    "text": ("text", "transcript"),
    "duration_s": ("duration", "duration_s"),
    "offset_s": ("offset", "offset_s"),
    "language": ("lang", "language", "source_lang"),
    "speaker": ("speaker", "speaker_id"),
}


class NemoFormat:
    """NeMo JSON lines: `audio_filepath`, `duration`, `text`, and any fields besides."""

    name: ClassVar[str] = "nemo"
    description: ClassVar[str] = "JSON lines as NeMo reads them"
    typed: ClassVar[bool] = True
    aliases: Aliases = _ALIASES

    def sniff(self, path: Path, head: bytes) -> bool:
        """Return whether the first line that is not blank begins as a JSON object."""
        return head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"{"

    def split(self, stream: BinaryIO) -> Iterator[Chunk]:
        """Cut at line ends."""
        return split_lines(stream)

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

    def write(self, rows: pa.RecordBatchReader, out: BinaryIO) -> None:
        """Write a JSON object a row; columns that are null in a row are left out of it."""
        for batch in rows:
            for row in batch.to_pylist():
                record = {name: plain(value) for name, value in row.items() if value is not None}
                out.write(json.dumps(record, ensure_ascii=False).encode() + b"\n")
