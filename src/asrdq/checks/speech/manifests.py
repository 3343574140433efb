"""Expectations about two manifests: what one holds must not be in the other.

They compare what the manifests say. `asrdq leaks` also compares sounds and nearly equal texts.
"""

from __future__ import annotations

from asrdq.checks.rules import rule
from asrdq.checks.speech.texts import words_only
from asrdq.workspace.store import quote_name


@rule("expect_speakers_disjoint_from", column="speaker", nulls_fail=True)
def speakers_disjoint(column: str, *, manifest: str) -> str:
    """The speaker is not in another manifest; a row without one fails.

    Example: `{"manifest": "test"}`
    """
    return f"{column} NOT IN ({_values(column, column, manifest)})"


@rule("expect_texts_disjoint_from", column="text")
def texts_disjoint(column: str, *, manifest: str) -> str:
    """The text is not in another manifest; case, punctuation and spaces do not count.

    Example: `{"manifest": "test"}`
    """
    words = words_only(column)
    return f"length({words}) = 2 OR ({words}) NOT IN ({_values(words, column, manifest)})"


@rule("expect_audio_disjoint_from", column="audio_path", nulls_fail=True)
def audio_disjoint(column: str, *, manifest: str) -> str:
    """No row of another manifest is of the same audio file, by its path.

    Example: `{"manifest": "test"}`
    """
    return f"{column} NOT IN ({_values(column, column, manifest)})"


def _values(value: str, column: str, manifest: str) -> str:
    return f"SELECT {value} FROM {quote_name(manifest)} WHERE {column} IS NOT NULL"
