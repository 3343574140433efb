from __future__ import annotations

import pytest

from asrdq.reporting.words import BAD, MOST_CHARACTERS, POOR, Word, Yardstick, marked_words, tokens

SCALE = Yardstick(poor=-5.0, bad=-7.0, poor_drop=2.0, bad_drop=4.0)


def row(index: int, word: str, score: float | None, plausible: bool = True) -> dict[str, object]:
    return {
        "index": index,
        "word": word,
        "start_s": float(index),
        "end_s": index + 0.5,
        "score": score,
        "plausible": plausible,
    }


@pytest.mark.parametrize(
    ("score", "usual", "plausible", "mark"),
    [
        (-2.0, -2.0, True, ""),
        (-5.5, -4.0, True, POOR),
        (-7.5, -6.0, True, BAD),
        (-3.5, -1.0, True, POOR),
        (-4.9, -0.5, True, BAD),
        (None, None, True, ""),
        (-1.0, -1.0, False, BAD),
    ],
)
def test_a_word_is_marked_by_its_score_and_by_its_clip(
    score: float | None, usual: float | None, plausible: bool, mark: str
) -> None:
    assert SCALE.mark(score, usual, plausible) == mark


def test_the_median_of_the_clip_is_what_is_usual() -> None:
    rows = [row(2, "c", -5.4), row(0, "a", -1.0), row(1, "b", -1.2)]
    assert [(w.text, w.mark) for w in marked_words(rows, SCALE)] == [
        ("a", ""),
        ("b", ""),
        ("c", BAD),  # 4.2 below the median of -1.2
    ]


def test_without_a_yardstick_only_implausible_words_are_marked() -> None:
    words = marked_words([row(0, "a", -99.0), row(1, "b", -1.0, plausible=False)], None)
    assert [word.mark for word in words] == ["", BAD]


def word(text: str, mark: str = "") -> Word:
    return Word(text, 0.0, 0.5, -2.0, True, mark)


def test_marks_lie_on_the_transcript_as_it_is_written() -> None:
    words = [word("paid"), word("twenty", POOR), word("five", BAD), word("dollars"), word("now")]
    pieces, matched = tokens("Paid $25 – now!", words, "en")
    assert matched
    assert [(piece.text, piece.mark) for piece in pieces] == [
        ("Paid", ""),
        ("$25", BAD),
        ("–", ""),
        ("now!", ""),
    ]
    assert "twenty: 0.00–0.50 s, score -2.0 a frame; five" in pieces[1].tip


def test_words_that_do_not_match_leave_the_transcript_unmarked() -> None:
    pieces, matched = tokens("one two", [word("three", BAD)], "en")
    assert not matched
    assert [piece.mark for piece in pieces] == ["", ""]


def test_a_very_long_transcript_is_cut() -> None:
    pieces, matched = tokens("ha " * MOST_CHARACTERS, [], "en")
    assert not matched
    assert pieces[-1].text == "…"
    assert sum(len(piece.text) + 1 for piece in pieces) <= MOST_CHARACTERS + 3
