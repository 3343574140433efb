"""Words as NIST's tools write them: `word;tag`, and a semicolon of a word behind a backslash."""

from __future__ import annotations

import re
from typing import Final

from asrdq.text.choices import NO_WORD, without_choices

_TAGS: Final = re.compile(r"(?<!\\);\S+")
_INNER_SEMICOLON: Final = re.compile(r";(?=\S)")
_SPECIAL: Final = re.compile(rf"[{{}}]|\\(?!;)|(?<!\S){NO_WORD}(?!\S)")


def special_sign(text: str) -> str | None:
    """Return what is no word and no part of a choice: a brace, a backslash or a lone @."""
    found = _SPECIAL.search(without_choices(text))
    return found[0] if found else None


def plain_words(text: str) -> str:
    r"""Return a text without the tags of its words and without escapes.

    A semicolon at the end of a word begins no tag.

    Example:
        >>> plain_words(r"i've;tag1 a\;s;tag1;tag2 well;")
        "i've a;s well;"
    """
    return _TAGS.sub("", text).replace("\\;", ";") if ";" in text else text


def escaped_words(text: str) -> str:
    """Return a text whose words `plain_words` gives back."""
    return _INNER_SEMICOLON.sub(r"\;", text)
