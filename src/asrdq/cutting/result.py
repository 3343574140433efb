"""What a cut returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from asrdq.results import Result
from asrdq.versions import DeriveResult
from asrdq.workspace import ManifestVersion


@dataclass(frozen=True)
class CutResult(Result):
    """Long recordings as pieces, and what was kept back.

    Attributes:
        run_id: The run.
        source: The version that was cut.
        longest_s: The greatest length of a piece.
        aligner: Name and version.
        cuts: One row a piece, and a recording that was not cut (schema `CUTS`); the main table.
        derived: The new manifest, with its lineage.
    """

    main_table: ClassVar[str] = "cuts"

    run_id: str
    source: str
    longest_s: float
    aligner: str
    cuts: pa.Table
    derived: DeriveResult

    @property
    def manifest(self) -> ManifestVersion:
        """The version that holds the pieces, and the rows that were short enough."""
        return self.derived.manifest

    @property
    def recordings(self) -> int:
        """Recordings over the greatest length, or of unknown length."""
        return int(pc.count_distinct(self.cuts["utt_id"]).as_py())

    @property
    def pieces(self) -> pa.Table:
        """The pieces that are in the new manifest."""
        return self.cuts.filter(pc.field("kept_back").is_null())

    def kept_back(self) -> dict[str, tuple[int, float]]:
        """Return for each reason how many were kept back, and their hours."""
        kept = self.cuts.filter(pc.field("kept_back").is_valid())
        sums = kept.group_by("kept_back").aggregate([("duration_s", "sum"), ("utt_id", "count")])
        return {
            row["kept_back"]: (row["utt_id_count"], (row["duration_s_sum"] or 0.0) / 3600)
            for row in sums.sort_by([("utt_id_count", "descending")]).to_pylist()
        }

    def summary(self) -> str:
        """Return what became of the long recordings, in words."""
        whole = self.cuts["piece"].null_count
        pieces = self.pieces
        hours = (pc.sum(pieces["duration_s"]).as_py() or 0.0) / 3600
        lines = [
            f"{self.source}: {self.recordings:,} recordings over {self.longest_s:g} s, "
            f"{self.recordings - whole:,} cut with {self.aligner}",
            f"  {pieces.num_rows:,} pieces ({hours:,.2f} h) in {self.manifest}",
        ]
        lines += [
            f"  kept back, {reason}: {count:,} ({lost:,.2f} h)"
            for reason, (count, lost) in self.kept_back().items()
        ]
        return "\n".join(lines)
