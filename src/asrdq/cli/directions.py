"""Text of either direction beside other text: isolates of Unicode (UAX #9, section 2.3)."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from rich.text import Text

FIRST_STRONG: Final = "\u2068"
RIGHT_TO_LEFT: Final = "\u2067"
END: Final = "\u2069"
RIGHT_MARK: Final = "\u200f"

_BEGINNINGS: Final = ("\u2066", RIGHT_TO_LEFT, FIRST_STRONG)
_STRONG: Final = {"L": False, "R": True, "AL": True}
_FROM_THE_RIGHT: Final = frozenset(
    {"R", "AL", "AN", "RLE", "RLO", "LRE", "LRO", "PDF", "RLI", "LRI", "FSI", "PDI"}
)


def is_right_to_left(text: str) -> bool:
    """Say whether the first letter with a direction is of a script from the right.

    >>> [is_right_to_left(text) for text in ("5 שקלים", "OK שלום", "5")]
    [True, False, False]
    """
    kinds = (_STRONG.get(unicodedata.bidirectional(sign)) for sign in text)
    return next((kind for kind in kinds if kind is not None), False)


def isolated(text: str) -> str:
    """Return a text that moves nothing beside it, or as it is where it would not anyway."""
    if text.isascii() or all(unicodedata.bidirectional(s) not in _FROM_THE_RIGHT for s in text):
        return text
    return in_isolation(text)


def in_isolation(text: str) -> str:
    """Return a text as an isolate that runs as its first letter does.

    Isolates that it ends and did not begin are dropped, those that it leaves open are ended.
    """
    kept, depth = [], 0
    for sign in text:
        depth += (sign in _BEGINNINGS) - (sign == END)
        if depth >= 0:
            kept.append(sign)
        depth = max(depth, 0)
    return f"{FIRST_STRONG}{''.join(kept)}{END * depth}{END}"


def isolated_text(text: str) -> Text:
    """Return a text of Rich whose lines are isolates, also after it was folded and padded."""
    from rich.containers import Lines
    from rich.text import Text

    class Isolated(Text):
        def wrap(self, *arguments: Any, **options: Any) -> Lines:
            wrapped = super().wrap(*arguments, **options)
            return Lines(Text(_without_padding(line.plain), end="") for line in wrapped)

    return Text(text) if isolated(text) == text else Isolated(text)


def _without_padding(line: str) -> str:
    inner = line.strip(" ")
    before, _, after = line.partition(inner)
    return f"{before}{isolated(inner)}{after}"
