"""One JSON array of objects, as predictions of Hugging Face models are often kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from asrdq.hypotheses.columns import NAMES
from asrdq.manifests.columns import Aliases
from asrdq.manifests.formats.exact_json import checked_object
from asrdq.manifests.formats.json_array import array_items
from asrdq.manifests.formats.protocol import Chunk, Parsed
from asrdq.manifests.formats.records import Record, parse_records, record_chunks
from asrdq.manifests.rejects import Reject


class JsonArrayHypotheses:
    """`[{"id": …, "prediction": …}, …]`; the line of a row is the one its object begins on."""

    name: ClassVar[str] = "json"
    description: ClassVar[str] = "one JSON array of objects"
    typed: ClassVar[bool] = True
    aliases: Aliases = NAMES

    def sniff(self, path: Path, head: bytes) -> bool:
        """Return whether the first sign opens an array."""
        return head.lstrip()[:1] == b"["

    def split(self, path: Path) -> Iterator[Chunk]:
        """Read the array whole."""
        size = path.stat().st_size
        sizes = iter([size])
        yield from record_chunks(self._rows(path), lambda: next(sizes, 0))

    def parse(self, chunk: Chunk, as_text: frozenset[str]) -> Parsed:
        """Make objects a table."""
        return parse_records(chunk.context)

    def _rows(self, path: Path) -> Iterator[Record | Reject]:
        canonical = {name: column for column, names in self.aliases.items() for name in names}
        for line, item in array_items(path):
            yield checked_object(item, canonical, line)
