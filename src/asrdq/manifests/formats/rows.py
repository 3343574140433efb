"""Rows of a delimited file, with exact line numbers and no row lost to a stray quote."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, Literal

from asrdq.errors import DataError
from asrdq.manifests.formats.lines import BOM
from asrdq.manifests.formats.protocol import BLOCK_BYTES
from asrdq.manifests.rejects import Reject, RejectReason, shorten

ROWS_A_CHUNK = 50_000


@dataclass
class Rows:
    """Rows of one chunk: each with the line it begins on."""

    header: tuple[str, ...]
    rows: list[tuple[int, list[str]]] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)


class RowReader:
    """Reads the rows of a delimited file chunk by chunk.

    A quoted cell may hold line ends, unless quotes are said to be signs like others. Where a
    record cannot be read or has the wrong number of cells, only its first line is given up; the
    lines it had swallowed are read again.

    Raises:
        DataError: The header cannot be read or names a column twice.
    """

    def __init__(self, stream: BinaryIO, delimiter: str, *, quoted: bool = True) -> None:
        self._stream = stream
        self._delimiter = delimiter
        self._quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE
        self._line = 0
        self._waiting: deque[tuple[int, bytes]] = deque()
        self._taken: list[tuple[int, bytes]] = []
        self.header = self._read_header()

    def __iter__(self) -> Iterator[tuple[int, Rows]]:
        chunk = Rows(self.header)
        first = self._line + 1
        while self._read_row(chunk):
            if len(chunk.rows) >= ROWS_A_CHUNK or len(chunk.rejects) >= ROWS_A_CHUNK:
                yield first, chunk
                chunk, first = Rows(self.header), self._line + 1
        yield first, chunk

    def _read_header(self) -> tuple[str, ...]:
        try:
            cells = self._record() or []
        except (csv.Error, UnicodeDecodeError) as error:
            raise DataError(f"line 1: the header cannot be read: {error}") from None
        header = tuple(cell.strip() for cell in cells)
        twice = sorted({name for name in header if header.count(name) > 1})
        if twice:
            raise DataError(f"line 1: the header names {', '.join(map(repr, twice))} twice")
        return header

    def _read_row(self, chunk: Rows) -> bool:
        """Add the next row or reject to the chunk; False at the end of the file."""
        try:
            cells = self._record()
        except csv.Error as error:
            self._give_up(chunk, RejectReason.RAGGED_ROW, str(error))
            return True
        except UnicodeDecodeError as error:
            detail = f"byte {error.start + 1} is not valid UTF-8"
            self._give_up(chunk, RejectReason.INVALID_UTF8, detail)
            return True
        if cells is None:
            return False
        if not cells:
            return True
        line, raw = self._taken[0]
        if len(raw) > BLOCK_BYTES:
            self._give_up(chunk, RejectReason.TOO_LONG, f"longer than {BLOCK_BYTES >> 20} MB")
        elif len(cells) == len(self.header):
            chunk.rows.append((line, cells))
        else:
            detail = f"{len(cells)} cells, but the header has {len(self.header)}"
            self._give_up(chunk, RejectReason.RAGGED_ROW, detail)
        return True

    def _record(self) -> list[str] | None:
        self._taken = []
        lines = self._lines()
        reader = csv.reader(lines, delimiter=self._delimiter, strict=True, quoting=self._quoting)
        return next(reader, None)

    def _lines(self) -> Iterator[str]:
        while True:
            number, raw = self._waiting.popleft() if self._waiting else self._next_line()
            if not raw:
                return
            self._taken.append((number, raw))
            yield raw.decode()

    def _next_line(self) -> tuple[int, bytes]:
        raw = self._stream.readline(BLOCK_BYTES + 1)
        if not raw:
            return self._line, raw
        self._line += 1
        if len(raw) > BLOCK_BYTES:
            while rest := self._stream.readline(BLOCK_BYTES):
                if rest.endswith(b"\n"):
                    break
        return self._line, raw.removeprefix(BOM) if self._line == 1 else raw

    def _give_up(self, chunk: Rows, reason: RejectReason, detail: str) -> None:
        """Reject the first line of the record at hand and read its other lines again.

        A line of a tab-separated file that has the right number of cells when its quotes are
        taken as they stand is no reject: such files are often written without quoting.
        """
        (line, raw), *others = self._taken
        self._waiting.extendleft(reversed(others))
        cells = _plain_cells(raw, self._delimiter) if self._delimiter == "\t" else []
        if len(cells) == len(self.header):
            chunk.rows.append((line, cells))
        else:
            chunk.rejects.append(Reject(line, reason, detail, shorten(raw.rstrip(b"\r\n"))))


def _plain_cells(raw: bytes, delimiter: str) -> list[str]:
    try:
        return raw.rstrip(b"\r\n").decode().split(delimiter)
    except UnicodeDecodeError:
        return []
