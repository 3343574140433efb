"""YAML and JSON text whose values know where they stand, so that they can be told and mended."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import yaml

from asrdq.errors import UsageError
from asrdq.linting.config import Setting
from asrdq.linting.findings import Edit

_MOST_KEYS = 100_000
"""Aliases of aliases make more of a small file than any memory holds."""


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a key stands.

    Attributes:
        line: Line of the key, counted from 1.
        node: Its value.
    """

    line: int
    node: yaml.Node


class YamlText:
    """The text of a file and where each dotted key stands in it."""

    def __init__(self, file: str, text: str, root: yaml.Node) -> None:
        self.file = file
        self.text = text
        self._root = root
        self._spots: dict[str, Spot] = {}
        seen: dict[int, list[str]] = {}
        for count, (key, spot) in enumerate(_walk(root, "", ())):
            if count > _MOST_KEYS:
                raise UsageError(f"has more than {_MOST_KEYS:,} keys", where=file)
            self._spots.setdefault(key, spot)
            seen.setdefault(id(spot.node), []).append(key)
        self._shared = {key for keys in seen.values() if len(keys) > 1 for key in keys}

    def setting(self, key: str, value: object) -> Setting:
        """Return the setting of a key; a default of the framework where the file lacks it."""
        spot = self._spots.get(key)
        if spot is None:
            return Setting(key, value, self.file, self.line(key))
        node = spot.node
        if not isinstance(node, yaml.ScalarNode):
            return Setting(key, value, self.file, spot.line, written="")
        span = (node.start_mark.index, node.end_mark.index)
        editable = span[0] < span[1] and not self._is_shared(key) and node.style not in ("|", ">")
        return Setting(
            key, value, self.file, spot.line, node.value, span=span if editable else None
        )

    def line(self, key: str) -> int:
        """Return the line of a key, else of the nearest section around it, else of the first."""
        while key:
            if key in self._spots:
                return self._spots[key].line
            key = key.rpartition(".")[0]
        return self._root.start_mark.line + 1

    def insertion(self, key: str, value: str) -> Edit | None:
        """Return the edit that adds a key to its section; None where that is not safe.

        The line goes below the one that names the section, or to the end of the file.
        """
        section, _, name = key.rpartition(".")
        node = self._spots[section].node if section in self._spots else self._root
        if not isinstance(node, yaml.MappingNode) or node.flow_style or not node.value:
            return None
        if self._is_shared(section) or (section and node is self._root):
            return None
        if not section:
            end = len(self.text)
            before = "" if self.text.endswith("\n") else "\n"
            ended = self.text.rstrip().endswith("...")
            return None if ended else Edit(end, end, f"{before}{name}: {value}\n")
        begin = sum(map(len, self.text.splitlines(keepends=True)[: self._spots[section].line]))
        first = node.value[0][0].start_mark
        if first.index < begin:
            return None
        return Edit(begin, begin, f"{' ' * first.column}{name}: {value}\n")

    def _is_shared(self, key: str) -> bool:
        return any(key == each or key.startswith(f"{each}.") for each in self._shared)


def _walk(node: yaml.Node, above: str, around: tuple[int, ...]) -> Iterator[tuple[str, Spot]]:
    if not isinstance(node, yaml.MappingNode) or id(node) in around:
        return
    for key, value in node.value:
        name = f"{above}.{key.value}" if above else str(key.value)
        yield name, Spot(key.start_mark.line + 1, value)
        yield from _walk(value, name, (*around, id(node)))
