"""Versions of manifests: what each holds, read from the commit that made it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from asrdq.errors import ToolError, UsageError, unknown
from asrdq.workspace.layout import MANIFESTS
from asrdq.workspace.lineage import Lineage
from asrdq.workspace.tags import find_tag

if TYPE_CHECKING:
    from deltalake import DeltaTable

    from asrdq.workspace.store import TableStore

COMMIT_KEY = "asrdq.manifest"
"""Key of the Delta commit metadata under which the facts of a manifest version stand."""


@dataclass(frozen=True, slots=True)
class ManifestVersion:
    """One version of a manifest: the content that results are tied to.

    Attributes:
        name: Name of the manifest.
        version: Version of the Delta table `manifests/<name>`, 0 for the first.
        fingerprint: Digest of the content (utt_id, relative audio path, text, duration, offset,
            language), independent of row order and of where the audio is mounted.
        rows: Number of rows.
        hours: Sum of the durations the manifest states.
        audio_root: Folder that relative audio paths start from, when it was ingested.
        columns: Column names in order.
        created: When it was ingested (UTC).
        sources: The files it came from.
        renamed: Metadata columns whose own name a table cannot have: column to own name; and
            `language`, where the files call it in another way than their format does first.
        run_id: The run that made it.
        lineage: The query and the parents of a version that was derived; None for an ingest.
    """

    name: str
    version: int
    fingerprint: str
    rows: int
    hours: float
    audio_root: str
    columns: tuple[str, ...]
    created: dt.datetime
    sources: tuple[str, ...]
    renamed: Mapping[str, str]
    run_id: str
    lineage: Lineage | None = None

    @property
    def table(self) -> str:
        """Name of the Delta table."""
        return f"{MANIFESTS}/{self.name}"

    def __str__(self) -> str:
        return f"{self.name}@{self.version}"


def manifest_names(store: TableStore) -> list[str]:
    """Return the names of all manifests in alphabetical order."""
    prefix = f"{MANIFESTS}/"
    return [name.removeprefix(prefix) for name in store.names() if name.startswith(prefix)]


@dataclass(frozen=True, slots=True)
class Reference:
    """A manifest as people write it: `train`, `train@3` or `train@audited`.

    Attributes:
        name: Name of the manifest.
        version: The number after the @, if it is one.
        tag: What stands after the @, if it is no number.
    """

    name: str
    version: int | None = None
    tag: str | None = None


def parse_reference(reference: str) -> Reference:
    """Split `train@3` or `train@audited` into its parts.

    Raises:
        UsageError: Nothing follows the @.
    """
    name, at, which = reference.partition("@")
    if not at:
        return Reference(name)
    if which.isdecimal():
        return Reference(name, version=int(which))
    if not which:
        raise UsageError(
            "neither a version number nor a tag follows the @",
            where=reference,
            hint=f"write {name}@3, say",
        )
    return Reference(name, tag=which)


def read_version(store: TableStore, reference: str) -> ManifestVersion:
    """Return one version of a manifest: `train` (the latest), `train@3` or `train@audited`.

    Raises:
        UsageError: There is no such manifest, version or tag.
    """
    wanted = parse_reference(reference)
    name, number = wanted.name, wanted.version
    try:
        table = store.open(f"{MANIFESTS}/{name}")
    except UsageError:
        raise _unknown_manifest(name, manifest_names(store)) from None
    if wanted.tag is not None:
        number = find_tag(store, name, wanted.tag).version
    latest = table.version()
    if number is not None and number > latest:
        raise UsageError(
            f"manifest '{name}' has no version {number}", hint=f"the latest is {name}@{latest}"
        )
    if number is not None and number < latest:
        table = store.open(f"{MANIFESTS}/{name}", number)
    return _version_of(store, name, table)


def _unknown_manifest(name: str, names: list[str]) -> UsageError:
    if names:
        return unknown("manifest", name, names)
    return UsageError(
        f"unknown manifest '{name}': there is none yet",
        hint=f"asrdq ingest FILE --name {name or 'train'}",
    )


def read_history(store: TableStore, name: str) -> list[ManifestVersion]:
    """Return all versions of a manifest, the oldest first."""
    latest = store.open(f"{MANIFESTS}/{name}").version()
    return [read_version(store, f"{name}@{number}") for number in range(latest + 1)]


def _version_of(store: TableStore, name: str, table: DeltaTable) -> ManifestVersion:
    # the history runs from the newest commit of all down to the version that is loaded
    commit = table.history(1)[-1]
    if COMMIT_KEY not in commit:
        raise ToolError(
            f"version {table.version()} of manifest '{name}' was not written by asrdq",
            where=str(store.layout.table(f"{MANIFESTS}/{name}")),
            hint="ingest the manifest again",
        )
    facts: dict[str, Any] = json.loads(commit[COMMIT_KEY])
    return ManifestVersion(
        name=name,
        version=table.version(),
        fingerprint=facts["fingerprint"],
        rows=facts["rows"],
        hours=facts["hours"],
        audio_root=facts["audio_root"],
        columns=tuple(store.schema(table).names),
        created=dt.datetime.fromtimestamp(commit["timestamp"] / 1000, dt.UTC),
        sources=tuple(facts["sources"]),
        renamed=facts["renamed"],
        run_id=facts["run_id"],
        lineage=Lineage.parse(facts["lineage"]) if "lineage" in facts else None,
    )
