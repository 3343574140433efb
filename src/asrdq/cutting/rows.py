"""Which recordings are to be cut, which are kept back before, and what the new manifest is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from asrdq.cutting.pieces import KeptBack
from asrdq.workspace.store import quote_text

if TYPE_CHECKING:
    from asrdq.workspace import ManifestVersion, Workspace

Row = dict[str, Any]

_COLUMNS = ["utt_id", "audio_path", "text", "duration_s", "offset_s", "language", "speaker"]
_NEVER_DRAWN = {"stratum": "", "inclusion_probability": 1.0}


def long_rows(
    workspace: Workspace, manifest: ManifestVersion, longest_s: float
) -> tuple[list[Row], list[Row]]:
    """Return the recordings that nothing can be done for, and those to be aligned."""
    bad = _low_quality(workspace, manifest)
    refused: list[Row] = []
    rows: list[Row] = []
    with workspace.stream(manifest, _COLUMNS) as reader:
        for batch in reader:
            for row in batch.to_pylist():
                if row["duration_s"] is not None and row["duration_s"] <= longest_s:
                    continue
                if row["duration_s"] is None:
                    refused.append(whole(row, KeptBack.NO_DURATION))
                elif not (row["text"] or "").strip():
                    refused.append(whole(row, KeptBack.EMPTY_TEXT))
                elif row["utt_id"] in bad:
                    refused.append(whole(row, KeptBack.LOW_QUALITY, bad[row["utt_id"]]))
                else:
                    rows.append({**row, **_NEVER_DRAWN})
    return refused, rows


def whole(row: Mapping[str, Any], reason: str, detail: str = "") -> Row:
    """Return the row of a recording that is kept back."""
    kept = {name: row[name] for name in ("utt_id", "offset_s", "duration_s", "text")}
    return {**kept, "kept_back": reason, "detail": detail}


def pieces_and_short_rows(manifest: ManifestVersion, run_id: str, longest_s: float) -> str:
    """Return the query whose outcome the new manifest is, over the table of cuts."""
    source = '"' + str(manifest).replace('"', '""') + '"'
    again = "cut_from" in manifest.columns
    own = "coalesce(whole.cut_from, whole.utt_id) AS cut_from"
    replaced = ", ".join(
        f"cuts.{new} AS {name}"
        for name, new in (
            ("utt_id", "cut_id"),
            ("offset_s", "offset_s"),
            ("duration_s", "duration_s"),
            ("text", "text"),
        )
    )
    columns = (
        f"whole.* REPLACE ({replaced}, {own})"
        if again
        else f"whole.* REPLACE ({replaced}), whole.utt_id AS cut_from"
    )
    rest = "*" if again else "*, CAST(NULL AS VARCHAR) AS cut_from"
    return (
        f"SELECT {columns} FROM {source} AS whole JOIN cuts ON cuts.utt_id = whole.utt_id "
        f"WHERE cuts.run_id = {quote_text(run_id)} AND cuts.kept_back IS NULL "
        f"UNION ALL BY NAME SELECT {rest} FROM {source} WHERE duration_s <= {longest_s!r}"
    )


def _low_quality(workspace: Workspace, manifest: ManifestVersion) -> dict[str, str]:
    """Return the clips that the newest audit of this content found bad, with its reasons."""
    if not workspace.table_exists("audits"):
        return {}
    found = workspace.query(
        "WITH newest AS (SELECT run_id FROM runs WHERE command = 'audit' AND state = 'done' "
        "AND fingerprint = $print ORDER BY started DESC, run_id DESC LIMIT 1) "
        "SELECT utt_id, reasons FROM audits JOIN newest USING (run_id) WHERE low_quality",
        {"print": manifest.fingerprint},
    )
    return {row["utt_id"]: ", ".join(row["reasons"]) for row in found.to_pylist()}
