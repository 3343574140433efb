"""`asrdq cycle`: one round, from the hand-off to the advice."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from asrdq import console
from asrdq.cli.compare import ByOption, CriteriaOption, GuardOption, MetricOption
from asrdq.cli.comparing import listed
from asrdq.cli.options import (
    NormaliserOption,
    PolicyOption,
    PublicKeyOption,
    ResultFormatOption,
    SeedOption,
    WorkersOption,
    WorkspaceOption,
)
from asrdq.cli.training_options import (
    AllowOption,
    AllowOverrideOption,
    BackendOption,
    BaseOption,
    DeviceOption,
    RecipeOption,
    TrainArgument,
    ValidationOption,
    read_asked,
)


def cycle(
    train: TrainArgument,
    val: ValidationOption,
    recipe: RecipeOption,
    evaluation: Annotated[
        str | None,
        typer.Option("--eval", metavar="MANIFEST", help="What both models are measured on."),
    ] = None,
    backend: BackendOption = "nemo",
    trainer: Annotated[
        str | None, typer.Option("--trainer", help="A plug-in that trains instead.")
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", help="Name of the cycle; default: TRAIN-RECIPE.")
    ] = None,
    folder: Annotated[
        str | None,
        typer.Option("--folder", metavar="DIR", help="Where rounds lie; default: cycles/."),
    ] = None,
    base: BaseOption = None,
    device: DeviceOption = "auto",
    max_steps: Annotated[
        int | None,
        typer.Option("--max-steps", min=1, help="End training after so many steps."),
    ] = None,
    allow: AllowOption = None,
    by: ByOption = None,
    normaliser: NormaliserOption = "basic",
    metric: MetricOption = "wer",
    guard: GuardOption = None,
    criteria: CriteriaOption = None,
    ids: Annotated[
        Literal["strict", "empty", "common"],
        typer.Option("--ids", help="Rows without a hypothesis: refuse, count as empty, leave out."),
    ] = "strict",
    map_: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="/HERE=/THERE", help="Rewrite audio paths; repeat it."),
    ] = None,
    gpus: Annotated[
        str | None, typer.Option("--gpus", metavar="2xA100-40", help="The GPUs it is planned for.")
    ] = None,
    policy: PolicyOption = None,
    public_key: PublicKeyOption = None,
    allow_override: AllowOverrideOption = False,
    new_round: Annotated[
        bool,
        typer.Option("--new-round", help="Begin another round though this content has had one."),
    ] = False,
    seed: SeedOption = None,
    workers: WorkersOption = 0,
    output: ResultFormatOption = "table",
    workspace: WorkspaceOption = ".",
) -> int:
    """Hand off, train, transcribe before and after, score, compare, and say what to do next.

    Each stage is what its own verb does. Stopped or killed at any moment, the same command goes on
    at the first stage that is not done; of a round that is complete it shows the decision. Other
    data, another recipe or base make the next round, compared with the one before.

    Exit codes: those of `compare` (KEEP 0, what is worse or too little 1, what the data cannot
    tell 4), 1 where the hand-off is refused, and those of `train` where the training is stopped.

    Example: `asrdq cycle train --val val --eval test --recipe parakeet-tdt-sft --by domain`
    """
    from asrdq.cycles import CyclePlan, run_cycle
    from asrdq.places import on_disk, place
    from asrdq.rounds import ComparePlan, read_criteria
    from asrdq.rounds.scope import read_guards
    from asrdq.scoring.plan import ScorePlan
    from asrdq.workspace import Workspace

    opened = Workspace.open(workspace)
    guards, guard_each = read_guards(guard or [])
    asked = read_asked(
        opened,
        train,
        val,
        recipe,
        backend,
        paths=map_,
        gpus=gpus,
        policy=policy,
        public_key=public_key,
        allow_override=allow_override,
    )
    random = opened.settings.sampling.seed if seed is None else seed
    plan = CyclePlan(
        asked=asked,
        name=name,
        evaluation=opened.manifest(evaluation) if evaluation else None,
        trainer=trainer,
        folder=on_disk(folder) if folder else None,
        base=base,
        device=device,
        allow=frozenset(allow or ()),
        max_steps=max_steps,
        score=ScorePlan(by=listed(by), normaliser=normaliser, ids=ids, seed=random),
        compare=ComparePlan(
            by=listed(by),
            metric=metric,
            guards=guards,
            guard_each=guard_each,
            criteria=read_criteria(place(criteria)) if criteria else None,
            train=str(asked.train),
            ids="common" if ids == "common" else "strict",
            seed=random,
        ),
        new_round=new_round,
        workers=workers or opened.settings.workers,
    )
    result = run_cycle(opened, plan, stage=console.progress)
    print(result.to_json() if output == "json" else result.summary())
    console.next_step(result.next_command, result.route or "shows how far it came")
    return result.exit_code
