"""`asrdq cut`: long recordings become pieces that fit a trainer."""

from __future__ import annotations

from typing import Annotated

import typer

from asrdq import console
from asrdq.cli.audit import AlignerOption, BatchOption, DeviceOption
from asrdq.cli.options import (
    AddressOption,
    EngineOption,
    FormatOption,
    ManifestArgument,
    WorkersOption,
    WorkspaceOption,
)
from asrdq.cli.output import Format, emit_in_words


def cut(
    manifest: ManifestArgument,
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the new manifest is called.")],
    longest: Annotated[
        float,
        typer.Option("--max", metavar="SECONDS", min=0.5, help="Greatest length of a piece."),
    ],
    pause: Annotated[
        float,
        typer.Option("--pause", metavar="SECONDS", min=0.03, help="Least silence at a cut."),
    ] = 0.2,
    aligner: AlignerOption = None,
    device: DeviceOption = None,
    batch_size: BatchOption = None,
    workers: WorkersOption = 0,
    engine: EngineOption = None,
    address: AddressOption = None,
    output: FormatOption = Format.TABLE,
    workspace: WorkspaceOption = ".",
) -> None:
    """Cut long recordings at pauses, each piece with exactly the words spoken in it.

    Words are placed by the aligner; what an audit aligned is not aligned again. A cut lies where
    there is silence between two placed words. What cannot be cut so is kept back, with its reason
    in the table `cuts`; rows up to `--max` stay as they are. The new manifest has a column
    `cut_from`, and its lineage.

    Example: `asrdq cut train train_cut --max 15`
    """
    from asrdq.cli.auditing import chosen_aligner
    from asrdq.cli.engines import cluster_of, working_on
    from asrdq.cli.stages import stage
    from asrdq.cutting import CutPlan, cut_manifest
    from asrdq.workspace import Workspace

    opened = Workspace.open(workspace)
    options = chosen_aligner(opened.settings.audit, aligner, device, batch_size)
    cluster = cluster_of(opened.settings, engine, address)
    with working_on(cluster):
        result = cut_manifest(
            opened,
            opened.manifest(manifest),
            name,
            CutPlan(options, longest, pause, cluster),
            workers=workers or opened.settings.workers,
            stage=stage,
        )
    emit_in_words(result, output)
    kept_back = result.kept_back()
    if kept_back:
        said = ", ".join(f"{reason} {count:,}" for reason, (count, _) in kept_back.items())
        console.warn(f'kept back: {said}; asrdq sql "FROM cuts WHERE kept_back IS NOT NULL"')
    for note in result.derived.notes:
        console.warn(note)
    console.next_step(f"asrdq audit {name}", "do the pieces hold what their texts say?")
