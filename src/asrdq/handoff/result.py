"""What a hand-off gives back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import pyarrow as pa

from asrdq.errors import counted
from asrdq.results import Result

FILES = pa.schema([("file", pa.string()), ("bytes", pa.int64()), ("sha256", pa.string())])
"""One row a file of a bundle."""


@dataclass(frozen=True)
class HandoffResult(Result):
    """A bundle that was written.

    Attributes:
        run_id: The run.
        bundle: The folder.
        bundle_id: SHA-256 of its `provenance.json`.
        train: The training manifest version.
        train_rows: Its rows.
        validation: The validation manifest version.
        validation_rows: Its rows.
        recipe: The recipe.
        backend: What trains.
        verdicts: Manifest version to verdict, of those that the gate was asked about.
        signed_by: Who signed.
        script: The launch script for this plan.
        notes: What a person should know.
        files: One row a file, schema `FILES`.
    """

    main_table: ClassVar[str] = "files"

    run_id: str
    bundle: str
    bundle_id: str
    train: str
    train_rows: int
    validation: str
    validation_rows: int
    recipe: str
    backend: str
    verdicts: dict[str, str]
    signed_by: tuple[str, ...]
    script: str
    notes: tuple[str, ...]
    files: pa.Table = field(repr=False)

    def summary(self) -> str:
        """Return what was handed off, and the id that proves it."""
        told = (f"{name} {verdict}" for name, verdict in self.verdicts.items())
        verdicts = ", ".join(told) or "without a verdict: its model is to judge other data"
        signed = f", signed by {' and '.join(self.signed_by)}" if self.signed_by else ""
        return (
            f"{self.train} ({self.train_rows:,} rows) and {self.validation} "
            f"({self.validation_rows:,} rows) handed to {self.backend} with {self.recipe}\n"
            f"  {verdicts}{signed}\n"
            f"  {counted(self.files.num_rows, 'file')} in {self.bundle}\n"
            f"  bundle id {self.bundle_id}"
        )
