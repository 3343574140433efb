"""The query of a derived manifest: what it reads, and whether its columns make a manifest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from asrdq.errors import Problem, UsageError
from asrdq.manifests.columns import AUDIO_PATH, NUMBERS, UTT_ID, canonical_schema
from asrdq.manifests.paths import common_folder
from asrdq.workspace.layout import MANIFESTS
from asrdq.workspace.sandbox import sandbox, views_for
from asrdq.workspace.sql import View, sql_type
from asrdq.workspace.store import quote_text
from asrdq.workspace.versions import read_version

if TYPE_CHECKING:
    import pyarrow as pa

    from asrdq.workspace import ManifestVersion
    from asrdq.workspace.store import TableStore


@dataclass(frozen=True, slots=True)
class Sources:
    """What a query reads, fixed to the versions that were current when it was looked at.

    Attributes:
        views: Manifests and result tables, as the query sees them.
        parents: The manifest versions among them, each once.
        tables: The result tables among them, with their Delta versions.
        audio_root: Folder that holds the audio of all parents.
    """

    views: tuple[View, ...]
    parents: tuple[ManifestVersion, ...]
    tables: dict[str, int]
    audio_root: str


def find_sources(store: TableStore, query: str) -> Sources:
    """Find out what a query reads.

    Where its manifests have different audio roots, it sees their audio paths as absolute ones.

    Raises:
        UsageError: It is not a single SELECT, or it reads no manifest.
    """
    candidates = views_for(store, query)
    with sandbox(store, query, candidates) as opened:
        views = opened.reads(candidates)
    parents = {view.name: _parent(store, view) for view in views if _is_manifest(view)}
    if not parents:
        raise UsageError(
            "the query reads no manifest, so it is not known where its audio lies",
            hint="join one: SELECT train.* FROM train JOIN audits USING (utt_id)",
        )
    roots = {parent.audio_root for parent in parents.values()}
    if len(roots) > 1:
        views = [
            _absolute(view, parents[view.name].audio_root) if view.name in parents else view
            for view in views
        ]
    return Sources(
        views=tuple(views),
        parents=_each_once(parents.values()),
        tables={view.name: view.version for view in views if not _is_manifest(view)},
        audio_root=roots.pop() if len(roots) == 1 else common_folder(roots),
    )


def _is_manifest(view: View) -> bool:
    return view.table.startswith(f"{MANIFESTS}/")


def _parent(store: TableStore, view: View) -> ManifestVersion:
    return read_version(store, f"{view.table.removeprefix(f'{MANIFESTS}/')}@{view.version}")


def _each_once(parents: Iterable[ManifestVersion]) -> tuple[ManifestVersion, ...]:
    found = {(parent.name, parent.version): parent for parent in parents}
    return tuple(found[key] for key in sorted(found))


def _absolute(view: View, root: str) -> View:
    prefix = quote_text(root.rstrip("/") + "/")
    body = (
        f"SELECT * REPLACE (CASE WHEN starts_with({AUDIO_PATH}, '/') "
        f"OR contains({AUDIO_PATH}, '://') THEN {AUDIO_PATH} "
        f"ELSE {prefix} || {AUDIO_PATH} END AS {AUDIO_PATH}) FROM ({view.body})"
    )
    return replace(view, body=body)


def check_columns(schema: pa.Schema, given: Sequence[str]) -> None:
    """Check that the columns of a query make a manifest.

    Args:
        schema: The columns, no two of one name.
        given: Their names as the query has them.

    Raises:
        UsageError: The id or the audio path is missing, a name is given twice, a canonical column
            has another type, or a column has a type that tables do not hold; all of it at once.
    """
    problems = [
        f"it gives no column {name}" for name in (UTT_ID, AUDIO_PATH) if name not in schema.names
    ]
    times = Counter(name.lower() for name in given)
    problems += [
        f"it gives {name} {count} times: write * REPLACE (… AS {name}), or * EXCLUDE ({name})"
        for name, count in times.items()
        if count > 1
    ]
    canonical = canonical_schema()
    for field in schema:
        if field.name in canonical.names:
            fits = _is_number if field.name in NUMBERS else _is_text
            wanted = sql_type(canonical.field(field.name).type)
            if not fits(field.type):
                problems.append(_cast(field, wanted))
        elif not _is_storable(field.type):
            problems.append(_cast(field, "DOUBLE" if _is_number(field.type) else "VARCHAR"))
    _raise(problems)


def _raise(problems: Sequence[str]) -> None:
    if len(problems) == 1:
        raise UsageError(f"the query makes no manifest: {problems[0]}")
    if problems:
        raise UsageError("the query makes no manifest", problems=[Problem(p) for p in problems])


def _cast(field: pa.Field, wanted: str) -> str:
    return f"{field.name} is {field.type}: write CAST({field.name} AS {wanted}) AS {field.name}"


def _is_number(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return bool(
        pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_decimal(kind)
    )


def _is_text(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_string(kind))


def _is_storable(kind: pa.DataType) -> bool:
    try:
        sql_type(kind)
    except KeyError:
        return False
    return "timestamp" not in str(kind) or "timestamp[us" in str(kind)
