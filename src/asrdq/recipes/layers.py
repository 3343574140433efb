"""YAML files laid over one another: the later wins, and each value knows where it comes from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from asrdq.errors import Problem, UsageError, counted
from asrdq.places import Place
from asrdq.strict_yaml import compose_yaml, problem_at, repeated_keys

ModelT = TypeVar("ModelT", bound=BaseModel)

Loc = tuple[int | str, ...]


@dataclass(frozen=True, slots=True)
class Layer:
    """A file that says some values.

    Attributes:
        file: Where it lies.
        root: Its nodes, which know their lines.
        data: What it says.
    """

    file: Place
    root: yaml.Node
    data: Mapping[str, Any]

    def without(self, key: str) -> Layer:
        """Return the layer as if it did not have a key."""
        kept = [pair for pair in self.root.value if pair[0].value != key]
        root = yaml.MappingNode(self.root.tag, kept, self.root.start_mark, self.root.end_mark)
        return Layer(self.file, root, {name: v for name, v in self.data.items() if name != key})


@dataclass(frozen=True, slots=True)
class Origin:
    """The file and the line that a value comes from."""

    file: Place
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


def read_layer(file: Place) -> Layer:
    """Read one file, which need not be complete.

    Raises:
        UsageError: It is missing, empty, no YAML, or no mapping of keys to values.
    """
    text, root = compose_yaml(file, empty_hint="leave the file away, or say something in it")
    data = yaml.safe_load(text)
    if not isinstance(data, dict):
        raise UsageError("is no mapping of keys to values", where=str(file))
    return Layer(file, root, data)


def read_layers(layers: Sequence[Layer], model: type[ModelT]) -> ModelT:
    """Return what the layers say together, the last of them winning.

    Mappings are joined key by key; anything else, a list too, is taken as a whole. `null` takes
    a value of an earlier layer away.

    Raises:
        UsageError: Keys or values are wrong; all problems are listed with their file and line.
    """
    problems = [item for layer in layers for item in repeated_keys(layer.file, layer.root)]
    try:
        read = model.model_validate(joined([layer.data for layer in layers]))
    except ValidationError as error:
        problems += (_problem(layers, model, item) for item in error.errors())
    if problems:
        asked = layers[-1].file.name
        problems.sort(key=lambda item: (item.file != asked, item.file or "", item.line or 0))
        raise UsageError(f"{counted(len(problems), 'problem')} in {asked}", problems=problems)
    return read


def joined(said: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return mappings laid over one another.

    >>> joined([{"a": {"b": 1, "c": 2}}, {"a": {"c": 3}}])
    {'a': {'b': 1, 'c': 3}}
    """
    result: dict[str, Any] = {}
    for mapping in said:
        for key, value in mapping.items():
            below = result.get(key)
            if isinstance(below, dict) and isinstance(value, dict):
                result[key] = joined([below, value])
            else:
                result[key] = value
    return result


def origin(layers: Sequence[Layer], loc: Loc) -> Origin | None:
    """Return where the value at a location comes from; None for one that no layer states."""
    for layer in reversed(layers):
        depth, line = _found(layer.root, loc)
        if depth == len(loc):
            return Origin(layer.file, line)
    return None


def _problem(layers: Sequence[Layer], model: type[BaseModel], item: ErrorDetails) -> Problem:
    """Tell a problem of the joined values where the layer that says most of it has them."""
    ranked = [(_found(layer.root, item["loc"])[0], place) for place, layer in enumerate(layers)]
    layer = layers[max(ranked)[1]]
    return problem_at(layer.file, layer.root, model, item)


def _found(root: yaml.Node, loc: Loc) -> tuple[int, int]:
    """Return how many parts of a location a file has, and the line of the last of them."""
    node, line = root, root.start_mark.line + 1
    for depth, part in enumerate(loc):
        for key, value in _children(node):
            if key == part or key == str(part):
                node, line = value[1], value[0]
                break
        else:
            return depth, line
    return len(loc), line


def _children(node: yaml.Node) -> Iterator[tuple[int | str, tuple[int, yaml.Node]]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield key.value, (key.start_mark.line + 1, value)
    elif isinstance(node, yaml.SequenceNode):
        for position, value in enumerate(node.value):
            yield position, (value.start_mark.line + 1, value)
