"""Rows of an evaluation, told by values of columns: `domain=clean`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from asrdq.errors import UsageError

Scope = Mapping[str, Sequence[str]]
"""Column to the values that rows may have in it; rows have to fit every column."""

EVERY = "all rows"


def scope_text(scope: Scope) -> str:
    """Return a scope in words, always the same for the same rows.

    Example:
        >>> scope_text({"domain": ["b", "a"]})
        'domain=a|b'
    """
    parts = [f"{column}={'|'.join(sorted(scope[column]))}" for column in sorted(scope)]
    return ", ".join(parts) or EVERY


def read_guards(texts: Sequence[str]) -> tuple[list[dict[str, list[str]]], list[str]]:
    """Read guard sets: each `COLUMN=VALUE[|VALUE…]` is one, a `COLUMN` alone is one a value.

    Returns:
        The scopes, and the columns.

    Raises:
        UsageError: A text has another form.

    Example:
        >>> read_guards(["domain=clean|studio", "accent"])
        ([{'domain': ['clean', 'studio']}], ['accent'])
    """
    scopes = [read_scope([text]) for text in texts if "=" in text]
    return scopes, [text.strip() for text in texts if "=" not in text]


def read_scope(texts: Sequence[str]) -> dict[str, list[str]]:
    """Read texts of the form `COLUMN=VALUE[|VALUE…]`; several of one column are added.

    Raises:
        UsageError: A text has another form.

    Example:
        >>> read_scope(["domain=clean|studio", "accent=indian"])
        {'domain': ['clean', 'studio'], 'accent': ['indian']}
    """
    scope: dict[str, list[str]] = {}
    for text in texts:
        column, equals, values = text.partition("=")
        if not (column.strip() and equals and values.strip()):
            raise UsageError(f"'{text}' is not COLUMN=VALUE", hint="write domain=clean")
        scope.setdefault(column.strip(), []).extend(value.strip() for value in values.split("|"))
    return scope
