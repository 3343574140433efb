"""`asrdq manifests`: what manifests there are, and their versions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from asrdq.results import Result

if TYPE_CHECKING:
    import pyarrow as pa

    from asrdq.workspace import ManifestVersion, Workspace


@dataclass(frozen=True)
class ManifestList(Result):
    """Versions of manifests.

    Attributes:
        versions: By name, the oldest version first.
    """

    main_table: ClassVar[str] = "versions"

    versions: tuple[ManifestVersion, ...]

    def summary(self) -> str:
        """Return a line a version."""
        return "\n".join(
            f"{item}: {item.rows:,} rows, {item.hours:,.2f} h" for item in self.versions
        )

    def arrow(self) -> pa.Table:
        """Return a row a version, with the first 12 digits of its fingerprint."""
        import pyarrow as pa

        schema = pa.schema(
            [
                ("manifest", pa.string()),
                ("version", pa.int64()),
                ("rows", pa.int64()),
                ("hours", pa.float64()),
                ("fingerprint", pa.string()),
                ("ingested", pa.string()),
                ("audio_root", pa.string()),
                ("sources", pa.list_(pa.string())),
            ]
        )
        rows = [
            {
                "manifest": item.name,
                "version": item.version,
                "rows": item.rows,
                "hours": round(item.hours, 4),
                "fingerprint": item.fingerprint[:12],
                "ingested": f"{item.created:%Y-%m-%d %H:%M:%SZ}",
                "audio_root": item.audio_root,
                "sources": list(item.sources),
            }
            for item in self.versions
        ]
        return pa.Table.from_pylist(rows, schema=schema)


def list_manifests(
    workspace: Workspace, name: str | None = None, *, all_versions: bool = False
) -> ManifestList:
    """List the manifests of a workspace: the latest version of each, or all.

    Raises:
        UsageError: There is no manifest of that name.
    """
    names = [workspace.manifest(name).name] if name else workspace.manifests()
    found: list[ManifestVersion] = []
    for each in names:
        found += workspace.history(each) if all_versions or name else [workspace.manifest(each)]
    return ManifestList(tuple(found))
