"""Options that verbs share which hand data to a trainer, train, or look at a run."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

TrainArgument = Annotated[str, typer.Argument(metavar="TRAIN", help="What is trained on.")]
ValidationOption = Annotated[
    str, typer.Option("--val", metavar="MANIFEST", help="What is validated on.")
]
RecipeOption = Annotated[
    str, typer.Option("--recipe", "-r", metavar="RECIPE", help="A recipe: its name or file.")
]
BackendOption = Annotated[
    Literal["nemo", "qwen"], typer.Option("--backend", "-b", help="What trains.")
]

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
