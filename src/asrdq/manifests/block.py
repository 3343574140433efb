"""From parsed rows to rows of a manifest table: canonical columns, checks, ids, digests."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from asrdq.manifests.checks import COLUMN_OF, unfit_rows
from asrdq.manifests.columns import AUDIO_PATH, DURATION, TEXT, UTT_ID, canonical_schema
from asrdq.manifests.formats.protocol import Chunk, Parsed
from asrdq.manifests.identity import Fingerprint, Keys, row_keys
from asrdq.manifests.paths import Located, Root, keys_under, locate
from asrdq.manifests.rejects import Reject, shorten
from asrdq.results import plain

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Source:
    """A manifest file and the folder that its relative paths start from."""

    file: str
    folder: str


@dataclass(frozen=True, slots=True)
class Block:
    """Rows that are ready to be written.

    Attributes:
        rows: Canonical columns first, then the user's own.
        lines: Line of each row in its file.
        source: The file.
        rejects: Lines that were not taken.
        own_id: Whether the file gave the id of each row.
        id_hash: Hash of each id.
        digest: Sum of the row digests.
        root: The audio root that ids and digests were made with.
        mixed: Columns whose types did not agree.
    """

    rows: pa.Table
    lines: NDArray[np.int64]
    source: Source
    rejects: list[Reject]
    own_id: NDArray[np.bool_]
    id_hash: NDArray[np.uint64]
    digest: Fingerprint
    root: Root
    mixed: frozenset[str]


def make_block(
    chunk: Chunk,
    parsed: Parsed,
    names: list[str],
    source: Source,
    root: Root,
    max_duration_s: float,
) -> Block:
    """Check rows and give them ids.

    Args:
        chunk: Where the rows came from, for the text of rejected lines.
        parsed: The rows under the file's own names.
        names: The column of the manifest table for each column of the rows.
        source: The file.
        root: The audio root so far; the block's own may be wider.
        max_duration_s: Longest possible clip.
    """
    import pyarrow.compute as pc

    source = replace(source, file=chunk.file or source.file)
    rows = canonical_rows(parsed.rows.rename_columns(names), len(parsed.lines))
    keep, rejects = _check(rows, chunk, parsed, max_duration_s)
    lines = parsed.lines
    if rejects:
        rows, lines = rows.filter(keep), lines[keep]
    located = locate(rows[AUDIO_PATH], source.folder)
    root = root.widened(located.common)
    own_id = pc.fill_null(pc.not_equal(rows[UTT_ID], ""), False).to_numpy()
    rows, keys = identify(rows, located, source.folder, root)
    own_names = dict(zip(parsed.rows.column_names, names, strict=True))
    return Block(
        rows=rows,
        lines=lines,
        source=source,
        rejects=[
            replace(reject, file=reject.file or source.file)
            for reject in sorted((*parsed.rejects, *rejects), key=lambda item: item.line)
        ],
        own_id=own_id,
        id_hash=keys.id_hash,
        digest=keys.digest,
        root=root,
        mixed=frozenset(own_names[name] for name in parsed.mixed),
    )


def canonical_rows(rows: pa.Table, count: int) -> pa.Table:
    """Return rows with all canonical columns first and in their types; text is never null."""
    import pyarrow as pa
    import pyarrow.compute as pc

    columns = {}
    for field in canonical_schema():
        present = field.name in rows.column_names
        column = rows[field.name] if present else pa.chunked_array([pa.nulls(count)])
        columns[field.name] = column.cast(field.type)
    if columns[TEXT].null_count:
        columns[TEXT] = pc.fill_null(columns[TEXT], "")
    others = {name: rows[name] for name in rows.column_names if name not in columns}
    return pa.table({**columns, **others})


def _check(
    rows: pa.Table, chunk: Chunk, parsed: Parsed, max_duration_s: float
) -> tuple[NDArray[np.bool_], list[Reject]]:
    keep = np.ones(rows.num_rows, dtype=bool)
    rejects = []
    raw_lines: list[bytes] | None = None
    for indexes, reason, detail in unfit_rows(rows, max_duration_s):
        if not len(indexes):
            continue
        if raw_lines is None:
            raw_lines = chunk.data.split(b"\n") if chunk.data else []
        values = rows[COLUMN_OF.get(reason, DURATION)]
        for index in indexes[keep[indexes]].tolist():
            line = int(parsed.lines[index])
            raw = _raw(raw_lines, line - chunk.first_line, rows, index)
            value = values[index].as_py()
            shown = f"{value:g}" if isinstance(value, float) else repr(value)
            rejects.append(Reject(line, reason, detail.replace("{}", shown), raw))
        keep[indexes] = False
    return keep, rejects


def _raw(lines: list[bytes], index: int, rows: pa.Table, row: int) -> str:
    if lines:
        return shorten(lines[index])
    return shorten(row_text(rows, row).encode())


def row_text(rows: pa.Table, row: int) -> str:
    """Return a row as JSON, where its own text is no longer at hand."""
    record = plain(rows.slice(row, 1).to_pylist()[0])
    return json.dumps({k: v for k, v in record.items() if v is not None}, ensure_ascii=False)


def identify(rows: pa.Table, located: Located, folder: str, root: Root) -> tuple[pa.Table, Keys]:
    """Fill in the ids, and make relative paths start from the root."""
    import pyarrow.compute as pc

    key = keys_under(located.full, root.folder)
    if folder != root.folder and not pc.all(located.absolute).as_py():
        stored = pc.if_else(located.absolute, rows[AUDIO_PATH], key)
        rows = rows.set_column(rows.column_names.index(AUDIO_PATH), AUDIO_PATH, stored)
    keys = row_keys(rows, key)
    return rows.set_column(rows.column_names.index(UTT_ID), UTT_ID, keys.utt_id), keys
