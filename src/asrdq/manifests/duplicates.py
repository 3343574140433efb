"""Rows whose id was there before: the first stays, the others are rejected."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from asrdq.manifests.block import row_text
from asrdq.manifests.columns import AUDIO_PATH, UTT_ID
from asrdq.manifests.identity import row_keys
from asrdq.manifests.parts import Part, PartWriter
from asrdq.manifests.paths import keys_under, locate
from asrdq.manifests.rejects import Reject, RejectReason, shorten

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray


def drop_duplicates(writer: PartWriter) -> list[Reject]:
    """Take rows of repeated ids out of the files, and return them as rejects.

    Hashes of the ids find the rows that may repeat one; the ids themselves decide.
    """
    import pyarrow.parquet as pq

    repeated = _repeated(writer.parts)
    if not len(repeated):
        return []
    first_seen: dict[str, str] = {}
    rejects: list[Reject] = []
    for part in writer.parts:
        suspects = np.flatnonzero(np.isin(np.concatenate(part.id_hash), repeated))
        if not len(suspects):
            continue
        rows = pq.read_table(part.path)
        keep = np.ones(rows.num_rows, dtype=bool)
        files, lines = _places(part)
        for row in suspects.tolist():
            utt_id = rows[UTT_ID][row].as_py()
            file, line = files[row], int(lines[row])
            seen = first_seen.setdefault(utt_id, f"{file}:{line}")
            if seen != f"{file}:{line}":
                keep[row] = False
                rejects.append(_duplicate(rows, row, file, line, seen))
        if not keep.all():
            _keep_rows(writer, part, rows, keep)
    return rejects


def _repeated(parts: list[Part]) -> NDArray[np.uint64]:
    if not parts:
        return np.array([], dtype=np.uint64)
    runs = np.concatenate([part.sorted_hash for part in parts])
    hashes = np.sort(runs, kind="stable")  # merges what is in order already
    return np.unique(hashes[1:][hashes[1:] == hashes[:-1]])


def _places(part: Part) -> tuple[list[str], NDArray[np.int64]]:
    files = [source.file for source, lines in part.spans for _ in range(len(lines))]
    return files, np.concatenate([lines for _, lines in part.spans])


def _duplicate(rows: pa.Table, row: int, file: str, line: int, seen: str) -> Reject:
    detail = f"the id {rows[UTT_ID][row].as_py()!r} is that of {seen}"
    raw = shorten(row_text(rows, row).encode())
    return Reject(line, RejectReason.DUPLICATE_ID, detail, raw, file)


def _keep_rows(writer: PartWriter, part: Part, rows: pa.Table, keep: NDArray[np.bool_]) -> None:
    import pyarrow as pa

    gone = rows.filter(pa.array(~keep))
    full = locate(gone[AUDIO_PATH], part.root.folder).full
    part.digest -= row_keys(gone, keys_under(full, part.root.folder)).digest
    writer.rewrite(part, rows.filter(pa.array(keep)))
