"""Speakers in groups of about equal hours, the same on every machine."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

from asrdq.errors import DataError, UsageError
from asrdq.workspace.store import quote_name

if TYPE_CHECKING:
    from asrdq.workspace import ManifestVersion, Workspace


def group_speakers(
    workspace: Workspace, manifest: ManifestVersion, count: int
) -> list[tuple[str, ...]]:
    """Return so many groups of the speakers of a manifest, the longest speakers shared out first.

    Raises:
        DataError: Rows have no speaker.
        UsageError: There are fewer speakers than groups, or only one group.
    """
    rows = workspace.query(
        "SELECT speaker, count(*) AS clips, sum(coalesce(duration_s, 0)) AS seconds "
        f"FROM {quote_name(str(manifest))} GROUP BY speaker ORDER BY seconds DESC, speaker"
    ).to_pylist()
    nameless = sum(row["clips"] for row in rows if row["speaker"] is None)
    if nameless:
        raise DataError(
            f"{nameless:,} rows of {manifest} have no speaker, and so no fold",
            hint=f'asrdq derive NAME "SELECT * FROM {manifest.name} WHERE speaker IS NOT NULL"',
        )
    if not 1 < count <= len(rows):
        raise UsageError(
            f"{len(rows):,} speakers cannot be put into {count} folds",
            hint=f"--folds 2 to {len(rows)}"
            if len(rows) > 1
            else "there has to be another speaker",
        )
    groups: list[list[str]] = [[] for _ in range(count)]
    lightest = [(0.0, at) for at in range(count)]
    for row in rows:
        seconds, at = heapq.heappop(lightest)
        groups[at].append(row["speaker"])
        heapq.heappush(lightest, (seconds + row["seconds"], at))
    return [tuple(sorted(group)) for group in groups]
