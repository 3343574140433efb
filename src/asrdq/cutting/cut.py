"""`asrdq cut`: long recordings become pieces, where their word alignment allows it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

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
from asrdq.cutting.rows import Row, long_rows, pieces_and_short_rows, whole
from asrdq.cutting.tables import CUTS, TABLE
from asrdq.errors import UsageError
from asrdq.models.devices import workers_on
from asrdq.text.partings import partings
from asrdq.versions import derive_manifest

if TYPE_CHECKING:
    from asrdq.settings import RaySettings
    from asrdq.workspace import ManifestVersion, Workspace

_Examined = tuple[Row, Clip, Row, tuple[str, str] | None, NDArray[np.bool_] | None]
"""A row, its clip, its alignment, why it cannot be cut, and its voice activity."""

AT_ONCE = 1000
"""Recordings that are in memory together, with their words."""


@dataclass(frozen=True, slots=True)
class CutPlan:
    """How to cut.

    Attributes:
        aligner: What places the words.
        longest_s: Greatest length of a piece; rows up to it stay as they are.
        pause_s: Least silence at a cut.
        cluster: The Ray cluster that reads and aligns; None: processes of this machine.
    """

    aligner: AlignerOptions
    longest_s: float
    pause_s: float = 0.2
    cluster: RaySettings | None = None

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
        workers: Processes; 0 is one a core, or as many as the cluster has room for.
        stage: Opens a progress display for each of the two stages.

    Raises:
        UsageError: The aligner does not exist or does not know the language, or the name is wrong.
        DataError: Not one row would be left.
    """
    aligner = build_aligner(replace(plan.aligner, workers_on=workers_on(plan.cluster)))
    parameters = {
        "name": name,
        "aligner": aligner.name,
        "aligner_version": aligner.version,
        "longest_s": plan.longest_s,
        "pause_s": plan.pause_s,
        "engine": "ray" if plan.cluster else "local",
    }
    settings = workspace.settings.audit
    limits = Limits(plan.longest_s, plan.pause_s, settings.coverage_minimum)
    with workspace.run("cut", manifest, parameters) as run:
        refused, rows = long_rows(workspace, manifest, plan.longest_s)
        tables = [_table(refused, run.run_id)]
        for first in range(0, len(rows), AT_ONCE):
            some = rows[first : first + AT_ONCE]
            clips = clips_of(
                workspace, manifest, some, aligner, workers=workers, cluster=plan.cluster
            )
            of = f" {first + 1:,} to {first + len(some):,}" if len(rows) > AT_ONCE else ""
            with stage(f"align{of}", len(some)) as on_clip:
                evidence = _aligned(workspace, aligner, plan, clips, workers, on_clip)
            with stage(f"cut{of}", len(some)) as on_clip:
                cannot = [_cannot(*pair, limits) for pair in zip(clips, evidence, strict=True)]
                voices = _voices(clips, cannot, plan, workers, on_clip)
                pieces = _cut(zip(some, clips, evidence, cannot, voices, strict=True), limits)
                tables.append(_table(pieces, run.run_id))
        cuts = pa.concat_tables(tables)
        workspace.replace(TABLE, cuts, run_id=run.run_id)
        derived = derive_manifest(
            workspace, name, pieces_and_short_rows(manifest, run.run_id, plan.longest_s)
        )
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
    plan: CutPlan,
    clips: Sequence[Clip],
    workers: int,
    on_clip: OnClip,
) -> list[Row]:
    tasks = [
        clip_task(clip, PlantedClip(clip.utt_id, Fault.UNTOUCHED, clip.words), aligner, 0)
        for clip in clips
    ]
    found = collect_evidence(
        workspace,
        aligner,
        plan.aligner,
        tasks,
        workers=workers,
        on_clip=on_clip,
        cluster=plan.cluster,
    )
    rows: list[Row] = found.to_pylist()
    return rows


def _table(rows: Iterable[Row], run_id: str) -> pa.Table:
    return pa.Table.from_pylist([{**row, "run_id": run_id} for row in rows], schema=CUTS)


def _voices(
    clips: Sequence[Clip],
    cannot: Sequence[tuple[str, str] | None],
    plan: CutPlan,
    workers: int,
    on_clip: OnClip,
) -> list[NDArray[np.bool_] | None]:
    """Return the voice activity of each recording that can be cut, None where there is none."""
    recordings = [
        Recording(number, clip.path, clip.offset_s, clip.length_s)
        for number, (clip, why) in enumerate(zip(clips, cannot, strict=True))
        if why is None
    ]
    for _ in range(len(clips) - len(recordings)):
        on_clip(0.0)
    heard = dict(voices_of(recordings, workers=workers, on_clip=on_clip, cluster=plan.cluster))
    return [heard.get(number) for number in range(len(clips))]


def _cut(recordings: Iterable[_Examined], limits: Limits) -> Iterator[Row]:
    """Give the pieces of each recording, in their order."""
    for row, clip, found, why, voiced in recordings:
        if why is not None:
            yield whole(row, *why)
        elif voiced is None:
            yield whole(row, AlignmentStatus.FAILED, "could not be decoded again")
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
