"""`asrdq history`: the versions of a manifest, what made each, and what each changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from asrdq.results import Result
from asrdq.versions.comparison import Side
from asrdq.versions.counting import Changes, compare
from asrdq.workspace.tags import read_tags

if TYPE_CHECKING:
    import pyarrow as pa

    from asrdq.workspace import ManifestVersion, Workspace

COMPARED_ROWS = 5_000_000
"""So many rows are read to tell what versions changed, the newest first."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A version in the history of its manifest.

    Attributes:
        version: The version; its `lineage` says what it was derived from.
        made_by: The command that made it: ingest, derive, split.
        changes: What changed against the version before; None for the first one, and where there
            are too many rows to compare them in passing.
        tags: Names of the version.
    """

    version: ManifestVersion
    made_by: str
    changes: Changes | None
    tags: tuple[str, ...]


@dataclass(frozen=True)
class HistoryResult(Result):
    """The versions of a manifest.

    Attributes:
        entries: The newest first.
    """

    main_table: ClassVar[str] = "entries"

    entries: tuple[Entry, ...]

    def summary(self) -> str:
        """Return a line a version, and for derived ones the query and each parent."""
        lines = []
        for entry in self.entries:
            version = entry.version
            tags = "".join(f" [{tag}]" for tag in entry.tags)
            lines.append(
                f"{version}{tags} {version.created:%Y-%m-%d %H:%M:%SZ} {entry.made_by}: "
                f"{version.rows:,} rows, {version.hours:,.2f} h"
            )
            lines += [f"  {line}" for line in origin(version)]
        return "\n".join(lines)

    def arrow(self) -> pa.Table:
        """Return a row a version."""
        import pyarrow as pa

        numbers = [("rows", pa.int64()), ("hours", pa.float64())]
        counts = [(f"{what}_rows", pa.int64()) for what in ("added", "removed", "changed")]
        texts = [("made_by", pa.string()), ("origin", pa.list_(pa.string()))]
        schema = pa.schema(
            [
                ("version", pa.string()),
                ("created", pa.string()),
                *numbers,
                *counts,
                ("tags", pa.list_(pa.string())),
                *texts,
            ]
        )
        return pa.Table.from_pylist([_row(entry) for entry in self.entries], schema=schema)


def manifest_history(
    workspace: Workspace,
    name: str,
    *,
    compared_rows: int = COMPARED_ROWS,
    advance: Callable[[int], object] = lambda _: None,
) -> HistoryResult:
    """Return the history of a manifest: Delta's own versions, and what their commits say.

    Args:
        workspace: Where the manifest is.
        name: The manifest.
        compared_rows: How many rows may be read to tell what each version changed.
        advance: Called with 1 for each version, for a progress display.

    Raises:
        UsageError: There is no such manifest.
    """
    versions = workspace.history(workspace.manifest(name).name)
    tags = read_tags(workspace.store, versions[0].name)
    commands = _commands(workspace, [version.run_id for version in versions])
    left, entries = compared_rows, []
    for index in reversed(range(len(versions))):
        version = versions[index]
        before = versions[index - 1] if index else None
        left -= version.rows + before.rows if before else 0
        entries.append(
            Entry(
                version=version,
                made_by=commands.get(version.run_id, "unknown"),
                changes=_changes(workspace, before, version) if before and left >= 0 else None,
                tags=tuple(tag.tag for tag in tags if tag.version == version.version),
            )
        )
        advance(1)
    return HistoryResult(tuple(entries))


def origin(version: ManifestVersion) -> list[str]:
    """Return what a version was made from, line by line."""
    if version.lineage is None:
        return list(version.sources)
    parents = [
        f"{parent} +{parent.gained_rows:,} rows (+{parent.gained_hours:,.2f} h) "
        f"-{parent.lost_rows:,} rows (-{parent.lost_hours:,.2f} h)"
        for parent in version.lineage.parents
    ]
    tables = [f"{name} at {number}" for name, number in version.lineage.tables.items()]
    return [*parents, *tables, version.lineage.query]


def _commands(workspace: Workspace, run_ids: list[str]) -> dict[str, str]:
    """Return the command of each run."""
    found = workspace.query(
        "SELECT run_id, command FROM runs WHERE list_contains($run_ids, run_id)",
        {"run_ids": run_ids},
    )
    return dict(zip(found["run_id"].to_pylist(), found["command"].to_pylist(), strict=True))


def _changes(workspace: Workspace, before: ManifestVersion, after: ManifestVersion) -> Changes:
    store = workspace.store
    return compare(store, Side.of(store, before), Side.of(store, after))


def _row(entry: Entry) -> dict[str, Any]:
    version, changes = entry.version, entry.changes
    return {
        "version": str(version),
        "created": f"{version.created:%Y-%m-%d %H:%M:%SZ}",
        "rows": version.rows,
        "hours": version.hours,
        "added_rows": changes.added.rows if changes else None,
        "removed_rows": changes.removed.rows if changes else None,
        "changed_rows": changes.changed.rows if changes else None,
        "tags": list(entry.tags),
        "made_by": entry.made_by,
        "origin": origin(version),
    }
