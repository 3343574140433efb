"""`asrdq derive`: a version of a manifest from a query, with its lineage."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from asrdq.manifests.block import Block, Source, make_block
from asrdq.manifests.columns import CANONICAL, NUMBERS, FieldMap
from asrdq.manifests.commit import commit_parts
from asrdq.manifests.duplicates import drop_duplicates
from asrdq.manifests.formats.protocol import Chunk, Parsed
from asrdq.manifests.identity import Fingerprint
from asrdq.manifests.parts import PartWriter
from asrdq.manifests.paths import Root
from asrdq.manifests.rejection import check_share, store_rejects
from asrdq.manifests.rejects import RejectLog
from asrdq.results import Result
from asrdq.versions.comparison import Side
from asrdq.versions.counting import compare
from asrdq.versions.query import Sources, check_columns, find_sources
from asrdq.workspace.layout import check_manifest_name
from asrdq.workspace.lineage import Lineage, Parent
from asrdq.workspace.sandbox import sandbox
from asrdq.workspace.sql import select_files
from asrdq.workspace.staging import staging

if TYPE_CHECKING:
    import pyarrow as pa

    from asrdq.workspace import ManifestVersion, Workspace

_ALIASES = {name: (name,) for name in CANONICAL}
_FILE = "query"
"""What stands for the file in rejects: the line is the number of the row in the outcome."""


@dataclass(frozen=True)
class DeriveResult(Result):
    """What a derivation made.

    Attributes:
        manifest: The version that holds the content now.
        new_version: Whether it was made now; identical content makes none.
        lineage: The query, and what was gained and lost against each parent.
        rejected: Number of rejected rows by reason.
        rejects: The rejected rows themselves, 100,000 at most, as in table `rejects`.
        notes: What a person should know: canonical columns that the query does not give.
        run_id: The run.
    """

    main_table: ClassVar[str] = "lineage"

    manifest: ManifestVersion
    new_version: bool
    lineage: Lineage
    rejected: dict[str, int]
    rejects: pa.Table
    notes: tuple[str, ...]
    run_id: str

    def summary(self) -> str:
        """Return the version, its size, and what it gained and lost in plain text."""
        made = self.manifest
        state = "" if self.new_version else " (content unchanged: no new version)"
        lines = [f"{made}: {made.rows:,} rows, {made.hours:,.2f} h{state}"]
        for parent in self.lineage.parents:
            lines.append(
                f"  against {parent}: +{parent.gained_rows:,} rows (+{parent.gained_hours:,.2f} h),"
                f" -{parent.lost_rows:,} rows (-{parent.lost_hours:,.2f} h),"
                f" {parent.changed_rows:,} rows changed"
            )
        lines += [f"  rejected {count:,} × {why}" for why, count in self.rejected.items()]
        return "\n".join([*lines, *(f"  note: {note}" for note in self.notes)])

    def arrow(self) -> pa.Table:
        """Return one row a parent."""
        import pyarrow as pa

        return pa.Table.from_pylist([asdict(parent) for parent in self.lineage.parents])


def derive_manifest(
    workspace: Workspace,
    name: str,
    query: str,
    *,
    max_reject_share: float | None = None,
    advance: Callable[[int], object] = lambda _: None,
) -> DeriveResult:
    """Make the rows that a query gives a new version of a manifest.

    The query runs in the sandbox of user SQL, over the versions that are current when it begins.
    It gives `utt_id`, `audio_path` and any other columns. Rows are checked as in an ingest: unfit
    ones and repeated ids go to the table `rejects`. It is atomic: killed at any moment it
    leaves the manifest as it was.

    Args:
        workspace: Where the manifests are.
        name: Name of the manifest; it may be one that the query reads.
        query: One SELECT.
        max_reject_share: Fail above this share of rejected rows; by default the setting.
        advance: Called with the number of rows that were read, for a progress display.

    Raises:
        DataError: The outcome is empty, or too many rows are rejected; no version is made then.
        UsageError: The name or the query is wrong, or its columns make no manifest.
    """
    check_manifest_name(name)
    sources = find_sources(workspace.store, query)
    if max_reject_share is None:
        max_reject_share = workspace.settings.ingest.max_reject_share
    parents = [str(parent) for parent in sources.parents]
    parameters = {"name": name, "query": query, "parents": parents}
    with (
        workspace.run("derive", parameters=parameters) as run,
        staging(workspace.store, run.run_id) as folder,
    ):
        fields = FieldMap(_ALIASES)
        writer, log = _write(workspace, query, sources, fields, folder, advance)
        rejects = store_rejects(workspace, log, run.run_id, name)
        rows = sum(part.rows for part in writer.parts)
        check_share(log, rows, max_reject_share, run.run_id, unit="rows")
        lineage = _lineage(workspace, query, sources, writer)
        facts = _facts(sources, fields, writer, lineage, run.run_id)
        made, new = commit_parts(workspace.store, name, writer.parts, writer.schema(), facts)
        run.answers_for(made)
    return DeriveResult(
        manifest=made,
        new_version=new,
        lineage=lineage,
        rejected=dict(log.counts.most_common()),
        rejects=rejects,
        notes=tuple(_notes(fields, sources)),
        run_id=run.run_id,
    )


def _write(
    workspace: Workspace,
    query: str,
    sources: Sources,
    fields: FieldMap,
    folder: Path,
    advance: Callable[[int], object],
) -> tuple[PartWriter, RejectLog]:
    """Run the query and write what it gives into files, unfit and repeated rows left out."""
    writer, log = PartWriter(folder), RejectLog()
    limit = workspace.settings.ingest.max_duration_s
    with sandbox(workspace.store, query, sources.views) as opened:
        reader = opened.rows()
        check_columns(reader.schema, opened.names())
        for block in _blocks(reader, fields, sources.audio_root, limit):
            log.add(block.rejects)
            writer.write(block)
            advance(len(block.lines) + len(block.rejects))
    writer.close()
    log.add(drop_duplicates(writer))
    return writer, log


def _blocks(
    reader: pa.RecordBatchReader, fields: FieldMap, audio_root: str, max_duration_s: float
) -> Iterator[Block]:
    import pyarrow as pa

    source, root = Source(_FILE, audio_root), Root(audio_root, fixed=True)
    names, first = fields.outputs(reader.schema.names), 1
    for batch in reader:
        rows = pa.Table.from_batches([batch])
        for name in NUMBERS.intersection(rows.column_names):
            number = rows[name].cast(pa.float64(), safe=False)
            rows = rows.set_column(rows.column_names.index(name), name, number)
        parsed = Parsed(rows, np.arange(first, first + len(batch)), [])
        yield make_block(Chunk(b"", first), parsed, names, source, root, max_duration_s)
        first += len(batch)


def _lineage(workspace: Workspace, query: str, sources: Sources, writer: PartWriter) -> Lineage:
    schema = writer.schema()
    body = select_files(schema, [str(part.path) for part in writer.parts])
    outcome = Side(body, schema, sources.audio_root)
    parents = tuple(_against(workspace, parent, outcome) for parent in sources.parents)
    return Lineage(query, parents, sources.tables)


def _against(workspace: Workspace, parent: ManifestVersion, outcome: Side) -> Parent:
    changes = compare(workspace.store, Side.of(workspace.store, parent), outcome)
    return Parent(
        name=parent.name,
        version=parent.version,
        fingerprint=parent.fingerprint,
        gained_rows=changes.added.rows,
        gained_hours=changes.added.hours,
        lost_rows=changes.removed.rows,
        lost_hours=changes.removed.hours,
        changed_rows=changes.changed.rows,
    )


def _facts(
    sources: Sources, fields: FieldMap, writer: PartWriter, lineage: Lineage, run_id: str
) -> dict[str, Any]:
    renamed = fields.renamed()
    for parent in sources.parents:
        known = fields.safe.keys() | fields.chosen.keys()
        renamed |= {k: own for k, own in parent.renamed.items() if k in known}
    files = [file for parent in sources.parents for file in parent.sources]
    return {
        "fingerprint": str(sum((part.digest for part in writer.parts), Fingerprint())),
        "rows": sum(part.rows for part in writer.parts),
        "hours": sum(part.seconds for part in writer.parts) / 3600,
        "audio_root": sources.audio_root,
        "sources": list(dict.fromkeys(files)),
        "renamed": renamed,
        "run_id": run_id,
        "lineage": asdict(lineage),
    }


def _notes(fields: FieldMap, sources: Sources) -> Iterator[str]:
    absent = [name for name in CANONICAL if name not in fields.chosen]
    if absent:
        yield f"the query gives no {', '.join(absent)}: nothing is known of it"
    roots = {parent.audio_root for parent in sources.parents}
    if len(roots) > 1:
        yield f"the parents have different audio roots: it is {sources.audio_root} now"
    for safe, own in fields.renamed().items():
        yield f"column {own!r} is called '{safe}' in the table"
