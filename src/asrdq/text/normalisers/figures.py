"""Figures within one character: fractions, powers, ringed numbers."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_SUPERSCRIPT: Final = re.compile(r"(?<=\d)([⁺⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+)")
_DEGREE_LOOKALIKE: Final = re.compile(r"(?<=\d)[º˚]")


def part_composed_figures(text: str) -> str:
    """Keep figures within one character from joining their neighbours: 2½, 10⁹, 3①.

    A fraction or a ringed figure becomes a word of digits, a power is written with ^. The sign º
    after a figure is the degree that it stands for.

    >>> part_composed_figures("2½ of 10⁹, 37º")
    '2 1/2 of 10^9, 37°'
    """
    if text.isascii():
        return text
    text = _DEGREE_LOOKALIKE.sub("°", text)
    text = _SUPERSCRIPT.sub(r"^\1", text)
    parts: list[str] = []
    for index, sign in enumerate(text):
        if _is_composed_figure(sign):
            before, after = text[index - 1 : index], text[index + 1 : index + 2]
            digits = unicodedata.normalize("NFKC", sign).replace("⁄", "/")
            parts.append(f"{_gap(before, sign)}{digits}{_gap(after, sign)}")
        else:
            parts.append(sign)
    return "".join(parts)


def _is_composed_figure(sign: str) -> bool:
    if sign.isascii() or unicodedata.category(sign) == "Nd":
        return False
    return any(figure.isdecimal() for figure in unicodedata.normalize("NFKC", sign))


def _gap(neighbour: str, sign: str) -> str:
    """Return a space where a neighbour is a figure, but not among raised or lowered ones."""
    if not neighbour or not neighbour.isnumeric() or neighbour.isspace():
        return ""
    kinds = {unicodedata.decomposition(each).partition(" ")[0] for each in (neighbour, sign)}
    return "" if kinds in ({"<super>"}, {"<sub>"}) else " "
