"""The sets of hypotheses that a manifest has, and what an argument such as `r1=FILE` means."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from asrdq.errors import UsageError, nearest
from asrdq.hypotheses.bounded import bounded_database
from asrdq.hypotheses.ids import EXAMPLES, IdMatch, Ids, check_ids_rule
from asrdq.hypotheses.loading import HypothesesResult, load_hypotheses
from asrdq.hypotheses.names import is_set_name, set_name_of
from asrdq.hypotheses.tables import TABLE
from asrdq.manifests.reading import Advance
from asrdq.places import Place, S3Path, place
from asrdq.workspace.sql import select_from

if TYPE_CHECKING:
    from asrdq.workspace import ManifestVersion, Workspace


@dataclass(frozen=True, slots=True)
class HypothesisSet:
    """A set of hypotheses.

    Attributes:
        name: Its name.
        rows: Number of hypotheses.
        transcriber: What made them; None where they were read from a file.
        transcriber_version: Its version.
        run_id: The newest run that wrote of it.
    """

    name: str
    rows: int
    transcriber: str | None
    transcriber_version: str | None
    run_id: str


def hypothesis_sets(workspace: Workspace, manifest: ManifestVersion) -> list[HypothesisSet]:
    """Return the sets of a manifest in the order of their names."""
    if not workspace.table_exists(TABLE):
        return []
    found = workspace.query(
        "SELECT hyps AS name, count(*) AS rows, any_value(transcriber) AS transcriber, "
        "any_value(transcriber_version) AS transcriber_version, max(run_id) AS run_id "
        f"FROM {TABLE} WHERE manifest = $manifest GROUP BY hyps ORDER BY hyps",
        {"manifest": manifest.name},
    )
    return [HypothesisSet(**row) for row in found.to_pylist()]


def match_set(workspace: Workspace, manifest: ManifestVersion, name: str) -> IdMatch:
    """Compare the ids of a set with those of a manifest version."""
    if not workspace.table_exists(TABLE):
        return IdMatch(manifest.rows, 0, 0, manifest.rows, 0)
    ours, _ = select_from(workspace.store, TABLE)
    theirs, _ = select_from(workspace.store, manifest.table, manifest.version)
    hyps = f"(SELECT utt_id FROM ({ours}) WHERE hyps = $name AND manifest = $manifest)"
    clips = f"(SELECT utt_id FROM ({theirs}))"
    with bounded_database(workspace) as database:

        def ask(sql: str) -> list[tuple[object, ...]]:
            return database.execute(sql, {"name": name, "manifest": manifest.name}).fetchall()

        [(rows,)] = ask(f"SELECT count(*) FROM {hyps}")
        [(matched,)] = ask(f"SELECT count(*) FROM {hyps} SEMI JOIN {clips} USING (utt_id)")
        first = f"ORDER BY utt_id LIMIT {EXAMPLES}"
        count, found = int(str(rows)), int(str(matched))
        lacking, beyond = found < manifest.rows, found < count
        missing = ask(f"FROM {clips} ANTI JOIN {hyps} USING (utt_id) {first}") if lacking else []
        extra = ask(f"FROM {hyps} ANTI JOIN {clips} USING (utt_id) {first}") if beyond else []
    return IdMatch(
        clips=manifest.rows,
        rows=count,
        matched=found,
        missing=manifest.rows - found,
        extra=count - found,
        missing_ids=tuple(str(utt_id) for (utt_id,) in missing),
        extra_ids=tuple(str(utt_id) for (utt_id,) in extra),
    )


def resolve(
    workspace: Workspace,
    manifest: ManifestVersion,
    argument: str,
    *,
    ids: Ids = "strict",
    whole_recordings: bool = False,
    advance: Advance = lambda _: None,
    told: Callable[[HypothesesResult], None] = lambda _: None,
) -> str:
    """Return the name of the set that an argument means; a file is read first.

    `r1` is a set of the table, `r1=FILE` a file under that name, and `FILE` a file under the name
    of its stem. Whatever it is, its ids agree with the manifest afterwards as far as was asked.

    Args:
        workspace: Where the sets are.
        manifest: The version that is scored.
        argument: What the user wrote.
        ids: What to do where ids differ.
        whole_recordings: Of a CTM file; see `load_hypotheses`.
        advance: Told the number of bytes read of a file.
        told: Given the result of reading a file, to say how its rows were joined.

    Raises:
        DataError: Ids differ, or the file cannot be taken.
        UsageError: There is neither such a set nor such a file; the sets are named.
    """
    check_ids_rule(ids)
    sets = {each.name: each for each in hypothesis_sets(workspace, manifest)}
    if argument in sets:
        found = match_set(workspace, manifest, argument)
        found.require(ids, f"set '{argument}'", str(manifest))
        return argument
    name, path = _named_file(argument)
    if path is None:
        raise _unknown_set(argument, manifest, list(sets))
    result = load_hypotheses(
        workspace,
        manifest,
        path,
        name=name,
        ids=ids,
        whole_recordings=whole_recordings,
        advance=advance,
    )
    told(result)
    return name


def _named_file(argument: str) -> tuple[str, Place | None]:
    """Return the name and file that an argument means; no file where it can be none."""
    name, equals, text = argument.partition("=")
    if equals and is_set_name(name):
        return name, place(text)
    path = place(argument)
    there = isinstance(path, S3Path) or path.expanduser().exists()
    looks_like_one = "/" in argument or bool(path.suffix)
    stem = PurePosixPath(path.name.removesuffix(".gz")).stem
    return set_name_of(stem), path if there or looks_like_one else None


def _unknown_set(argument: str, manifest: ManifestVersion, names: list[str]) -> UsageError:
    guess = nearest(argument, names)
    meant = f"did you mean '{guess}'? " if guess else ""
    listed = f"{manifest.name} has: {', '.join(names) or 'none yet'}"
    return UsageError(
        f"there is no set of hypotheses '{argument}', and no such file",
        hint=f"{meant}{listed}; name a file (r1=FILE), or make a set: "
        f"asrdq transcribe {manifest.name} --name {set_name_of(argument)}",
    )
