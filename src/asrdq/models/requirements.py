"""Packages that not everybody has installed."""

from __future__ import annotations

import importlib
import importlib.util
from types import ModuleType

from asrdq.errors import ToolError


def needs(module: str, what: str, extra: str = "train") -> ModuleType:
    """Import a module of an extra.

    Args:
        module: Its full name, such as `nemo.collections.asr`.
        what: Who needs it, for the message: "the transcriber nemo".
        extra: The extra of asrdq that brings it.

    Raises:
        ToolError: It is not installed, or cannot be loaded.

    >>> needs("json", "this example").__name__
    'json'
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise ToolError(
            f"{what} needs the package {error.name}", hint=f"pip install 'asrdq[{extra}]'"
        ) from error
    except (ImportError, OSError) as error:
        raise ToolError(
            f"{what} cannot load {module}: {error}", hint=f"pip install 'asrdq[{extra}]'"
        ) from error


def installed(package: str, what: str) -> None:
    """See that a package of the extra `train` is there without importing it, which may take long.

    Args:
        package: Its name, such as `nemo`.
        what: Who needs it, for the message.

    Raises:
        ToolError: It is not installed.
    """
    if importlib.util.find_spec(package) is None:
        raise ToolError(f"{what} needs the package {package}", hint="pip install 'asrdq[train]'")
