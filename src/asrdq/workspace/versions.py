"""Versions of manifests: what each holds, read from the commit that made it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from asrdq.errors import ToolError, UsageError, unknown
from asrdq.workspace.layout import MANIFESTS

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
        renamed: Metadata columns whose own name a table cannot have: column to own name.
        run_id: The run that made it.
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

    @property
    def table(self) -> str:
        """Name of the Delta table."""
        return f"{MANIFESTS}/{self.name}"

    def __str__(self) -> str:
        return f"{self.name}@{self.version}"


def manifest_names(store: TableStore) -> list[str]:
    """Return the names of all manifests in alphabetical order."""
    prefix = f"{MANIFESTS}/"
    return [name.removeprefix(prefix) for name in store.layout.names() if name.startswith(prefix)]


def parse_reference(reference: str) -> tuple[str, int | None]:
    """Split `train@3` into name and version; the version is None in `train`.

    Raises:
        UsageError: What follows the @ is not a number.
    """
    name, at, number = reference.partition("@")
    if at and not number.isdecimal():
        raise UsageError(f"'{number}' is not a version number", hint=f"write {name}@3, say")
    return name, int(number) if at else None


def read_version(store: TableStore, reference: str) -> ManifestVersion:
    """Return one version of a manifest, `train` (the latest) or `train@3`.

    Raises:
        UsageError: There is no such manifest or version.
    """
    name, number = parse_reference(reference)
    names = manifest_names(store)
    if name not in names:
        error = unknown("manifest", name, names)
        if not names:
            error = UsageError(
                f"unknown manifest '{name}': there is none yet",
                hint=f"asrdq ingest FILE --name {name or 'train'}",
            )
        raise error
    table = store.open(f"{MANIFESTS}/{name}")
    latest = table.version()
    if number is not None and number > latest:
        raise UsageError(
            f"manifest '{name}' has no version {number}", hint=f"the latest is {name}@{latest}"
        )
    if number is not None and number < latest:
        table = store.open(f"{MANIFESTS}/{name}", number)
    return _version_of(store, name, table)


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
    )
