"""What a round has done already, by what is really there and not by what somebody wrote down."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asrdq.errors import DataError, Problem
from asrdq.handoff import verify_bundle
from asrdq.handoff.tables import HANDOFFS
from asrdq.handoff.tables import TABLE as HANDOFFS_TABLE
from asrdq.hypotheses import HYPOTHESES
from asrdq.hypotheses import TABLE as HYPOTHESES_TABLE
from asrdq.rounds.schema import COMPARISONS
from asrdq.rounds.schema import TABLE as COMPARISONS_TABLE
from asrdq.scoring.scorings import scorings
from asrdq.text.normalisers import normaliser
from asrdq.workspace.runs import DONE
from asrdq.workspace.store import quote_text

if TYPE_CHECKING:
    from asrdq.handoff import Asked
    from asrdq.rounds import ComparePlan
    from asrdq.scoring.plan import ScorePlan
    from asrdq.scoring.scorings import Scoring
    from asrdq.workspace import ManifestVersion, Workspace


def bundle_there(workspace: Workspace, asked: Asked, folder: Path) -> str | None:
    """Return the id of the bundle in a folder; None where there is no folder.

    Raises:
        DataError: Something is there that was not handed off like this, or was changed since.
    """
    if not folder.exists():
        return None
    where = f"bundle = {quote_text(str(folder))}"
    rows = workspace.read(HANDOFFS_TABLE, where, schema=HANDOFFS)
    known = {
        row["bundle_id"]
        for row in rows.to_pylist()
        if row["train_fingerprint"] == asked.train.fingerprint
        and row["validation_fingerprint"] == asked.validation.fingerprint
    }
    found = verify_bundle(str(folder), audio=False)
    problems = [Problem(f"{finding.subject}: {finding.message}") for finding in found.findings]
    if found.bundle_id not in known:
        problems.append(Problem("the table handoffs does not know it"))
    if problems:
        raise DataError(
            "this is not the bundle that was handed off",
            where=str(folder),
            problems=problems,
            hint="--new-round hands off again, and leaves this one as it is",
        )
    return str(found.bundle_id)


def run_that_transcribed(
    workspace: Workspace, manifest: ManifestVersion, hyps: str, version: str
) -> dict[str, Any] | None:
    """Return the finished run that made the whole of a set with this model, None without one.

    Args:
        workspace: Where the set is.
        manifest: The version that had to be transcribed.
        hyps: Name of the set.
        version: Version of the transcriber, with the content of its model.
    """
    where = f"hyps = {quote_text(hyps)} AND manifest = {quote_text(manifest.name)}"
    rows = workspace.read(HYPOTHESES_TABLE, where, schema=HYPOTHESES)
    run_ids = set(rows["run_id"].to_pylist())
    if len(run_ids) != 1:
        return None
    run = _run(workspace, run_ids.pop(), manifest)
    if run is None:
        return None
    told = json.loads(run["parameters"])
    same = told.get("transcriber_version") == version and told.get("sample") is False
    return run if same else None


def scoring_there(
    workspace: Workspace, manifest: ManifestVersion, hyps: str, plan: ScorePlan, since: Any
) -> Scoring | None:
    """Return the scoring of a set by this plan, made after the set was; None without one."""
    wanted = plan.for_leaderboard(manifest.columns)
    chosen = normaliser(plan.normaliser, equivalences=plan.equivalences)
    for own in scorings(workspace):
        if (own.hyps, own.manifest, own.normaliser_hash) != (hyps, str(manifest), chosen.hash):
            continue
        if own.plan.parameters() == wanted.parameters() and own.started >= since:
            return own
    return None


def comparison_there(
    workspace: Workspace, before: Scoring, after: Scoring, plan: ComparePlan
) -> dict[str, Any] | None:
    """Return the row of the newest comparison of two scorings by this plan; None without one."""
    where = " AND ".join(
        f"{column} = {quote_text(own.run_id)}"
        for column, own in (("before_run_id", before), ("after_run_id", after))
    )
    rows = workspace.read(COMPARISONS_TABLE, where, schema=COMPARISONS)
    wanted = json.loads(json.dumps(plan.parameters()))
    for row in rows.sort_by([("compared", "descending")]).to_pylist():
        run = _run(workspace, row["run_id"], None)
        told = json.loads(run["parameters"]) if run else {}
        for name in ("scored", "train_fingerprint"):
            told.pop(name, None)
        if told == wanted:
            found: dict[str, Any] = row
            return found
    return None


def _run(
    workspace: Workspace, run_id: str, manifest: ManifestVersion | None
) -> dict[str, Any] | None:
    """Return a run that was finished, on this content where one is named."""
    (row,) = workspace.query("SELECT * FROM runs WHERE run_id = $run", {"run": run_id}).to_pylist()
    if row["state"] != DONE:
        return None
    same = manifest is None or row["fingerprint"] == manifest.fingerprint
    return dict(row) if same else None
