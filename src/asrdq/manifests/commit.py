"""Finished files become a version of a manifest, in one atomic commit."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from asrdq.manifests.parts import Part
from asrdq.places import Place, S3Path
from asrdq.workspace.layout import MANIFESTS
from asrdq.workspace.sql import connection, ended_runs, select_files, select_from
from asrdq.workspace.store import KEEP_ALL_VERSIONS, TableStore, quote_name, retry_on_conflict
from asrdq.workspace.versions import COMMIT_KEY, ManifestVersion, read_version

if TYPE_CHECKING:
    import pyarrow as pa
    from deltalake.transaction import AddAction

_PART = "--"
"""Stands between the run and the name of its part in the name of a file."""


def commit_parts(
    store: TableStore,
    name: str,
    parts: Sequence[Part],
    schema: pa.Schema,
    facts: dict[str, Any],
) -> tuple[ManifestVersion, bool]:
    """Make the files the content of a manifest, unless it has exactly this content already.

    Returns:
        The version that holds the content now, and whether it was made now.
    """
    table = f"{MANIFESTS}/{name}"
    with store.writing(table):
        _clear_leftovers(store, table)
        if store.exists(table):
            latest = read_version(store, name)
            if _is_same(store, latest, parts, schema, facts):
                return latest, False
        folder, run_id = store.layout.table(table), facts["run_id"]
        actions: list[AddAction] = [_move(part, folder, run_id) for part in parts]
        retry_on_conflict(lambda: _commit(store, table, actions, schema, facts))
        return read_version(store, name), True


def _is_same(
    store: TableStore,
    latest: ManifestVersion,
    parts: Sequence[Part],
    schema: pa.Schema,
    facts: dict[str, Any],
) -> bool:
    """Return whether a version has the same content, metadata columns included."""
    if latest.fingerprint != facts["fingerprint"] or latest.audio_root != facts["audio_root"]:
        return False
    body, _ = select_from(store, latest.table, latest.version)
    old = store.schema(store.open(latest.table, latest.version))
    if not old.equals(schema):
        return False
    new = select_files(schema, [str(part.path) for part in parts])
    columns = ", ".join(map(quote_name, schema.names))
    with connection(store, ()) as (database, _):
        sums = [
            database.sql(f"SELECT sum(hash({columns})::HUGEINT) FROM ({rows})").fetchall()
            for rows in (body, new)
        ]
    return bool(sums[0] == sums[1])


def _clear_leftovers(store: TableStore, table: str) -> None:
    """Remove files that a run moved here and did not live to commit; the lock must be held."""
    folder = store.layout.table(table)
    committed = store.open(table).history() if store.exists(table) else []
    named = {
        json.loads(commit[COMMIT_KEY])["run_id"] for commit in committed if COMMIT_KEY in commit
    }
    present = folder.iterdir() if folder.is_dir() else ()
    files = [file for file in present if file.suffix == ".parquet"]
    left = [file for file in files if _run_of(file) not in named]
    ended = ended_runs(store) if left else frozenset()
    for file in left:
        if _run_of(file) in ended:
            file.unlink(missing_ok=True)


def _run_of(file: Place) -> str:
    return file.name.partition(_PART)[0]


def _move(part: Part, folder: Place, run_id: str) -> AddAction:
    """Put a file into the folder of the table, and return how Delta is told of it."""
    import pyarrow.parquet as pq
    from deltalake.transaction import AddAction

    stats = json.dumps({"numRecords": pq.read_metadata(part.path).num_rows})
    size = part.path.stat().st_size
    target = folder / f"{run_id}{_PART}{part.path.name}"
    if isinstance(target, S3Path):
        from asrdq.s3 import upload

        upload(part.path, target)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        part.path.rename(target)
    return AddAction(target.name, size, {}, int(time.time() * 1000), True, stats)


def _commit(
    store: TableStore,
    table: str,
    actions: list[AddAction],
    schema: pa.Schema,
    facts: dict[str, Any],
) -> None:
    from deltalake import CommitProperties, DeltaTable, Schema
    from deltalake.transaction import create_table_with_add_actions

    properties = CommitProperties(custom_metadata={COMMIT_KEY: json.dumps(facts)})
    folder, place = str(store.layout.table(table)), store.options()
    delta_schema = Schema.from_arrow(schema)
    if store.exists(table):
        DeltaTable(folder, storage_options=place).create_write_transaction(
            [*actions], "overwrite", delta_schema, commit_properties=properties
        )
    else:
        create_table_with_add_actions(
            folder,
            delta_schema,
            actions,
            mode="error",
            configuration=dict(KEEP_ALL_VERSIONS),
            commit_properties=properties,
            storage_options=place,
        )
