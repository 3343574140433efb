"""Recipes: strict, extended by others, every value with its file and line."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from asrdq.errors import UsageError
from asrdq.recipes import read_recipe, read_recipe_file, recipe_names
from asrdq.recipes.layers import joined
from asrdq.recipes.recipe import Recipe

SECTIONS = (
    *("model", "data", "optimiser", "schedule", "trainer", "stages", "augmentation", "evaluation"),
    *("checkpoints", "loggers", "budget", "handoff", "stated"),
)

BASE = """\
name: base
backend: nemo
model: {base: some/model, family: ctc, parameters: 1000}
data:
  max_duration_s: 20
  batch_size: 4
optimiser: {lr: 1.0e-4}
schedule:
  name: CosineAnnealing
  epochs: 10
checkpoints: {monitor: val_wer}
"""


def write(folder: Path, name: str, text: str) -> Path:
    file = folder / f"{name}.yaml"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize("name", sorted(recipe_names()))
def test_every_shipped_recipe_is_valid_and_goes_by_its_file(name: str) -> None:
    assert read_recipe(name).name == name


@pytest.mark.parametrize("name", sorted(recipe_names()))
def test_every_value_of_a_shipped_recipe_has_its_reason(name: str) -> None:
    file = recipe_names()[name]
    exempt = {"name", "extends", "description", "backend", "base", "family", "part", "note"}
    bare = []
    for line in file.read_text(encoding="utf-8").splitlines():
        said = line.split("#")[0].strip()
        key, _, value = said.partition(":")
        key = key.removeprefix("- ")
        if value.strip() and key not in exempt and "#" not in line:
            bare.append(line)
    assert bare == []


def test_an_unknown_recipe_names_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean 'smoke'"):
        read_recipe("smok")


def test_extends_joins_sections_and_tells_where_each_value_is_from(tmp_path: Path) -> None:
    write(tmp_path, "base", BASE)
    child = write(
        tmp_path,
        "child",
        "name: child\nextends: base.yaml\ndata:\n  batch_size: null\n  batch_duration_s: 600\n",
    )
    found = read_recipe_file(child)
    assert found.recipe.data.batch_duration_s == 600
    assert found.recipe.data.batch_size is None
    assert found.recipe.data.max_duration_s == 20
    origins = {value.key: value.origin for value in found.resolved()}
    assert str(origins["data.batch_duration_s"]) == f"{child}:5"
    assert str(origins["data.max_duration_s"]) == f"{tmp_path / 'base.yaml'}:5"
    assert origins["trainer.seed"] is None
    assert found.origin("data", "batch_duration_s") == origins["data.batch_duration_s"]


def test_problems_are_told_where_they_stand(tmp_path: Path) -> None:
    write(tmp_path, "base", BASE.replace("epochs: 10", "epochs: none\n  warmup: 5"))
    child = write(
        tmp_path,
        "child",
        "name: child\nextends: base.yaml\ndata:\n  batch_sise: 4\n  min_duration_s: -1\n",
    )
    with pytest.raises(UsageError) as raised:
        read_recipe(child)
    told = [(item.file, item.line, item.message) for item in raised.value.problems]
    assert [(file, line) for file, line, _ in told] == [
        ("child.yaml", 4),
        ("child.yaml", 5),
        ("base.yaml", 10),
        ("base.yaml", 11),
    ]
    assert "did you mean 'batch_size'" in told[0][2]
    assert "did you mean 'warmup_steps'" in told[3][2]


def test_a_circle_is_told(tmp_path: Path) -> None:
    first = write(
        tmp_path, "first", BASE.replace("name: base", "name: first\nextends: second.yaml")
    )
    write(tmp_path, "second", "name: second\nextends: first.yaml\n")
    with pytest.raises(UsageError, match=r"'first.yaml' is extended in a circle"):
        read_recipe(first)


def test_a_circle_by_another_path_is_told(tmp_path: Path) -> None:
    told = f"name: first\nextends: ../{tmp_path.name}/first.yaml"
    first = write(tmp_path, "first", BASE.replace("name: base", told))
    with pytest.raises(UsageError, match="extended in a circle"):
        read_recipe(first)


def test_a_recipe_says_its_own_name(tmp_path: Path) -> None:
    write(tmp_path, "base", BASE)
    with pytest.raises(UsageError, match="says no `name` of its own"):
        read_recipe(write(tmp_path, "child", "extends: base.yaml\n"))


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("batch_size: 4", "workers: 4", "either batch_size clips or batch_duration_s"),
        ("batch_size: 4", "batch_size: 4\n  batch_duration_s: 9", "either batch_size clips"),
        ("batch_size: 4", "batch_size: 4\n  quadratic_duration_s: 9", "goes with batch_duration_s"),
        ("batch_size: 4", "batch_size: 4\n  min_duration_s: 30", "no clip is left"),
        ("epochs: 10", "min_lr: 0", "say epochs or max_steps"),
        ("epochs: 10", "epochs: 10\n  warmup_steps: 5\n  warmup_share: 0.1", "exclude one another"),
        ("CosineAnnealing", "cosine", "none of nemo: CosineAnnealing"),
        ("backend: nemo", "backend: nemo\ntrainer: {val_check_interval: 1.5}", "whole steps"),
        ("backend: nemo", "backend: nemo\ntrainer: {val_check_interval: true}", "no number"),
        ("backend: nemo", "backend: nemo\nstages: [{from_epoch: 2, train: [a]}]", "rise from 1"),
        ("backend: nemo", "backend: nemo\nstages: [{from_epoch: 1, train: [a]}]", "no group 'a'"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path: Path, before: str, after: str, told: str) -> None:
    file = write(tmp_path, "base", BASE.replace(before, after))
    with pytest.raises(UsageError) as raised:
        read_recipe(file)
    assert told in str(raised.value)


def test_steps_and_shares_of_validation_stay_apart(tmp_path: Path) -> None:
    whole = write(tmp_path, "whole", BASE + "trainer: {val_check_interval: 1}\n")
    share = write(tmp_path, "share", BASE + "trainer: {val_check_interval: 1.0}\n")
    assert type(read_recipe(whole).trainer.val_check_interval) is int
    assert type(read_recipe(share).trainer.val_check_interval) is float


def test_joining_takes_lists_as_a_whole() -> None:
    assert joined([{"a": [1, 2], "b": {"c": 1}}, {"a": [3], "b": {"d": 2}}]) == {
        "a": [3],
        "b": {"c": 1, "d": 2},
    }


def test_what_a_recipe_has_stated_is_about_itself(tmp_path: Path) -> None:
    write(tmp_path, "base", BASE + "stated: {rows: 100, gpus: 1, steps_per_epoch: 25}\n")
    found = read_recipe_file(write(tmp_path, "child", "name: child\nextends: base.yaml\n"))
    assert found.recipe.stated is None
    assert {value.key: value.origin for value in found.resolved()}["stated"] is None
    assert read_recipe(tmp_path / "base.yaml").stated is not None


def test_the_page_of_recipes_names_every_key(project_root: Path) -> None:
    page = (project_root / "docs" / "recipes.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([\w.]+)`", page))
    sections = {name: _section(field.annotation) for name, field in Recipe.model_fields.items()}
    wanted = {"name", "extends", "description", "backend", *SECTIONS}
    assert set(sections) == wanted
    keys = {key for section in sections.values() if section for key in section.model_fields}
    assert {key for key in keys if key not in named} == set()


def _section(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _section(part))), None)
