"""Words of a transcript with their place in the audio, and the mark of those that fit badly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from asrdq.audit.tables import WORD_SPANS
from asrdq.text import language_code, spoken_words

if TYPE_CHECKING:
    from asrdq.workspace import Workspace

TABLE: Final = "word_spans"
POOR, BAD = "poor", "bad"
_POOR_SHARE: Final = 0.05
_BAD_SHARE: Final = 0.01
MOST_CHARACTERS: Final = 2_000
"""A longer transcript is cut on the page."""


@dataclass(frozen=True)
class Word:
    """A word that was placed in the audio.

    Attributes:
        text: As the aligner heard of it: lower-case, numbers spelled out.
        start_s: From the start of the clip.
        end_s: From the start of the clip.
        score: Acoustic score per frame (log, at most 0), None where there is none.
        plausible: Whether its place and length can be those of the word.
        mark: `bad`, `poor` or empty.
    """

    text: str
    start_s: float
    end_s: float
    score: float | None
    plausible: bool
    mark: str

    @property
    def tip(self) -> str:
        """What a pointer over the word shows."""
        score = "" if self.score is None else f", score {self.score:.1f} a frame"
        odd = "" if self.plausible else ", implausible place or length"
        return f"{self.text}: {self.start_s:.2f}–{self.end_s:.2f} s{score}{odd}"


@dataclass(frozen=True)
class Yardstick:
    """Scores below which a word is marked, from the words of clips that passed.

    Attributes:
        poor: 5th percentile of the scores.
        bad: 1st percentile of the scores.
        poor_drop: 95th percentile of how far a score lies below the median of its clip.
        bad_drop: 99th percentile of the same.
    """

    poor: float
    bad: float
    poor_drop: float
    bad_drop: float

    def mark(self, score: float | None, usual: float | None, plausible: bool) -> str:
        """Return the mark of a word whose clip has the median score `usual`."""
        if not plausible:
            return BAD
        if score is None or usual is None:
            return ""
        if score < self.bad or usual - score > self.bad_drop:
            return BAD
        return POOR if score < self.poor or usual - score > self.poor_drop else ""


def missing_words(workspace: Workspace, run_id: str) -> str | None:
    """Return why the placed words of an audit are not known, None where they are."""
    if not workspace.table_exists(TABLE):
        return f"There is no table '{TABLE}', so no word is shown in its place."
    found = workspace.query(f"SELECT * FROM {TABLE} WHERE run_id = $run LIMIT 1", {"run": run_id})
    absent = [name for name in WORD_SPANS.names if name not in found.column_names]
    if absent:
        return f"The table '{TABLE}' has no column '{absent[0]}', so no word is shown in its place."
    if not found.num_rows:
        return f"The table '{TABLE}' has no row of this audit, so no word is shown in its place."
    return None


def yardstick(workspace: Workspace, run_id: str) -> Yardstick | None:
    """Return what is usual among the words of clips that passed, None where nothing is known."""
    row = workspace.query(_YARDSTICK, {"run": run_id}).to_pylist()[0]
    if any(value is None for value in row.values()):
        return None
    return Yardstick(**row)


_YARDSTICK: Final = f"""
    WITH words AS (
        SELECT score, median(score) OVER (PARTITION BY utt_id) - score AS gap
        FROM word_spans WHERE run_id = $run AND score IS NOT NULL AND utt_id IN (
            SELECT utt_id FROM audits WHERE run_id = $run AND low_quality = false))
    SELECT quantile_cont(score, {_POOR_SHARE}) AS poor,
        quantile_cont(score, {_BAD_SHARE}) AS bad,
        quantile_cont(gap, {1 - _POOR_SHARE}) AS poor_drop,
        quantile_cont(gap, {1 - _BAD_SHARE}) AS bad_drop
    FROM words
"""


def marked_words(rows: Sequence[dict[str, Any]], scale: Yardstick | None) -> list[Word]:
    """Return the words of one clip from its rows of `word_spans`, in their order."""
    scores = [row["score"] for row in rows if row["score"] is not None]
    usual = median(scores) if scores else None
    words = []
    for row in sorted(rows, key=lambda row: int(row["index"])):
        score, plausible = row["score"], bool(row["plausible"])
        no_scale = "" if plausible else BAD
        mark = scale.mark(score, usual, plausible) if scale else no_scale
        words.append(Word(row["word"], row["start_s"], row["end_s"], score, plausible, mark))
    return words


@dataclass(frozen=True)
class Token:
    """A piece of the transcript as it is written, with the mark of its worst word."""

    text: str
    mark: str = ""
    tip: str = ""


def tokens(text: str, words: Sequence[Word], language: str) -> tuple[list[Token], bool]:
    """Lay the placed words over the transcript as it is written.

    Returns:
        The pieces between spaces, and whether every one could be matched with its words: if not,
        no piece is marked.
    """
    shown = text if len(text) <= MOST_CHARACTERS else text[:MOST_CHARACTERS] + " …"
    pieces = shown.split()
    if len(text) <= MOST_CHARACTERS:
        spoken = [spoken_words(piece, language_code(language)) for piece in pieces]
        if [word for some in spoken for word in some] == [word.text for word in words]:
            return _matched(pieces, spoken, words), True
    return [Token(piece) for piece in pieces], False


def _matched(
    pieces: Sequence[str], spoken: Sequence[Sequence[str]], words: Sequence[Word]
) -> list[Token]:
    found, start = [], 0
    for piece, some in zip(pieces, spoken, strict=True):
        own = words[start : start + len(some)]
        start += len(some)
        marks = {word.mark for word in own}
        mark = next((mark for mark in (BAD, POOR) if mark in marks), "")
        found.append(Token(piece, mark, "; ".join(word.tip for word in own)))
    return found
