"""`asrdq score`: error rates of a set of hypotheses, by group and with intervals."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any

import typer

from asrdq import console
from asrdq.cli.options import (
    FormatOption,
    ManifestArgument,
    NormaliserOption,
    SeedOption,
    WorkspaceOption,
)
from asrdq.cli.output import FOR_PEOPLE, Format, emit, render

if TYPE_CHECKING:
    import pyarrow as pa

    from asrdq.hypotheses.ids import Ids
    from asrdq.scoring import ScoreResult
    from asrdq.workspace import ManifestVersion, Workspace

FEW_ROWS = 100
SHOWN = ("wer", "cer", "ser", "ker")
COUNTS = ("utterances", "words", "substitutions", "deletions", "insertions")


def score(
    manifest: ManifestArgument,
    hyps: Annotated[
        str,
        typer.Option(
            "--hyps", metavar="NAME|FILE", help="Hypotheses: a set, a file, or NAME=FILE."
        ),
    ],
    by: Annotated[
        list[str] | None,
        typer.Option(
            "--by",
            metavar="COLUMN[,COLUMN…]",
            help="Groups by each column; A+B by both at once; duration_bucket is one too.",
        ),
    ] = None,
    normaliser: NormaliserOption = "basic",
    equivalences: Annotated[
        str | None, typer.Option("--equivalences", metavar="FILE", help="Spelling variants.")
    ] = None,
    term: Annotated[
        str, typer.Option("--term", metavar="COLUMN", help="Column with the keywords of rows.")
    ] = "term",
    entities: Annotated[
        str, typer.Option("--entities", metavar="COLUMN", help="Column with tagged spans.")
    ] = "entities",
    blocks: Annotated[
        str,
        typer.Option(
            "--blocks",
            metavar="COLUMN",
            help="What makes utterances belong together; `utterance` for nothing.",
        ),
    ] = "speaker",
    ids: Annotated[
        str,
        typer.Option(
            "--ids", help="Where ids differ: strict refuses, empty counts, common leaves out."
        ),
    ] = "strict",
    whole_recordings: Annotated[
        bool,
        typer.Option(
            "--whole-recordings",
            help="CTM: words between clips are errors of the next clip, as in sclite.",
        ),
    ] = False,
    sample: Annotated[
        bool, typer.Option("--sample", help="Score the rows of the sample, with its weights.")
    ] = False,
    macro: Annotated[
        bool, typer.Option("--macro", help="Give the mean of the utterances' own WER too.")
    ] = False,
    seed: SeedOption = None,
    output: FormatOption = Format.TABLE,
    workspace: WorkspaceOption = ".",
) -> None:
    """Score hypotheses: WER, CER, MER, WIL, SER, KER and keywords, by group, with 95 % intervals.

    Hypotheses are joined on utt_id, or by audio path. Rates are pooled; intervals come from
    resampling speakers where they are known. The rows are in the tables `scores`, `word_edits`,
    `term_scores`, `span_scores` and `score_groups`.

    Example: `asrdq score eval --hyps r1=r1.jsonl --by domain,entity_category`
    """
    from asrdq.cli.comparing import listed
    from asrdq.scoring import ScorePlan, score_hypotheses
    from asrdq.workspace import Workspace

    opened = Workspace.open(workspace)
    version = opened.manifest(manifest)
    plan = ScorePlan(
        by=listed(by),
        normaliser=normaliser,
        equivalences=equivalences,
        term=term,
        entities=entities,
        blocks=None if blocks == "utterance" else blocks,
        ids=ids,  # type: ignore[arg-type]
        sample=sample,
        macro=macro,
        seed=opened.settings.sampling.seed if seed is None else seed,
    )
    ids_of_all = "common" if sample else plan.ids  # rows outside of it need no hypothesis
    name = _resolve(opened, version, hyps, ids_of_all, whole_recordings)
    result = score_hypotheses(opened, version, name, plan, stage=console.progress)
    if output in FOR_PEOPLE:
        show(result, output)
    else:
        emit(result, output)
    _remarks(result)
    console.next_step(f"asrdq leaderboard {name}", "see them in order, and what to do next")


def _resolve(
    workspace: Workspace,
    manifest: ManifestVersion,
    hyps: str,
    ids: Ids,
    whole_recordings: bool,
) -> str:
    """Return the name of the set that is meant; a file becomes one first."""
    from asrdq.hypotheses import resolve

    with console.progress("hypotheses", None, "MB") as bar:
        return resolve(
            workspace,
            manifest,
            hyps,
            ids=ids,
            whole_recordings=whole_recordings,
            advance=lambda count: bar.advance(count / 1e6),
            told=lambda read: console.say(read.summary()),
        )


def show(result: ScoreResult, output: Format) -> None:
    """Show counts and rates of all utterances together, then a table for each grouping."""
    rows = result.groups.to_pylist()
    everything = [row for row in rows if not row["grouped_by"]]
    render(_rates(everything), output)
    for name in dict.fromkeys(row["grouped_by"] for row in rows if row["grouped_by"]):
        render(_members([row for row in rows if row["grouped_by"] == name], name), output)


def _rates(rows: list[dict[str, Any]]) -> pa.Table:
    import pyarrow as pa

    return pa.table(
        {
            "metric": [row["metric"] for row in rows],
            "rate": [_rate(row) for row in rows],
            "95 %": [_limits(row) for row in rows],
            "of": [row["units"] for row in rows],
            "interval by": [
                f"{row['method']}, {row['blocks']} × {row['blocked_by']}" for row in rows
            ],
        }
    )


def _members(rows: list[dict[str, Any]], name: str) -> pa.Table:
    """Return a row a group: how much it has, its errors, and rates with their intervals."""
    import pyarrow as pa

    from asrdq.scoring.groups import BY_TERM, in_order

    members = {row["member"]: row for row in in_order(rows)}
    columns: dict[str, list[Any]] = {name: list(members)}
    for own in COUNTS[:1] if name == BY_TERM else COUNTS:
        columns[own] = [round(row[own]) for row in members.values()]
    for metric in SHOWN:
        found = {row["member"]: row for row in rows if row["metric"] == metric}
        if found:
            columns[metric] = [_rate(found[member]) for member in members]
            columns[f"{metric} 95 %"] = [_limits(found[member]) for member in members]
    return pa.table(columns)


def _rate(row: dict[str, Any]) -> float | None:
    return None if math.isnan(row["rate"]) else row["rate"]


def _limits(row: dict[str, Any]) -> str:
    if math.isnan(row["rate"]):
        return "nothing to divide by"
    if math.isnan(row["low"]):
        return "one block: no interval"
    return f"{row['low']:.3f} – {row['high']:.3f}"


def _remarks(result: ScoreResult) -> None:
    if result.missing:
        console.warn(f"{result.missing:,} rows have no hypothesis: {result.missing_were}")
    if result.choices:
        console.say(
            f"{result.choices:,} references offer a choice such as {{ um / uh }}: "
            "the words that fit a hypothesis best are its reference"
        )
    if result.offers:
        console.warn(
            f"{result.offers:,} hypotheses offer a choice such as {{ um / uh }}: "
            "the words that fit best are scored, which flatters them"
        )
    if result.empty_references:
        console.warn(
            f"{result.empty_references:,} references are empty: only insertions count there"
        )
    for fault, count in result.fault_counts.items():
        first = next(row for row in result.faults.to_pylist() if row["fault"] == fault)
        console.warn(f"{count:,} × {fault}, not scored: {first['utt_id']} “{first['text']}” …")
    if result.rows < FEW_ROWS:
        rates = {row["metric"]: row for row in result.groups.to_pylist() if not row["grouped_by"]}
        wide = [
            f"{metric.upper()} {100 * (rates[metric]['high'] - rates[metric]['low']):.1f} points"
            for metric in ("wer", "ker")
            if metric in rates and not math.isnan(rates[metric]["low"])
        ]
        intervals = ", ".join(wide) or "there are none"
        console.warn(
            f"{result.rows} rows are fewer than {FEW_ROWS}; width of intervals: {intervals}"
        )
