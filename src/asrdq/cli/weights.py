"""`asrdq weights`: temperature weights of nested groups, and NeMo's input_cfg."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from asrdq import console
from asrdq.cli.options import FormatOption, ManifestArgument, WorkspaceOption
from asrdq.cli.output import Format, emit, render


def weights(
    manifest: ManifestArgument,
    by: Annotated[
        str, typer.Option("--by", metavar="COLUMN[,COLUMN…]", help="Levels, the outer one first.")
    ],
    temperature: Annotated[
        str,
        typer.Option(
            "--temperature",
            metavar="τ[,τ…]",
            help="Exponent of each level, or one for all: 0 alike, 1 by size.",
        ),
    ] = "0.5",
    unit: Annotated[
        Literal["hours", "rows"], typer.Option("--unit", help="What the size of a group is.")
    ] = "hours",
    out: Annotated[
        str | None,
        typer.Option("--out", "-o", metavar="DIR", help="Write input_cfg.yaml and its manifests."),
    ] = None,
    output: FormatOption = Format.TABLE,
    workspace: WorkspaceOption = ".",
) -> None:
    """Weigh groups within groups: p = size^τ ÷ Σ size^τ at every level.

    With --out, each innermost group becomes a NeMo manifest, and `input_cfg.yaml` names them
    with their weights for NeMo's Lhotse data loader.

    Example: `asrdq weights train --by language,domain --temperature 0.2,0.5 --out blend`
    """
    from asrdq.places import place
    from asrdq.sampling.input_cfg import write_input_cfg
    from asrdq.sampling.weights import weigh_groups
    from asrdq.workspace import Workspace

    opened = Workspace.open(workspace)
    version = opened.manifest(manifest)
    columns = [name.strip() for name in by.split(",")]
    result = weigh_groups(opened, version, columns, _numbers(temperature), unit=unit)
    if output is Format.JSON:
        emit(result, output)
    else:
        shown = ["level", "group", "rows", "hours", "weight", "probability"]
        render(result.groups.select(shown), output)
    if out is None:
        console.next_step(f"asrdq weights {manifest} --by {by} --out DIR", "for NeMo's loader")
        return
    with console.progress("weights", version.rows, "rows") as bar:
        written = write_input_cfg(opened, version, result, place(out), advance=bar.advance)
    for note in written.notes:
        console.warn(note)
    console.say(f"wrote {written.path}")
    console.next_step(
        f"model.train_ds.input_cfg={written.path}", "in the training configuration of NeMo"
    )


def _numbers(text: str) -> list[float]:
    from asrdq.errors import UsageError

    try:
        return [float(part) for part in text.split(",")]
    except ValueError as error:
        raise UsageError(
            f"--temperature '{text}' is not a list of numbers", hint="write 0.2,0.5, say"
        ) from error
