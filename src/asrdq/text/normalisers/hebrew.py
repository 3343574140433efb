"""The normaliser `hebrew`: without points, and with one way to write maqaf, geresh and gershayim.

No step looks beyond a word, so that a column needs each distinct word once.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from asrdq.text.normalisers.characters import (
    drop_invisible,
    fold_compatibility,
    separate_lone_accents,
)
from asrdq.text.normalisers.figures import part_composed_figures
from asrdq.text.normalisers.normaliser import Normaliser

GERESH: Final = "\u05f3"
GERSHAYIM: Final = "\u05f4"

_LETTER: Final = "\u05d0-\u05ea\u05ef-\u05f2"
_QUOTES: Final = str.maketrans(
    {
        **dict.fromkeys(f"‘’‚‛ʹʼ′`´＇{GERESH}", "'"),
        **dict.fromkeys(f"“”„‟″＂{GERSHAYIM}", '"'),
    }
)
_POINTS: Final = re.compile("[\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\ufb1e]")
"""Niqqud and cantillation; maqaf, paseq and sof pasuq among them are punctuation."""

_SEPARATORS: Final = re.compile("[\u05be\u05c0\u05c3\u05c6]")
_DASH: Final = "[-‐‑‒–—―−]+"
_DASH_AT_A_LETTER: Final = re.compile(f"(?<=[{_LETTER}'\"]){_DASH}|{_DASH}(?=[{_LETTER}])")
_GERSHAYIM_WITHIN: Final = re.compile(f'(?<=[{_LETTER}])"(?=[{_LETTER}])')
_GERESH_WITHIN: Final = re.compile(f"(?<=[{_LETTER}])'(?=[{_LETTER}])")
_GERESH_AT_THE_END: Final = re.compile(f"(?<=[{_LETTER}])(?<![םןףך])'(?=\\W*$)")
_OPENED: Final = re.compile(r"\W*'")
_MISPLACED_QUOTE: Final = re.compile(r"(?<![^\W\d_])['\"]|['\"](?![^\W\d_])|\"")
_STAYS_AT_AN_EDGE: Final = frozenset(f"%‰{GERESH}")


def unify_quotes(text: str) -> str:
    """Write every quote, geresh and prime as a straight one, and two single ones as a double."""
    return text.translate(_QUOTES).replace("''", '"')


def remove_points(text: str) -> str:
    """Remove niqqud and cantillation."""
    return unicodedata.normalize("NFKC", _POINTS.sub("", text))


def separate_at_maqaf(text: str) -> str:
    """Put a space in the place of maqaf, paseq and sof pasuq, and of a dash beside a letter."""
    return _DASH_AT_A_LETTER.sub(" ", _SEPARATORS.sub(" ", text))


def set_gershayim(text: str) -> str:
    """Write quotes that belong to a Hebrew word as gershayim and geresh, and drop the others.

    At the end of a word ' is a geresh (וכו׳), unless it closes what a quote opened, or the letter
    before it is a final form, which takes none. Between other letters it is an apostrophe.
    """
    return " ".join(map(_set, text.split()))


def _set(word: str) -> str:
    word = _GERSHAYIM_WITHIN.sub(GERSHAYIM, word)
    word = _GERESH_WITHIN.sub(GERESH, word)
    if not _OPENED.match(word):
        word = _GERESH_AT_THE_END.sub(GERESH, word)
    return _MISPLACED_QUOTE.sub(" ", word)


def remove_final_punctuation(text: str) -> str:
    """Remove punctuation at both ends of words; a minus before a digit, and %, stay."""
    return " ".join(map(_without_edges, text.split()))


def _without_edges(word: str) -> str:
    first, last = 0, len(word)
    while first < last and _is_edge(word[first]) and not _is_minus(word, first):
        first += 1
    while last > first and _is_edge(word[last - 1]):
        last -= 1
    return word[first:last]


def _is_edge(sign: str) -> bool:
    category = unicodedata.category(sign)
    return (category[0] == "P" or category == "Sk") and sign not in _STAYS_AT_AN_EDGE


def _is_minus(word: str, index: int) -> bool:
    return word[index] == "-" and word[index + 1 : index + 2].isdecimal()


HEBREW: Final = Normaliser(
    "hebrew",
    "1",
    (
        drop_invisible,
        unify_quotes,
        part_composed_figures,
        separate_lone_accents,
        fold_compatibility,
        unify_quotes,
        remove_points,
        separate_at_maqaf,
        set_gershayim,
        remove_final_punctuation,
    ),
    word_by_word=True,
)
