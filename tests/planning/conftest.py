"""Plans without a workspace: a recipe, GPUs, and what a loader keeps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from asrdq.planning.hardware import Hardware, Prices, read_hardware, read_prices
from asrdq.planning.kept import Kept
from asrdq.recipes import read_recipe
from asrdq.recipes.layers import joined
from asrdq.recipes.recipe import Recipe

if TYPE_CHECKING:
    from asrdq.workspace import Workspace


@pytest.fixture(scope="session")
def hardware() -> Hardware:
    return read_hardware()


@pytest.fixture(scope="session")
def prices() -> Prices:
    return read_prices()


@pytest.fixture
def recipe() -> Callable[..., Recipe]:
    """A shipped recipe with some sections changed: `recipe("smoke", data={"batch_size": 8})`."""

    def change(name: str, **sections: Any) -> Recipe:
        body = read_recipe(name).model_dump(mode="json")
        return Recipe.model_validate(joined([body, sections]))

    return change


@pytest.fixture
def kept() -> Callable[..., Kept]:
    """What a loader keeps: rows and hours, the longest clip of 15 s."""

    def make(rows: int, hours: float, longest_s: float = 15.0, loaded: float | None = None) -> Kept:
        return Kept(rows, hours, longest_s, hours if loaded is None else loaded, ())

    return make


@pytest.fixture
def lay(workspace: Workspace) -> Callable[[str, str], Path]:
    """Write a settings file into the workspace."""

    def write(name: str, text: str) -> Path:
        file = Path(str(workspace.root)) / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    return write
