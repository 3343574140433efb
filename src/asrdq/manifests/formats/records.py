"""Formats that are read in small steps: records gathered into chunks, then made a table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from asrdq.manifests.formats.exact_json import table_from_records
from asrdq.manifests.formats.protocol import Chunk, Parsed
from asrdq.manifests.rejects import Reject, RejectReason, shorten

RECORDS_A_CHUNK = 20_000

Record = tuple[int, dict[str, Any]]
"""A row under the names of its columns, and the line it stands on."""


@dataclass
class Records:
    """The rows and rejects of one chunk."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.lines) + len(self.rejects)

    def add(self, item: Record | Reject) -> None:
        """Add a row or a reject."""
        if isinstance(item, Reject):
            self.rejects.append(item)
        else:
            self.lines.append(item[0])
            self.rows.append(item[1])


def record_chunks(
    items: Iterable[Record | Reject],
    consumed: Callable[[], int] = lambda: 0,
    file: str | None = None,
    size: int = RECORDS_A_CHUNK,
) -> Iterator[Chunk]:
    """Gather rows and rejects into chunks for `parse_records`.

    Args:
        items: In order.
        consumed: Tells how many bytes were read since it was last asked.
        file: The file that the lines stand in, where that is not the path that was given.
        size: Rows and rejects in a chunk.
    """
    records = Records()
    for item in items:
        records.add(item)
        if len(records) >= size:
            yield Chunk(b"", 1, records, consumed(), file)
            records = Records()
    yield Chunk(b"", 1, records, consumed(), file)


def parse_records(records: Records) -> Parsed:
    """Return gathered records as a table."""
    import numpy as np

    rows, mixed = table_from_records(records.rows)
    return Parsed(rows, np.array(records.lines, dtype=np.int64), records.rejects, mixed)


def text_of(raw: bytes, line: int, file: str = "") -> str | Reject:
    """Return a line as text without its end, or the reject where it is not UTF-8."""
    raw = raw.rstrip(b"\r\n")
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        detail = f"byte {error.start + 1} is not valid UTF-8"
        return Reject(line, RejectReason.INVALID_UTF8, detail, shorten(raw), file)
