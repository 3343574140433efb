"""The package itself: its version, its entry points, opening a workspace."""

from __future__ import annotations

from importlib.metadata import entry_points, version
from pathlib import Path

import pytest

import asrdq
from asrdq.errors import UsageError, counted


def test_the_version_is_the_installed_one() -> None:
    assert asrdq.__version__ == version("asrdq")


@pytest.mark.parametrize("group", ["asrdq.formats", "asrdq.aligners", "asrdq.transcribers"])
def test_the_shipped_plug_ins_load(group: str) -> None:
    points = entry_points(group=group)
    assert len(points) >= 1
    for point in points:
        assert callable(point.load())


def test_open_finds_the_workspace_above(workspace: asrdq.workspace.Workspace) -> None:
    inner = Path(workspace.root) / "reports" / "deep"
    inner.mkdir(parents=True)
    assert asrdq.open(inner).root == workspace.root


def test_open_without_a_workspace_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="asrdq init"):
        asrdq.open(tmp_path)


@pytest.mark.parametrize(
    ("number", "told"), [(0, "0 files"), (1, "1 file"), (2, "2 files"), (2000, "2,000 files")]
)
def test_a_number_stands_with_its_noun(number: int, told: str) -> None:
    assert counted(number, "file") == told
