"""The newest comparison of two rounds on a manifest, as pages show it."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from asrdq.leaderboard.entries import HEADLINE
from asrdq.reporting.before_after import BeforeAfter, before_and_after
from asrdq.reporting.deltas import DeltaPlot, DeltaRow, delta_plot
from asrdq.rounds.schema import COMPARISONS, GROUPS, GROUPS_TABLE, TABLE
from asrdq.scoring.plan import DURATION_BUCKET
from asrdq.workspace.store import quote_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from asrdq.workspace import ManifestVersion, Workspace

MOST_DRAWN: Final = 20


@dataclass(frozen=True)
class Rounds:
    """Two rounds compared.

    Attributes:
        before: Name of the older round.
        after: Name of the newer one.
        manifest: The manifest version they were compared on.
        metric: The rate that decides.
        target: The rows it is taken over, in words.
        rows: How many these are.
        before_rate: The rate of the older round; None where there is none.
        after_rate: That of the newer one.
        relative: Relative change.
        verdict: What the comparison decided.
        reasons: Why.
        compared: When.
        plots: Changes: of all rows by rate, and of each grouping by the rate that decides; each
            with its title and the number of groups that were left out.
        both: Utterances whose errors changed most, before and after.
    """

    before: str
    after: str
    manifest: str
    metric: str
    target: str
    rows: int
    before_rate: float | None
    after_rate: float | None
    relative: float | None
    verdict: str
    reasons: tuple[str, ...]
    compared: dt.datetime
    plots: tuple[tuple[str, DeltaPlot, int], ...]
    both: BeforeAfter


def newest_rounds(workspace: Workspace, manifest: ManifestVersion) -> Rounds | None:
    """Return the newest comparison on any version of a manifest; None without one."""
    own = f"manifest = {quote_text(manifest.name)}"
    found = workspace.read(TABLE, own, schema=COMPARISONS).sort_by([("compared", "descending")])
    if not found.num_rows:
        return None
    row = found.slice(0, 1).to_pylist()[0]
    groups = workspace.read(
        GROUPS_TABLE, f"run_id = {quote_text(row['run_id'])}", schema=GROUPS
    ).to_pylist()
    return Rounds(
        manifest=f"{row['manifest']}@{row['manifest_version']}",
        reasons=tuple(reason.partition(": ")[2] for reason in row["reasons"]),
        plots=tuple(_plots(groups, row["metric"])),
        both=before_and_after(workspace, row["before_run_id"], row["after_run_id"]),
        **{name: row[name] for name in _TAKEN},
    )


_TAKEN: Final = (
    *("before", "after", "metric", "target", "rows", "before_rate", "after_rate"),
    *("relative", "verdict", "compared"),
)


def _plots(groups: list[dict[str, Any]], metric: str) -> Iterable[tuple[str, DeltaPlot, int]]:
    together = {row["metric"]: row for row in groups if not row["by"]}
    shown = [together[own] for own in HEADLINE if own in together]
    yield "All utterances", delta_plot(_row(row, row["metric"].upper()) for row in shown), 0
    rows = [row for row in groups if row["by"] and row["metric"] == metric]
    for by in dict.fromkeys(row["by"] for row in rows):
        own = [row for row in rows if row["by"] == by]
        if by != DURATION_BUCKET:
            own.sort(key=lambda row: row["change"])
        drawn = delta_plot(_row(row, row["group"]) for row in own[:MOST_DRAWN])
        yield f"{metric.upper()} by {by}", drawn, max(0, len(own) - MOST_DRAWN)


def _row(row: dict[str, Any], name: str) -> DeltaRow:
    low, high = (math.nan if row[end] is None else row[end] for end in ("low", "high"))
    return DeltaRow(name, row["change"], low, high)
