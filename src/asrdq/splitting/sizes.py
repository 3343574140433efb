"""How well a split met its sizes: the rows of the table `splits`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from asrdq.splitting.assignment import quotas
from asrdq.splitting.result import SPLITS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from asrdq.splitting.cells import Cells
    from asrdq.splitting.plan import SplitPlan
    from asrdq.splitting.rows import SplitRows
    from asrdq.workspace import ManifestVersion


def size_table(
    run_id: str,
    manifest: ManifestVersion,
    rows: SplitRows,
    cells: Cells,
    plan: SplitPlan,
    side_of: NDArray[np.int8],
    made: Sequence[ManifestVersion],
) -> pa.Table:
    """Return what each side was asked to have and has, by stratum (schema `SPLITS`).

    Args:
        run_id: The run.
        manifest: The version that was split.
        rows: What was read of it.
        cells: Its components by stratum.
        plan: What was asked.
        side_of: Side of each component.
        made: The manifest version of each side.
    """
    records: list[dict[str, Any]] = []
    for number, version in enumerate(made):
        keys = {
            "run_id": run_id,
            "manifest": manifest.name,
            "manifest_version": manifest.version,
            "fingerprint": manifest.fingerprint,
            "side": plan.names[number],
            "side_manifest": version.name,
            "side_version": version.version,
        }
        records += [{**keys, **sizes} for sizes in _by_stratum(rows, cells, plan, side_of, number)]
    return pa.Table.from_pylist(records, schema=SPLITS)


def _by_stratum(
    rows: SplitRows, cells: Cells, plan: SplitPlan, side_of: NDArray[np.int8], number: int
) -> list[dict[str, Any]]:
    """Return the sizes of one side: of all strata together first, then of each by name."""
    strata = len(rows.strata)
    mine = side_of[cells.owner] == number
    got = np.bincount(cells.stratum[mine], cells.rows[mine], strata)
    hours = np.bincount(cells.stratum[mine], cells.seconds[mine], strata) / 3600
    asked: dict[str, list[float]] = {}
    if number:
        side = plan.sides[number - 1]
        quota = quotas(cells, plan, side, strata)
        name, unit = ("asked_hours", 3600) if side.by_hours else ("asked_rows", 1)
        asked[name] = [float(quota.sum()) / unit, *(quota / unit).tolist()]
    sizes = {
        "stratum": [None, *rows.strata],
        **asked,
        "rows": [int(got.sum()), *got.astype(int).tolist()],
        "hours": [float(hours.sum()), *hours.tolist()],
    }
    lines = [dict(zip(sizes, line, strict=True)) for line in zip(*sizes.values(), strict=True)]
    return sorted(lines, key=lambda line: (line["stratum"] is not None, line["stratum"] or ""))
