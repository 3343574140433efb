"""`asrdq card`: the card of a model, and its publication where that was asked for."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import TYPE_CHECKING

import pyarrow as pa

import asrdq
from asrdq.cards.evidence import Evidence, gather
from asrdq.cards.hub import publish
from asrdq.cards.objections import Objection, objections
from asrdq.cards.result import CardResult
from asrdq.cards.tables import CARDS, TABLE
from asrdq.cards.text import card_text
from asrdq.console import Stage, silent
from asrdq.errors import DataError, Problem, ToolError
from asrdq.workspace.files import whole_file

if TYPE_CHECKING:
    from asrdq.cards.plan import CardPlan
    from asrdq.workspace import Workspace


def write_card(workspace: Workspace, plan: CardPlan, *, stage: Stage = silent) -> CardResult:
    """Write the card of a run from the tables, publish it if that was asked for, and keep a row.

    Args:
        workspace: The one that handed the bundle off and scored the model.
        plan: Which run, and what becomes of it.
        stage: Shows progress.

    Raises:
        UsageError: There is no run in the folder.
        DataError: There is no finished model as the run left it; or it was to be published,
            something stands against that, and nobody answers for it. The card is written then.
        ToolError: A file cannot be written, a package is missing, or the hub refuses.
    """
    with stage("read model and tables", None, "models") as bar:
        evidence = gather(workspace, plan.run_dir)
        bar.advance(1)
    against = objections(evidence)
    name = plan.push.partition("/")[2] if plan.push else evidence.run.name
    text = card_text(evidence, against, plan, name)
    plan.file.parent.mkdir(parents=True, exist_ok=True)
    try:
        with whole_file(plan.file) as file:
            file.write(text.encode())
    except OSError as error:
        raise ToolError(f"cannot be written: {error.strerror}", where=str(plan.file)) from error
    parameters = {"push": plan.push, "public": plan.public, "override": plan.override}
    with workspace.run("card", evidence.train, parameters) as run:
        if plan.push and against and plan.override is None:
            _keep(workspace, run.run_id, plan, evidence, against, text, None)
            raise _refused(plan.push, against)
        commit = None
        if plan.push:
            with stage("publish", None, "commits") as bar:
                message = f"{evidence.run.name}, bundle {evidence.run.bundle_id[:12]}"
                commit = publish(
                    plan.push, evidence.model, plan.file, public=plan.public, message=message
                )
                bar.advance(1)
        row = _keep(workspace, run.run_id, plan, evidence, against, text, commit)
    pushed_to = plan.push if commit else None
    return CardResult(
        plan.file, evidence.run.name, str(evidence.model), against, pushed_to, commit, row
    )


def _refused(repo: str, against: tuple[Objection, ...]) -> DataError:
    return DataError(
        f"not published as {repo}: {len(against)} against it",
        problems=[Problem(f"{each} (mend it with: {each.mend})") for each in against],
        hint='mend it, or answer for it: --override "why" --by "Dana Levi"',
    )


def _keep(
    workspace: Workspace,
    run_id: str,
    plan: CardPlan,
    evidence: Evidence,
    against: tuple[Objection, ...],
    text: str,
    commit: str | None,
) -> pa.Table:
    compared = [one.compared.row["run_id"] for one in evidence.measured if one.compared]
    row = {
        "run_id": run_id,
        "written": dt.datetime.now(dt.UTC),
        "run": evidence.run.name,
        "bundle_id": evidence.run.bundle_id,
        "model_hash": evidence.model_hash,
        "scorings": [one.scoring.run_id for one in evidence.measured],
        "comparisons": compared,
        "objections": [str(each) for each in against],
        "overridden_by": plan.by if against else None,
        "override": plan.override if against else None,
        "pushed_to": plan.push if commit else None,
        "public": plan.public if commit else None,
        "commit": commit,
        "card_sha256": hashlib.sha256(text.encode()).hexdigest(),
        "asrdq_version": asrdq.__version__,
    }
    table = pa.Table.from_pylist([row], schema=CARDS)
    workspace.append(TABLE, table)
    return table
