"""What the rules have to know of a manifest, counted in a few passes of SQL."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from asrdq.workspace import ManifestVersion, Workspace

WHISPER_S = 30.0
"""Seconds of audio that Whisper sees; the rest is cut off."""
WHISPER_TOKENS = 448
"""Longest label that Whisper's decoder has places for."""
ALIGNER_S = 180.0
"""Seconds beyond which the forced aligner of Qwen3 works in pieces."""
_SPECIAL_TOKENS = 4
"""Tokens that Whisper puts around a text: start, language, task, end."""

_COUNTED = """
    SELECT count(*) AS rows, coalesce(sum(duration_s), 0) / 3600 AS hours,
        count(*) FILTER (duration_s IS NULL) AS null_durations,
        count(*) FILTER (duration_s < $low) AS short_rows,
        coalesce(sum(duration_s) FILTER (duration_s < $low), 0) / 3600 AS short_hours,
        count(*) FILTER (duration_s > $high) AS long_rows,
        coalesce(sum(duration_s) FILTER (duration_s > $high), 0) / 3600 AS long_hours,
        coalesce(sum(duration_s) FILTER (duration_s BETWEEN $low AND $high), 0) / 3600
            AS kept_hours,
        count(*) FILTER (duration_s BETWEEN $low AND $high) AS kept_rows,
        max(duration_s) AS longest_s,
        count(*) FILTER (duration_s > {whisper} AND duration_s <= $high) AS over_whisper,
        count(*) FILTER (duration_s > {aligner}) AS over_aligner,
        count(*) FILTER (strlen(text) > {label_bytes}) AS long_labels
    FROM {manifest}
"""
_LANGUAGES = "SELECT language, count(*) AS rows FROM {manifest} GROUP BY ALL"
_REPEATED = """
    SELECT count(*) AS recordings, coalesce(sum(pieces), 0)::BIGINT AS rows,
        any_value(audio_path) AS example
    FROM (
        SELECT audio_path, text, count(DISTINCT offset_s) AS pieces
        FROM {manifest}
        WHERE offset_s IS NOT NULL AND length(text) - length(replace(text, ' ', '')) >= {spaces}
        GROUP BY ALL HAVING pieces > 1)
"""
_LEAST_WORDS = 5
"""Shorter texts are said more than once in a recording by chance: yes, no, thank you."""


@dataclass(frozen=True, slots=True)
class DataFacts:
    """A manifest as the loader of a configuration will see it.

    Attributes:
        manifest: Name and version.
        rows: All rows.
        hours: Hours of all rows with a duration.
        null_durations: Rows without a duration.
        short_rows: Rows below the shortest clip that the loader takes.
        short_hours: Their hours.
        long_rows: Rows above the longest one.
        long_hours: Their hours.
        kept_rows: Rows that are left.
        kept_hours: Their hours.
        longest_s: The longest clip.
        over_whisper: Kept rows over 30 s.
        over_aligner: Rows over 180 s.
        long_labels: Rows whose text could have more than 448 tokens.
        languages: Rows of each language; None where a row has none.
        repeated_recordings: Recordings with one text on several of their pieces.
        repeated_rows: The pieces.
        repeated_example: One of the recordings.
    """

    manifest: str
    rows: int
    hours: float
    null_durations: int
    short_rows: int
    short_hours: float
    long_rows: int
    long_hours: float
    kept_rows: int
    kept_hours: float
    longest_s: float | None
    over_whisper: int
    over_aligner: int
    long_labels: int
    languages: dict[str | None, int]
    repeated_recordings: int
    repeated_rows: int
    repeated_example: str | None


def data_facts(
    workspace: Workspace, manifest: ManifestVersion, low_s: float | None, high_s: float | None
) -> DataFacts:
    """Count what the rules ask of a manifest.

    Args:
        workspace: Where the manifest is.
        manifest: The version.
        low_s: Shortest clip that the loader takes; None: it takes any.
        high_s: Longest clip that it takes.
    """
    view = f'"{manifest}"'
    bounds = {"low": low_s or 0.0, "high": float("inf") if high_s is None else high_s}
    counted = _COUNTED.format(
        manifest=view,
        whisper=WHISPER_S,
        aligner=ALIGNER_S,
        label_bytes=WHISPER_TOKENS - _SPECIAL_TOKENS,
    )
    [row] = workspace.query(counted, bounds).to_pylist()
    languages = workspace.query(_LANGUAGES.format(manifest=view)).to_pylist()
    repeated_sql = _REPEATED.format(manifest=view, spaces=_LEAST_WORDS - 1)
    [repeated] = workspace.query(repeated_sql).to_pylist()
    return DataFacts(
        manifest=str(manifest),
        **row,
        languages={each["language"]: each["rows"] for each in languages},
        repeated_recordings=repeated["recordings"],
        repeated_rows=repeated["rows"],
        repeated_example=repeated["example"],
    )


def characters(
    workspace: Workspace, manifest: ManifestVersion, advance: Callable[[int], object]
) -> frozenset[str]:
    """Return every character that the transcripts of a manifest have; told of progress in rows."""
    seen = np.zeros(0x110000, dtype=bool)
    with workspace.stream(manifest, ["text"], "text IS NOT NULL") as reader:
        for batch in reader:
            data = _bytes(batch.column(0))
            advance(batch.num_rows)
            if data.max(initial=0) < 0x80:
                seen[:0x80] |= np.bincount(data, minlength=0x80)[:0x80] > 0
                continue
            points = np.frombuffer(data.tobytes().decode("utf-8").encode("utf-32-le"), np.uint32)
            seen[np.unique(points)] = True
    return frozenset(map(chr, np.flatnonzero(seen)))


def _bytes(texts: Any) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Return the UTF-8 of all texts of a column, one after another."""
    import pyarrow as pa

    column = texts.cast(pa.large_string())
    _, offsets, data = column.buffers()
    bounds = np.frombuffer(offsets, np.int64)[column.offset : column.offset + len(column) + 1]
    if data is None or not len(column):
        return np.zeros(0, np.uint8)
    return np.frombuffer(data, np.uint8)[bounds[0] : bounds[-1]]


def rows_with(workspace: Workspace, manifest: ManifestVersion, signs: frozenset[str]) -> int:
    """Return how many transcripts have one of some characters."""
    pattern = "[" + "".join(f"\\x{{{ord(sign):x}}}" for sign in sorted(signs)) + "]"
    counted = f'SELECT count(*) AS rows FROM "{manifest}" WHERE regexp_matches(text, $pattern)'
    [row] = workspace.query(counted, {"pattern": pattern}).to_pylist()
    return int(row["rows"])
