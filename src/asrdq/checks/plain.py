"""Plain texts, of which there are most, recognised once for all expectations that they fulfil."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from asrdq.checks.rules import SUBJECT, matches
from asrdq.workspace.store import quote_name

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from asrdq.checks.expected import Expected

_SIGNS = r".,;:!?'’\"-"
_NOT_PLAIN = rf"[^\p{{L}}\p{{M}}\s{_SIGNS}]|[{_SIGNS}]{{2}}"
"""A text is plain that has letters, white space, and these signs, none next to another."""


def unless_plain(column: str, good: str) -> str:
    """Return SQL of what a good row fulfils whose text in a column is not plain."""
    return f"CASE WHEN {_name_of(column)} THEN true ELSE {good} END"


@contextmanager
def plain_texts(database: DuckDBPyConnection, expectations: Sequence[Expected]) -> Iterator[None]:
    """Let the view `checked` say which texts are plain, where `unless_plain` asks for it.

    A temporary view hides the one of that name, so that DuckDB looks at each text once; where one
    expectation alone asks, no text is looked at for it.
    """
    asking = Counter(
        item.about[0] for item in expectations if item.rule and item.rule.plain_texts_pass
    )
    said = "".join(
        f"{_plain(column) if count > 1 else 'false'} AS {_name_of(column)}, "
        for column, count in asking.items()
    )
    [(catalog,)] = database.execute("SELECT current_database()").fetchall()
    source = f"{quote_name(catalog)}.main.{SUBJECT}"
    database.execute(f"CREATE TEMP VIEW {SUBJECT} AS SELECT {said}* FROM {source}")
    try:
        yield
    finally:
        database.execute(f"DROP VIEW temp.{SUBJECT}")


def _plain(column: str) -> str:
    return f"NOT {matches(quote_name(column), _NOT_PLAIN)}"


def _name_of(column: str) -> str:
    return quote_name(f"asrdq: {column} is plain")
