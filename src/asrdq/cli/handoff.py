"""`asrdq handoff`: audited data becomes a bundle that a trainer can run, and proves itself."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Annotated

import typer
from typer.core import TyperGroup

from asrdq import console
from asrdq.cli.options import PolicyOption, PublicKeyOption, ResultFormatOption, WorkspaceOption
from asrdq.cli.training_options import (
    AllowOverrideOption,
    BackendOption,
    RecipeOption,
    TrainArgument,
    ValidationOption,
    read_asked,
)
from asrdq.cli.verbs import new_group

if TYPE_CHECKING:
    from asrdq.handoff import HandoffResult

handoff = new_group()


class _MakeByDefault(TyperGroup):
    """`asrdq handoff train …` is `asrdq handoff make train …`."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        """Put `make` before what is neither a sub-verb nor a question for help."""
        if args and args[0] not in {*self.commands, "--help", "-h"}:
            args = ["make", *args]
        return super().parse_args(ctx, args)


@handoff.callback(cls=_MakeByDefault)
def about() -> None:
    """Hand audited data to a trainer, as a folder that proves itself; verify such a folder.

    Example: `asrdq handoff train --val val --recipe smoke --backend nemo --out bundle/`, then
    `asrdq handoff verify bundle/`
    """


@handoff.command("make")
def make(
    train: TrainArgument,
    val: ValidationOption,
    recipe: RecipeOption,
    out: Annotated[
        str, typer.Option("--out", "-o", metavar="DIR", help="The bundle: a folder, new or empty.")
    ],
    backend: BackendOption = "nemo",
    map_: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="/HERE=/THERE",
            help="Rewrite audio paths that begin so for where they will run; repeat it.",
        ),
    ] = None,
    gpus: Annotated[
        str | None,
        typer.Option("--gpus", metavar="2xA100-40", help="The GPUs: gives time, cost, commands."),
    ] = None,
    policy: PolicyOption = None,
    public_key: PublicKeyOption = None,
    hash_audio: Annotated[
        bool, typer.Option("--hash-audio", help="Record the bytes of every audio file.")
    ] = False,
    allow_override: AllowOverrideOption = False,
    output: ResultFormatOption = "table",
    workspace: WorkspaceOption = ".",
) -> None:
    """Write a bundle, if the gate is green for exactly this content and nothing else is against it.

    Refused (exit code 1, with every reason, its id and the command that mends it) unless the
    verdict stands, is signed where that is asked for, training and validation share nothing, the
    lint finds no error, and all audio is there. The bundle has manifests, configuration, launch
    scripts, provenance and a README.

    Example: `asrdq handoff make train --val val --recipe parakeet-tdt-sft --gpus l40s --map
    /home/me/data=/data --out bundle/`
    """
    from asrdq.handoff import hand_off
    from asrdq.workspace import Workspace

    asked = read_asked(
        Workspace.open(workspace),
        train,
        val,
        recipe,
        backend,
        out=out,
        paths=map_,
        gpus=gpus,
        policy=policy,
        public_key=public_key,
        allow_override=allow_override,
        hash_audio=hash_audio,
    )
    result = hand_off(asked, stage=console.progress)
    print(result.to_json() if output == "json" else result.summary())
    _advise(result)


def _advise(result: HandoffResult) -> None:
    for note in result.notes:
        console.warn(note)
    bundle = shlex.quote(result.bundle)
    console.next_step(
        f"asrdq handoff verify {bundle} --id {result.bundle_id}", "also there, before it trains"
    )


@handoff.command("verify")
def verify(
    bundle: Annotated[str, typer.Argument(metavar="BUNDLE", help="The folder.")] = ".",
    no_audio: Annotated[
        bool, typer.Option("--no-audio", help="Do not look for the audio: the files alone.")
    ] = False,
    bundle_id: Annotated[
        str | None,
        typer.Option("--id", metavar="HASH", help="The id that the hand-off has shown."),
    ] = None,
    output: ResultFormatOption = "table",
) -> int:
    """Find every file of a bundle that was changed, lost or added, and audio that is not there.

    It needs no workspace, and `python3 verify.py` in the bundle does the same without asrdq. Exit
    codes: 0 all as handed off, 1 something is not (it is named), 3 there is no bundle.

    Example: `asrdq handoff verify bundle/ --id 4f1c…`
    """
    from asrdq.errors import ToolError
    from asrdq.handoff import NothingToVerifyError, verify_bundle

    try:
        with console.progress("look at audio", None, "files") as bar:
            found = verify_bundle(
                bundle, audio=not no_audio, expected_id=bundle_id, advance=bar.advance
            )
    except NothingToVerifyError as error:
        raise ToolError(str(error), hint="asrdq handoff verify BUNDLE") from error
    print(json.dumps(found.to_dict()) if output == "json" else found.summary())
    if not found.findings:
        console.next_step(f"cat {shlex.quote(f'{bundle}/README.md')}", "how it is run")
    return found.exit_code()
