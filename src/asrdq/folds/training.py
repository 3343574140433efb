"""One model a fold, trained on everybody else: derived, handed off, trained, gone on with."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from asrdq import console
from asrdq.console import Stage, silent
from asrdq.cycles.evidence import bundle_there
from asrdq.errors import UsageError
from asrdq.folds.file import FOLDS_FILE, FoldModel, write_folds
from asrdq.folds.grouping import group_speakers
from asrdq.handoff import Asked, hand_off
from asrdq.models.content import content_hash
from asrdq.models.devices import free_memory
from asrdq.training import TrainPlan, read_info, train
from asrdq.versions import derive_manifest
from asrdq.workspace.store import quote_name, quote_text

if TYPE_CHECKING:
    from asrdq.recipes import RecipeFile
    from asrdq.training import TrainingResult
    from asrdq.workspace import ManifestVersion, Workspace

FOLDER: Final = "folds"
_WITH_CTC: Final = ("ctc", "hybrid")
_LONGEST_NAME: Final = 40


@dataclass(frozen=True)
class FoldTraining:
    """How the models of the folds are trained.

    Attributes:
        recipe: The recipe, of a CTC or a hybrid model of NeMo.
        validation: What chooses among checkpoints; its rows of a fold's speakers are left out too.
        count: Folds.
        base: Another model to start from than that of the recipe.
        device: `auto`, `cpu`, `cuda`, `cuda:1`.
        max_steps: Optimiser steps after which each training ends.
        folder: Where models lie; None: `folds/` in the workspace.
    """

    recipe: RecipeFile
    validation: ManifestVersion
    count: int = 5
    base: str | None = None
    device: str = "auto"
    max_steps: int | None = None
    folder: Path | None = None

    def place(self, workspace: Workspace, manifest: ManifestVersion) -> Path:
        """Return the folder of exactly these trainings, a base on a disk by its content.

        Raises:
            UsageError: The workspace is not on a disk, and no folder was named.
            ToolError: The base cannot be read.
        """
        base = self.base or self.recipe.recipe.model.base
        file = Path(base).expanduser()
        parts = {
            "train": manifest.fingerprint,
            "validation": self.validation.fingerprint,
            "recipe": self.recipe.recipe.model_dump(mode="json"),
            "base": content_hash(file) if file.exists() else base,
            "max_steps": self.max_steps,
            "count": self.count,
        }
        digest = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:8]
        if self.folder is None and not isinstance(workspace.root, Path):
            raise UsageError(
                "models lie on a disk, and the workspace does not",
                hint="--fold-folder DIR names a folder for them",
            )
        folder = self.folder or Path(str(workspace.root)) / FOLDER
        return folder.absolute() / f"{manifest.name[:_LONGEST_NAME]}-{digest}"


def train_folds(
    workspace: Workspace, manifest: ManifestVersion, plan: FoldTraining, *, stage: Stage = silent
) -> list[FoldModel] | TrainingResult:
    """Train the model of each fold, or go on with those that are not finished.

    Training and validation manifest are derived without the speakers of the fold and handed off
    without a verdict, since it is these models that judge.

    Returns:
        The folds, also written as `folds.yaml` beside the models; or the training that was
        stopped: the same call goes on with it.

    Raises:
        UsageError: The recipe is for a model that cannot align, or there are too few speakers.
        DataError: Rows have no speaker, nothing is left of a manifest, or the lint refuses.
        ToolError: A package, the base model or the device is missing, or a training failed.
    """
    family = plan.recipe.recipe.model.family
    if family not in _WITH_CTC or plan.recipe.recipe.backend != "nemo":
        raise UsageError(
            f"the recipe {plan.recipe.recipe.name} makes a model of the family {family}, which "
            "does not align",
            hint=f"a recipe for nemo of the family {' or '.join(_WITH_CTC)}",
        )
    groups = group_speakers(workspace, manifest, plan.count)
    place = plan.place(workspace, manifest)
    folds = []
    for number, speakers in enumerate(groups, start=1):
        name = f"fold-{number}"
        run_dir = place / name / "run"
        before = read_info(run_dir)
        if before is None or before.state != "finished":
            console.say(f"{name} of {len(groups)}: without {', '.join(speakers[:5])}", "bold")
            trained = _train(workspace, manifest, plan, place / name, speakers, stage)
            free_memory()
            if not trained.finished:
                return trained
        folds.append(FoldModel(name, speakers, run_dir))
    write_folds(place / FOLDS_FILE, folds)
    return folds


def _train(
    workspace: Workspace,
    manifest: ManifestVersion,
    plan: FoldTraining,
    place: Path,
    speakers: tuple[str, ...],
    stage: Stage,
) -> TrainingResult:
    asked = Asked(
        workspace=workspace,
        train=_without(workspace, manifest, place.name, speakers),
        validation=_without(workspace, plan.validation, place.name, speakers),
        recipe=plan.recipe,
        backend="nemo",
        out=place / "bundle",
        judge=True,
    )
    bundle_id = bundle_there(workspace, asked, asked.out)
    if bundle_id is None:
        asked.out.parent.mkdir(parents=True, exist_ok=True)
        bundle_id = hand_off(asked, stage=stage).bundle_id
    training = TrainPlan(
        asked.out,
        run_dir=place / "run",
        device=plan.device,
        base=plan.base,
        max_steps=plan.max_steps,
        bundle_id=bundle_id,
        name=f"{place.parent.name}-{place.name}",
    )
    return train(training, workspace, stage=stage)


def _without(
    workspace: Workspace, manifest: ManifestVersion, fold: str, speakers: tuple[str, ...]
) -> ManifestVersion:
    """Return the version of a manifest without some speakers; identical content makes none anew."""
    own = ", ".join(quote_text(name) for name in speakers)
    query = f"SELECT * FROM {quote_name(str(manifest))} WHERE speaker NOT IN ({own})"
    name = f"{manifest.name[:_LONGEST_NAME]}-without-{fold}"
    return derive_manifest(workspace, name, query).manifest
