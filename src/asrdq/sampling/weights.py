"""Temperature weights: how often a trainer draws from each of nested groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import pyarrow as pa

from asrdq.errors import DataError, UsageError, unknown
from asrdq.results import Result
from asrdq.sampling.strata import NO_VALUE
from asrdq.workspace.store import quote_name, quote_text

if TYPE_CHECKING:
    from asrdq.workspace import ManifestVersion, Workspace

TABLE = "weights"
Unit = Literal["hours", "rows"]

WEIGHTS = pa.schema(
    [
        ("run_id", pa.string()),
        ("manifest", pa.string()),
        ("manifest_version", pa.int64()),
        ("fingerprint", pa.string()),
        ("level", pa.int64()),
        ("group", pa.list_(pa.string())),
        ("rows", pa.int64()),
        ("hours", pa.float64()),
        ("weight", pa.float64()),
        ("probability", pa.float64()),
    ]
)
"""One row a group of each level, the outer one first. `weight` is the share among its siblings,
`probability` that of a draw to come from the group: the product of the weights above it."""


@dataclass(frozen=True)
class WeightsResult(Result):
    """Weights of nested groups.

    Attributes:
        run_id: The run.
        manifest: The manifest version.
        by: The columns of the levels, the outer one first.
        groups: One row a group, schema `WEIGHTS`.
    """

    main_table: ClassVar[str] = "groups"

    run_id: str
    manifest: str
    by: tuple[str, ...]
    groups: pa.Table = field(repr=False)

    def summary(self) -> str:
        """Return a line a group."""
        lines = [f"{self.manifest} by {', '.join(self.by)}"]
        lines += [
            f"{'  ' * row['level']}{row['group'][-1]}: {row['hours']:,.2f} h, weight "
            f"{row['weight']:.4f}"
            for row in self.groups.to_pylist()
        ]
        return "\n".join(lines)


def temperature_weights(sizes: Sequence[float], temperature: float) -> list[float]:
    """Return p_i = w_i^τ ÷ Σ w_j^τ.

    >>> temperature_weights([900.0, 100.0], 0.5)
    [0.75, 0.25]

    Args:
        sizes: Hours or rows, above 0.
        temperature: τ: 1 keeps the sizes, 0 makes all equal.
    """
    powers = [size**temperature for size in sizes]
    return [power / sum(powers) for power in powers]


def weigh_groups(
    workspace: Workspace,
    manifest: ManifestVersion,
    by: Sequence[str],
    temperatures: Sequence[float],
    *,
    unit: Unit = "hours",
) -> WeightsResult:
    """Weigh nested groups of a manifest, with a temperature for each level.

    Args:
        workspace: Where the manifest is.
        manifest: The version.
        by: Columns of the levels, the outer one first.
        temperatures: τ of each level, or one for all.
        unit: What the size of a group is.

    Raises:
        UsageError: A column does not exist, or temperatures are not one a level, from 0 to 1.
        DataError: A group has no hours, or the manifest has no rows.
    """
    for name in by:
        if name not in manifest.columns:
            raise unknown("column", name, manifest.columns, where=f"groups of {manifest}")
    levels = _temperatures(by, temperatures)
    parameters = {"by": list(by), "temperatures": levels, "unit": unit}
    with workspace.run("weights", manifest, parameters) as run:
        rows = nested_weights(_leaves(workspace, manifest, by), levels, unit=unit)
        keys = {
            "run_id": run.run_id,
            "manifest": manifest.name,
            "manifest_version": manifest.version,
            "fingerprint": manifest.fingerprint,
        }
        groups = pa.Table.from_pylist([{**keys, **row} for row in rows], schema=WEIGHTS)
        workspace.replace(TABLE, groups, run_id=run.run_id)
    return WeightsResult(run.run_id, str(manifest), tuple(by), groups)


@dataclass(frozen=True, slots=True)
class GroupSize:
    """An innermost group, by its value at each level, with its size."""

    group: tuple[str, ...]
    rows: int
    hours: float


def nested_weights(
    leaves: Sequence[GroupSize], temperatures: Sequence[float], *, unit: Unit = "hours"
) -> list[dict[str, Any]]:
    """Return a row for each group of every level, as in `WEIGHTS` from `level` on.

    Args:
        leaves: The innermost groups; those of one outer group stand together.
        temperatures: τ of each level.
        unit: What the size of a group is.

    Raises:
        DataError: A group has no size.
    """
    rows: list[dict[str, Any]] = []
    _weigh(leaves, [], 1.0, temperatures, unit, rows)
    return rows


def _temperatures(by: Sequence[str], given: Sequence[float]) -> list[float]:
    levels = list(given) * len(by) if len(given) == 1 else list(given)
    if not by or len(levels) != len(by):
        raise UsageError(f"{len(given)} temperatures for {len(by)} levels of groups")
    if any(not 0 <= level <= 1 for level in levels):
        raise UsageError(
            "a temperature is an exponent from 0 (all groups alike) to 1 (by size)",
            hint="where yours divides, as in p^(1/T), write 1/T: 0.2 for 5",
        )
    return levels


def _leaves(workspace: Workspace, manifest: ManifestVersion, by: Sequence[str]) -> list[GroupSize]:
    named = [f"{group_value(name)} AS level_{number}" for number, name in enumerate(by)]
    names = ", ".join(f"level_{number}" for number in range(len(by)))
    counted = workspace.query(
        f"SELECT {names}, count(*) AS clips, coalesce(sum(duration_s), 0) / 3600 AS hours "
        f'FROM (SELECT duration_s, {", ".join(named)} FROM "{manifest}") '
        f"GROUP BY {names} ORDER BY {names}"
    )
    if not counted.num_rows:
        raise DataError(f"{manifest} has no rows to weigh")
    return [
        GroupSize(tuple(row[f"level_{i}"] for i in range(len(by))), row["clips"], row["hours"])
        for row in counted.to_pylist()
    ]


def group_value(column: str) -> str:
    """Return the SQL of the group that a row belongs to by a column."""
    return f"coalesce(CAST({quote_name(column)} AS VARCHAR), {quote_text(NO_VALUE)})"


def _weigh(
    leaves: Sequence[GroupSize],
    above: Sequence[str],
    probability: float,
    temperatures: Sequence[float],
    unit: Unit,
    rows: list[dict[str, Any]],
) -> None:
    """Add a row for each group under `above`, and for those under it."""
    level = len(above)
    members: dict[str, list[GroupSize]] = {}
    for leaf in leaves:
        members.setdefault(leaf.group[level], []).append(leaf)
    hours = [sum(leaf.hours for leaf in group) for group in members.values()]
    counts = [sum(leaf.rows for leaf in group) for group in members.values()]
    sizes = hours if unit == "hours" else [float(count) for count in counts]
    if any(size <= 0 for size in sizes):
        empty = [name for name, size in zip(members, sizes, strict=True) if size <= 0]
        raise DataError(
            f"the group {' / '.join([*above, empty[0]])} states no hours",
            hint="weigh by rows: --unit rows",
        )
    weights = temperature_weights(sizes, temperatures[level])
    for (name, group), length, count, weight in zip(
        members.items(), hours, counts, weights, strict=True
    ):
        path = [*above, name]
        mine = probability * weight
        row = {"level": level + 1, "group": path, "rows": count, "hours": length}
        rows.append({**row, "weight": weight, "probability": mine})
        if level + 1 < len(temperatures):
            _weigh(group, path, mine, temperatures, unit, rows)
