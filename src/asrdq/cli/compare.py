"""`asrdq compare`: two scored rounds, what changed, and what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from asrdq import console
from asrdq.cli.comparing import listed
from asrdq.cli.options import FormatOption, SeedOption, WorkspaceOption
from asrdq.cli.output import FOR_PEOPLE, Format, emit, render

if TYPE_CHECKING:
    import pyarrow as pa

    from asrdq.rounds import Comparison

Metric = Literal["wer", "cer", "ser", "ker"]
Rows = Literal["fixed", "broken", "better", "worse", "all"]

ByOption = Annotated[
    list[str] | None,
    typer.Option("--by", metavar="COLUMN", help="Columns to group by; repeat, or a,b,c."),
]
MetricOption = Annotated[Metric, typer.Option("--metric", help="The rate that decides.")]
GuardOption = Annotated[
    list[str] | None,
    typer.Option(
        "--guard",
        metavar="COLUMN[=VALUE]",
        help="Rows that may not get worse; a column: those of each of its values.",
    ),
]
CriteriaOption = Annotated[
    str | None,
    typer.Option("--criteria", metavar="FILE", help="Success criteria: go or no-go."),
]


def compare(
    before: Annotated[str, typer.Argument(metavar="R1", help="Hypotheses of the older round.")],
    after: Annotated[str, typer.Argument(metavar="R2", help="Hypotheses of the newer round.")],
    manifest: Annotated[
        str | None,
        typer.Option("--manifest", "-m", help="The evaluation, where there are several."),
    ] = None,
    by: ByOption = None,
    metric: MetricOption = "ker",
    target: Annotated[
        list[str] | None,
        typer.Option("--target", metavar="COLUMN=VALUE", help="Rows that the round was for."),
    ] = None,
    guard: GuardOption = None,
    guard_metric: Annotated[
        Metric, typer.Option("--guard-metric", help="The rate of the guard sets.")
    ] = "wer",
    margin: Annotated[
        float, typer.Option("--margin", min=0.0, help="By how much it may rise there.")
    ] = 0.01,
    keep: Annotated[
        float, typer.Option("--keep", min=0.0, max=1.0, help="Least relative drop to keep a round.")
    ] = 0.20,
    criteria: CriteriaOption = None,
    train: Annotated[
        str | None,
        typer.Option("--train", metavar="MANIFEST", help="What the newer round was trained on."),
    ] = None,
    ids: Annotated[
        Literal["strict", "common"],
        typer.Option("--ids", help="Both have the same utterances, or compare those in common."),
    ] = "strict",
    rows: Annotated[
        Rows | None, typer.Option("--rows", help="List the utterances that changed instead.")
    ] = None,
    examples: Annotated[
        int, typer.Option("--examples", min=0, help="Alignments shown of each kind of change.")
    ] = 3,
    replicates: Annotated[
        int, typer.Option("--replicates", min=1000, help="Bootstrap replicates.")
    ] = 10_000,
    seed: SeedOption = None,
    format: FormatOption = Format.TABLE,
    workspace: WorkspaceOption = ".",
) -> int:
    """Compare two scored rounds and decide: KEEP, GROW, OVERFIT or STOP.

    A rate of a group has the change with its 95 % interval, paired by utterance and resampled by
    speaker. `--guard` and `--target` take `domain=clean|studio`; each `--guard` is its own set,
    and `--guard domain` one for each domain.

    Exit codes: KEEP (and GO) 0; OVERFIT, STOP, a drop that is too small, NO_GO 1; what the data
    cannot tell 4.

    Example: `asrdq compare r1 r2 --by domain --metric wer --guard domain=clean`
    """
    from asrdq.places import place
    from asrdq.rounds import ComparePlan, Rules, compare_rounds, read_criteria
    from asrdq.rounds.scope import read_guards, read_scope
    from asrdq.workspace import Workspace

    opened = Workspace.open(workspace)
    guards, guard_each = read_guards(guard or [])
    plan = ComparePlan(
        by=listed(by),
        metric=metric,
        target=read_scope(target or []),
        guards=guards,
        guard_each=guard_each,
        guard_metric=guard_metric,
        margin=margin,
        criteria=read_criteria(place(criteria)) if criteria else None,
        train=train,
        ids=ids,
        rules=Rules(keep=keep),
        replicates=replicates,
        seed=opened.settings.sampling.seed if seed is None else seed,
    )
    result = compare_rounds(opened, before, after, plan, manifest=manifest, stage=console.progress)
    if rows:
        render(result.changed_of(None if rows == "all" else rows), format)
    elif format in FOR_PEOPLE:
        show(result, format, examples)
    else:
        emit(result, format)
    console.next_step(f"asrdq compare {before} {after} --rows broken", "see what the round broke")
    return int(result.exit_code)


def show(result: Comparison, output: Format, examples: int) -> None:
    """Show the verdict, the changes, and some utterances with both alignments."""
    from asrdq.cli.alignments import show_alignments

    head, *rest = result.summary().splitlines()
    if output is Format.MARKDOWN:
        print("\n".join([f"**{head}**", "", *(f"- {line.strip()}" for line in rest), ""]))
    else:
        print("\n".join([head, *rest, ""]))
    render(changes(result), output)
    if examples:
        show_alignments(result, examples, markdown=output is Format.MARKDOWN)


def changes(result: Comparison) -> pa.Table:
    """Return the changes as people read them: rates in per cent, changes in points.

    Every metric is there over all utterances, the groups with the metric that decides.
    """
    import pyarrow as pa

    from asrdq.rounds.exposure import TERM_EXPOSURE

    records = [
        {
            "group": f"{row['by']}: {row['group']}" if row["by"] else row["group"],
            "metric": row["metric"].upper(),
            "rows": row["rows"],
            "before %": 100 * row["before"],
            "after %": 100 * row["after"],
            "change": 100 * row["change"],
            "95 % interval": interval(row["low"], row["high"]),
            "relative %": None if row["relative"] is None else 100 * row["relative"],
            "P(better)": row["improvement"],
            "p (Holm)": row["adjusted_p"],
            "detectable": None if row["detectable"] is None else 100 * row["detectable"],
        }
        for row in result.deltas.to_pylist()
        if not row["by"] or row["metric"] == result.target.metric or row["by"] == TERM_EXPOSURE
    ]
    return pa.Table.from_pylist(records)


def interval(low: float | None, high: float | None) -> str:
    """Return limits in points, or why there are none."""
    return (
        "one utterance" if low is None or high is None else f"{100 * low:+.2f} … {100 * high:+.2f}"
    )
