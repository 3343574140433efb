"""What the package imports is what it declares, and the other way round."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest

LIGHT_EXTRAS = ("s3", "hub", "signing", "openai", "monitor", "checks", "tokenizers")
"""Extras whose packages the source imports by name."""

FOUND_BY_NAME = {"g2p-en"}
"""Not imported, because that fetches data: only the weights in its folder are read."""
HELD_BACK = {"marshmallow"}
"""Not imported, but kept at a version that another package needs."""


@pytest.fixture(scope="module")
def project(project_root: Path) -> dict[str, Any]:
    with (project_root / "pyproject.toml").open("rb") as file:
        return tomllib.load(file)["project"]


def names(requirements: list[str]) -> set[str]:
    return {normal(re.split(r"[\[<>=!~ ;]", requirement)[0]) for requirement in requirements}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def imported(folder: Path) -> Iterator[str]:
    for file in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from (alias.name.split(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                yield node.module.split(".")[0]


@pytest.mark.slow
def test_runtime_dependencies_are_exactly_what_is_imported(
    project: dict[str, Any], project_root: Path
) -> None:
    distributions = packages_distributions()
    modules = set(imported(project_root / "src")) - set(sys.stdlib_module_names) - {"asrdq"}
    extras = project["optional-dependencies"]
    declared = [
        item
        for group in (
            project["dependencies"],
            *(extras[name] for name in (*LIGHT_EXTRAS, "train", "ray")),
        )
        for item in group
    ]
    known = names(declared)
    used = set()
    for module in modules:  # several may bring parts of one, as `google`
        brought_by = [normal(name) for name in distributions[module]]
        used.add(next((name for name in brought_by if name in known), brought_by[0]))
    used -= {"pydantic-core"}  # a part of pydantic
    assert used | FOUND_BY_NAME == names(declared) - HELD_BACK


def test_every_dependency_of_every_extra_is_pinned(
    project: dict[str, Any], project_root: Path
) -> None:
    lines = (project_root / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = {normal(line.split("==")[0]) for line in lines}
    extras = project["optional-dependencies"]
    declared = [item for name, extra in extras.items() if name != "all" for item in extra]
    assert names([*project["dependencies"], *declared]) <= pinned


def test_the_extras_are_the_documented_ones(project: dict[str, Any]) -> None:
    extras = project["optional-dependencies"]
    assert set(extras) == {*LIGHT_EXTRAS, "train", "ray", "docs", "dev", "all"}
