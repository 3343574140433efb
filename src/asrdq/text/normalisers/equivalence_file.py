"""The file of spelling variants: read strictly, with everything that is wrong told at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from asrdq.errors import Problem, UsageError, counted, nearest
from asrdq.places import Place, place
from asrdq.strict_yaml import compose_yaml, repeated_keys
from asrdq.text.normalisers.equivalences import Equivalences, Words

_EXAMPLE: Final = "one that is right: `version: 1` and `groups: [[colour, color]]`"
_KEYS: Final = ("version", "language", "groups")


def read_equivalences(path: str | Path | Place, normalise: Callable[[str], str]) -> Equivalences:
    """Read a YAML file of spelling variants, each brought to the form that a normaliser gives it.

    The variant with the fewest words stands for its group; of several such, the first.

    Example:
        A file that makes *cefa zolin* and *cefazolin* the same::

            version: 3
            language: en
            groups:
              - [colour, color]
              - [cefa zolin, cefazolin]

    Raises:
        UsageError: The file is missing, or no UTF-8 or YAML, or has mistakes; all of them are
            listed with their lines.
    """
    file = place(path)
    _, root = compose_yaml(file, empty_hint=_EXAMPLE)
    reading = _Reading(file.name, normalise)
    reading.problems += repeated_keys(file, root)
    read = reading.file(root)
    if reading.problems:
        problems = sorted(reading.problems, key=lambda problem: problem.line or 0)
        raise UsageError(
            f"{counted(len(problems), 'problem')} in {file.name}",
            problems=problems,
            hint=_EXAMPLE,
        )
    return read


@dataclass(frozen=True, slots=True)
class _Variant:
    """A spelling as it stands in the file, and its normalised words."""

    written: str
    line: int
    words: Words


class _Reading:
    """One pass over a file; what is wrong with it is gathered in `problems`."""

    def __init__(self, file: str, normalise: Callable[[str], str]) -> None:
        self.problems: list[Problem] = []
        self._file, self._normalise = file, normalise

    def file(self, root: yaml.Node) -> Equivalences:
        """Return what the file says, as far as it can be understood."""
        parts = dict(self._parts(root))
        version, language, groups = (parts.get(key) for key in _KEYS)
        if version is None:
            self._problem(root, "'version' is missing: write `version: 1` and count up")
        if groups is None:
            self._problem(root, "'groups' is missing: a list of lists of spellings")
        number = 0 if version is None else self._version(version)
        tongue = None if language is None else self._language(language)
        read = [] if groups is None else list(self._groups(groups))
        return Equivalences(number, tongue, self._preferred(read))

    def _problem(self, at: yaml.Node | int, message: str) -> None:
        line = at if isinstance(at, int) else at.start_mark.line + 1
        self.problems.append(Problem(message, self._file, line))

    def _parts(self, root: yaml.Node) -> Iterator[tuple[str, yaml.Node]]:
        if not isinstance(root, yaml.MappingNode):
            self._problem(root, "the file is not a mapping with the keys version and groups")
            return
        for key, value in root.value:
            if key.value in _KEYS:
                yield key.value, value
                continue
            guess = nearest(str(key.value), _KEYS)
            advice = f"did you mean '{guess}'?" if guess else f"valid: {', '.join(_KEYS)}"
            self._problem(key, f"unknown key '{key.value}': {advice}")

    def _version(self, node: yaml.Node) -> int:
        if node.tag.endswith(":int") and node.value.isdecimal() and int(node.value) > 0:
            return int(node.value)
        self._problem(node, "'version' is not a whole number from 1 up")
        return 0

    def _language(self, node: yaml.Node) -> str | None:
        if isinstance(node, yaml.ScalarNode) and node.value.strip():
            return str(node.value)
        self._problem(node, "'language' is not a code such as en")
        return None

    def _groups(self, node: yaml.Node) -> Iterator[list[_Variant]]:
        if not isinstance(node, yaml.SequenceNode) or not node.value:
            self._problem(node, "'groups' is not a list of lists of spellings")
            return
        for group in node.value:
            if not isinstance(group, yaml.SequenceNode):
                self._problem(group, "a group is not a list of spellings")
            elif len(group.value) < 2:
                self._problem(group, "a group has fewer than two spellings")
            else:
                yield list(self._variants(group))

    def _variants(self, group: yaml.Node) -> Iterator[_Variant]:
        written: set[str] = set()
        for item in group.value:
            if not isinstance(item, yaml.ScalarNode):
                self._problem(item, "a spelling is not a text")
            elif item.value in written:
                self._problem(item, f"'{item.value}' stands twice in its group")
            elif not (words := tuple(self._normalise(item.value).split())):
                self._problem(item, f"'{item.value}' has no words once it is normalised")
            else:
                written.add(item.value)
                yield _Variant(item.value, item.start_mark.line + 1, words)

    def _preferred(self, groups: list[list[_Variant]]) -> dict[Words, Words]:
        """Return which words stand for which, after looking for groups that contradict."""
        chosen = [min(group, key=lambda each: len(each.words)) for group in groups if group]
        homes: dict[Words, tuple[int, _Variant]] = {}
        for number, group in enumerate(group for group in groups if group):
            for variant in group:
                home, first = homes.setdefault(variant.words, (number, variant))
                if home != number:
                    self._problem(
                        variant.line,
                        f"'{variant.written}' is in two groups: as '{first.written}' it stands "
                        f"on line {first.line} too",
                    )
        preferred = {words: chosen[number].words for words, (number, _) in homes.items()}
        replaced = {words: own for words, own in preferred.items() if words != own}
        for variant in chosen:
            self._look_inside(variant, replaced, homes)
        return replaced

    def _look_inside(
        self,
        variant: _Variant,
        replaced: Mapping[Words, Words],
        homes: Mapping[Words, tuple[int, _Variant]],
    ) -> None:
        """Find a spelling that would be replaced within one that replaces others: a circle."""
        count = len(variant.words)
        for start in range(count):
            for end in range(start + 1, count + 1):
                part = variant.words[start:end]
                if part in replaced and part != variant.words:
                    self._problem(
                        variant.line,
                        f"'{variant.written}' stands for its group, but has in it "
                        f"'{' '.join(part)}', which line {homes[part][1].line} replaces by "
                        f"'{' '.join(replaced[part])}': write it so here",
                    )
