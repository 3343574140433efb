"""How training runs are shown on a terminal: curves in a line, findings with advice."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from asrdq import console
from asrdq.cli.output import Format, cell, render

if TYPE_CHECKING:
    import pyarrow as pa

    from asrdq.monitoring import RunReport, WatchResult

_STYLES = {"stop": "bold red", "warning": "yellow", "note": "cyan"}


def show_runs(result: WatchResult, output: Format) -> None:
    """Write each run to stdout: its metrics with curves, findings, rules without data."""
    for run in result.runs:
        if output is Format.MARKDOWN:
            print(f"**{run.summary()}**\n")
        else:
            print(f"{console.visible(run.summary())}\n")
        render(_metrics(run), output)
        print()
        _show_findings(run, output)


def _metrics(run: RunReport) -> pa.Table:
    import pyarrow as pa

    return pa.Table.from_pylist(
        [
            {
                "metric": f"{item.split} {item.metric}",
                "curve": item.sparkline,
                "first": _shown(item.first),
                "last": _shown(item.last),
                "best": "" if item.best is None else _shown(item.best),
                "at step": item.best_step,
                "points": item.points,
            }
            for item in run.metrics
        ]
    )


def _shown(value: float) -> str:
    return cell(value) if value == 0 or abs(value) >= 1e-3 or value != value else f"{value:.3g}"


def _show_findings(run: RunReport, output: Format) -> None:
    from rich.console import Console
    from rich.text import Text

    from asrdq.monitoring import Outcome

    paper = Console(file=sys.stdout, highlight=False, soft_wrap=True)
    for item in run.findings:
        head = f"{item.level} {item.rule}, step {item.step:,}: {item.message}"
        if output is Format.MARKDOWN:
            print(f"- **{item.level}** `{item.rule}`, step {item.step:,}: {item.message}")
            print(f"    - {item.advice}")
            continue
        paper.print(Text(console.visible(head), style=_STYLES[item.level]))
        paper.print(Text(f"  → {item.advice}"))
    blind = [rule for rule in run.rules if rule.outcome is Outcome.NO_DATA]
    if blind:
        names = ", ".join(rule.rule for rule in blind)
        told = f"not judged, for nothing of it is logged: {names}"
        print(f"\n{told}" if output is Format.TABLE else f"\n{told[0].upper()}{told[1:]}.\n")


def tell_news(before: WatchResult | None, now: WatchResult) -> None:
    """Tell on stderr how far runs have come, and what was found since the last look."""
    known = {(item.run, item.rule, item.step) for item in (before.findings if before else ())}
    for run in now.runs:
        judged = next((m for m in run.metrics if m.split == "validation"), None)
        loss = next((m for m in run.metrics if (m.split, m.metric) == ("train", "loss")), None)
        parts = [run.summary()]
        parts += [f"{m.split} {m.metric} {m.sparkline} {m.last:.4g}" for m in (judged, loss) if m]
        console.say("  ".join(parts))
        for item in run.findings:
            if (item.run, item.rule, item.step) not in known:
                style = _STYLES[item.level]
                console.say(f"{item.level} {item.message}", style)
