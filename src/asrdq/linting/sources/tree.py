"""Trees of OmegaConf: read from text, asked for values that may not be known yet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import yaml
from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from omegaconf.resolvers import oc

from asrdq.errors import UsageError
from asrdq.linting.config import Unknown

NOTHING = object()
"""What `select` gives for a key that is not there."""


@contextmanager
def environment_unknown() -> Iterator[None]:
    """Keep the environment of this machine out: the job has its own, and secrets stay secret.

    `${oc.env:NAME}` is a value that is not known inside.
    """

    def unknown(*_: object) -> None:
        raise ValueError("the environment of the job decides")

    OmegaConf.register_new_resolver("oc.env", unknown, replace=True)
    try:
        yield
    finally:
        OmegaConf.register_new_resolver("oc.env", oc.env, replace=True)


def plain(value: Any) -> Any:
    """Return lists and mappings as those of Python, `Unknown` where a part is not known."""
    if not OmegaConf.is_config(value):
        return typed(value)
    try:
        return OmegaConf.to_container(value, resolve=True)
    except OmegaConfBaseException as error:
        return Unknown(first_line(error))


def read_tree(name: str, text: str) -> DictConfig:
    """Return the tree of a text.

    Raises:
        UsageError: It cannot be read, or is no mapping.
    """
    try:
        tree = OmegaConf.create(text)
    except (OmegaConfBaseException, yaml.YAMLError) as error:
        raise UsageError(f"cannot be read: {first_line(error)}", where=name) from error
    except RecursionError as error:
        raise UsageError("is nested too deeply, or in itself", where=name) from error
    if not isinstance(tree, DictConfig):
        raise UsageError("is no mapping of keys to values", where=name)
    return tree


def select(tree: Any, key: str) -> Any:
    """Return the value of a key, `NOTHING` where it is missing, `Unknown` where it is open."""
    try:
        return OmegaConf.select(tree, key, default=NOTHING, throw_on_missing=True)
    except OmegaConfBaseException as error:
        return Unknown(first_line(error))
    except Exception as error:  # a resolver may raise anything
        return Unknown(f"{type(error).__name__}: {first_line(error)}")


def first_line(error: Exception) -> str:
    """Return the first line of what an error says."""
    return str(error).strip().partition("\n")[0]


def flat(value: Any, above: str = "") -> Iterator[tuple[str, Any]]:
    """Give every dotted key, of sections too."""
    if isinstance(value, dict):
        for key, inner in value.items():
            name = f"{above}.{key}" if above else str(key)
            yield name, inner
            yield from flat(inner, name)


def texts_in(value: Any, names: Sequence[str]) -> Iterator[str]:
    """Give every text of a value: itself, those of a list, those under some names of a mapping."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, ListConfig):
        for index in range(len(value)):
            yield from texts_in(select(value, f"[{index}]"), names)
    elif isinstance(value, DictConfig):
        for name in names:
            yield from texts_in(select(value, name), names)


def typed(value: Any) -> Any:
    """Return a number that is written as text, as Lightning takes it, as a number."""
    if not isinstance(value, str):
        return value
    for kind in (int, float):
        try:
            return kind(value)
        except ValueError:
            continue
    return value


def register_resolvers() -> None:
    """Know the resolvers that NeMo registers, unless NeMo itself has done so."""
    if not OmegaConf.has_resolver("multiply"):
        OmegaConf.register_new_resolver("multiply", lambda x, y: x * y)
