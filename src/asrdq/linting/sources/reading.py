"""Which configuration a file is, and its reader."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import yaml

from asrdq.errors import UsageError
from asrdq.linting.config import Config, Dialect
from asrdq.linting.sources.overrides import Override, parse_overrides
from asrdq.places import Place
from asrdq.strict_yaml import compose_yaml, repeated_keys, telling_of

if TYPE_CHECKING:
    from asrdq.workspace import Workspace

_EMPTY = "name the file that says how to train"
_HINT = "say what it is with --as nemo, hf or recipe"


def read_config(
    file: Place,
    overrides: Sequence[str] = (),
    dialect: Dialect | None = None,
    workspace: Workspace | None = None,
) -> Config:
    """Read a training configuration.

    Args:
        file: YAML, JSON or Python source.
        overrides: What the command line says on top, such as `trainer.max_steps=5000`.
        dialect: What it is written for; None: its keys tell.
        workspace: Whose recipes a recipe may extend by name.

    Raises:
        UsageError: It is missing, cannot be read, or its keys do not tell what it is.
    """
    parsed = parse_overrides(overrides)
    if file.suffix == ".py":
        from asrdq.linting.sources.huggingface import read_source

        return read_source(str(file), _source(file), parsed)
    if file.suffix == ".json":
        text = _source(file)
        root, values = _json(file, text)
    else:
        text, root = compose_yaml(file, empty_hint=_EMPTY)
        values = yaml.safe_load(text)
    if problems := list(repeated_keys(file, root)):
        raise UsageError(f"keys stand twice in {file.name}", problems=problems)
    if not isinstance(values, dict):
        raise UsageError("is no mapping of keys to values", where=str(file), hint=_HINT)
    kind = dialect or _dialect(file, values)
    if kind is Dialect.RECIPE:
        from asrdq.linting.sources.recipe import read_recipe_config

        return read_recipe_config(file, parsed, workspace)
    return _READERS[kind](file, text, root, values, parsed)


def _json(file: Place, text: str) -> tuple[yaml.Node, Any]:
    """Return the nodes of JSON, which know their lines, and its values."""
    try:
        values = json.loads(text)
        root = yaml.compose(text.replace("\t", " "), Loader=yaml.SafeLoader)
    except ValueError as error:
        line = getattr(error, "lineno", 1)
        raise UsageError(f"is not valid JSON: {error}", where=f"{file}:{line}") from error
    except RecursionError as error:
        raise UsageError("is nested too deeply", where=str(file)) from error
    except yaml.YAMLError as error:
        raise UsageError("cannot be read: give it as YAML", where=str(file)) from error
    assert root is not None
    return root, values


def _source(file: Place) -> str:
    with telling_of(file):
        return file.read_text(encoding="utf-8")


def _dialect(file: Place, values: Mapping[str, Any]) -> Dialect:
    from asrdq.linting.sources.huggingface import looks_like_arguments

    if "backend" in values or "extends" in values:
        return Dialect.RECIPE
    if {"model", "trainer"} & {key for key, value in values.items() if isinstance(value, dict)}:
        return Dialect.NEMO
    if looks_like_arguments(values):
        return Dialect.HUGGING_FACE
    raise UsageError("is no training configuration that is known", where=str(file), hint=_HINT)


Reader = Callable[[Place, str, yaml.Node, Any, Sequence[Override]], Config]


def _nemo(
    file: Place, text: str, root: yaml.Node, values: Any, overrides: Sequence[Override]
) -> Config:
    from asrdq.linting.sources.nemo import read_nemo

    return read_nemo(str(file), text, root, overrides)


def _arguments(
    file: Place, text: str, root: yaml.Node, values: Any, overrides: Sequence[Override]
) -> Config:
    from asrdq.linting.sources.huggingface import read_arguments

    return read_arguments(str(file), text, root, values, overrides)


_READERS: dict[Dialect, Reader] = {
    Dialect.NEMO: _nemo,
    Dialect.HUGGING_FACE: _arguments,
}
