"""Training recipes: a strict schema, files that extend one another, and the ones shipped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asrdq.lazy import lazy_names

if TYPE_CHECKING:
    from asrdq.recipes.layers import Origin
    from asrdq.recipes.reading import (
        RecipeFile,
        Value,
        read_recipe,
        read_recipe_file,
        recipe_names,
    )
    from asrdq.recipes.recipe import SCHEDULES, Recipe

__all__ = [
    "SCHEDULES",
    "Origin",
    "Recipe",
    "RecipeFile",
    "Value",
    "read_recipe",
    "read_recipe_file",
    "recipe_names",
]

__getattr__ = lazy_names(
    __name__,
    {
        "layers": ["Origin"],
        "reading": ["RecipeFile", "Value", "read_recipe", "read_recipe_file", "recipe_names"],
        "recipe": ["SCHEDULES", "Recipe"],
    },
)
