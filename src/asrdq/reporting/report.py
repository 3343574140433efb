"""Write the report of a manifest: gather, arrange, render, put into a file."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import pyarrow as pa

from asrdq.errors import UndecidedError, UsageError
from asrdq.places import Place
from asrdq.reporting.agreement import find_agreement
from asrdq.reporting.audio_panels import audio_facts
from asrdq.reporting.checked import Checked, find_checked
from asrdq.reporting.clips import ShownClip, show_clips
from asrdq.reporting.ledgers import find_ledgers
from asrdq.reporting.page import render_page
from asrdq.reporting.result import SHOWN_CLIPS, ReportResult
from asrdq.reporting.ruling import find_ruling
from asrdq.reporting.scored import Scored, find_scored
from asrdq.reporting.subject import Subject, find_subject
from asrdq.reporting.training import find_training
from asrdq.reporting.unaudited import render_unaudited_page
from asrdq.workspace.files import whole_file

if TYPE_CHECKING:
    from asrdq.workspace import ManifestVersion, Workspace

DEFAULT_CLIPS = 12
MOST_CLIPS = 100


def write_report(
    workspace: Workspace,
    reference: str,
    *,
    output: Place | None = None,
    clips: int = DEFAULT_CLIPS,
    advance: Callable[[int], None] = lambda _files: None,
) -> ReportResult:
    """Write one HTML file with the evidence about a manifest; it needs nothing but itself.

    It shows the newest finished audit. Where the manifest has changed since, the page says so at
    its top. The verdict is the gate's, and only while it answers for this audit. Where suites of
    expectations were run on the manifest, or hypotheses of it scored, that is part of the page, and
    without an audit it is all of it. Training runs that were watched with this manifest are shown
    with their curves.

    Args:
        workspace: Where the manifest and its audit are.
        reference: The manifest, `train` or `train@3`.
        output: The file; by default `reports/<manifest>.html` in the workspace.
        clips: How many of the worst clips are shown one by one, 0 to 100.
        advance: Told of audio files that were compared with the audit, and of clips shown.

    Raises:
        UsageError: No such manifest, a policy with mistakes, or a wrong number of clips.
        UndecidedError: The manifest was neither audited nor checked nor scored.
        ToolError: The file cannot be written.
    """
    if not 0 <= clips <= MOST_CLIPS:
        raise UsageError(f"{clips} clips cannot be shown", hint=f"0 to {MOST_CLIPS}")
    asked = workspace.manifest(reference)
    path = output or workspace.root / "reports" / f"{reference}.html"
    scored = find_scored(workspace, asked)
    try:
        subject = find_subject(workspace, reference)
    except UndecidedError as error:
        checked = find_checked(workspace, asked)
        if scored is None and (checked is None or not checked.suites):
            raise
        return _write_unaudited(workspace, asked, checked, scored, error, path)
    if subject.stale:
        scored = find_scored(workspace, subject.manifest)
    return _write_audit(workspace, subject, scored, path, clips, advance)


def _write_audit(
    workspace: Workspace,
    subject: Subject,
    scored: Scored | None,
    path: Place,
    clips: int,
    advance: Callable[[int], None],
) -> ReportResult:
    ruling = find_ruling(workspace, subject, advance)
    with workspace.run("report", subject.manifest, {"output": str(path), "clips": clips}):
        facts = audio_facts(workspace, subject.manifest)
        shown = show_clips(workspace, subject, clips, advance)
        checked = find_checked(workspace, subject.manifest)
        html = render_page(
            subject,
            ruling,
            facts,
            shown,
            dt.datetime.now(dt.UTC),
            find_ledgers(workspace, subject.manifest, ruling.run_id),
            checked,
            scored,
            find_training(workspace, subject.manifest),
            find_agreement(workspace, subject.run_id),
        )
        size = _write(html, path)
    return ReportResult(
        path=path,
        manifest=str(subject.manifest),
        fingerprint=subject.manifest.fingerprint,
        audit_run_id=subject.run_id,
        scoring_run_id=scored.board.run_id if scored else None,
        check_run_ids=_check_runs(checked),
        verdict=str(ruling.verdict) if ruling.verdict else None,
        stale=subject.stale,
        bytes=size,
        clips=_clip_table(shown),
    )


def _write_unaudited(
    workspace: Workspace,
    manifest: ManifestVersion,
    checked: Checked | None,
    scored: Scored | None,
    unaudited: UndecidedError,
    path: Place,
) -> ReportResult:
    """Write the page of a manifest that was checked or scored and not audited."""
    why = "; ".join(problem.message for problem in unaudited.problems) or unaudited.message
    with workspace.run("report", manifest, {"output": str(path)}):
        html = render_unaudited_page(
            manifest,
            checked,
            scored,
            why,
            dt.datetime.now(dt.UTC),
            find_training(workspace, manifest),
        )
        size = _write(html, path)
    return ReportResult(
        path=path,
        manifest=str(manifest),
        fingerprint=manifest.fingerprint,
        audit_run_id=None,
        scoring_run_id=scored.board.run_id if scored else None,
        check_run_ids=_check_runs(checked),
        verdict=None,
        stale=False,
        bytes=size,
        clips=_clip_table([]),
    )


def _check_runs(checked: Checked | None) -> tuple[str, ...]:
    return tuple(suite.run_id for suite in checked.suites) if checked else ()


def _write(html: str, path: Place) -> int:
    """Write a page and return its size in bytes."""
    page = html.encode("utf-8", "replace")
    with whole_file(path) as file:
        file.write(page)
    return len(page)


def _clip_table(clips: Sequence[ShownClip]) -> pa.Table:
    names = SHOWN_CLIPS.names[:-1]
    rows = [
        {**{name: clip.row[name] for name in names}, "audio_bytes": clip.audio_bytes}
        for clip in clips
    ]
    return pa.Table.from_pylist(rows, schema=SHOWN_CLIPS)
