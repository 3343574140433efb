"""Configurations written as Python: read from the source, which is never run."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from asrdq.errors import UsageError
from asrdq.linting.config import Setting, Unknown
from asrdq.linting.findings import Edit
from asrdq.linting.sources.training_arguments import KNOWN

_LEAST = 2
"""Names of a class or call that have to be known for it to be a configuration."""


@dataclass(frozen=True, slots=True)
class Given:
    """One name that a class or call gives a value to."""

    name: str
    value: ast.expr
    line: int


class PythonText:
    """The dataclass or call of a source that says most about training."""

    def __init__(self, file: str, text: str) -> None:
        self.file, self.text = file, text
        try:
            tree = ast.parse(text)
        except (SyntaxError, ValueError) as error:
            line = getattr(error, "lineno", None) or 1
            raise UsageError(f"is not valid Python: {error}", where=f"{file}:{line}") from error
        blocks = [(name, line, list(given)) for name, line, given in _blocks(tree)]
        ranked = sorted(blocks, key=lambda block: -_known(block[2]))
        if not ranked or _known(ranked[0][2]) < _LEAST:
            raise UsageError(
                "holds no dataclass and no call of TrainingArguments that says how to train",
                where=file,
                hint="lint the file that has batch size, learning rate and epochs",
            )
        self.block, self.first_line, given = ranked[0]
        self._given = {each.name: each for each in given}
        others = [name for name, _, some in ranked[1:] if _known(some) >= _LEAST]
        self.notes = tuple(f"{name} in {file} is not looked at" for name in others)
        starts = [0]
        for line in text.encode().split(b"\n"):
            starts.append(starts[-1] + len(line) + 1)
        self._starts = starts

    def values(self) -> dict[str, Any]:
        """Return the value of each name, `Unknown` where it takes running the source."""
        return {name: _literal(each.value) for name, each in self._given.items()}

    def setting(self, key: str, value: object) -> Setting:
        """Return the setting of a name; a default where the source lacks it."""
        each = self._given.get(key)
        if each is None:
            return Setting(key, value, self.file, self.first_line)
        node = _inner(each.value)
        span = None if isinstance(value, Unknown) else self._span(node)
        written = ast.get_source_segment(self.text, node) or ""
        return Setting(key, value, self.file, each.line, written, span)

    def insertion(self, key: str, value: str) -> Edit | None:
        """Return no edit: where a new name belongs is for a person to say."""
        return None

    def _span(self, node: ast.expr) -> tuple[int, int] | None:
        if node.end_lineno is None or node.end_col_offset is None:
            return None
        data = self.text.encode()
        begin = self._starts[node.lineno - 1] + node.col_offset
        end = self._starts[node.end_lineno - 1] + node.end_col_offset
        return len(data[:begin].decode()), len(data[:end].decode())


def _known(given: list[Given]) -> int:
    return sum(each.name in KNOWN for each in given)


def _blocks(tree: ast.Module) -> Iterator[tuple[str, int, Iterator[Given]]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and any(map(_is_dataclass, node.decorator_list)):
            yield node.name, node.lineno, _fields(node)
        elif isinstance(node, ast.Call) and _name(node.func).endswith("TrainingArguments"):
            words = (word for word in node.keywords if word.arg)
            given = (Given(str(word.arg), word.value, word.value.lineno) for word in words)
            yield _name(node.func), node.lineno, given


def _is_dataclass(node: ast.expr) -> bool:
    return _name(node.func if isinstance(node, ast.Call) else node) == "dataclass"


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _fields(node: ast.ClassDef) -> Iterator[Given]:
    for each in node.body:
        if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name) and each.value:
            yield Given(each.target.id, each.value, each.lineno)


def _inner(node: ast.expr) -> ast.expr:
    """Return the default that `field(default=…)` names, else the expression itself."""
    if isinstance(node, ast.Call) and _name(node.func) == "field":
        for word in node.keywords:
            if word.arg == "default":
                return word.value
    return node


def _literal(node: ast.expr) -> Any:
    try:
        return ast.literal_eval(_inner(node))
    except (ValueError, TypeError, SyntaxError, RecursionError):
        return Unknown(f"{ast.unparse(node)} takes running the source")
