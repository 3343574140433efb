"""`asrdq split`: a manifest becomes sides that share nothing they should not share."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from asrdq import console
from asrdq.cli.options import FormatOption, ManifestArgument, SeedOption, WorkspaceOption
from asrdq.cli.output import Format, emit, render

if TYPE_CHECKING:
    import pyarrow as pa

    from asrdq.splitting import SplitPlan, SplitResult


def split(
    manifest: ManifestArgument,
    side: Annotated[
        list[str] | None,
        typer.Option("--side", metavar="NAME=SIZE", help="A side: 10%, 500 (rows), 20h; repeat."),
    ] = None,
    rest: Annotated[str, typer.Option("--rest", help="Name of the side of all other rows.")] = (
        "train"
    ),
    strata: Annotated[
        list[str] | None,
        typer.Option(
            "--strata", metavar="COLUMN", help="Same mixture on every side; repeat, or a,b,c."
        ),
    ] = None,
    disjoint: Annotated[
        list[str] | None,
        typer.Option(
            "--disjoint", metavar="COLUMN", help="No value on two sides; repeat, or a,b,c."
        ),
    ] = None,
    preset: Annotated[
        Literal["term-aware"] | None, typer.Option("--preset", help="A ready-made split.")
    ] = None,
    priority: Annotated[
        list[str] | None,
        typer.Option("--priority", metavar="STRATUM", help="Refuse it below 5 rows; repeat."),
    ] = None,
    at_least: Annotated[
        int, typer.Option("--at-least", min=0, help="Least rows of each stratum on a sized side.")
    ] = 0,
    tolerance: Annotated[
        float, typer.Option("--tolerance", help="By what share a side may miss its size.")
    ] = 0.05,
    closest: Annotated[
        bool, typer.Option("--closest", help="Write the nearest sizes that were found.")
    ] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Leave the former split out of account.")
    ] = False,
    prefix: Annotated[
        str | None, typer.Option("--prefix", help="Sides are PREFIX_SIDE; default: the manifest.")
    ] = None,
    seed: SeedOption = None,
    output: FormatOption = Format.TABLE,
    workspace: WorkspaceOption = ".",
) -> None:
    """Split a manifest by rows or hours, stratified, and disjoint by any groups at once.

    Columns may be SQL expressions; `recording` stands for the audio path. Each side is a manifest
    `MANIFEST_SIDE`. Rows keep their side when the grown manifest is split again. Sizes that the
    groups make impossible end with 1, and the message says what is possible.

    Example: `asrdq split train --side validation=20h --side test=30h --strata domain --disjoint
    speaker,text`
    """
    from asrdq.splitting import SideTarget, SplitPlan, split_manifest
    from asrdq.workspace import Workspace

    opened = Workspace.open(workspace)
    version = opened.manifest(manifest)
    number = opened.settings.sampling.seed if seed is None else seed
    if preset:
        _refuse_beside_preset(side, strata, disjoint, at_least)
        plan = dataclasses.replace(
            SplitPlan.term_aware(seed=number, priority=priority or ()),
            rest=rest,
            tolerance=tolerance,
            closest=closest,
        )
    else:
        plan = SplitPlan(
            sides=[SideTarget.parse(text) for text in side or []],
            rest=rest,
            strata=columns(strata, version.columns),
            disjoint=columns(disjoint, version.columns),
            seed=number,
            at_least_rows=at_least,
            tolerance=tolerance,
            closest=closest,
            priority=priority or (),
        )
    with console.progress("split", 2 * version.rows, "rows") as bar:
        result = split_manifest(
            opened, version, plan, prefix=prefix, fresh=fresh, advance=bar.advance
        )
    if output is Format.JSON:
        emit(result, output)
    else:
        render(_shown(result, plan), output)
    _tell(result, plan)


def _shown(result: SplitResult, plan: SplitPlan) -> pa.Table:
    """Return sizes by side, and then by stratum: of the sides with a size first."""
    import pyarrow as pa
    import pyarrow.compute as pc

    names = ["side", "side_manifest", "stratum", "asked_rows", "rows", "asked_hours", "hours"]
    whole = result.sides.filter(pc.field("stratum").is_null())
    parts = result.sides.filter(pc.field("stratum").is_valid())
    rest = pc.field("side") == plan.rest
    kept = [whole, parts.filter(~rest), parts.filter(rest)] if plan.strata else [whole]
    return pa.concat_tables(kept).select(names)


def columns(given: list[str] | None, known: tuple[str, ...]) -> list[str]:
    """Return the columns and expressions of a repeated option.

    A text with commas is a list of columns where each part is a plain name, else one expression.
    """
    found = []
    for text in given or []:
        parts = [part.strip() for part in text.split(",")]
        plain = all(part in known or part.replace("_", "").isalnum() for part in parts)
        found += parts if plain else [text]
    return list(dict.fromkeys(found))


def _refuse_beside_preset(*given: object) -> None:
    from asrdq.errors import UsageError

    if any(given):
        raise UsageError(
            "a preset says sides, strata and groups itself",
            hint="leave out --side, --strata, --disjoint and --at-least, or leave out --preset",
        )


def _farthest(result: SplitResult) -> list[str]:
    """Return in words which stratum of each side with a size misses its own by most."""
    farthest: dict[str, tuple[float, str]] = {}
    for row in result.sides.to_pylist():
        by_hours = row["asked_hours"] is not None
        asked, got = (
            (row["asked_hours"], row["hours"]) if by_hours else (row["asked_rows"], row["rows"])
        )
        if row["stratum"] is None or asked is None:
            continue
        unit = "h" if by_hours else "rows"
        said = f"{row['stratum']} has {got:,.4g} {unit}, asked were {asked:,.4g}"
        farthest[row["side"]] = max(farthest.get(row["side"], (-1.0, "")), (abs(got - asked), said))
    return [f"{side}, the stratum farthest off: {said}" for side, (_, said) in farthest.items()]


def _tell(result: SplitResult, plan: SplitPlan) -> None:
    for line in (*result.missed, *result.notes):
        console.warn(line)
    if plan.strata:
        for line in _farthest(result):
            console.say(line)
    if result.moved:
        console.warn(f"{result.moved:,} rows changed sides: new rows joined groups of two sides")
    if result.kept:
        console.say(f"{result.kept:,} rows have the side of the former split")
    names = ", ".join(result.manifests.values())
    console.say(f"{result.components:,} components of {result.manifest} became {names}")
    train, other = result.manifests[plan.rest], result.manifests[plan.sides[0].name]
    console.next_step(f"asrdq leaks {train} {other}", "is anything on both sides all the same?")
