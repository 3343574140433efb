"""What a normaliser is: named steps, a version, a hash, and a way over whole columns."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from asrdq.text.normalisers.characters import collapse_spaces, replace_surrogates, settle
from asrdq.text.normalisers.sources import source_of

if TYPE_CHECKING:
    import pyarrow as pa

    from asrdq.text.normalisers.columns import Columns
    from asrdq.text.normalisers.equivalences import Equivalences

Step = Callable[[str], str]
"""A function of a text, called in `explain` by its name."""


@dataclass(frozen=True)
class Normaliser:
    """Named steps that bring texts to one form, so that errors are counted and not spellings.

    A normalised text has its words parted by single spaces, and none at either end. Lone
    surrogates are replaced by U+FFFD before the first step; no text raises. A normaliser should be
    idempotent: f(f(x)) = f(x).

    Args:
        name: Name in the entry-point group `asrdq.normalisers`.
        version: Goes up with each change of a result.
        steps: Functions of a text, applied in this order.
        byte_by_byte: Promise that in ASCII text each character becomes one character, a space
            or nothing, whatever stands beside it. A column is then normalised bytewise.
        word_by_word: Promise that f("a b") is f("a"), a space and f("b"), so that a column needs
            each distinct word once.
        data: Files that decide the result beside the modules of the steps; for the hash.
        equivalences: Spelling variants, applied last.

    Example:
        >>> shout = Normaliser("shout", "1", (str.upper,))
        >>> shout(" so  what ")
        'SO WHAT'
    """

    name: str
    version: str
    steps: tuple[Step, ...]
    byte_by_byte: bool = False
    word_by_word: bool = False
    data: tuple[Path, ...] = ()
    equivalences: Equivalences | None = None

    def __call__(self, text: str) -> str:
        """Return the normalised text."""
        text = self._stepped(text)
        return text if self.equivalences is None else self._spelled(text)

    def explain(self, text: str) -> list[tuple[str, str]]:
        """Return the name of each step and the text after it; the last text is the result."""
        told: list[tuple[str, str]] = []
        for step in self._all_steps():
            text = step(text)
            told.append((_name(step), text))
        if self.equivalences is not None:
            told.append(("apply equivalences", self._spelled(text)))
        return told

    def column(self, texts: pa.Array | pa.ChunkedArray) -> pa.Array:
        """Normalise an Arrow column of n texts; the result is a string array of n.

        It equals the texts one by one; null stays null. Texts that repeat, and for most normalisers
        words that repeat, are normalised once; ASCII texts bytewise where that is possible.

        Raises:
            UsageError: The column has no texts.
        """
        return self._columns.normalised(texts)

    @cached_property
    def hash(self) -> str:
        """Twelve hexadecimal digits over everything that decides a result.

        That is name and version, the code and tables of the steps (without comments), files they
        use, the spelling variants, and the version of Unicode that this Python knows.
        """
        parts = [*self._all_steps(), *([] if self.equivalences is None else [self.equivalences])]
        modules = sorted({getattr(part, "__module__", None) or "builtins" for part in parts})
        decides = {
            "name": self.name,
            "version": self.version,
            "steps": [_name(step) for step in self.steps],
            "modules": [source_of(module) for module in modules],
            "files": [hashlib.sha256(path.read_bytes()).hexdigest() for path in self.data],
            "equivalences": None if self.equivalences is None else self.equivalences.as_data(),
            "unicode": unicodedata.unidata_version,
        }
        told = json.dumps(decides, sort_keys=True, ensure_ascii=True)
        return hashlib.sha256(told.encode()).hexdigest()[:12]

    @cached_property
    def _columns(self) -> Columns:
        from asrdq.text.normalisers.columns import Columns

        return Columns(
            self._stepped,
            byte_by_byte=self.byte_by_byte,
            word_by_word=self.word_by_word,
            spelled=None if self.equivalences is None else self._spelled,
            first_words=() if self.equivalences is None else self.equivalences.first_words,
        )

    def _all_steps(self) -> tuple[Step, ...]:
        return (replace_surrogates, *self.steps, collapse_spaces)

    def _stepped(self, text: str) -> str:
        for step in self._all_steps():
            text = step(text)
        return text

    def _spelled(self, text: str) -> str:
        """Apply the spelling variants to normalised text, until nothing changes."""
        equivalences = self.equivalences
        assert equivalences is not None
        if self.word_by_word:
            return settle(equivalences, text, rounds=None)
        return settle(lambda now: self._stepped(equivalences(now)), text)


def _name(step: Step) -> str:
    return getattr(step, "__name__", type(step).__name__).replace("_", " ")
