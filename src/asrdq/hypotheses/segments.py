"""The words of a CTM file become hypotheses of the segments that they lie in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from asrdq.errors import DataError, Problem
from asrdq.hypotheses.columns import CHANNEL, CONFIDENCE, HYPOTHESIS
from asrdq.hypotheses.formats.ctm import MIDDLE, RECORDING, WORD
from asrdq.hypotheses.ids import EXAMPLES, WORDS, IdMatch
from asrdq.hypotheses.matching import (
    count_rows,
    first_rows,
    missing_ids,
    show_file,
    without_suffix,
    write_view,
)
from asrdq.hypotheses.reading import LINE, Staged
from asrdq.manifests.columns import AUDIO_PATH, DURATION, OFFSET, UTT_ID
from asrdq.manifests.formats.stm import UnscoredSegment

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_NAMES: Final = {
    "name of the recording": without_suffix(AUDIO_PATH),
    "audio path": AUDIO_PATH,
    "id": UTT_ID,
}
"""What the first column of a CTM file may be, with the SQL of it for a clip."""


@dataclass(frozen=True, slots=True)
class Segmentation:
    """How the words of a recording are cut into clips.

    Attributes:
        whole: Whether the clips cover their recordings: a word between two of them then belongs to
            the second one, before the first to that, and after the last to that, as in sclite.
            Else it has no clip.
        unscored: Segments whose words are left out.
    """

    whole: bool = False
    unscored: tuple[UnscoredSegment, ...] = ()


def match_words(
    database: DuckDBPyConnection, staged: Staged, clips: Path, cut: Segmentation
) -> tuple[str, IdMatch]:
    """Put the words of each clip, in their order, into the view `matched`.

    A word belongs to the segment that its middle lies in. A clip of a recording that the file
    knows, and in which no word lies, has an empty hypothesis; the confidence of a hypothesis is
    the mean of those of its words, where all have one.

    Args:
        database: Where views are made.
        staged: The words.
        clips: The manifest, from `Clips.located`.
        cut: What becomes of words outside of all clips.

    Returns:
        What recordings are known by, and how words and clips agree; the words outside of all
        clips are the extra ones.

    Raises:
        DataError: A word lies in several segments, or words of several channels in one.
    """
    show_file(database, "words", staged.path)
    show_file(database, "clips", clips)
    said = _show_segments(database, staged, cut)
    _refuse_mixed_channels(database)
    _refuse_overlaps(database)
    write_view(
        database,
        "matched",
        staged.path.with_name("matched.parquet"),
        f"SELECT s.{UTT_ID}, min(p.{LINE}) AS {LINE}, "
        f"coalesce(string_agg(p.{WORD}, ' ' ORDER BY p.{MIDDLE}, p.{LINE}), '') AS {HYPOTHESIS}, "
        f"CASE WHEN count(p.{CONFIDENCE}) = count(p.{WORD}) THEN avg(p.{CONFIDENCE}) END "
        f"AS {CONFIDENCE} FROM segments s LEFT JOIN placed p USING ({UTT_ID}) GROUP BY s.{UTT_ID}",
    )
    return said, _id_match(database)


def _show_segments(database: DuckDBPyConnection, staged: Staged, cut: Segmentation) -> str:
    """Make views of the segments of known recordings, and of the words placed in them."""
    database.execute("CREATE OR REPLACE TEMP TABLE voided (recording VARCHAR)")
    if staged.voided:
        database.executemany(
            "INSERT INTO voided VALUES (?)", [[name] for name in sorted(staged.voided)]
        )
    known = f"SELECT DISTINCT {RECORDING} AS key FROM words"
    found = {
        said: count_rows(database, f"(({known}) SEMI JOIN ({_recordings(key)}) USING (key))")
        for said, key in _NAMES.items()
    }
    said = max(found, key=lambda name: found[name])
    channel = _in_any_case(database, _NAMES[said])
    database.execute(
        f"CREATE OR REPLACE TEMP VIEW segments AS SELECT c.*, coalesce({OFFSET}, 0) AS start, "
        f"CASE WHEN {OFFSET} IS NULL OR {DURATION} IS NULL THEN 'infinity'::DOUBLE "
        f"ELSE {OFFSET} + {DURATION} END AS stop "
        f"FROM (SELECT *, {_NAMES[said]} AS key FROM clips) c "
        f"SEMI JOIN ({known}) USING (key) SEMI JOIN ({_recordings(_NAMES[said])}) USING (key) "
        "ANTI JOIN voided ON key = recording"
    )
    _show_regions(database, cut, channel)
    within = (
        f"w.{RECORDING} = r.key AND w.{MIDDLE} >= r.start AND w.{MIDDLE} < r.stop "
        f"AND (r.{CHANNEL} IS NULL OR {channel.format('r')} = {channel.format('w')})"
    )
    write_view(
        database,
        "placed",
        staged.path.with_name("placed.parquet"),
        f"SELECT r.{UTT_ID}, w.* FROM words w JOIN regions r ON {within} "
        f"WHERE r.{UTT_ID} IS NOT NULL",
    )
    database.execute(
        f"CREATE OR REPLACE TEMP VIEW unscored AS SELECT {LINE} FROM words w SEMI JOIN "
        f"(FROM regions WHERE {UTT_ID} IS NULL) r ON {within} ANTI JOIN placed USING ({LINE})"
    )
    return said


def _show_regions(database: DuckDBPyConnection, cut: Segmentation, channel: str) -> None:
    """Make a view of where the words of each clip lie, and of no clip, which has no id."""
    database.execute(
        f"CREATE OR REPLACE TEMP TABLE silent (key VARCHAR, {CHANNEL} VARCHAR, start DOUBLE, "
        "stop DOUBLE)"
    )
    if cut.unscored:
        rows = [[s.recording, s.channel, s.start, s.stop] for s in cut.unscored]
        database.executemany("INSERT INTO silent VALUES (?, ?, ?, ?)", rows)
    columns = f"key, {CHANNEL}, start, stop"
    regions = (
        f"SELECT {UTT_ID}, {columns} FROM segments UNION ALL SELECT NULL, {columns} FROM silent"
    )
    if cut.whole:
        regions = (
            f"SELECT {UTT_ID}, key, {CHANNEL}, "
            "least(start, coalesce(lag(stop) OVER side, 0)) AS start, "
            "if(lead(start) OVER side IS NULL, 'infinity'::DOUBLE, stop) AS stop "
            f"FROM ({regions}) x WINDOW side AS (PARTITION BY key, {channel.format('x')} "
            "ORDER BY start)"
        )
    database.execute(f"CREATE OR REPLACE TEMP VIEW regions AS {regions}")


def _in_any_case(database: DuckDBPyConnection, key: str) -> str:
    """Return SQL for the channel of a table: in lower case, as sclite takes it.

    Where two channels of a recording differ by case alone they are taken as they are.
    """
    sides = (
        f"SELECT {RECORDING} AS key, {CHANNEL} FROM words",
        f"SELECT {key}, {CHANNEL} FROM clips",
    )
    apart = [
        count_rows(
            database,
            f"(SELECT 1 FROM ({side}) side(key, channel) GROUP BY key, lower(channel) "
            "HAVING count(DISTINCT channel) > 1)",
        )
        for side in sides
    ]
    return f"{{}}.{CHANNEL}" if any(apart) else f"lower({{}}.{CHANNEL})"


def _recordings(key: str) -> str:
    """Return SQL for the names that stand for one audio file only."""
    return (
        f"SELECT key FROM (SELECT {key} AS key, {AUDIO_PATH} FROM clips) "
        f"GROUP BY key HAVING count(DISTINCT {AUDIO_PATH}) = 1"
    )


def _refuse_mixed_channels(database: DuckDBPyConnection) -> None:
    found = database.execute(
        f"SELECT {RECORDING}, list(DISTINCT {CHANNEL} ORDER BY {CHANNEL}) FROM placed "
        f"WHERE {UTT_ID} IN (SELECT {UTT_ID} FROM segments WHERE {CHANNEL} IS NULL) "
        f"GROUP BY {RECORDING} HAVING count(DISTINCT {CHANNEL}) > 1 ORDER BY 1 LIMIT {EXAMPLES}"
    ).fetchall()
    if found:
        raise DataError(
            "words of several channels lie in the same segments",
            problems=[Problem(f"{name}: channels {', '.join(each)}") for name, each in found],
            hint="give the manifest a column `channel`",
        )


def _refuse_overlaps(database: DuckDBPyConnection) -> None:
    found = database.execute(
        f"SELECT {LINE}, any_value({WORD}), list({UTT_ID} ORDER BY {UTT_ID}), count(*) OVER () "
        f"FROM placed GROUP BY {LINE} HAVING count(*) > 1 ORDER BY {LINE} LIMIT {EXAMPLES}"
    ).fetchall()
    if found:
        raise DataError(
            f"{found[0][3]:,} words lie in more than one segment",
            problems=[
                Problem(f"line {line}: {word!r} is in {', '.join(ids[:5])}")
                for line, word, ids, _ in found
            ],
            hint="give hypotheses by id instead of words with times",
        )


def _id_match(database: DuckDBPyConnection) -> IdMatch:
    clips, matched = count_rows(database, "clips"), count_rows(database, "segments")
    judged = "(FROM words ANTI JOIN voided USING (recording))"
    outside = f"{judged} ANTI JOIN placed USING ({LINE}) ANTI JOIN unscored USING ({LINE})"
    extra = count_rows(database, f"({outside})")
    strange = first_rows(
        database,
        f"SELECT concat({RECORDING}, ' ', {CHANNEL}, ' ', round({MIDDLE}, 2), ' s ', {WORD}), "
        f"{LINE} FROM {outside} ORDER BY {LINE}",
        any_found=extra > 0,
    )
    return IdMatch(
        clips=clips,
        rows=count_rows(database, judged),
        matched=matched,
        missing=clips - matched,
        extra=extra,
        missing_ids=missing_ids(database, any_found=matched < clips),
        extra_ids=tuple(name for name, _ in strange),
        extra_lines=tuple(line for _, line in strange),
        unit=WORDS,
        unscored=count_rows(database, "unscored"),
    )
