"""The expensive mistakes, looked for once more on the bundle itself, before a model is built."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from asrdq.console import Stage, silent
from asrdq.errors import DataError, Problem, unknown
from asrdq.handoff.asked import FORMATS
from asrdq.linting import Around, Dialect, Finding, Level, every_rule, lint_config, read_config
from asrdq.manifests import ingest_manifest
from asrdq.monitoring.judging import rule_names
from asrdq.places import place
from asrdq.workspace import Workspace

if TYPE_CHECKING:
    from asrdq.training.handed import HandedOff
    from asrdq.workspace import ManifestVersion


@dataclass(frozen=True, slots=True)
class Allowed:
    """A mistake that a person lets pass for this run.

    Attributes:
        rule: The rule that it breaks.
        message: What it is.
    """

    rule: str
    message: str


def check_rules(names: Iterable[str]) -> None:
    """Refuse what `--allow` cannot mean.

    Raises:
        UsageError: There is no such rule of the lint, and none that watches runs.
    """
    known = {*every_rule(), *rule_names()}
    for name in names:
        if name not in known:
            raise unknown("rule", name, known, where="--allow")


def guard(
    handed: HandedOff, base: str, allowed: frozenset[str], *, stage: Stage = silent
) -> tuple[Allowed, ...]:
    """Hold the recipe of a bundle against every rule of the lint, with the data of the bundle.

    What both sides of the split share was compared when they were handed off, and neither has
    changed since: that alone is not asked again.

    Args:
        handed: The bundle.
        base: The model that the run starts from.
        allowed: Rules that a person has switched off.
        stage: Shows progress.

    Returns:
        The errors that stand, and pass because their rule is switched off.

    Raises:
        DataError: There are others.
        UsageError: The recipe cannot be read.
    """
    overrides = [] if base == handed.recipe.model.base else [f"model.base={json.dumps(base)}"]
    config = read_config(place(str(handed.recipe_file)), overrides, Dialect.RECIPE)
    with tempfile.TemporaryDirectory(prefix="asrdq-guard-") as folder:
        workspace, manifest = _ingested(handed, Path(folder), stage)
        found = lint_config(config, Around(workspace, manifest), stage=stage)
    errors = [
        each
        for each in found.standing
        if each.level is Level.ERROR and each.rule not in handed.answered
    ]
    refused = [each for each in errors if each.rule not in allowed]
    if refused:
        raise _refusal(handed, refused)
    return tuple(Allowed(each.rule, each.message) for each in errors)


def _ingested(handed: HandedOff, folder: Path, stage: Stage) -> tuple[Workspace, ManifestVersion]:
    """Return the training manifest of a bundle as a table that the rules can ask."""
    Workspace.init(folder)
    workspace = Workspace.open(folder)
    file = handed.train_file
    with stage("read the manifest", file.stat().st_size, "bytes") as bar:
        ingest_manifest(
            workspace,
            [file],
            "train",
            format_name=FORMATS[handed.backend],
            max_reject_share=0.0,
            advance=bar.advance,
        )
    return workspace, workspace.manifest("train")


def _refusal(handed: HandedOff, refused: list[Finding]) -> DataError:
    many = "s" if len(refused) > 1 else ""
    return DataError(
        f"{handed.recipe.name} is not trained: {len(refused)} mistake{many} that a run does not "
        "survive",
        where=str(handed.folder),
        problems=[Problem(f"{each.rule}: {each.message}. {each.mend}") for each in refused],
        hint="hand off again with a recipe that is mended; --allow RULE lets one pass, and that "
        "is kept beside the run",
    )
