"""What a split gave: sizes by side and stratum, asked for and got."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import pyarrow as pa

from asrdq.results import Result

SPLITS = pa.schema(
    [
        ("run_id", pa.string()),
        ("manifest", pa.string()),
        ("manifest_version", pa.int64()),
        ("fingerprint", pa.string()),
        ("side", pa.string()),
        ("side_manifest", pa.string()),
        ("side_version", pa.int64()),
        ("stratum", pa.string()),
        ("asked_rows", pa.float64()),
        ("asked_hours", pa.float64()),
        ("rows", pa.int64()),
        ("hours", pa.float64()),
    ]
)
"""One row a side and stratum, and one a side for all strata together (stratum null).

`asked_rows` or `asked_hours` is what the side was to have, the other one null; both are null for
the first side, which has what the others leave."""


@dataclass(frozen=True)
class SplitResult(Result):
    """The sides of a split.

    Attributes:
        run_id: The run that made it.
        manifest: The manifest version that was split, as `train@3`.
        manifests: The manifest version of each side, by side.
        sides: Sizes, schema `SPLITS`.
        kept: Rows that have the side they had in the former split.
        moved: Rows on another side than in the former split, because new rows or another group
            joined what lay on two sides.
        components: Number of components that were assigned as a whole.
        missed: Sides that miss their size, in words.
        notes: What a person should know.
    """

    main_table: ClassVar[str] = "sides"

    run_id: str
    manifest: str
    manifests: dict[str, str]
    sides: pa.Table = field(repr=False)
    kept: int
    moved: int
    components: int
    missed: tuple[str, ...]
    notes: tuple[str, ...]

    def summary(self) -> str:
        """Return a line a side, asked and got."""
        lines = [f"{self.manifest} in {len(self.manifests)} sides"]
        for row in self.sides.to_pylist():
            if row["stratum"] is None:
                lines.append(f"  {row['side']}: {row['rows']:,} rows, {row['hours']:,.2f} h")
        lines += [f"  missed: {line}" for line in self.missed]
        lines += [f"  note: {line}" for line in self.notes]
        return "\n".join(lines)
