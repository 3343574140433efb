"""YAML files read into strict models.

Every problem of a file is collected and reported once, with its line; an unknown key is an error
that names the nearest valid one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from asrdq.errors import Problem, UsageError, counted, nearest
from asrdq.places import Place

ModelT = TypeVar("ModelT", bound=BaseModel)


def read_yaml_model(path: Place, model: type[ModelT]) -> ModelT:
    """Read a YAML file into a strict model, collecting every problem with its line.

    Raises:
        UsageError: The file is missing or not YAML, or some keys or values are wrong; all of
            them are listed with their lines.
    """
    text, root = compose_yaml(path, empty_hint="`asrdq init` writes one that is not")
    with telling_of(path):
        data = yaml.safe_load(text)
    problems = list(repeated_keys(path, root))
    try:
        read = model.model_validate(data)
    except ValidationError as error:
        problems += (problem_at(path, root, model, item) for item in error.errors())
    if problems:
        problems.sort(key=lambda problem: problem.line or 0)
        raise UsageError(
            f"{counted(len(problems), 'problem')} in {path.name}",
            problems=problems,
        )
    return read


def compose_yaml(path: Place, *, empty_hint: str) -> tuple[str, yaml.Node]:
    """Return the text of a YAML file and its nodes, which know their lines.

    Raises:
        UsageError: The file is missing, empty, or no UTF-8 or YAML.
    """
    with telling_of(path):
        text = path.read_text(encoding="utf-8")
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    if root is None:
        raise UsageError("is empty", where=str(path), hint=empty_hint)
    return text, root


@contextmanager
def telling_of(path: Place) -> Iterator[None]:
    """Turn what reading a text or YAML file raises into an error that names the file."""
    try:
        yield
    except FileNotFoundError as error:
        raise UsageError("no such file", where=str(path)) from error
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", where=str(path)) from error
    except UnicodeDecodeError as error:
        raise UsageError("is not valid UTF-8", where=str(path)) from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{path}:{mark.line + 1}" if mark else str(path)
        reason = getattr(error, "problem", None) or error
        raise UsageError(f"is not valid YAML: {reason}", where=place) from error
    except RecursionError as error:
        raise UsageError("is nested too deeply, or in itself", where=str(path)) from error


def repeated_keys(path: Place, root: yaml.Node) -> Iterator[Problem]:
    """Give the keys that stand twice in a mapping: YAML itself would take the last."""
    waiting, seen = [root], set[int]()
    while waiting:
        node = waiting.pop()
        if id(node) in seen:  # named by an alias
            continue
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            waiting += node.value
        if isinstance(node, yaml.MappingNode):
            lines: dict[str, int] = {}
            for key, value in node.value:
                line = key.start_mark.line + 1
                if key.value in lines:
                    first = lines[key.value]
                    yield Problem(f"key '{key.value}' stands on line {first} too", path.name, line)
                lines.setdefault(key.value, line)
                waiting.append(value)


def problem_at(
    path: Place, root: yaml.Node | None, model: type[BaseModel], item: ErrorDetails
) -> Problem:
    """Return what is wrong with one value of a file, in words, with its line."""
    line = line_of(root, item["loc"])
    if item["type"] == "extra_forbidden":
        key = str(item["loc"][-1])
        fields = _valid_keys(model, item["loc"])
        guess = nearest(key, fields)
        advice = f"did you mean '{guess}'?" if guess else f"valid: {', '.join(fields)}"
        return Problem(f"unknown key '{key}': {advice}", path.name, line)
    key = ".".join(str(part) for part in item["loc"] if part not in _UNION_TAGS)
    message = item["msg"].removeprefix("Value error, ")
    return Problem(f"{key}: {message}" if key else message, path.name, line)


_UNION_TAGS = ("column", "columns", "rules", "word", "number", "languages", "values")


def line_of(root: yaml.Node | None, location: Sequence[int | str]) -> int | None:
    """Return the line of a location such as `("scores", 0, "hyps")`, or of what is nearest to it.

    Args:
        root: The nodes of the file, from `compose_yaml`.
        location: Keys and numbers of items, from the root on.
    """
    node, line = root, None if root is None else root.start_mark.line + 1
    for part in location:
        if isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            node = node.value[part]
            line = node.start_mark.line + 1
        elif isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if key.value == str(part):
                    node, line = value, key.start_mark.line + 1
                    break
    return line


def _valid_keys(model: type[BaseModel], location: Sequence[int | str]) -> list[str]:
    """Return the keys that are valid in the mapping of a location."""
    fields, inner = list(model.model_fields), model
    for part in location:
        found = inner.model_fields.get(str(part))
        inner = _model_in(found.annotation) or inner if found else inner
        if found and inner.model_fields:
            fields = list(inner.model_fields)
    return fields


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for part in get_args(annotation):
        model = _model_in(part)
        if model is not None:
            return model
    return None
