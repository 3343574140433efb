"""`asrdq handoff`: everything is looked at, and then a bundle is written, or nothing."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

import asrdq
from asrdq.console import Stage, silent
from asrdq.errors import UsageError
from asrdq.gates.policy import policy_hash
from asrdq.handoff.asked import FORMATS
from asrdq.handoff.bundle import Bundle, write_bundle
from asrdq.handoff.conditions import Conditions, look
from asrdq.handoff.refusals import RefusedError
from asrdq.handoff.result import HandoffResult
from asrdq.handoff.tables import HANDOFFS, TABLE
from asrdq.manifests.formats.destination import Destination

if TYPE_CHECKING:
    from asrdq.handoff.asked import Asked
    from asrdq.workspace import Run


def hand_off(asked: Asked, *, stage: Stage = silent) -> HandoffResult:
    """Hand a training and a validation manifest to a trainer, as a folder that proves itself.

    Looked at are the gate's verdict on exactly this content, made again; the sign-off where one is
    asked for; what both manifests share; the lint; and the audio. All reasons against it are told
    at once. The folder appears whole or not at all, and is the same byte by byte for the same
    content, verdicts and settings. A row goes into the table `handoffs`.

    Args:
        asked: What is handed off, to what, where.
        stage: Shows progress.

    Raises:
        RefusedError: Something stands against it.
        UsageError: The recipe is for another backend, the folder is taken, or settings have
            mistakes.
        ToolError: The folder cannot be written.
    """
    _check(asked)
    recipe = asked.recipe.recipe
    parameters = {
        "validation": str(asked.validation),
        "validation_fingerprint": asked.validation.fingerprint,
        "recipe": recipe.name,
        "backend": asked.backend,
        "bundle": str(asked.out),
        "map": dict(asked.path_map.prefixes),
        "allow_override": asked.allow_override,
    }
    with asked.workspace.run("handoff", asked.train, parameters) as run:
        conditions = look(asked, stage)
        if conditions.refusals:
            raise RefusedError(str(asked.train), conditions.refusals)
        with Destination(asked.out).folder() as draft:
            bundle = write_bundle(asked, conditions, draft, stage)
            row = _row(asked, conditions, bundle, run)
            asked.workspace.append(TABLE, pa.Table.from_pylist([row], schema=HANDOFFS))
        return _result(asked, conditions, bundle, run)


def _check(asked: Asked) -> None:
    """Refuse what cannot be meant before anything is looked at."""
    recipe = asked.recipe.recipe
    if recipe.backend != asked.backend:
        raise UsageError(
            f"the recipe {recipe.name} is for {recipe.backend}, not for {asked.backend}",
            hint=f"--backend {recipe.backend}"
            if recipe.backend in FORMATS
            else f"backends: {', '.join(FORMATS)}",
        )
    out = asked.out
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise UsageError(
            "is there already", where=str(out), hint="name a folder that is new or empty"
        )


def overridden(conditions: Conditions) -> bool:
    """Return whether a STOP is handed off that somebody has overridden."""
    return "STOP" in _verdicts(conditions).values()


def _signed_by(conditions: Conditions) -> list[str]:
    return [one.signoff.signed_by for one in conditions.cleared if one.signoff is not None]


def _verdicts(conditions: Conditions) -> dict[str, str]:
    return {
        str(one.manifest): str(one.result.verdict)
        for one in conditions.cleared
        if one.result is not None
    }


def _row(asked: Asked, conditions: Conditions, bundle: Bundle, run: Run) -> dict[str, Any]:
    verdicts = _verdicts(conditions)
    sides = {"train": asked.train, "validation": asked.validation}
    about = {
        f"{side}{key}": value
        for side, manifest in sides.items()
        for key, value in {
            "": str(manifest),
            "_fingerprint": manifest.fingerprint,
            "_verdict": verdicts.get(str(manifest)),
            "_rows": manifest.rows,
            "_hours": manifest.hours,
        }.items()
    }
    return {
        "run_id": run.run_id,
        "handed_off": dt.datetime.now(dt.UTC),
        "bundle_id": bundle.bundle_id,
        "bundle": str(Path(asked.out).absolute()),
        **about,
        "recipe": asked.recipe.recipe.name,
        "recipe_hash": bundle.recipe_hash,
        "backend": asked.backend,
        "signed_by": _signed_by(conditions),
        "overridden": overridden(conditions),
        "policy": str(conditions.policy_file),
        "policy_hash": policy_hash(conditions.policy),
        "leaks_run_id": conditions.leaks.run_id if conditions.leaks else None,
        "asrdq_version": asrdq.__version__,
    }


def _result(asked: Asked, conditions: Conditions, bundle: Bundle, run: Run) -> HandoffResult:
    return HandoffResult(
        run_id=run.run_id,
        bundle=str(asked.out),
        bundle_id=bundle.bundle_id,
        train=str(asked.train),
        train_rows=asked.train.rows,
        validation=str(asked.validation),
        validation_rows=asked.validation.rows,
        recipe=asked.recipe.recipe.name,
        backend=asked.backend,
        verdicts=_verdicts(conditions),
        signed_by=tuple(_signed_by(conditions)),
        script=bundle.script,
        notes=(*conditions.linted.warnings(), *bundle.notes),
        files=bundle.files,
    )
