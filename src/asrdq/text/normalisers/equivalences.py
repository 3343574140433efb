"""Spelling variants that count as the same, applied word by word to normalised texts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

Words = tuple[str, ...]


@dataclass(frozen=True)
class Equivalences:
    """Groups of spelling variants, in the spelling of one normaliser.

    Attributes:
        version: The version that the file gives itself.
        language: The language that it is for, where it says so.
        preferred: For the words of a variant, the words that stand for all of its group.
    """

    version: int
    language: str | None
    preferred: Mapping[Words, Words]

    def __call__(self, text: str) -> str:
        """Replace the variants in a normalised text once, from the left, the longest first."""
        words, found, index = text.split(), list[str](), 0
        while index < len(words):
            taken = 1
            for length in self._lengths.get(words[index], ()):
                if (stands := self.preferred.get(tuple(words[index : index + length]))) is not None:
                    found += stands
                    taken = length
                    break
            else:
                found.append(words[index])
            index += taken
        return " ".join(found)

    @property
    def first_words(self) -> tuple[str, ...]:
        """The words that a variant begins with."""
        return tuple(self._lengths)

    def as_data(self) -> list[object]:
        """Return the content as JSON types, the same whatever the order in the file."""
        pairs = sorted((list(variant), list(words)) for variant, words in self.preferred.items())
        return [self.version, self.language, pairs]

    @cached_property
    def _lengths(self) -> dict[str, list[int]]:
        """For the first word of variants, how many words they have, longest first."""
        found: dict[str, set[int]] = {}
        for variant in self.preferred:
            found.setdefault(variant[0], set()).add(len(variant))
        return {first: sorted(lengths, reverse=True) for first, lengths in found.items()}
