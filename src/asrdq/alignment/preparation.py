"""How the words of a transcript are brought to what a model can write, in one place.

Numbers are spelled out, punctuation goes and scripts without spaces are cut into units before, by
`asrdq.text.spoken_words`. What is left is case, accents and letters that the model does not have.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from asrdq.alignment.protocol import WordSpan

_SAME: Final = str.maketrans({"’": "'", "ʼ": "'", "׳": "'", "״": '"'})


@dataclass(frozen=True, slots=True)
class Written:
    """A word as the model writes it.

    Attributes:
        text: Its letters; empty where the model has none of them.
        kept: Share of the letters of the word that are left, 0…1.
    """

    text: str
    kept: float


class Alphabet:
    """The characters a model can write.

    Args:
        characters: All of them.

    >>> Alphabet("ABCDEFG'").written("café")
    Written(text='CAFE', kept=1.0)
    >>> Alphabet("abc").written("cab5")
    Written(text='cab', kept=0.75)
    """

    def __init__(self, characters: Iterable[str]) -> None:
        self._characters = frozenset(characters)

    def written(self, word: str) -> Written:
        """Return a word in letters of the model: in its case, without accents it does not have."""
        found = [self._letters(letter) for letter in word.translate(_SAME)]
        kept = sum(one is not None for one in found)
        return Written("".join(one or "" for one in found), kept / len(word) if word else 0.0)

    def _letters(self, letter: str) -> str | None:
        """Return what is written for a letter: nothing for a mark, None where it is lost."""
        for form in (letter, letter.upper(), letter.lower()):
            if self._has(form):
                return form
        if unicodedata.category(letter) == "Mn":
            return ""
        base = "".join(
            one
            for one in unicodedata.normalize("NFKD", letter)
            if unicodedata.category(one) != "Mn"
        )
        if base == letter:
            return None
        for form in (base, base.upper(), base.lower()):
            if self._has(form):
                return form
        return None

    def _has(self, form: str) -> bool:
        return bool(form) and all(one in self._characters for one in form)


def spans_by_characters(
    words: Sequence[str], tokens: Sequence[WordSpan], kept: Sequence[float]
) -> tuple[WordSpan, ...]:
    """Give words the times of tokens that spell the same letters, cut at other places.

    A word begins where the token of its first letter does; inside a token that spans several
    words the time is shared out by letters. A score is the mean over the letters.

    Args:
        words: As they are spelled in the tokens.
        tokens: In order; together they spell what the words spell.
        kept: For each word what share of it is looked for.

    Raises:
        ValueError: They do not spell the same.

    >>> tokens = [WordSpan("a", 0.0, 1.0), WordSpan("bc", 1.0, 3.0)]
    >>> [(one.start_s, one.end_s) for one in spans_by_characters(["ab", "c"], tokens, [1.0, 1.0])]
    [(0.0, 2.0), (2.0, 3.0)]
    """
    letters = [
        (
            letter,
            token.start_s + (token.end_s - token.start_s) * at / len(token.word),
            token.start_s + (token.end_s - token.start_s) * (at + 1) / len(token.word),
            token.score,
        )
        for token in tokens
        for at, letter in enumerate(token.word)
    ]
    if "".join(words) != "".join(letter for letter, *_ in letters):
        raise ValueError("the tokens do not spell the words")
    spans, begin, here_s = [], 0, 0.0
    for word, share in zip(words, kept, strict=True):
        own = letters[begin : begin + len(word)]
        begin += len(word)
        scores = [score for *_, score in own if score is not None]
        here_s = own[-1][2] if own else here_s
        spans.append(
            WordSpan(
                word,
                own[0][1] if own else here_s,
                here_s,
                sum(scores) / len(scores) if scores else None,
                min(scores, default=None),
                share,
            )
        )
    return tuple(spans)
