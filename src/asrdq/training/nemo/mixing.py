"""Groups of clips mixed by temperature, as Lhotse mixes manifests."""

from __future__ import annotations

import json
import shutil
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from asrdq.errors import DataError
from asrdq.sampling.strata import NO_VALUE
from asrdq.sampling.weights import GroupSize, nested_weights
from asrdq.training.nemo.material import LANGUAGES

if TYPE_CHECKING:
    from asrdq.recipes.recipe import DataSection

_HELD: Final = 20_000
"""Lines that wait until they are written together: no file is open for longer than that."""


def mixes(data: DataSection) -> bool:
    """Return whether a recipe asks for another mixture than that of the manifest itself."""
    return bool(data.mix_by) and data.temperature != 1.0


def mixed(manifest: Path, folder: Path, data: DataSection) -> list[dict[str, Any]]:
    """Write a manifest for each innermost group, and weigh them by their hours.

    Args:
        manifest: What `material.prepare` wrote.
        folder: Where the manifests go; what lies there is deleted.
        data: The columns of the groups, the outer one first, the temperature, and the bounds of
            length: what they drop has no hours.

    Returns:
        NeMo's `input_cfg`: type, manifest and weight of each group, the weights adding up to 1.

    Raises:
        DataError: No row has a column of the groups.
    """
    parts = _Parts(manifest, folder)
    seen: set[str] = set()
    with manifest.open(encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            group = tuple(_value(row, name, seen) for name in data.mix_by)
            if data.min_duration_s <= row["duration"] <= data.max_duration_s:
                parts.add(group, line, float(row["duration"]))
    missing = [name for name in data.mix_by if name not in seen]
    if missing:
        raise DataError(f"no row has the column '{missing[0]}' of data.mix_by", where=str(manifest))
    parts.write()
    leaves = [GroupSize(group, parts.rows[group], parts.hours[group]) for group in parts.ordered()]
    depth = len(data.mix_by)
    weighed = {
        tuple(row["group"]): row["probability"]
        for row in nested_weights(leaves, [data.temperature] * depth)
        if row["level"] == depth
    }
    return [
        {"type": "nemo", "manifest_filepath": str(parts.file(group)), "weight": weighed[group]}
        for group in parts.ordered()
    ]


def _value(row: dict[str, Any], name: str, seen: set[str]) -> str:
    """Return the group of a row; the language has the name that NeMo's manifests have for it."""
    names = LANGUAGES if name == "language" else (name,)
    found = next((row[each] for each in names if row.get(each) is not None), None)
    if found is None:
        return NO_VALUE
    seen.add(name)
    return str(found)


class _Parts:
    """The manifests of groups, and what is in each."""

    def __init__(self, manifest: Path, folder: Path) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        self._manifest, self._folder = manifest, folder
        self._names: dict[tuple[str, ...], Path] = {}
        self._lines: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
        self._held = 0
        self.rows: defaultdict[tuple[str, ...], int] = defaultdict(int)
        self.hours: defaultdict[tuple[str, ...], float] = defaultdict(float)

    def add(self, group: tuple[str, ...], line: str, seconds: float) -> None:
        self._lines[group].append(line)
        self.rows[group] += 1
        self.hours[group] += seconds / 3600
        self._held += 1
        if self._held >= _HELD:
            self.write()

    def write(self) -> None:
        for group, lines in self._lines.items():
            with self.file(group).open("a", encoding="utf-8") as file:
                file.writelines(lines)
        self._lines.clear()
        self._held = 0

    def file(self, group: tuple[str, ...]) -> Path:
        """Return where a group goes: numbered, for its name may hold anything."""
        name = f"{self._manifest.stem}-{len(self._names):05}.jsonl"
        return self._names.setdefault(group, self._folder / name)

    def ordered(self) -> list[tuple[str, ...]]:
        """Return the groups, those of one outer group together."""
        return sorted(self.rows)
