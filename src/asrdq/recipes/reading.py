"""Finding a recipe by name or path, following `extends`, and telling where each value is from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asrdq.errors import UsageError, unknown
from asrdq.places import Place, place
from asrdq.recipes.layers import Layer, Loc, Origin, origin, read_layer, read_layers
from asrdq.recipes.recipe import Recipe
from asrdq.shipped import shipped_folder

if TYPE_CHECKING:
    from asrdq.workspace import Workspace

FOLDER = "recipes"
_ENDINGS = (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class Value:
    """A value of a recipe and where it comes from; no origin: nobody says it, it is the default.

    Attributes:
        key: Its name with those of the sections above it: `data.batch_size`.
        value: What it is.
        origin: The file and line.
    """

    key: str
    value: Any
    origin: Origin | None


@dataclass(frozen=True, slots=True)
class RecipeFile:
    """A recipe with the files that it was put together from, the one that was asked for last."""

    recipe: Recipe
    layers: tuple[Layer, ...]

    def resolved(self) -> list[Value]:
        """Return every value of the recipe, in the order of the schema."""
        found: list[Value] = []
        _flatten(self.recipe.model_dump(mode="json"), (), self.layers, found)
        return found

    def origin(self, *loc: int | str) -> Origin | None:
        """Return where a value comes from, as `origin("data", "batch_size")`."""
        return origin(self.layers, loc)


def recipe_names(workspace: Workspace | None = None) -> dict[str, Place]:
    """Return the recipes there are by name; one of the workspace hides a shipped one."""
    folders: list[Place] = [shipped_folder(FOLDER)]
    if workspace is not None:
        folders.append(workspace.root / FOLDER)
    return {
        file.name.removesuffix(file.suffix): file
        for folder in folders
        if folder.is_dir()
        for file in folder.iterdir()
        if file.suffix in _ENDINGS
    }


def read_recipe(name: str | Place, workspace: Workspace | None = None) -> Recipe:
    """Read a recipe by its name or the path of its file.

    Raises:
        UsageError: As for `read_recipe_file`.
    """
    return read_recipe_file(name, workspace).recipe


def read_recipe_file(name: str | Place, workspace: Workspace | None = None) -> RecipeFile:
    """Read a recipe with the files behind it.

    What a recipe has `stated` is about itself: one that extends it does not inherit that.

    Args:
        name: A name, or a path: anything that ends in `.yaml` or `.yml`.
        workspace: Whose folder `recipes` has names of its own.

    Raises:
        UsageError: There is none, it extends one that is not there or itself, or keys or values
            are wrong; all problems are listed with their file and line.
    """
    known = recipe_names(workspace)
    layers = [read_layer(_file(name, known, None))]
    if "name" not in layers[0].data:
        raise UsageError("says no `name` of its own", where=str(layers[0].file))
    while isinstance(above := layers[0].data.get("extends"), str):
        here = layers[0].file
        told = origin(layers[:1], ("extends",))
        file = _file(above, known, here, where=str(told))
        if file in [layer.file for layer in layers]:
            raise UsageError(f"'{above}' is extended in a circle", where=str(told))
        layers.insert(0, read_layer(file).without("stated"))
    return RecipeFile(read_layers(layers, Recipe), tuple(layers))


def _file(
    name: str | Place, known: dict[str, Place], beside: Place | None, *, where: str | None = None
) -> Place:
    """Return the file of a name or path; a relative path lies beside the recipe that names it.

    A recipe that extends its own name means the shipped one, which it hides.
    """
    if not isinstance(name, str):
        return name.resolve()
    if name.endswith(_ENDINGS):
        relative = "://" not in name and not Path(name).is_absolute()
        file = beside.parent / name if beside is not None and relative else place(name)
        return file.resolve()
    if name not in known:
        raise unknown("recipe", name, known, where=where)
    found, shipped = known[name].resolve(), shipped_folder(FOLDER) / f"{name}.yaml"
    return shipped.resolve() if found == beside and shipped.is_file() else found


def _flatten(value: Any, loc: Loc, layers: tuple[Layer, ...], found: list[Value]) -> None:
    if isinstance(value, dict) and value:
        for key, item in value.items():
            _flatten(item, (*loc, key), layers, found)
        return
    found.append(Value(".".join(map(str, loc)), value, origin(layers, loc)))
