"""What a model can write of a word; expected spellings are worked out by hand."""

from __future__ import annotations

import pytest

from asrdq.alignment.preparation import Alphabet, spans_by_characters
from asrdq.alignment.protocol import WordSpan


@pytest.mark.parametrize(
    ("characters", "word", "text", "kept"),
    [
        ("abcdefghijklmnopqrstuvwxyz'", "o'neil", "o'neil", 1.0),
        ("ABCDEFGHIJKLMNOPQRSTUVWXYZ'", "o’neil", "O'NEIL", 1.0),
        ("abcdefghijklmnopqrstuvwxyz", "o'neil", "oneil", 5 / 6),
        ("abcdefghijklmnopqrstuvwxyz", "naïve", "naive", 1.0),
        ("abcdefghijklmnopqrstuvwxyzï", "naïve", "naïve", 1.0),
        ("abcdefghijklmnopqrstuvwxyz", "straße", "strae", 5 / 6),
        ("אבגדהוזחטיכלמנסעפצקרשתםןךףץ", "שָׁלוֹם", "שלום", 1.0),
        ("abcdefghijklmnopqrstuvwxyz", "שלום", "", 0.0),
        ("今天天气", "气", "气", 1.0),
        ("abc", "", "", 0.0),
    ],
)
def test_a_word_in_letters_of_the_model(characters: str, word: str, text: str, kept: float) -> None:
    found = Alphabet(characters).written(word)
    assert (found.text, found.kept) == (text, pytest.approx(kept))


def test_tokens_cut_at_other_places_share_their_time_by_letters() -> None:
    tokens = [WordSpan("abc", 0.0, 0.3, -1.0), WordSpan("d", 0.5, 0.6, -3.0)]
    found = spans_by_characters(["a", "bcd", ""], tokens, [1.0, 0.5, 0.0])
    assert [(s.word, round(s.start_s, 6), round(s.end_s, 6)) for s in found] == [
        ("a", 0.0, 0.1),
        ("bcd", 0.1, 0.6),
        ("", 0.6, 0.6),
    ]
    assert [s.score for s in found] == [-1.0, pytest.approx(-5 / 3), None]
    assert [s.lowest for s in found] == [-1.0, -3.0, None]
    assert [s.kept for s in found] == [1.0, 0.5, 0.0]


def test_other_letters_are_an_error() -> None:
    with pytest.raises(ValueError, match="do not spell"):
        spans_by_characters(["abd"], [WordSpan("abc", 0.0, 1.0)], [1.0])
