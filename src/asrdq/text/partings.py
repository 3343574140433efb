"""Where a transcript can be parted so that the words of its parts are its own words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, NamedTuple

from asrdq.text.spoken import UNIT, spoken_words

_BREAK: Final = re.compile(r"\s+")
_LOOKS_BACK: Final = 4
"""White spaces that a number or a sign may reach over, as in `1 000 000 $`."""


@dataclass(frozen=True, slots=True)
class Parting:
    """A place between two words of a text.

    Attributes:
        position: Characters before it.
        words: Spoken words before it.
    """

    position: int
    words: int


class _Step(NamedTuple):
    """The best way to a place: parts up to it, the place before, and the words before that."""

    parts: int
    before: int
    said: int


def partings(text: str, language: str = "en") -> list[Parting]:
    """Return every place where a text can be parted, its beginning and its end with them.

    They are the white space between words, and in scripts without spaces every word. A sign that
    is not spoken stays with the word before it. There is none inside what is spoken as one thing.
    Empty where the parts of a text do not give its words.

    >>> [(each.position, each.words) for each in partings("it's $ 25 , or 24")]
    [(0, 0), (4, 1), (11, 4), (14, 5), (17, 7)]
    """
    words = spoken_words(text, language)
    places = _candidates(text)
    reached: list[dict[int, _Step]] = [{0: _Step(0, 0, 0)}]
    for here in range(1, len(places)):
        steps: dict[int, _Step] = {}
        for before in range(max(0, here - _LOOKS_BACK), here):
            own = spoken_words(text[places[before] : places[here]], language)
            for said, step in reached[before].items():
                upto = said + len(own)
                fewer = upto not in steps or steps[upto].parts <= step.parts + 1
                if fewer and words[said:upto] == own:
                    steps[upto] = _Step(step.parts + 1, before, said)
        reached.append(steps)
    if not words or len(words) not in reached[-1]:
        return []
    found, here, said = [Parting(len(text), len(words))], len(places) - 1, len(words)
    while here:
        step = reached[here][said]
        here, said = step.before, step.said
        if said < found[-1].words and (said or not here):
            found.append(Parting(places[here], said))
    return found[::-1]


def _candidates(text: str) -> list[int]:
    """Return the beginning, white space, words of scripts without spaces, and the end."""
    found = {match.start() for match in _BREAK.finditer(text) if match.start()}
    found |= {match.start() for match in UNIT.finditer(text)}
    return sorted(found | {0, len(text)})
