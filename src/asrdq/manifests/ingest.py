"""`asrdq ingest`: manifest files become a version of a manifest table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from asrdq.manifests.clip_store import ClipStore
from asrdq.manifests.columns import TEXT
from asrdq.manifests.commit import commit_parts
from asrdq.manifests.duplicates import drop_duplicates
from asrdq.manifests.fetching import fetched
from asrdq.manifests.formats.registry import AUTO
from asrdq.manifests.identity import Fingerprint
from asrdq.manifests.inputs import chosen_format, find_inputs
from asrdq.manifests.parts import PartWriter, reroot, retype
from asrdq.manifests.paths import Root
from asrdq.manifests.reading import Advance, Reader, thread_count
from asrdq.manifests.rejection import check_share, store_rejects
from asrdq.manifests.rejects import RejectLog
from asrdq.places import Place
from asrdq.results import Result
from asrdq.workspace.layout import check_manifest_name
from asrdq.workspace.staging import staging

if TYPE_CHECKING:
    import pyarrow as pa

    from asrdq.workspace import ManifestVersion, Workspace


@dataclass(frozen=True)
class IngestResult(Result):
    """What an ingest made.

    Attributes:
        manifest: The version that holds the content now.
        new_version: Whether it was made now; identical content makes none.
        rejected: Number of rejected lines by reason.
        rejects: The rejected lines themselves, 100,000 at most, as in table `rejects`.
        formats: The format each file was taken for.
        notes: What a person should know: columns renamed or kept as text, a new audio root.
        run_id: The run.
    """

    main_table: ClassVar[str] = "rejects"

    manifest: ManifestVersion
    new_version: bool
    rejected: dict[str, int]
    rejects: pa.Table
    formats: dict[str, str]
    notes: tuple[str, ...]
    run_id: str

    def summary(self) -> str:
        """Return the version, its size and the rejects in plain text."""
        made = self.manifest
        state = "" if self.new_version else " (content unchanged: no new version)"
        lines = [f"{made}: {made.rows:,} rows, {made.hours:,.2f} h{state}"]
        lines += [f"  rejected {count:,} × {why}" for why, count in self.rejected.items()]
        lines += [f"  note: {note}" for note in self.notes]
        return "\n".join(lines)


def ingest_manifest(
    workspace: Workspace,
    paths: Sequence[Place],
    name: str,
    *,
    format_name: str = AUTO,
    pattern: str | None = None,
    columns: Mapping[str, str] | None = None,
    audio_root: Place | None = None,
    max_reject_share: float | None = None,
    advance: Advance = lambda _: None,
) -> IngestResult:
    """Read manifest files into a new version of a manifest.

    Unfit lines go to the table `rejects`. An ingest is atomic: killed at any moment it leaves
    the manifest as it was, and the same command run again gives the same version.

    Args:
        workspace: Where the manifest is kept.
        paths: The files and folders, read as one manifest; those on S3 are copied to the disk
            while they are read.
        name: Name of the manifest.
        format_name: A format's name, or `auto` to recognise each file.
        pattern: What the names of audio files in folders say: `{label}_{speaker}_{}.wav`.
        columns: Canonical columns to the names they have in the files, where a format does not
            know them: `{"audio_path": "wavfile"}`.
        audio_root: Folder that audio paths are relative to; by default the setting, else the
            folder of each file, or for absolute paths the folder they have in common.
        max_reject_share: Fail above this share of rejected lines; by default the setting.
        advance: Called with the number of bytes read, for a progress display.

    Raises:
        DataError: Nothing to read, or too many rejected lines; no version is made then.
        S3Error: The server of an address cannot be reached, or refuses.
        UsageError: A path, name, column or format is wrong, or a file is named twice.
    """
    check_manifest_name(name)
    given = str(audio_root.expanduser().resolve()) if audio_root else workspace.audio_root()
    chosen = chosen_format(format_name, pattern)
    if max_reject_share is None:
        max_reject_share = workspace.settings.ingest.max_reject_share
    with fetched(paths, workspace.store.layout, advance) as sources:
        inputs = find_inputs(sources, chosen, columns or {}, given)
        parameters = {
            "name": name,
            "paths": [item.source.file for item in inputs],
            "format": chosen.name if chosen else AUTO,
            "pattern": pattern,
            "columns": dict(columns or {}),
            "audio_root": given,
            **({"objects": sources.objects} if sources.objects else {}),
        }
        reader = Reader(
            inputs=inputs,
            root=Root(given or "", fixed=given is not None),
            former_root=None,
            max_duration_s=workspace.settings.ingest.max_duration_s,
            workers=thread_count(workspace.settings.workers),
            clips=ClipStore.of(workspace),
            fetched=sources,
            advance=advance,
        )
        return _ingest(workspace, name, reader, parameters, max_reject_share)


def _ingest(
    workspace: Workspace,
    name: str,
    reader: Reader,
    parameters: dict[str, Any],
    max_reject_share: float,
) -> IngestResult:
    """Read files that are on the disk into a new version."""
    inputs = reader.inputs
    former = workspace.manifest(name) if name in workspace.manifests() else None
    reader.former_root = former.audio_root if former else None
    with (
        workspace.run("ingest", parameters=parameters) as run,
        staging(workspace.store, run.run_id) as at,
    ):
        writer, log = _read(reader, at)
        rejects = store_rejects(workspace, log, run.run_id, name)
        rows = sum(part.rows for part in writer.parts)
        where = inputs[0].source.file if len(inputs) == 1 else None
        check_share(log, rows, max_reject_share, run.run_id, unit="lines", where=where)
        facts = _facts(reader, writer, run.run_id)
        made, new = commit_parts(workspace.store, name, writer.parts, writer.schema(), facts)
        run.answers_for(made)
    return IngestResult(
        manifest=made,
        new_version=new,
        rejected=dict(log.counts.most_common()),
        rejects=rejects,
        formats={item.source.file: item.format.name for item in inputs},
        notes=tuple(_notes(reader, writer, log, former)),
        run_id=run.run_id,
    )


def _read(reader: Reader, folder: Path) -> tuple[PartWriter, RejectLog]:
    """Read all files; again where a column that looked like numbers turned out as text."""
    writer, log = PartWriter(folder), RejectLog()
    _write_beside_reading(reader, writer, log)
    writer.close()
    untyped = {
        own
        for item in reader.inputs
        if not item.format.typed
        for own, safe in item.fields.safe.items()
        if safe in writer.as_text
    }
    if untyped - reader.as_text:
        for part in writer.parts:
            part.path.unlink()
        reader.as_text |= untyped
        return _read(reader, folder)
    reroot(writer, reader.root)
    log.add(drop_duplicates(writer))
    retype(writer)
    return writer, log


def _write_beside_reading(reader: Reader, writer: PartWriter, log: RejectLog) -> None:
    """Write blocks in a thread of their own, one behind the block that is being made."""
    with ThreadPoolExecutor(1) as pool:
        written: Future[None] | None = None
        for block in reader.blocks():
            log.add(block.rejects)
            if written is not None:
                written.result()
            written = pool.submit(writer.write, block)
        if written is not None:
            written.result()


def _facts(reader: Reader, writer: PartWriter, run_id: str) -> dict[str, Any]:
    names = [item.fields.renamed() | item.fields.language_name() for item in reader.inputs]
    renamed = {column: own for each in names for column, own in each.items()}
    return {
        "fingerprint": str(sum((part.digest for part in writer.parts), Fingerprint())),
        "rows": sum(part.rows for part in writer.parts),
        "hours": sum(part.seconds for part in writer.parts) / 3600,
        "audio_root": reader.root.folder,
        "sources": [item.source.file for item in reader.inputs],
        "renamed": renamed,
        "run_id": run_id,
    }


def _notes(
    reader: Reader, writer: PartWriter, log: RejectLog, former: ManifestVersion | None
) -> Iterator[str]:
    for name in sorted(writer.as_text):
        yield f"column '{name}' mixes types: it is kept as text"
    for item in reader.inputs:
        if TEXT not in item.fields.chosen:
            yield (
                f"no column of {item.path.name} is known to hold the text, so every text of it is "
                f"empty; its columns are {', '.join(item.fields.names())} (--column text=NAME)"
            )
        for safe, own in item.fields.renamed().items():
            yield f"column {own!r} of {item.path.name} is called '{safe}' in the table"
    if untimed := sum(part.untimed for part in writer.parts):
        yield f"{untimed:,} rows have no duration: the hours are those of the others"
    if former and former.audio_root != reader.root.folder:
        yield f"the audio root was {former.audio_root} and is {reader.root.folder} now"
    if log.total > len(log.kept):
        yield f"{len(log.kept):,} of {log.total:,} rejects are kept"
