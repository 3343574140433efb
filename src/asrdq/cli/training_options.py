"""Options shared by verbs that hand off, train or look at a run, and the hand-off they ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from asrdq.handoff import Asked
    from asrdq.workspace import Workspace

Backend = Literal["nemo", "qwen"]

TrainArgument = Annotated[str, typer.Argument(metavar="TRAIN", help="What is trained on.")]
ValidationOption = Annotated[
    str, typer.Option("--val", metavar="MANIFEST", help="What is validated on.")
]
RecipeOption = Annotated[
    str, typer.Option("--recipe", "-r", metavar="RECIPE", help="A recipe: its name or file.")
]
BackendOption = Annotated[Backend, typer.Option("--backend", "-b", help="What trains.")]

BaseOption = Annotated[
    str | None,
    typer.Option("--base", metavar="MODEL", help="Start from another model than the recipe's."),
]
DeviceOption = Annotated[str, typer.Option("--device", help="`auto`, `cpu`, `cuda`, `cuda:1`.")]
AllowOption = Annotated[
    list[str] | None,
    typer.Option("--allow", metavar="RULE", help="Let a rule pass; kept beside the run."),
]
AllowOverrideOption = Annotated[
    bool,
    typer.Option("--allow-override", help="Let a STOP pass that a sign-off has overridden."),
]

RunArgument = Annotated[str, typer.Argument(metavar="RUN", help="The folder of a training run.")]


def read_asked(
    workspace: Workspace,
    train: str,
    val: str,
    recipe: str,
    backend: Backend,
    *,
    paths: list[str] | None,
    gpus: str | None,
    policy: str | None,
    public_key: str | None,
    allow_override: bool,
    out: str = ".",
    hash_audio: bool = False,
) -> Asked:
    """Return the hand-off that options ask for: manifests, recipe and key are read."""
    from asrdq.gates import read_public_key
    from asrdq.handoff import Asked
    from asrdq.manifests import PathMap
    from asrdq.places import on_disk, place
    from asrdq.recipes import read_recipe_file

    return Asked(
        workspace=workspace,
        train=workspace.manifest(train),
        validation=workspace.manifest(val),
        recipe=read_recipe_file(recipe, workspace),
        backend=backend,
        out=on_disk(out),
        path_map=PathMap.parse(paths or []),
        policy_file=place(policy) if policy else None,
        public_key=read_public_key(on_disk(public_key)) if public_key else None,
        allow_override=allow_override,
        hash_audio=hash_audio,
        gpus=gpus,
    )
