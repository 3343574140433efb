"""A file of hypotheses becomes a set in the table `hypotheses`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

import pyarrow as pa

from asrdq.errors import DataError, Problem
from asrdq.hypotheses.bounded import bounded_database
from asrdq.hypotheses.columns import HYPOTHESIS, ColumnChoice
from asrdq.hypotheses.formats.registry import AUTO, hypothesis_format
from asrdq.hypotheses.ids import IdMatch, Ids, check_ids_rule
from asrdq.hypotheses.matching import count_rows, match_rows
from asrdq.hypotheses.names import check_set_name
from asrdq.hypotheses.paths import AudioRoots, Clips
from asrdq.hypotheses.reading import Given, Staged, stage_rows, stage_words
from asrdq.hypotheses.segments import Segmentation, match_words
from asrdq.hypotheses.tables import HYPOTHESES, TABLE
from asrdq.manifests.fetching import fetched
from asrdq.manifests.formats.audio_names import shown_name
from asrdq.manifests.formats.stm import UnscoredSegment, unscored_segment
from asrdq.manifests.reading import Advance
from asrdq.manifests.rejection import store_rejects
from asrdq.manifests.rejects import TABLE as REJECTS
from asrdq.manifests.rejects import RejectReason
from asrdq.results import Result
from asrdq.workspace.sql import select_from
from asrdq.workspace.staging import staging
from asrdq.workspace.store import quote_text

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from asrdq.places import Place
    from asrdq.workspace import ManifestVersion, Workspace

_BATCH_ROWS: Final = 65_536
_EXAMPLES: Final = 20


@dataclass(frozen=True)
class HypothesesResult(Result):
    """A set of hypotheses that was read.

    Attributes:
        name: Name of the set.
        manifest: The version whose clips it was joined with, as `eval@3`.
        format: The format of the file.
        key: What rows were joined by: id, audio path, file name …
        ids: How ids agree.
        rejected: Number of lines that could not be read, by reason.
        rejects: They, 100,000 at most, as in the table `rejects`.
        notes: What a person should know of the reading.
        run_id: The run.
    """

    main_table: ClassVar[str] = "rejects"

    name: str
    manifest: str
    format: str
    key: str
    ids: IdMatch
    rejected: dict[str, int]
    rejects: pa.Table
    notes: tuple[str, ...]
    run_id: str

    def summary(self) -> str:
        """Return how many clips have a hypothesis, how they were joined, and the notes."""
        head = (
            f"{self.name}: {self.ids.matched:,} of {self.ids.clips:,} clips of {self.manifest} "
            f"have a hypothesis, joined by {self.key}"
        )
        return "\n".join([head, *(f"  note: {note}" for note in self.notes)])


def load_hypotheses(
    workspace: Workspace,
    manifest: ManifestVersion,
    path: Place,
    *,
    name: str,
    format: str = AUTO,
    ids: Ids = "strict",
    columns: Mapping[str, str] | None = None,
    whole_recordings: bool = False,
    advance: Advance = lambda _: None,
) -> HypothesesResult:
    """Read a file of hypotheses in the place of the set of that name.

    Rows are joined by id, or else by audio path, file name, or file name without its suffix,
    these two only where they are unambiguous. A null hypothesis is a missing one, an empty text
    is an empty hypothesis. Lines that cannot be read go to the table `rejects` and cost their
    row. The set is written in one commit: killed at any moment, the table is as it was, and the
    same call makes it right.

    Args:
        workspace: Where the manifest is and the set goes.
        manifest: The version that it belongs to.
        path: The file; on S3 it is copied to the disk while it is read.
        name: Name of the set.
        format: A name of `FORMATS`, or `auto`.
        ids: What to do where ids differ. What is stored are the hypotheses of clips alone; no
            empty ones are made up here.
        columns: Columns under the names they have in the file, where no usual name fits:
            `{"hypothesis": "asr_out"}`; also `utt_id`, `audio_path`, `offset_s`, `confidence`.
        whole_recordings: Whether the clips cover their recordings, so that words of a CTM file
            between two clips are errors of the second one, as sclite takes them.
        advance: Told the number of bytes read, for a progress display.

    Raises:
        DataError: Ids differ, a clip has two hypotheses, nothing can be read; nothing is stored.
        S3Error: The server of an address cannot be reached, or refuses.
        UsageError: A name, path, column or format is wrong.
    """
    check_set_name(name)
    check_ids_rule(ids)
    with fetched([path], workspace.store.layout, advance) as sources:
        file = sources.paths[0].expanduser()
        source = shown_name(sources.named(str(file.resolve())))
        choice = ColumnChoice(columns or {}, source)
        format, reader = hypothesis_format(format, file, choice.aliases)
        choice.aliases = reader.aliases
        parameters = {"hyps": name, "path": source, "format": format, "ids": ids}
        with (
            workspace.run("hypotheses", manifest, parameters) as run,
            staging(workspace.store, run.run_id) as folder,
            bounded_database(workspace) as database,
        ):
            stage = stage_words if format == "ctm" else stage_rows
            roots = AudioRoots.of(workspace, manifest)
            given = Given(file, reader, choice, roots, source, workspace.settings.workers, advance)
            staged = stage(given, folder)
            rejects = store_rejects(workspace, staged.log, run.run_id, manifest.name)
            problems = _problems(staged)
            if not staged.rows:
                raise DataError("there is no hypothesis in it", where=source, problems=problems)
            clips = Clips(workspace, manifest, roots, folder)
            cut = Segmentation(whole_recordings, _unscored(workspace, manifest))
            key, found = _matched(database, staged, clips, format, cut, source, problems)
            found.require(ids, source, str(manifest), problems)
            notes = tuple(_notes(workspace, manifest, database, staged, found))
            _store(workspace, manifest, name, run.run_id, database)
    return HypothesesResult(
        name=name,
        manifest=str(manifest),
        format=format,
        key=key,
        ids=found,
        rejected=dict(staged.log.counts.most_common()),
        rejects=rejects,
        notes=notes,
        run_id=run.run_id,
    )


def _unscored(workspace: Workspace, manifest: ManifestVersion) -> tuple[UnscoredSegment, ...]:
    """Return the segments of STM that were kept out of the manifest, and of scoring."""
    if not workspace.table_exists(REJECTS):
        return ()
    found = workspace.query(
        f"SELECT DISTINCT raw FROM {REJECTS} WHERE manifest = $manifest AND reason = $reason",
        {"manifest": manifest.name, "reason": str(RejectReason.NOT_A_CLIP)},
    )
    segments = map(unscored_segment, found["raw"].to_pylist())
    return tuple(segment for segment in segments if segment is not None)


def _matched(
    database: DuckDBPyConnection,
    staged: Staged,
    clips: Clips,
    format: str,
    cut: Segmentation,
    source: str,
    problems: Sequence[Problem],
) -> tuple[str, IdMatch]:
    """Match rows or words with clips; what is wrong is told with the lines that were rejected."""
    try:
        if format == "ctm":
            return match_words(database, staged, clips.located(), cut)
        key, found = match_rows(
            database, staged, clips.rows(), clips.located, any_case=format == "trn"
        )
    except DataError as error:
        told = [*problems, *error.problems]
        raise DataError(error.message, where=source, problems=told, hint=error.hint) from None
    return key.said, found


def _problems(staged: Staged) -> list[Problem]:
    return [
        Problem(f"{each.reason}: {each.detail}", each.file, each.line)
        for each in staged.log.kept[:_EXAMPLES]
    ]


def _notes(
    workspace: Workspace,
    manifest: ManifestVersion,
    database: DuckDBPyConnection,
    staged: Staged,
    found: IdMatch,
) -> Iterator[str]:
    for reason, count in staged.log.counts.most_common():
        yield f"{count:,} lines could not be read: {reason} (they are in the table `rejects`)"
    if found.missing:
        yield f"{found.missing:,} of {found.clips:,} clips have no hypothesis"
    if found.extra:
        yield f"{found.extra:,} of {found.rows:,} {found.unit} have no clip and are left out"
    if found.unscored:
        yield f"{found.unscored:,} words lie in segments that are not to be scored"
    empty = count_rows(database, "matched WHERE trim(hypothesis) = ''")
    if empty:
        yield f"{empty:,} hypotheses are empty"
    if HYPOTHESIS in staged.choice.chosen and staged.choice.doubtful:
        column = staged.choice.chosen[HYPOTHESIS]
        yield f"the hypotheses are those of the column '{column}'"
        body, _ = select_from(workspace.store, manifest.table, manifest.version)
        other = f"(FROM matched JOIN ({body}) m USING (utt_id) WHERE hypothesis <> m.text LIMIT 1)"
        if not count_rows(database, other):
            yield f"each of them is its reference, sign by sign: is '{column}' the reference?"


def _store(
    workspace: Workspace,
    manifest: ManifestVersion,
    name: str,
    run_id: str,
    database: DuckDBPyConnection,
) -> None:
    """Replace the set by what was matched, in a stream and one commit."""
    constants = {"hyps": name, "manifest": manifest.name, "run_id": run_id}
    columns = ", ".join(
        f"{quote_text(constants[field])} AS {field}"
        if field in constants
        else f"NULL::VARCHAR AS {field}"
        if field.startswith("transcriber")
        else field
        for field in HYPOTHESES.names
    )

    def rows() -> pa.RecordBatchReader:
        query = f"SELECT {columns} FROM matched WHERE hypothesis IS NOT NULL"
        reader = database.sql(query).to_arrow_reader(_BATCH_ROWS)
        return reader.cast(HYPOTHESES)

    workspace.replace(TABLE, rows, hyps=name, manifest=manifest.name)
