"""How much strata vary within, by the rates of a former audit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from asrdq.errors import UsageError
from asrdq.sampling.allocation import StratumSize

if TYPE_CHECKING:
    from asrdq.workspace import ManifestVersion, Workspace

_COUNTS = """
    SELECT stratum, count(*) FILTER (low_quality) AS low, count(*) AS clips FROM audits
    WHERE low_quality IS NOT NULL AND run_id = (
        SELECT run_id FROM runs WHERE command = 'audit' AND state = 'done' AND manifest = $name
        ORDER BY started DESC, run_id DESC LIMIT 1)
    GROUP BY stratum
"""


def deviations(
    workspace: Workspace, manifest: ManifestVersion, strata: Sequence[StratumSize]
) -> dict[str, float]:
    """Return the standard deviation √(p (1 − p)) of each stratum, from its rate of bad clips.

    The rate is that of the latest audit of any version of the manifest, p = (bad + 1) ÷
    (clips + 2), so that no stratum seems to have none. A stratum that was not audited has 0.5,
    the largest there is.

    Args:
        workspace: Where the audits are.
        manifest: The manifest to draw from.
        strata: Its strata.

    Raises:
        UsageError: No audit of this manifest had one of these strata.
    """
    counts = {}
    if workspace.table_exists("audits") and workspace.table_exists("runs"):
        rows = workspace.query(_COUNTS, {"name": manifest.name}).to_pylist()
        counts = {row["stratum"]: (row["low"], row["clips"]) for row in rows}
    if not counts.keys() & {stratum.name for stratum in strata}:
        raise UsageError(
            f"no audit of {manifest.name} had any of these strata",
            hint="draw and audit a first sample with another allocation",
        )
    return {stratum.name: _deviation(*counts.get(stratum.name, (0, 0))) for stratum in strata}


def _deviation(low: int, clips: int) -> float:
    rate = (low + 1) / (clips + 2)
    return math.sqrt(rate * (1 - rate))
