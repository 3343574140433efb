"""What this tree has for CI systems is replayed: without their machines, in clean folders."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import Distribution, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from tests.gates.conftest import audited  # noqa: F401  (a fixture)

FillSite = Callable[[Path], None]
BUILDS = "hatchling"
EXTRAS = ("checks", "s3", "signing")

OFFLINE = {"PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0"}
"""Lets pip install this tree from what is there; the 0 means that it builds without isolation."""


@pytest.fixture
def fill_site(project_root: Path) -> FillSite:
    """Put into a folder of packages what asrdq needs with the extras of CI, and nothing else."""

    def fill(site: Path) -> None:
        site.mkdir(parents=True, exist_ok=True)
        for found in needed(project_root, EXTRAS):
            for name in {file.parts[0] for file in found.files or ()} - {"..", "__pycache__"}:
                link = site / name
                if not link.exists():
                    link.symlink_to(Path(str(found.locate_file(name))))

    return fill


def needed(root: Path, extras: Sequence[str]) -> list[Distribution]:
    """Return the installed packages that this tree asks for, and those that they ask for."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = [BUILDS, *project["dependencies"]]
    asked += [item for name in extras for item in project["optional-dependencies"][name]]
    left = [Requirement(item) for item in asked]
    found: dict[tuple[str, tuple[str, ...]], Distribution] = {}
    while left:
        wanted = left.pop()
        key = (wanted.name.lower(), tuple(sorted(wanted.extras)))
        if key not in found:
            found[key] = distribution(wanted.name)
            left += further(found[key], key[1])
    return list({item.name: item for item in found.values()}.values())


def further(found: Distribution, extras: Sequence[str]) -> Iterator[Requirement]:
    for text in found.requires or ():
        wanted = Requirement(text)
        applies = (
            [wanted.marker.evaluate({"extra": name}) for name in ("", *extras)]
            if (wanted.marker)
            else [True]
        )
        if any(applies):
            yield wanted
