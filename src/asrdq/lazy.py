"""Packages whose parts are imported when they are first asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any


def lazy_names(package: str, homes: Mapping[str, Sequence[str]]) -> Callable[[str], Any]:
    """Return the `__getattr__` of a package, so that importing the package costs nothing.

    Args:
        package: Its `__name__`.
        homes: For each of its modules, the public names that are defined there.

    Example:
        >>> get = lazy_names("asrdq", {"errors": ["ToolError"]})
        >>> get("ToolError").__module__
        'asrdq.errors'
    """
    modules = {name: module for module, names in homes.items() for name in names}

    def get(name: str) -> Any:
        if name not in modules:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(f"{package}.{modules[name]}"), name)

    return get
