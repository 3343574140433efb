"""Expectations about two manifests: what one holds must not be in the other.

`asrdq leaks` also finds nearly equal texts, overlapping segments, and files that were never probed.
"""

from __future__ import annotations

from asrdq.checks.rules import CONTENT, FACTS, PATH, facts_of, rule
from asrdq.checks.speech.texts import words_only
from asrdq.errors import unknown
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
def audio_disjoint(column: str, *, manifest: str, by: str = CONTENT) -> str:
    """No row of another manifest has the same audio.

    By `content`: the decoded samples of the clips are compared, under whatever name and in whatever
    lossless format they are stored. Both manifests have to be probed, and a row whose audio was not
    decoded fails. Two different segments of one recording are different audio. By `path`: the
    paths that the manifests state are compared, so that copies under another name pass.

    Example: `{"manifest": "test"}`
    """
    if by == PATH:
        return f"{column} NOT IN ({_values(column, column, manifest)})"
    if by != CONTENT:
        raise unknown("way to compare audio", by, (CONTENT, PATH))
    theirs = f"SELECT audio_hash FROM {quote_name(facts_of(manifest))} WHERE audio_hash IS NOT NULL"
    apart = f"audio_hash IS NOT NULL AND audio_hash NOT IN ({theirs})"
    return f"utt_id IN (SELECT utt_id FROM {FACTS} WHERE {apart})"


def _values(value: str, column: str, manifest: str) -> str:
    return f"SELECT {value} FROM {quote_name(manifest)} WHERE {column} IS NOT NULL"
