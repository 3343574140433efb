"""The finished scorings of a workspace."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from asrdq.errors import UsageError, unknown
from asrdq.scoring.plan import ScorePlan
from asrdq.scoring.tables import GROUPS, SCORE_GROUPS
from asrdq.workspace.runs import DONE
from asrdq.workspace.store import quote_text

if TYPE_CHECKING:
    import pyarrow as pa

    from asrdq.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Scoring:
    """A finished scoring of a set of hypotheses.

    Attributes:
        run_id: The run.
        hyps: Name of the set.
        manifest: The manifest version with the references, as `eval@3`.
        normaliser: Name of the normaliser.
        normaliser_version: Its version.
        normaliser_hash: Hash over everything that decides what it does.
        started: When the run began (UTC).
        plan: What was scored, and how.
    """

    run_id: str
    hyps: str
    manifest: str
    normaliser: str
    normaliser_version: str
    normaliser_hash: str
    started: dt.datetime
    plan: ScorePlan = field(repr=False)

    @property
    def manifest_name(self) -> str:
        """Name of the manifest, without its version."""
        return self.manifest.partition("@")[0]

    def __str__(self) -> str:
        return f"{self.hyps} on {self.manifest} ({self.normaliser})"


def scorings(workspace: Workspace) -> list[Scoring]:
    """Return every finished scoring whose rows are there, the newest first."""
    if not workspace.table_exists(SCORE_GROUPS):
        return []
    names = [f.name for f in fields(Scoring) if f.name not in ("plan", "started")]
    found = workspace.query(
        f"SELECT s.*, r.started, r.parameters FROM (SELECT DISTINCT {', '.join(names)} "
        f"FROM {SCORE_GROUPS}) s JOIN runs r USING (run_id) WHERE r.state = {quote_text(DONE)} "
        "ORDER BY r.started DESC, run_id"
    )
    return [
        Scoring(plan=_plan(json.loads(row.pop("parameters"))), **row) for row in found.to_pylist()
    ]


def _plan(parameters: dict[str, Any]) -> ScorePlan:
    known = [f.name for f in fields(ScorePlan)]
    return ScorePlan(**{name: parameters[name] for name in known if name in parameters})


def newest_scoring(workspace: Workspace, hyps: str, on: str | None = None) -> Scoring:
    """Return the newest finished scoring of a set of hypotheses.

    Args:
        workspace: Where the scores are.
        hyps: Name of the set.
        on: The manifest: a name, a version `eval@3` or a tag `eval@audited`; None for any.

    Raises:
        UsageError: It was not scored, or not on this manifest; what is scored is named.
    """
    found = scorings(workspace)
    if not found:
        raise UsageError("nothing was scored yet", hint=f"asrdq score MANIFEST --hyps {hyps}")
    mine = [scoring for scoring in found if scoring.hyps == hyps]
    if not mine:
        error = unknown("scored set of hypotheses", hyps, {scoring.hyps for scoring in found})
        hint = f"{error.hint}; or score it: asrdq score {on or 'MANIFEST'} --hyps {hyps}"
        raise UsageError(error.message, hint=hint)
    if on is None:
        return mine[0]
    version = workspace.manifest(on)
    wanted = {str(version)} if "@" in on else {s.manifest for s in mine if s.manifest_name == on}
    for scoring in mine:
        if scoring.manifest in wanted:
            return scoring
    listed = ", ".join(dict.fromkeys(scoring.manifest for scoring in mine))
    raise UsageError(
        f"'{hyps}' was not scored on {on}",
        hint=f"it was on {listed}; asrdq score {on} --hyps {hyps}",
    )


def is_first(workspace: Workspace, scoring: Scoring) -> bool:
    """Return whether no other set was scored on the manifest of a scoring before it."""
    return not any(
        other.manifest_name == scoring.manifest_name
        and other.hyps != scoring.hyps
        and other.started < scoring.started
        for other in scorings(workspace)
    )


def read_groups(workspace: Workspace, scoring: Scoring) -> pa.Table:
    """Return the rates of a scoring by group, schema `GROUPS`."""
    where = f"run_id = {quote_text(scoring.run_id)}"
    return workspace.read(SCORE_GROUPS, where, schema=GROUPS)
