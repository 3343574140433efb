"""The source of a module without what decides nothing: comments, docstrings, layout."""

from __future__ import annotations

import ast
import hashlib
import importlib
from pathlib import Path


def source_of(module: str) -> str:
    """Return what tells one version of a module's code from another.

    Python is told without comments, docstrings and layout; another file, such as an extension in C,
    by the hash of its bytes. A module without a file (built in, or typed into an interpreter) has
    only its name.

    >>> source_of("builtins")
    'builtins'
    """
    file = getattr(importlib.import_module(module), "__file__", None)
    if file is None or not Path(file).is_file():
        return module
    content = Path(file).read_bytes()
    if Path(file).suffix != ".py":
        return hashlib.sha256(content).hexdigest()
    tree = ast.parse(content)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [item for item in node.body if not _is_remark(item)] or [ast.Pass()]
    return ast.unparse(tree)


def _is_remark(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )
