"""The rounds before: which comparison led to the older of two rounds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asrdq.rounds.schema import COMPARISONS, TABLE
from asrdq.workspace.store import quote_text

if TYPE_CHECKING:
    from asrdq.workspace import Workspace


def former_relative(
    workspace: Workspace, *, manifest: str, before: str, metric: str, target: str
) -> float | None:
    """Return the relative change that the last comparison found on the way to `before`.

    None where no comparison led to it, on this manifest and for this metric and target: then the
    rule of two rounds has nothing to say.

    Args:
        workspace: Where comparisons are.
        manifest: Name of the evaluation manifest.
        before: The older of the two rounds that are compared now.
        metric: The metric that decides.
        target: The rows it is taken over, as the comparison writes them.
    """
    asked = {"manifest": manifest, "after": before, "metric": metric, "target": target}
    where = " AND ".join(f"{column} = {quote_text(text)}" for column, text in asked.items())
    rows = workspace.read(TABLE, where, schema=COMPARISONS)
    found = rows.sort_by([("compared", "descending")]).slice(0, 1)
    return found["relative"].to_pylist()[0] if found.num_rows else None
