"""`asrdq recipes`: the recipes there are, and what one says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from asrdq import console
from asrdq.cli.options import FormatOption, WorkspaceOption
from asrdq.cli.output import Format, render
from asrdq.cli.workspaces import workspace_if_any

if TYPE_CHECKING:
    import pyarrow as pa

    from asrdq.workspace import Workspace


def recipes(
    name: Annotated[
        str | None, typer.Argument(metavar="[RECIPE]", help="A name, or the path of a file.")
    ] = None,
    output: FormatOption = Format.TABLE,
    workspace: WorkspaceOption = ".",
) -> None:
    """List the training recipes, or show every value of one and the file and line it is from.

    Recipes of the workspace lie in its folder `recipes`; no workspace is needed for the shipped
    ones.

    Example: `asrdq recipes qwen3-asr-gradual`
    """
    opened = workspace_if_any(workspace)
    render(_values(name, opened) if name else _names(opened), output)
    shown = name or "RECIPE"
    console.next_step(f"asrdq plan MANIFEST --recipe {shown} --gpus 1xL40S", "what it would cost")


def _names(workspace: Workspace | None) -> pa.Table:
    import pyarrow as pa

    from asrdq.errors import UsageError
    from asrdq.recipes import read_recipe, recipe_names

    rows = []
    for name, file in sorted(recipe_names(workspace).items()):
        try:
            recipe = read_recipe(file, workspace)
        except UsageError as error:
            console.warn(f"{file} is no recipe: {error}")
            continue
        rows.append(
            {
                "recipe": name,
                "backend": recipe.backend,
                "base": recipe.model.base,
                "description": recipe.description,
                "file": str(file),
            }
        )
    return pa.Table.from_pylist(rows)


def _values(name: str, workspace: Workspace | None) -> pa.Table:
    import pyarrow as pa

    from asrdq.recipes import read_recipe_file

    rows = [
        {
            "key": value.key,
            "value": "" if value.value is None else str(value.value),
            "from": "default" if value.origin is None else str(value.origin),
        }
        for value in read_recipe_file(name, workspace).resolved()
    ]
    return pa.Table.from_pylist(rows)
