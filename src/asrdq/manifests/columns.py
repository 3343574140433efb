"""The columns every manifest has, and how a file's own names become theirs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

AUDIO_PATH, UTT_ID, TEXT = "audio_path", "utt_id", "text"
DURATION, OFFSET, LANGUAGE, SPEAKER = "duration_s", "offset_s", "language", "speaker"

CANONICAL = (UTT_ID, AUDIO_PATH, TEXT, DURATION, OFFSET, LANGUAGE, SPEAKER)
NUMBERS = frozenset({DURATION, OFFSET})

Aliases = Mapping[str, Sequence[str]]
"""For each canonical column the names a format may give it, the likeliest first."""

ID_NAMES = ("utt_id", "id", "uttid", "utterance_id")

_UNSAFE = re.compile(r"[\x00-\x20,;{}()=\"'`\\\x7f]+")
_LONGEST_NAME = 128


def canonical_schema() -> pa.Schema:
    """Return the canonical columns with their Arrow types."""
    import pyarrow as pa

    return pa.schema(
        [(name, pa.float64() if name in NUMBERS else pa.string()) for name in CANONICAL]
    )


@dataclass
class FieldMap:
    """Which column of a file is which canonical one, and safe names for all others.

    The choice made on the first block of a file holds for the rest of it: a column `lang` seen
    first is the language, and a later `language` is metadata of the user.

    Attributes:
        aliases: Names that the format's columns may have.
        chosen: Canonical column to the file's own name.
        safe: The file's own name to the safe one, for metadata columns.
    """

    aliases: Aliases
    chosen: dict[str, str] = field(default_factory=dict)
    safe: dict[str, str] = field(default_factory=dict)

    def learn(self, names: Iterable[str]) -> None:
        """Choose canonical columns among the names of a block."""
        present = set(names)
        for canonical, candidates in self.aliases.items():
            for name in candidates:
                if name in present and name not in self.chosen.values():
                    self.chosen.setdefault(canonical, name)

    def outputs(self, names: Sequence[str]) -> list[str]:
        """Return the column of the manifest table for each column of a block."""
        self.learn(names)
        taken = {own: canonical for canonical, own in self.chosen.items()}
        return [taken.get(name) or self._safe_name(name) for name in names]

    def names(self) -> list[str]:
        """Return the file's own names of all columns seen."""
        return [*self.chosen.values(), *self.safe]

    def renamed(self) -> dict[str, str]:
        """Return the metadata columns that could not keep their name: safe to own name."""
        return {safe: own for own, safe in self.safe.items() if safe != own}

    def language_name(self) -> dict[str, str]:
        """Return what the file calls the language, if that is not the format's first name."""
        own = self.chosen.get(LANGUAGE)
        return {LANGUAGE: own} if own and own != self.aliases[LANGUAGE][0] else {}

    def _safe_name(self, own: str) -> str:
        if own not in self.safe:
            base = _UNSAFE.sub("_", own)[:_LONGEST_NAME] or "column"
            self.safe[own] = free_name(base, (*CANONICAL, *self.safe.values()))
        return self.safe[own]


def free_name(base: str, taken: Iterable[str]) -> str:
    """Return a name, with a number where it is taken; capitals make no difference.

    >>> free_name("Text", ["text", "text_2"])
    'Text_3'
    """
    used = {name.lower() for name in taken}
    name, number = base, 2
    while name.lower() in used:
        name, number = f"{base}_{number}", number + 1
    return name
