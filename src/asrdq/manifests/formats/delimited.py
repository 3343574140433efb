"""CSV and TSV with a header line."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

from asrdq.errors import DataError
from asrdq.manifests.columns import ID_NAMES, NUMBERS, Aliases
from asrdq.manifests.formats.destination import Destination
from asrdq.manifests.formats.exact_json import json_text
from asrdq.manifests.formats.lines import BOM
from asrdq.manifests.formats.opening import opened
from asrdq.manifests.formats.protocol import Chunk, Parsed
from asrdq.manifests.formats.rows import RowReader, Rows
from asrdq.manifests.rejects import Reject, RejectReason
from asrdq.results import plain

if TYPE_CHECKING:
    import pyarrow as pa

_INTEGER = r"^-?(0|[1-9][0-9]{0,17})$"
_FLOAT = (
    r"^(?i)[-+]?((0|[1-9][0-9]*)(\.[0-9]*)?|\.[0-9]+)(e[-+]?[0-9]+)?$|^[-+]?(nan|inf|infinity)$"
)
_BOOLEAN = r"^(true|false|True|False)$"


COLUMN_NAMES: Final[Aliases] = {
    "utt_id": ID_NAMES,
    "audio_path": (
        *("audio_filepath", "audio_path", "audio_file", "path", "audio"),
        *("wav", "wav_path", "file", "filename", "file_name"),
    ),
    "text": ("text", "transcript", "transcription", "sentence"),
    "duration_s": ("duration", "duration_s", "duration_seconds"),
    "offset_s": ("offset", "offset_s"),
    "language": ("language", "lang", "locale"),
    "speaker": ("speaker", "speaker_id", "client_id"),
}


class _Delimited:
    """Rows of text under a header; a cell is text until all cells of its column are known."""

    name: ClassVar[str]
    typed: ClassVar[bool] = False
    holds: ClassVar[frozenset[str] | None] = None
    order: ClassVar[tuple[str, ...]] = ()
    keeps_paths: ClassVar[bool] = True
    delimiter: ClassVar[str]
    suffix: ClassVar[str]
    quoted: ClassVar[bool] = True
    aliases: Aliases = COLUMN_NAMES

    def sniff(self, path: Path, head: bytes) -> bool:
        """Return whether the first line names an audio column between delimiters."""
        first = head.removeprefix(BOM).split(b"\n")[0].decode("utf-8", "replace").strip()
        names = {name.strip().strip('"') for name in first.split(self.delimiter)}
        named = names.intersection(self.aliases["audio_path"])
        return (bool(named) and len(names) > 1) or path.suffix.lower() == self.suffix

    def split(self, path: Path) -> Iterator[Chunk]:
        """Cut between rows; a quoted cell may hold line ends."""
        with opened(path) as source:
            reader = RowReader(source.stream, self.delimiter, quoted=self.quoted)
            for first_line, rows in reader:
                yield Chunk(b"", first_line, rows, source.consumed())

    def parse(self, chunk: Chunk, as_text: frozenset[str]) -> Parsed:
        """Give columns the narrowest type that all their cells of this chunk have."""
        import numpy as np
        import pyarrow as pa

        read: Rows = chunk.context
        cells = (
            zip(*(row for _, row in read.rows), strict=True)
            if read.rows
            else [()] * len(read.header)
        )
        canonical = {name: column for column, names in self.aliases.items() for name in names}
        columns: dict[str, pa.Array] = {}
        bad: dict[int, Reject] = {}
        for name, column in zip(read.header, cells, strict=True):
            texts = _texts(column)
            if canonical.get(name) in NUMBERS:
                bad |= self._not_numbers(read, name, texts)
                columns[name] = _as_numbers(texts)
            else:
                keep = name in canonical or name in as_text
                columns[name] = texts if keep else narrowest(texts)
        lines = np.array([line for line, _ in read.rows], dtype=np.int64)
        good = np.ones(len(lines), dtype=bool)
        good[list(bad)] = False
        table = pa.table(columns).filter(pa.array(good)) if columns else pa.table({})
        return Parsed(table, lines[good], [*read.rejects, *bad.values()])

    def _not_numbers(self, read: Rows, name: str, texts: pa.Array) -> dict[int, Reject]:
        import pyarrow.compute as pc

        wrong = pc.fill_null(pc.invert(pc.match_substring_regex(texts, _FLOAT)), False)
        found = {}
        for index in pc.indices_nonzero(wrong).to_pylist():
            line, row = read.rows[index]
            detail = f"'{name}' is {texts[index].as_py()[:50]!r}, not a number"
            raw = self.delimiter.join(row)[:500]
            found[index] = Reject(line, RejectReason.WRONG_TYPE, detail, raw)
        return found

    def write(self, rows: pa.RecordBatchReader, out: Destination) -> None:
        """Write a header and a line a row; nested values are written as JSON."""
        with out.file() as file:
            text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
            style: dict[str, Any] = {"delimiter": self.delimiter, "lineterminator": "\n"}
            if not self.quoted:
                style |= {"quoting": csv.QUOTE_NONE, "quotechar": None}
            writer = csv.writer(text, **style)
            try:
                writer.writerow(rows.schema.names)
                for batch in rows:
                    for row in batch.to_pylist():
                        writer.writerow([json_text(plain(value)) for value in row.values()])
            except csv.Error as error:
                raise DataError(
                    f"a tab or line end in a text cannot stand in {self.name}: {error}"
                ) from error
            finally:
                text.detach()


class CsvFormat(_Delimited):
    """Comma-separated values as spreadsheets write them (RFC 4180), with a header."""

    name: ClassVar[str] = "csv"
    description: ClassVar[str] = "comma-separated with a header line"
    delimiter: ClassVar[str] = ","
    suffix: ClassVar[str] = ".csv"


class TsvFormat(_Delimited):
    """Tab-separated values with a header; quotes that do not pair are taken as they stand."""

    name: ClassVar[str] = "tsv"
    description: ClassVar[str] = "tab-separated with a header line"
    delimiter: ClassVar[str] = "\t"
    suffix: ClassVar[str] = ".tsv"


def _texts(cells: tuple[str, ...]) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    texts = pa.array(cells, pa.string())
    return pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts)


def _as_numbers(texts: pa.Array) -> pa.Array:
    """Return numbers; cells that are none become null."""
    import pyarrow as pa
    import pyarrow.compute as pc

    fits = pc.match_substring_regex(texts, _FLOAT)
    return pc.if_else(fits, texts, pa.scalar(None, pa.string())).cast(pa.float64())


def narrowest(texts: pa.Array) -> pa.Array:
    """Return integers, numbers, truth values or, where nothing fits all cells, the texts.

    `007` stays text: read as a number it would lose its zeros.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    for pattern, kind in ((_INTEGER, pa.int64()), (_FLOAT, pa.float64()), (_BOOLEAN, pa.bool_())):
        fits = pc.all(pc.match_substring_regex(texts, pattern), min_count=1).as_py()
        if fits:
            return texts.cast(kind)
    return texts if texts.null_count < len(texts) else pa.nulls(len(texts))
