"""`asrdq cut`: long recordings become pieces, where their word alignment allows it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from asrdq.alignment import Aligner, AlignerOptions, AlignmentStatus, WordSpan, build_aligner
from asrdq.audit.collection import OnClip, clip_task, collect_evidence
from asrdq.audit.faults import Fault, PlantedClip
from asrdq.audit.plan import Stage, no_progress
from asrdq.audit.selection import Clip, clips_of
from asrdq.cutting.listening import Recording, voices_of
from asrdq.cutting.pieces import KeptBack, Limits, Piece, cut_pieces
from asrdq.cutting.result import CutResult
from asrdq.cutting.tables import CUTS, TABLE
from asrdq.errors import UsageError
from asrdq.text.partings import partings
from asrdq.versions import derive_manifest
from asrdq.workspace.store import quote_text

if TYPE_CHECKING:
    from asrdq.workspace import ManifestVersion, Workspace

Row = dict[str, Any]

AT_ONCE = 1000
"""Recordings that are in memory together, with their words."""
_COLUMNS = ["utt_id", "audio_path", "text", "duration_s", "offset_s", "language", "speaker"]
_NEVER_DRAWN = {"stratum": "", "inclusion_probability": 1.0}


@dataclass(frozen=True, slots=True)
class CutPlan:
    """How to cut.

    Attributes:
        aligner: What places the words.
        longest_s: Greatest length of a piece; rows up to it stay as they are.
        pause_s: Least silence at a cut.
    """

    aligner: AlignerOptions
    longest_s: float
    pause_s: float = 0.2

    def __post_init__(self) -> None:
        if not self.longest_s > self.pause_s > 0:
            raise UsageError(
                f"pieces of {self.longest_s:g} s with pauses of {self.pause_s:g} s",
                hint="the greatest length has to be over the least pause, and both over 0",
            )


def cut_manifest(
    workspace: Workspace,
    manifest: ManifestVersion,
    name: str,
    plan: CutPlan,
    *,
    workers: int = 0,
    stage: Stage = no_progress,
) -> CutResult:
    """Cut the recordings of a manifest that are too long, and write all rows as another manifest.

    Each piece has the words that are spoken in it and no others; together the pieces of a
    recording have its transcript, each character once. What cannot be cut safely is kept back with
    its reason, in the table `cuts`. Rows up to the greatest length stay as they are. Alignments
    come from the cache where an audit or a killed run made them.

    Args:
        workspace: Where the manifest is.
        manifest: The version to cut.
        name: Manifest for the pieces and the short rows, with a column `cut_from`.
        plan: How to cut.
        workers: Processes; 0 is one a core.
        stage: Opens a progress display for each of the two stages.

    Raises:
        UsageError: The aligner does not exist or does not know the language, or the name is wrong.
        DataError: Not one row would be left.
    """
    aligner = build_aligner(plan.aligner)
    parameters = {
        "name": name,
        "aligner": aligner.name,
        "aligner_version": aligner.version,
        "longest_s": plan.longest_s,
        "pause_s": plan.pause_s,
    }
    settings = workspace.settings.audit
    limits = Limits(plan.longest_s, plan.pause_s, settings.coverage_minimum)
    with workspace.run("cut", manifest, parameters) as run:
        refused, rows = _long_rows(workspace, manifest, plan.longest_s)
        tables = [_table(refused, run.run_id)]
        for first in range(0, len(rows), AT_ONCE):
            some = rows[first : first + AT_ONCE]
            clips = clips_of(workspace, manifest, some, aligner)
            of = f" {first + 1:,} to {first + len(some):,}" if len(rows) > AT_ONCE else ""
            with stage(f"align{of}", len(some)) as on_clip:
                evidence = _aligned(workspace, aligner, plan.aligner, clips, workers, on_clip)
            with stage(f"cut{of}", len(some)) as on_clip:
                pieces = _cut(some, clips, evidence, limits, workers, on_clip)
                tables.append(_table(pieces, run.run_id))
        cuts = pa.concat_tables(tables)
        workspace.replace(TABLE, cuts, run_id=run.run_id)
        derived = derive_manifest(workspace, name, _query(manifest, run.run_id, plan.longest_s))
    return CutResult(
        run_id=run.run_id,
        source=str(manifest),
        longest_s=plan.longest_s,
        aligner=f"{aligner.name} {aligner.version}",
        cuts=cuts,
        derived=derived,
    )


def _aligned(
    workspace: Workspace,
    aligner: Aligner,
    options: AlignerOptions,
    clips: Sequence[Clip],
    workers: int,
    on_clip: OnClip,
) -> list[Row]:
    tasks = [
        clip_task(clip, PlantedClip(clip.utt_id, Fault.UNTOUCHED, clip.words), aligner, 0)
        for clip in clips
    ]
    found = collect_evidence(workspace, aligner, options, tasks, workers=workers, on_clip=on_clip)
    rows: list[Row] = found.to_pylist()
    return rows


def _table(rows: Iterable[Row], run_id: str) -> pa.Table:
    return pa.Table.from_pylist([{**row, "run_id": run_id} for row in rows], schema=CUTS)


def _long_rows(
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
                    refused.append(_whole(row, KeptBack.NO_DURATION))
                elif not (row["text"] or "").strip():
                    refused.append(_whole(row, KeptBack.EMPTY_TEXT))
                elif row["utt_id"] in bad:
                    refused.append(_whole(row, KeptBack.LOW_QUALITY, bad[row["utt_id"]]))
                else:
                    rows.append({**row, **_NEVER_DRAWN})
    return refused, rows


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


def _cut(
    rows: Sequence[Row],
    clips: Sequence[Clip],
    evidence: Sequence[Row],
    limits: Limits,
    workers: int,
    on_clip: OnClip,
) -> Iterator[Row]:
    """Give the pieces of each recording, in the order of the recordings."""
    cannot = [_cannot(clip, found, limits) for clip, found in zip(clips, evidence, strict=True)]
    recordings = [
        Recording(number, clip.path, clip.offset_s, clip.length_s)
        for number, (clip, why) in enumerate(zip(clips, cannot, strict=True))
        if why is None
    ]
    for _ in range(len(clips) - len(recordings)):
        on_clip(0.0)
    voices = dict(voices_of(recordings, workers=workers, on_clip=on_clip))
    for number, (row, clip, found) in enumerate(zip(rows, clips, evidence, strict=True)):
        why, voiced = cannot[number], voices.get(number)
        if why is not None:
            yield _whole(row, *why)
        elif voiced is None:
            yield _whole(row, AlignmentStatus.FAILED, "could not be decoded again")
        else:
            yield from _pieces(row, clip, found, voiced, limits)


def _cannot(clip: Clip, found: Row, limits: Limits) -> tuple[str, str] | None:
    """Return why a recording cannot be cut, and what there is to say about it."""
    if found["status"] != AlignmentStatus.ALIGNED:
        return found["status"], found["detail"] or ""
    placed = len(found["spans"])
    if placed != len(clip.words) or not partings(clip.text, clip.language):
        return KeptBack.WORDS_MISSING, f"{placed:,} of {len(clip.words):,} words placed"
    coverage = min(found["text_coverage"], found["speech_coverage"])
    if coverage < limits.coverage:
        return KeptBack.LOW_COVERAGE, f"{coverage:.2f}, under {limits.coverage:g}"
    return None


def _pieces(
    row: Row, clip: Clip, found: Row, voiced: NDArray[np.bool_], limits: Limits
) -> Iterator[Row]:
    spans = [
        WordSpan(**{key: value for key, value in span.items() if key != "plausible"})
        for span in found["spans"]
    ]
    plausible = [span["plausible"] for span in found["spans"]]
    parted = partings(clip.text, clip.language)
    duration_s = found["duration_s"]
    for number, piece in enumerate(
        cut_pieces(spans, plausible, voiced, parted, duration_s, limits)
    ):
        yield {
            "utt_id": row["utt_id"],
            "piece": number,
            "cut_id": _cut_id(row["utt_id"], piece),
            "offset_s": round(clip.offset_s + piece.start_s, 3),
            "duration_s": round(piece.end_s - piece.start_s, 3),
            "text": clip.text[piece.text_start : piece.text_end].strip(),
            "text_start": piece.text_start,
            "text_end": piece.text_end,
            "words": piece.words,
            "coverage": piece.coverage,
            "kept_back": piece.kept_back,
        }


def _cut_id(utt_id: str, piece: Piece) -> str:
    """Return the id of a piece, with its milliseconds in the recording as Kaldi has them.

    Other cuts of the same recording have other ids.
    """
    return f"{utt_id}-{round(piece.start_s * 1000):07d}-{round(piece.end_s * 1000):07d}"


def _whole(row: Mapping[str, Any], reason: str, detail: str = "") -> Row:
    kept = {name: row[name] for name in ("utt_id", "offset_s", "duration_s", "text")}
    return {**kept, "kept_back": reason, "detail": detail}


def _query(manifest: ManifestVersion, run_id: str, longest_s: float) -> str:
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
