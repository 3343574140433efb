"""Which hypothesis belongs to which clip of a manifest: by id, audio path or file name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from asrdq.errors import DataError, Problem
from asrdq.hypotheses.ids import EXAMPLES, IdMatch
from asrdq.hypotheses.reading import Staged
from asrdq.manifests.columns import AUDIO_PATH, OFFSET, UTT_ID
from asrdq.manifests.formats.audio_names import AUDIO_SUFFIXES
from asrdq.workspace.store import quote_text

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_SUFFIX: Final = rf"\.({'|'.join(suffix[1:] for suffix in AUDIO_SUFFIXES)})$"
_SEPARATOR: Final = "chr(31)"


@dataclass(frozen=True, slots=True)
class Key:
    """A way to tell whose a hypothesis is.

    Attributes:
        said: What it is called to people.
        hypothesis: SQL of the key of a staged row; null where it has none.
        clip: SQL of the key of a row of the manifest.
        of_path: Whether it is made of audio paths; otherwise it is the id.
    """

    said: str
    hypothesis: str
    clip: str
    of_path: bool = True


def match_rows(
    database: DuckDBPyConnection,
    staged: Staged,
    rows_of_clips: str,
    located: Callable[[], Path],
    *,
    any_case: bool,
) -> tuple[Key, IdMatch]:
    """Put the rows that belong to a clip into the view `matched`; their ids are those of clips.

    The strictest key is taken by which all rows or all clips are found, else the one by which most
    are. A file name counts only where one clip and one row has it.

    Args:
        database: Where `staged` and `clips` become views.
        staged: The rows.
        rows_of_clips: SQL for the rows of the manifest.
        located: Gives the file of `Clips.located`; asked only where paths have to be compared.
        any_case: Whether ids may differ in upper and lower case.

    Raises:
        DataError: Rows of one clip stand there twice, or not one row belongs to a clip.
    """
    show_file(database, "staged", staged.path)
    database.execute(f"CREATE OR REPLACE TEMP VIEW clips AS {rows_of_clips}")
    clip_count = count_rows(database, "clips")
    by_paths = False
    best: tuple[int, Key, Path] | None = None
    for number, key in enumerate(_keys(staged, any_case=any_case)):
        if key.of_path and not by_paths:
            show_file(database, "clips", located())
            by_paths = True
        file = staged.path.with_name(f"matched-{number}.parquet")
        found = _write_matched(database, key, file)
        if best is None or found > best[0]:
            best = found, key, file
        if found in (staged.rows, clip_count):
            break
    assert best is not None
    found, key, file = best
    if found == 0:
        raise _strangers(database, staged.rows)
    show_file(database, "matched", file)
    _refuse_repeated(database, key)
    return key, _id_match(database, clip_count, staged.rows, found)


def _keys(staged: Staged, *, any_case: bool) -> Iterator[Key]:
    """Give the keys that the rows of a file can be found by, the strictest first."""
    names = staged.choice.chosen
    by_id, by_path = UTT_ID in names, AUDIO_PATH in names
    if by_id:
        yield Key("id", UTT_ID, UTT_ID, of_path=False)
        if any_case:
            lower = f"lower({UTT_ID})"
            yield Key("id in any case", lower, lower, of_path=False)
    begin = f"|| {_SEPARATOR} || round(coalesce({OFFSET}, 0) * 1e6)::BIGINT"
    offset, too = (begin, " and offset") if staged.has_offsets else ("", "")
    for column, what in ((AUDIO_PATH, ""), (UTT_ID, "id as ")):
        if not (by_path if column == AUDIO_PATH else by_id):
            continue
        for said, form in (
            ("audio path", "{}"),
            ("file name", "parse_filename({}, false, 'forward_slash')"),
            ("file name without its suffix", without_suffix("{}")),
        ):
            ours, theirs = form.format(column), form.format(AUDIO_PATH)
            yield Key(f"{what}{said}{too}", f"{ours} {offset}", f"{theirs} {offset}")


def without_suffix(path: str) -> str:
    """Return SQL for the name of a file, without the suffix of an audio file."""
    name = f"parse_filename({path}, false, 'forward_slash')"
    return f"regexp_replace({name}, {quote_text(_SUFFIX)}, '', 'i')"


def _write_matched(database: DuckDBPyConnection, key: Key, file: Path) -> int:
    """Write the rows of clips that no other clip has the key of, and return how many they are."""
    clips = (
        f"SELECT {UTT_ID}, {UTT_ID} AS key FROM clips"
        if key.clip == UTT_ID
        else f"SELECT any_value({UTT_ID}) AS {UTT_ID}, {key.clip} AS key FROM clips "
        "GROUP BY key HAVING count(*) = 1"
    )
    rows = f"SELECT * EXCLUDE ({UTT_ID}), {key.hypothesis} AS key FROM staged"
    joined = (
        f"SELECT c.{UTT_ID}, r.* EXCLUDE (key) FROM ({rows}) r JOIN ({clips}) c ON r.key = c.key"
    )
    return write_view(database, "matched", file, joined)


def _refuse_repeated(database: DuckDBPyConnection, key: Key) -> None:
    """Refuse a file with several rows of one key: nobody knows which is meant.

    Raises:
        DataError: There are such rows; the first are listed.
    """
    found = database.execute(
        f"SELECT key, list(line ORDER BY line), count(*) OVER () FROM "
        f"(SELECT {key.hypothesis} AS key, line FROM staged) WHERE key IS NOT NULL "
        f"GROUP BY key HAVING count(*) > 1 ORDER BY min(line) LIMIT {EXAMPLES}"
    ).fetchall()
    if found:
        problems = [
            Problem(f"{shown_key(name)} stands on lines {', '.join(map(str, lines[:5]))}")
            for name, lines, _ in found
        ]
        raise DataError(
            f"{found[0][2]:,} clips have more than one hypothesis, by {key.said}",
            problems=problems,
            hint="keep one line of each clip",
        )


def _id_match(
    database: DuckDBPyConnection, clip_count: int, row_count: int, matched: int
) -> IdMatch:
    """Compare ids; no key is repeated by now, so that counts tell what there is to look for."""
    filled = count_rows(database, "matched WHERE hypothesis IS NOT NULL")
    strange = first_rows(
        database,
        f"SELECT coalesce({UTT_ID}, {AUDIO_PATH}), line "
        "FROM staged ANTI JOIN matched USING (line) ORDER BY line",
        any_found=matched < row_count,
    )
    return IdMatch(
        clips=clip_count,
        rows=row_count,
        matched=filled,
        missing=clip_count - filled,
        extra=row_count - matched,
        missing_ids=missing_ids(database, any_found=filled < clip_count),
        extra_ids=tuple(str(name) for name, _ in strange),
        extra_lines=tuple(line for _, line in strange),
    )


def missing_ids(database: DuckDBPyConnection, *, any_found: bool) -> tuple[str, ...]:
    """Return the first ids of `clips` that have no text in `matched`."""
    rows = first_rows(
        database,
        f"SELECT {UTT_ID} FROM clips ANTI JOIN "
        f"(FROM matched WHERE hypothesis IS NOT NULL) USING ({UTT_ID}) ORDER BY 1",
        any_found=any_found,
    )
    return tuple(utt_id for (utt_id,) in rows)


def first_rows(database: DuckDBPyConnection, sql: str, *, any_found: bool) -> list[Any]:
    """Return the first rows of a query that need only be run if there are any."""
    return database.execute(f"{sql} LIMIT {EXAMPLES}").fetchall() if any_found else []


def _strangers(database: DuckDBPyConnection, rows: int) -> DataError:
    """Return the error for a file of which nothing is known to the manifest."""
    theirs = f"SELECT coalesce({UTT_ID}, {AUDIO_PATH}) FROM staged ORDER BY line LIMIT 1"
    ours = f"SELECT {UTT_ID}, {AUDIO_PATH} FROM clips ORDER BY {UTT_ID} LIMIT 1"
    [(stranger,)] = database.execute(theirs).fetchall()
    known = database.execute(ours).fetchall()
    said = " or ".join(map(shown_key, known[0])) if known else "nothing"
    return DataError(
        f"not one of {rows:,} hypotheses belongs to a clip: the file has "
        f"{shown_key(stranger)}, the manifest {said}",
        hint="do the hypotheses belong to this manifest?",
    )


def shown_key(key: str) -> str:
    """Return a key for people: quoted, and with the offset in words."""
    name, separator, begin = key.partition("\x1f")
    return f"{name!r} at {int(begin) / 1e6:g} s" if separator else repr(name)


def show_file(database: DuckDBPyConnection, name: str, path: Path) -> None:
    """Make a Parquet file a view."""
    listed = quote_text(str(path))
    database.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS FROM read_parquet({listed})")


def write_view(database: DuckDBPyConnection, name: str, file: Path, sql: str) -> int:
    """Run a query once, into a Parquet file that becomes a view; return how many rows it has."""
    target = quote_text(str(file))
    [(count,)] = database.execute(f"COPY ({sql}) TO {target} (FORMAT parquet)").fetchall()
    show_file(database, name, file)
    return int(count)


def count_rows(database: DuckDBPyConnection, source: str) -> int:
    """Return how many rows a view has."""
    [(count,)] = database.execute(f"SELECT count(*) FROM {source}").fetchall()
    return int(count)
