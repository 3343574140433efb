"""`asrdq split`: one manifest becomes several that share nothing they should not share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

import numpy as np

from asrdq.errors import DataError, Problem, unknown
from asrdq.splitting.assignment import assign, quotas
from asrdq.splitting.cells import NEW, Cells, cells_of
from asrdq.splitting.former import COMMAND, TABLE, find_former, former_sides
from asrdq.splitting.plan import SideTarget, SplitPlan
from asrdq.splitting.result import SplitResult
from asrdq.splitting.rows import SplitRows, group_sizes, read_rows
from asrdq.splitting.sides import write_sides
from asrdq.splitting.sizes import size_table
from asrdq.workspace.layout import check_manifest_name
from asrdq.workspace.locks import locked

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from asrdq.workspace import ManifestVersion, Workspace


def split_manifest(
    workspace: Workspace,
    manifest: ManifestVersion,
    plan: SplitPlan,
    *,
    prefix: str | None = None,
    fresh: bool = False,
    advance: Callable[[float], None] = lambda _: None,
) -> SplitResult:
    """Split a manifest and write a manifest `PREFIX_SIDE` for each side.

    Rows that share a value of any group of the plan, directly or through other rows, go to one
    side. Rows of the former split of the same sides keep their side, whatever was added since
    and in whatever order rows come; where new rows join what lay on two sides, all of it goes
    to the earlier of these sides, and the rows that moved are counted.

    Args:
        workspace: Where the manifest is.
        manifest: The version to split.
        plan: Sides, strata, groups and seed.
        prefix: Beginning of the names of the sides' manifests; the manifest's own by default.
        fresh: Whether to leave a former split out of account.
        advance: Told of the number of rows read and written: each row counts twice.

    Raises:
        UsageError: A column or expression is wrong, or a manifest of a side's name is there
            that no split made.
        ToolError: Another process has been writing the same sides for minutes.
        DataError: A side would be empty or cannot have its size, or a priority stratum is too
            small; nothing is written then.
    """
    beginning = prefix or manifest.name
    names = {side: check_manifest_name(f"{beginning}_{side}") for side in plan.names}
    with _alone(workspace, beginning):
        former = find_former(workspace, names, plan, fresh=fresh)
        with workspace.run(COMMAND, manifest, plan.parameters()) as run:
            rows = read_rows(workspace, manifest, plan, advance)
            _check_priority(rows, plan)
            before = former_sides(workspace, former, plan.names, rows.key, plan.seed)
            cells = cells_of(rows, before)
            side_of = assign(cells, plan, len(rows.strata))
            missed = _missed(rows, cells, plan, side_of)
            empty = len(np.unique(side_of)) < len(plan.names)
            if empty or (missed and not plan.closest):
                raise _impossible(manifest, rows, cells, plan, missed)
            side_of_row = side_of[cells.component]
            made = write_sides(
                workspace,
                manifest,
                list(names.values()),
                side_of_row,
                rows.key,
                plan.seed,
                run.run_id,
                advance,
            )
            sizes = size_table(run.run_id, manifest, rows, cells, plan, side_of, made)
            workspace.replace(TABLE, sizes, run_id=run.run_id)
    known = before != NEW
    return SplitResult(
        run_id=run.run_id,
        manifest=str(manifest),
        manifests={side: str(version) for side, version in zip(plan.names, made, strict=True)},
        sides=sizes,
        kept=int(np.count_nonzero(known & (before == side_of_row))),
        moved=int(np.count_nonzero(known & (before != side_of_row))),
        components=cells.components,
        missed=tuple(missed),
        notes=tuple(_notes(rows, plan)),
    )


def _alone(workspace: Workspace, beginning: str) -> AbstractContextManager[None]:
    """Let one process at a time write sides of a name: those of two splits are not disjoint."""
    lock = workspace.store.layout.lock(f"{COMMAND}-{beginning}")
    return locked(lock, what=f"the sides of {beginning}")


def _check_priority(rows: SplitRows, plan: SplitPlan) -> None:
    """Refuse priority strata that are too small to be measured."""
    counts = dict(zip(rows.strata, np.bincount(rows.stratum).tolist(), strict=True))
    for name in plan.priority:
        if name not in counts:
            raise unknown("stratum", name, counts)
    small = [name for name in plan.priority if counts[name] < plan.priority_rows]
    if small:
        raise DataError(
            f"{len(small)} priority strata have fewer than {plan.priority_rows} rows",
            problems=[Problem(f"{name}: {counts[name]} rows") for name in small],
            hint="grow the manifest first: so few rows measure nothing",
        )


def _missed(rows: SplitRows, cells: Cells, plan: SplitPlan, side_of: NDArray[np.int8]) -> list[str]:
    """Return in words which sides do not have the size that was asked."""
    missed = []
    for number, side in enumerate(plan.sides, 1):
        totals = cells.totals(side.by_hours)
        asked = float(quotas(cells, plan, side, len(rows.strata)).sum())
        got = float(totals[side_of == number].sum())
        if asked > totals.sum() or abs(got - asked) > max(
            plan.tolerance * asked, 0.0 if side.by_hours else 0.5
        ):
            missed.append(f"{side.name}: asked {_said(side, asked)}, nearest {_said(side, got)}")
    if not np.any(side_of == 0):
        missed.append(f"{plan.rest}: nothing is left for it")
    return missed


def _said(side: SideTarget, amount: float) -> str:
    return f"{amount / 3600:,.2f} h" if side.by_hours else f"{amount:,.0f} rows"


def _impossible(
    manifest: ManifestVersion,
    rows: SplitRows,
    cells: Cells,
    plan: SplitPlan,
    missed: Sequence[str],
) -> DataError:
    """Return the error that says what groups make of the sizes asked for."""
    problems = [Problem(line) for line in missed]
    linked, hours = cells.totals(False), cells.totals(True) / 3600
    problems.append(Problem(f"{manifest} has {len(rows.key):,} rows and {hours.sum():,.2f} h"))
    if held := int(linked[cells.placed != NEW].sum()):
        problems.append(
            Problem(f"{held:,} of its rows keep the side of the former split, without --fresh")
        )
    if plan.disjoint:
        biggest = int(np.argmax(linked))
        problems.append(
            Problem(
                f"{cells.components:,} components linked by {', '.join(plan.disjoint)}; the "
                f"largest has {linked[biggest]:,.0f} of {len(rows.key):,} rows and "
                f"{hours[biggest]:,.2f} of {hours.sum():,.2f} h"
            )
        )
    if len(plan.disjoint) > 1:
        for name in plan.disjoint:
            sizes = group_sizes(rows, [name])
            problems.append(
                Problem(f"by {name} alone: {len(sizes):,}, the largest {sizes.max():,} rows")
            )
    return DataError(
        f"{manifest} cannot be split so: nothing was written",
        problems=problems,
        hint="change the sizes or the groups, allow more with --tolerance, or take the nearest "
        "with --closest",
    )


def _notes(rows: SplitRows, plan: SplitPlan) -> list[str]:
    if not plan.at_least_rows:
        return []
    counts = np.bincount(rows.stratum)
    single = sorted(rows.strata[number] for number in np.flatnonzero(counts == 1))
    return [f"the only row of {name} is in {plan.rest}: nothing measures it" for name in single]
