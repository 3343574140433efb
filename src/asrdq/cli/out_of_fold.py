"""Options of `asrdq audit --out-of-fold`, and what they ask for."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from asrdq import console
from asrdq.errors import UsageError

if TYPE_CHECKING:
    from asrdq.audit import AuditPlan, AuditResult
    from asrdq.folds import FoldModel, FoldTraining
    from asrdq.workspace import Workspace

FOLDS = 5

OutOfFoldOption = Annotated[
    Literal["speaker"] | None,
    typer.Option(
        "--out-of-fold", help="Judge each speaker by a model that has not heard them; needs ctc."
    ),
]
FoldModelsOption = Annotated[
    str | None,
    typer.Option(
        "--fold-models",
        metavar="FILE",
        help="Out of fold: a file of speakers and models, or a folder with folds.yaml.",
    ),
]
UnknownOriginOption = Annotated[
    bool,
    typer.Option(
        "--unknown-origin",
        help="Out of fold: take models though nobody knows what they heard; the audit says so.",
    ),
]
FoldsOption = Annotated[
    int | None,
    typer.Option(
        "--folds",
        min=2,
        help="Out of fold: models to train, one a fold.",
        show_default=str(FOLDS),
    ),
]
RecipeOption = Annotated[
    str | None,
    typer.Option(
        "--recipe", "-r", metavar="RECIPE", help="Out of fold: how the models are trained."
    ),
]
ValidationOption = Annotated[
    str | None,
    typer.Option("--val", metavar="MANIFEST", help="Out of fold: what trainings validate on."),
]
BaseOption = Annotated[
    str | None,
    typer.Option("--base", metavar="MODEL", help="Out of fold: what trainings start from."),
]
FoldFolderOption = Annotated[
    str | None,
    typer.Option(
        "--fold-folder",
        metavar="DIR",
        help="Out of fold: where trained models lie; default: folds/.",
    ),
]


@dataclass(frozen=True)
class OutOfFold:
    """What the command line says about folds."""

    by: str | None = None
    models: str | None = None
    unknown_origin: bool = False
    count: int | None = None
    recipe: str | None = None
    validation: str | None = None
    base: str | None = None
    folder: str | None = None

    def check(self) -> None:
        """Refuse options that say nothing, or two things.

        Raises:
            UsageError: They do.
        """
        trains = self.recipe or self.validation or self.base or self.folder or self.count
        if self.by is None:
            if self.models or self.unknown_origin or trains:
                raise UsageError(
                    "--fold-models, --unknown-origin, --folds, --recipe, --val, --base and "
                    "--fold-folder are for audits out of fold",
                    hint="--out-of-fold speaker",
                )
        elif self.models and trains:
            raise UsageError("--fold-models takes models, and --recipe trains them: one of them")
        elif not self.models and not (self.recipe and self.validation):
            raise UsageError(
                "which models judge out of fold?",
                hint="--fold-models FILE takes some; --recipe RECIPE --val MANIFEST trains them",
            )

    def wanted(self, workspace: Workspace, device: str) -> list[FoldModel] | FoldTraining:
        """Return the models, or how they are trained."""
        from asrdq.folds import FoldTraining, read_folds
        from asrdq.places import on_disk
        from asrdq.recipes import read_recipe_file

        if self.models:
            return read_folds(on_disk(self.models))
        assert self.recipe is not None and self.validation is not None  # checked
        return FoldTraining(
            recipe=read_recipe_file(self.recipe, workspace),
            validation=workspace.manifest(self.validation),
            count=self.count or FOLDS,
            base=self.base,
            device=device,
            folder=on_disk(self.folder) if self.folder else None,
        )


def run_out_of_fold(
    workspace: Workspace, manifest: str, plan: AuditPlan, asked: OutOfFold, workers: int
) -> AuditResult:
    """Audit out of fold with progress bars; what was stopped while it trained ends the command.

    Raises:
        typer.Exit: A training was stopped; its code is that of `asrdq train`.
    """
    from asrdq.audit import AuditResult
    from asrdq.cli.stages import stage
    from asrdq.folds import audit_out_of_fold

    found = audit_out_of_fold(
        workspace,
        workspace.manifest(manifest),
        plan,
        asked.wanted(workspace, plan.options.device),
        accept_unknown=asked.unknown_origin,
        workers=workers,
        stage=stage,
        training_stage=console.progress,
    )
    if isinstance(found, AuditResult):
        return found
    print(found.summary())
    console.next_step(
        f"asrdq checkpoints {shlex.quote(found.run_dir)}",
        "says how it stands; the same audit goes on with the training",
    )
    raise typer.Exit(found.exit_code)
