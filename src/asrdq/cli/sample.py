"""`asrdq sample`: draw a stratified sample for an audit."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from asrdq import console
from asrdq.cli.options import FormatOption, ManifestArgument, SeedOption, WorkspaceOption
from asrdq.cli.output import Format, render

if TYPE_CHECKING:
    from asrdq.sampling import SampleResult, SamplingPlan
    from asrdq.settings import SamplingSettings

StrataOption = Annotated[
    str | None,
    typer.Option(
        "--strata",
        metavar="COLUMN[,COLUMN…]",
        help="Columns whose values are the strata; rules stand in asrdq.yaml.",
    ),
]
AllocationOption = Annotated[
    Literal["shares", "proportional", "equal", "neyman"] | None,
    typer.Option("--allocation", help="How the sample is split over strata."),
]
AtLeastOption = Annotated[
    int, typer.Option("--at-least", min=0, help="Least number of clips of each stratum.")
]
ShareOption = Annotated[
    list[str] | None,
    typer.Option("--share", metavar="STRATUM=0.4", help="Share of a stratum; repeat it."),
]
FractionOption = Annotated[
    float | None, typer.Option("--fraction", help="Share of the rows, above 0 to 1.")
]
RowsOption = Annotated[int | None, typer.Option("--rows", min=1, help="Number of clips.")]
HoursOption = Annotated[float | None, typer.Option("--hours", help="Hours of audio.")]


def sample(
    manifest: ManifestArgument,
    strata: StrataOption = None,
    allocation: AllocationOption = None,
    share: ShareOption = None,
    fraction: FractionOption = None,
    rows: RowsOption = None,
    hours: HoursOption = None,
    at_least: AtLeastOption = 0,
    seed: SeedOption = None,
    output: FormatOption = Format.TABLE,
    workspace: WorkspaceOption = ".",
) -> None:
    """Draw a stratified sample; what is not said stands in `asrdq.yaml`.

    The same seed draws the same clips on any machine, also after rows were appended. Allocation
    `neyman` gives strata in which the latest audit found more spread a larger part.

    Example: `asrdq sample train --strata domain --allocation equal --rows 600`
    """
    from asrdq.sampling import draw_sample
    from asrdq.workspace import Workspace

    opened = Workspace.open(workspace)
    version = opened.manifest(manifest)
    plan = sampling_plan(
        opened.settings.sampling, strata, allocation, share or [], fraction, rows, hours, seed
    )
    plan = dataclasses.replace(plan, at_least_rows=at_least)
    result = draw_sample(opened, version, plan)
    if output is Format.JSON:
        print(result.to_json())
    else:
        keep = ("stratum", "population_rows", "asked_rows", "drawn_rows", "drawn_hours")
        render(result.strata.select([*keep, "inclusion_probability"]), output)
    warn_of_short_strata(result)
    console.say(f"drew {result.clips.num_rows:,} of {version.rows:,} clips of {version}")
    console.next_step(f"asrdq audit {manifest}", "align these clips and judge them")


def warn_of_short_strata(result: SampleResult) -> None:
    """Tell which strata gave less than they were asked for, or nothing, or do not exist."""
    for name in result.unmatched_rules():
        console.warn(f"no row falls under the rule '{name}': the other strata give its share")
    for row in result.strata.to_pylist():
        if row["drawn_rows"] + 1 < row["asked_rows"]:
            console.warn(
                f"{row['stratum']} has {row['drawn_rows']:,} clips of the "
                f"{row['asked_rows']:,.0f} asked for; the others give the rest"
            )
        if row["drawn_rows"] == 0:
            console.warn(f"{row['stratum']} gives no clip: a gate will be undecided about it")


def sampling_plan(
    settings: SamplingSettings,
    strata: str | None,
    allocation: Literal["shares", "proportional", "equal", "neyman"] | None,
    share: list[str],
    fraction: float | None,
    rows: int | None,
    hours: float | None,
    seed: int | None,
) -> SamplingPlan:
    """Return the plan of the command line over that of `asrdq.yaml`.

    Raises:
        UsageError: A share is not NAME=NUMBER, or more than one size is said.
    """
    from asrdq.sampling import SamplingPlan

    columns = None if strata is None else [name.strip() for name in strata.split(",")]
    sized = any(size is not None for size in (fraction, rows, hours))
    shares = dict(map(_share, share)) if share else None
    said = allocation or ("shares" if shares else None)
    inherited = settings.allocation if columns is None else "proportional"
    return SamplingPlan(
        strata=settings.strata if columns is None else columns,
        allocation=said or inherited,
        fraction=fraction if sized else settings.fraction,
        rows=rows,
        hours=hours,
        seed=settings.seed if seed is None else seed,
        shares=shares,
    )


def _share(text: str) -> tuple[str, float]:
    from asrdq.errors import UsageError

    name, equals, number = text.rpartition("=")
    try:
        value = float(number)
    except ValueError:
        value = -1.0
    if not equals or not 0.0 <= value <= 1.0:
        raise UsageError(
            f"--share '{text}' is not STRATUM=NUMBER", hint="write --share clean=0.4, say"
        )
    return name, value
