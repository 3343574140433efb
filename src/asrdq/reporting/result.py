"""What writing a report returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pyarrow as pa

from asrdq.places import Place
from asrdq.results import Result

SHOWN_CLIPS = pa.schema(
    [
        ("utt_id", pa.string()),
        ("stratum", pa.string()),
        ("coverage", pa.float64()),
        ("confidence", pa.float64()),
        ("reasons", pa.list_(pa.string())),
        ("audio_bytes", pa.int64()),
    ]
)
"""One row a clip that the page shows; `audio_bytes` is 0 where it has no player."""


@dataclass(frozen=True)
class ReportResult(Result):
    """A report that was written.

    Attributes:
        path: The HTML file.
        manifest: The manifest version that the page is about, as `train@3`.
        fingerprint: Its content.
        audit_run_id: The audit it shows, None without one.
        scoring_run_id: The scoring it shows, None without one.
        check_run_ids: The checks by suites that it shows.
        verdict: The verdict that answers for this audit, None where there is none yet.
        stale: Whether the manifest that was asked about has other content than the audit.
        bytes: Size of the file.
        clips: The clips shown one by one (schema `SHOWN_CLIPS`); the main table.
    """

    main_table: ClassVar[str] = "clips"

    path: Place
    manifest: str
    fingerprint: str
    audit_run_id: str | None
    scoring_run_id: str | None
    check_run_ids: tuple[str, ...]
    verdict: str | None
    stale: bool
    bytes: int
    clips: pa.Table

    def summary(self) -> str:
        """Return where the page is, what it says, and how large it is."""
        stale = " (the manifest has changed since)" if self.stale else ""
        verdict = self.verdict or "no verdict yet"
        if self.audit_run_id is None:
            found = {"checked": self.check_run_ids, "scored": self.scoring_run_id}
            done = [word for word, runs in found.items() if runs]
            verdict = f"{' and '.join(done)}, not audited"
        return (
            f"{self.path}: {verdict} for {self.manifest}{stale}, "
            f"{self.clips.num_rows:,} clips shown, {self.bytes / 1e6:.1f} MB"
        )
