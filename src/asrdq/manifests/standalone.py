"""`asrdq.read_manifest`: the rows of a manifest file, as an ingest reads them."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from typing import TYPE_CHECKING, ClassVar

from asrdq.errors import UsageError
from asrdq.manifests.columns import AUDIO_PATH
from asrdq.manifests.formats.registry import AUTO
from asrdq.manifests.ingest import ingest_manifest
from asrdq.places import Place, place
from asrdq.results import Result

if TYPE_CHECKING:
    import pyarrow as pa

_NAME = "manifest"
_NOT_KEPT = ["run_id", "manifest"]


@dataclass(frozen=True)
class ManifestRows(Result):
    """The rows of a manifest file.

    Attributes:
        rows: The canonical columns (utt_id, audio_path, text, duration_s, offset_s, language,
            speaker), then the file's own.
        rejects: Lines that cannot be used: file, line, reason, detail, raw.
        format: The format that the file was taken for.
        audio_root: Folder that relative audio paths start from.
        hours: Sum of the durations.
        fingerprint: The same that an ingest gives to this content.
        notes: What a person should know: columns that were renamed, mixed types.
    """

    main_table: ClassVar[str] = "rows"

    rows: pa.Table
    rejects: pa.Table
    format: str
    audio_root: str
    hours: float
    fingerprint: str
    notes: tuple[str, ...]

    def summary(self) -> str:
        """Return format, size and number of rejects in plain text."""
        lines = [f"{self.format}: {self.rows.num_rows:,} rows, {self.hours:,.2f} h"]
        if self.rejects.num_rows:
            lines.append(f"  rejected {self.rejects.num_rows:,} lines")
        return "\n".join([*lines, *(f"  note: {note}" for note in self.notes)])


def read_manifest(
    path: str | PathLike[str],
    *,
    format_name: str = AUTO,
    columns: Mapping[str, str] | None = None,
    audio_root: str | PathLike[str] | None = None,
) -> ManifestRows:
    """Read a manifest file; ids, checks and types are those of an ingest.

    Args:
        path: The file or folder.
        format_name: A format's name, or `auto` to recognise it.
        columns: Canonical columns to the names that they have in the file.
        audio_root: Folder that audio paths are relative to; by default that of the file.

    Raises:
        DataError: There is no row that can be used.
        UsageError: Path, format or column are wrong, or the audio lies inside the file: clips
            need a workspace to be kept in.
    """
    from asrdq.workspace import Workspace

    with tempfile.TemporaryDirectory(prefix="asrdq-") as folder:
        Workspace.init(folder)
        workspace = Workspace.open(folder)
        result = ingest_manifest(
            workspace,
            [place(path)],
            _NAME,
            format_name=format_name,
            columns=columns,
            audio_root=place(audio_root) if audio_root else None,
            max_reject_share=1.0,
        )
        rows = workspace.scan(result.manifest)
        _check_audio_outside(rows, workspace.root, path)
    (taken,) = result.formats.values()
    return ManifestRows(
        rows=rows,
        rejects=result.rejects.drop_columns(_NOT_KEPT),
        format=taken,
        audio_root=result.manifest.audio_root,
        hours=result.manifest.hours,
        fingerprint=result.manifest.fingerprint,
        notes=result.notes,
    )


def _check_audio_outside(rows: pa.Table, folder: Place, path: str | PathLike[str]) -> None:
    import pyarrow.compute as pc

    if pc.any(pc.starts_with(rows[AUDIO_PATH], f"{folder}/")).as_py():
        raise UsageError(
            "its audio lies inside it, and needs a workspace to be kept in",
            where=str(path),
            hint="asrdq init DIR, then asrdq ingest",
        )
