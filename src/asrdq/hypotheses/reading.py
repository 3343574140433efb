"""Files of hypotheses become one Parquet file of rows in the making, in little memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from asrdq.engine.threads import in_threads
from asrdq.errors import DataError
from asrdq.hypotheses.columns import CHANNEL, CONFIDENCE, HYPOTHESIS, ColumnChoice
from asrdq.hypotheses.formats.ctm import MIDDLE, RECORDING, WORD, recording_of
from asrdq.hypotheses.paths import AudioRoots
from asrdq.manifests.block import row_text
from asrdq.manifests.columns import AUDIO_PATH, OFFSET, UTT_ID
from asrdq.manifests.formats.protocol import ManifestFormat, Parsed
from asrdq.manifests.reading import Advance, thread_count
from asrdq.manifests.rejects import Reject, RejectLog, RejectReason, shorten

if TYPE_CHECKING:
    from asrdq.manifests.formats.protocol import Chunk

LINE: Final = "line"

STAGED: Final = pa.schema(
    [
        (LINE, pa.int64()),
        (UTT_ID, pa.string()),
        (AUDIO_PATH, pa.string()),
        (OFFSET, pa.float64()),
        (HYPOTHESIS, pa.string()),
        (CONFIDENCE, pa.float64()),
    ]
)
"""One row a hypothesis as it stands in the file; the audio path is relative to the audio root."""

WORDS: Final = pa.schema(
    [
        (LINE, pa.int64()),
        (RECORDING, pa.string()),
        (CHANNEL, pa.string()),
        (MIDDLE, pa.float64()),
        (WORD, pa.string()),
        (CONFIDENCE, pa.float64()),
    ]
)
"""One row a word of a CTM file."""


@dataclass
class Staged:
    """What was read.

    Attributes:
        path: Parquet with the columns `STAGED`, or `WORDS` for a CTM file.
        choice: Which column of the file was which.
        rows: Number of rows.
        has_offsets: Whether a row says where in its audio the clip begins.
        log: Lines that could not be read.
        voided: Recordings of a CTM file that a line could not be read of.
    """

    path: Path
    choice: ColumnChoice
    rows: int = 0
    has_offsets: bool = False
    log: RejectLog = field(default_factory=RejectLog)
    voided: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Given:
    """A file to be read.

    Attributes:
        path: The file.
        reader: Its format.
        choice: Which column is which.
        roots: What audio paths are relative to.
        source: What the file is called in results.
        workers: Threads; 0 for one a core.
        advance: Told the number of bytes read.
    """

    path: Path
    reader: ManifestFormat
    choice: ColumnChoice
    roots: AudioRoots
    source: str
    workers: int
    advance: Advance


def stage_rows(given: Given, folder: Path) -> Staged:
    """Read hypotheses block by block into a file of their own in a folder.

    Raises:
        DataError: The file is damaged as a whole.
        UsageError: It is not clear which column is which.
    """
    staged = Staged(folder / "rows.parquet", given.choice)
    with pq.ParquetWriter(staged.path, STAGED) as writer:
        for parsed in _parsed(given):
            rows, rejects = _rows(parsed, given)
            _log(staged, [*parsed.rejects, *rejects], given.source)
            if rows is not None and rows.num_rows:
                writer.write_table(rows)
                staged.rows += rows.num_rows
                staged.has_offsets |= rows[OFFSET].null_count < rows.num_rows
    return staged


def stage_words(given: Given, folder: Path) -> Staged:
    """Read the words of a CTM file; see `stage_rows`.

    A line that cannot be read voids its recording: nobody knows what it would have said there.
    """
    staged = Staged(folder / "words.parquet", given.choice)
    with pq.ParquetWriter(staged.path, WORDS) as writer:
        for parsed in _parsed(given):
            _log(staged, parsed.rejects, given.source)
            staged.voided |= {recording_of(reject) for reject in parsed.rejects}
            if parsed.rows.num_rows:
                lines = pa.chunked_array([pa.array(parsed.lines)])
                words = parsed.rows.append_column(LINE, lines)
                writer.write_table(words.select(WORDS.names).cast(WORDS))
                staged.rows += words.num_rows
    return staged


def _log(staged: Staged, rejects: list[Reject], source: str) -> None:
    staged.log.add(replace(each, file=source) for each in sorted(rejects, key=lambda r: r.line))


def _parsed(given: Given) -> Iterator[Parsed]:
    """Parse chunks in threads, a few ahead, and give them in order."""
    threads, reader = thread_count(given.workers), given.reader

    def parse(chunk: Chunk) -> Parsed:
        return reader.parse(chunk, frozenset({CONFIDENCE}))

    try:
        for chunk, parsed in in_threads(parse, reader.split(given.path), threads):
            given.advance(chunk.consumed)
            yield parsed
    except DataError as error:
        where = error.where or given.source
        raise DataError(error.message, where=where, hint=error.hint) from None


def _rows(parsed: Parsed, given: Given) -> tuple[pa.Table | None, list[Reject]]:
    """Return the rows of a block as `STAGED`, and those that cannot be taken.

    An untyped format such as CSV has no null: there, an empty cell is an empty hypothesis.
    """
    choice = given.choice
    if not parsed.rows.num_columns:
        return None, []
    if parsed.rows.num_rows:
        choice.learn(parsed.rows.column_names)
    count = parsed.rows.num_rows
    columns = {name: _column(parsed.rows, choice.chosen.get(name), count) for name in STAGED.names}
    confidences, strange = _numbers(columns[CONFIDENCE])
    offsets, misplaced = _numbers(columns[OFFSET])
    texts = {name: _texts(columns[name]) for name in (UTT_ID, AUDIO_PATH, HYPOTHESIS)}
    if not given.reader.typed:
        texts[HYPOTHESIS] = pc.fill_null(texts[HYPOTHESIS], "")
    nobody = _blank(texts[UTT_ID]) & _blank(texts[AUDIO_PATH])
    faults = (
        (nobody, RejectReason.BAD_ID, "neither an id nor an audio path"),
        (strange, RejectReason.WRONG_TYPE, f"the {CONFIDENCE} is not a finite number"),
        (misplaced, RejectReason.BAD_OFFSET, "the offset is not a finite number"),
    )
    keep = np.ones(count, dtype=np.bool_)
    rejects = []
    for mask, reason, detail in faults:
        for index in np.flatnonzero(mask & keep).tolist():
            raw = shorten(row_text(parsed.rows, index).encode())
            rejects.append(Reject(int(parsed.lines[index]), reason, detail, raw))
        keep &= ~mask
    rows = pa.table(
        {
            LINE: pa.array(parsed.lines),
            UTT_ID: texts[UTT_ID],
            AUDIO_PATH: given.roots.keys(texts[AUDIO_PATH]),
            OFFSET: offsets,
            HYPOTHESIS: texts[HYPOTHESIS],
            CONFIDENCE: confidences,
        },
        schema=STAGED,
    )
    return (rows if keep.all() else rows.filter(pa.array(keep))), rejects


def _column(rows: pa.Table, name: str | None, count: int) -> pa.ChunkedArray:
    if name is None or name not in rows.column_names:
        return pa.chunked_array([pa.nulls(count, pa.string())])
    return rows[name]


def _texts(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column if pa.types.is_string(column.type) else column.cast(pa.string())


def _blank(texts: pa.ChunkedArray) -> Any:
    return pc.fill_null(pc.equal(pc.utf8_trim_whitespace(texts), ""), True).to_numpy()


def _numbers(column: pa.ChunkedArray) -> tuple[pa.ChunkedArray, Any]:
    """Return a column as numbers, and which of its values are none or not finite."""
    try:
        numbers = column.cast(pa.float64())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        found = [_number(value) for value in column.to_pylist()]
        numbers = pa.chunked_array([pa.array(found, pa.float64())])
    wrong = pc.and_(column.is_valid(), pc.invert(pc.fill_null(pc.is_finite(numbers), False)))
    return numbers, wrong.to_numpy()


def _number(value: object) -> float | None:
    try:
        return float(str(value))
    except ValueError:
        return None
