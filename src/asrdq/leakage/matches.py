"""Rows that share something with others: the shape in which every comparison answers."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

MATCHES = pa.schema(
    [
        ("kind", pa.string()),
        ("utt_id", pa.string()),
        ("other_utt_id", pa.string()),
        ("others", pa.int64()),
        ("similarity", pa.float64()),
        ("detail", pa.string()),
    ]
)
"""One row a kind and touched utterance: the row it is most like (the first by id of equals), how
many rows it shares this with, how near the nearest is (1 for the same), and what is shared."""


@dataclass(frozen=True, slots=True)
class Compared:
    """What a comparison of one or more kinds found.

    Attributes:
        matches: Touched rows, schema `MATCHES`.
        other_rows: By kind, how many rows of the other side are touched.
        gaps: By kind, why it could not be compared, or not for all rows.
        notes: What a person should know of how it was compared.
    """

    matches: pa.Table
    other_rows: dict[str, int]
    gaps: dict[str, str]
    notes: tuple[str, ...] = ()

    def of(self, kinds: list[str]) -> Compared:
        """Return what was found of some kinds."""
        kept = pc.is_in(self.matches["kind"], pa.array(kinds, pa.string()))
        return Compared(self.matches.filter(kept), self.other_rows, self.gaps, self.notes)


def joined(parts: list[Compared]) -> Compared:
    """Return several comparisons as one."""
    return Compared(
        pa.concat_tables([MATCHES.empty_table(), *(part.matches for part in parts)]),
        {kind: rows for part in parts for kind, rows in part.other_rows.items()},
        {kind: gap for part in parts for kind, gap in part.gaps.items()},
        tuple(note for part in parts for note in part.notes),
    )
