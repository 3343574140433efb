"""What may be expected of a manifest, read off its columns: candidates, still to be measured."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from asrdq.checks.rules import SUBJECT
from asrdq.checks.speech.durations import speed_of
from asrdq.text.languages import language_code
from asrdq.workspace.store import quote_name

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MOST_CATEGORIES = 50
FEWEST_ROWS_A_CATEGORY = 10
FEWEST_ROWS_A_LANGUAGE = 20
_LOW, _HIGH = 0.01, 0.99
_NUMBERS = frozenset(
    {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "FLOAT", "DOUBLE", "UBIGINT"}
)
_TEXT_RULES = (
    "expect_text_without_markup",
    "expect_text_without_brackets",
    "expect_text_without_digits",
    "expect_text_without_repeated_punctuation",
    "expect_text_without_loops",
)

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Column:
    """A column as it stands in the data.

    Attributes:
        name: What it is called.
        kind: Its type in DuckDB.
        filled: Number of rows with a value.
        different: Number of different values, roughly.
    """

    name: str
    kind: str
    filled: int
    different: int

    @property
    def is_number(self) -> bool:
        """Whether a range can be given for it."""
        return self.kind in _NUMBERS


@dataclass(frozen=True, slots=True)
class Candidate:
    """An expectation that may be proposed.

    Attributes:
        name: Its type, `expect_…`.
        kwargs: Its parameters, without `mostly`.
        seen: What it was read off, for a person who edits the suite.
        exact: Whether it is left out as soon as one row fails.
    """

    name: str
    kwargs: Row
    seen: str
    exact: bool = False


def read_columns(database: DuckDBPyConnection) -> tuple[int, list[Column]]:
    """Return the number of rows of the view `checked`, and its columns."""
    described = database.execute(f"DESCRIBE {SUBJECT}").fetchall()
    names = [quote_name(name) for name, *_ in described]
    counts = ", ".join(f"count({name}), approx_count_distinct({name})" for name in names)
    [(rows, *found)] = database.execute(f"SELECT count(*), {counts} FROM {SUBJECT}").fetchall()
    pairs = zip(found[::2], found[1::2], strict=True)
    return rows, [
        Column(name, kind, filled, different)
        for (name, kind, *_), (filled, different) in zip(described, pairs, strict=True)
    ]


def candidates(
    database: DuckDBPyConnection, rows: int, columns: Sequence[Column]
) -> Iterator[Candidate]:
    """Give what may be expected of the rows of the view `checked`.

    Ranges are from the hundredth quantiles at both ends, widened by their distance to the median,
    so that a few extreme rows do not set them.
    """
    there = {column.name: column for column in columns if column.filled}
    for column in there.values():
        null = f"{rows - column.filled:,} of {rows:,} rows without a value"
        yield Candidate("expect_column_values_to_not_be_null", {"column": column.name}, null)
        yield from _of_column(database, column)
    if "text" in there:
        yield Candidate("expect_text_to_be_filled", {}, "the texts")
        yield from (Candidate(name, {}, "the texts") for name in _TEXT_RULES)
    if {"text", "language"} <= there.keys():
        yield Candidate("expect_text_in_alphabet_of_language", {}, "the texts and their languages")
    if {"text", "duration_s"} <= there.keys():
        yield from _speed(database, with_language="language" in there)
    if {"audio_path", "offset_s", "duration_s"} <= there.keys():
        yield Candidate("expect_segments_not_to_overlap", {}, "offsets and durations")


def _of_column(database: DuckDBPyConnection, column: Column) -> Iterator[Candidate]:
    about = {"column": column.name}
    if column.is_number:
        low, high, seen = _range(database, quote_name(column.name))
        if column.name == "duration_s" and low is not None:
            yield Candidate("expect_duration_between", {"min_value": low, "max_value": high}, seen)
        elif low is not None:
            between = {**about, "min_value": low, "max_value": high}
            yield Candidate("expect_column_values_to_be_between", between, seen)
    if column.kind == "VARCHAR":
        categories = column.different <= 2 * MOST_CATEGORIES and _categories(database, column)
        if categories:
            yield Candidate(
                "expect_column_values_to_be_in_set",
                {**about, "value_set": categories},
                f"{len(categories)} different values",
            )
        elif column.different >= 0.8 * column.filled and column.name != "text":
            unique = "no value stands twice"
            yield Candidate("expect_column_values_to_be_unique", about, unique, exact=True)


def _categories(database: DuckDBPyConnection, column: Column) -> list[str]:
    """Return the values of a column that repeats a few ones; none where it does not."""
    name = quote_name(column.name)
    found = database.execute(
        f"SELECT DISTINCT {name} FROM {SUBJECT} WHERE {name} IS NOT NULL ORDER BY 1"
    ).fetchall()
    few = len(found) <= min(MOST_CATEGORIES, column.filled / FEWEST_ROWS_A_CATEGORY)
    return [value for (value,) in found] if few else []


def _range(database: DuckDBPyConnection, value: str) -> tuple[Any, Any, str]:
    [(low, middle, high, least, most)] = database.execute(
        f"SELECT {_QUANTILES.format(value=value)} FROM {SUBJECT}"
    ).fetchall()
    if low is None:
        return None, None, ""
    return *widened(low, middle, high), f"from {least:g} to {most:g}"


_QUANTILES = f"""
    quantile_cont({{value}}, {_LOW}) FILTER (isfinite({{value}}::DOUBLE)),
    quantile_cont({{value}}, 0.5) FILTER (isfinite({{value}}::DOUBLE)),
    quantile_cont({{value}}, {_HIGH}) FILTER (isfinite({{value}}::DOUBLE)),
    min({{value}}) FILTER (isfinite({{value}}::DOUBLE)),
    max({{value}}) FILTER (isfinite({{value}}::DOUBLE))
"""


def widened(low: float, middle: float, high: float) -> tuple[float, float]:
    """Return a range with slack: each end as far again from the middle, at two digits, outwards.

    What is nowhere negative does not become so, and a value that is always the same gets a tenth.

    >>> widened(2.0, 5.0, 11.0)
    (0.0, 17.0)
    >>> widened(4.0, 4.0, 4.0)
    (3.6, 4.4)
    """
    least_slack = 0.1 * abs(middle)
    below = low - max(middle - low, least_slack)
    above = high + max(high - middle, least_slack)
    if low >= 0:
        below = max(below, 0.0)
    return _rounded(below, math.floor), _rounded(above, math.ceil)


def _rounded(value: float, to: Any) -> float:
    if value == 0:
        return 0.0
    step = 10.0 ** (math.floor(math.log10(abs(value))) - 1)
    return round(float(to(round(value / step, 6))) * step, 12)


def _speed(database: DuckDBPyConnection, *, with_language: bool) -> Iterator[Candidate]:
    """Give the range of characters a second: of all rows, and of languages with rows enough."""
    speed = speed_of(quote_name("text"), quote_name("duration_s"))
    low, high, seen = _range(database, speed)
    if low is None:
        return
    kwargs: Row = {"min_value": low, "max_value": high}
    if with_language:
        limits = _by_language(database, speed)
        if len(limits) > 1:
            kwargs |= {"by_language": limits, "language_column": "language"}
    yield Candidate("expect_characters_per_second_between", kwargs, seen)


def _by_language(database: DuckDBPyConnection, speed: str) -> dict[str, list[float]]:
    found = database.execute(
        f"SELECT language, count(*), {_QUANTILES.format(value=speed)} FROM {SUBJECT} "
        "WHERE language IS NOT NULL GROUP BY language ORDER BY language"
    ).fetchall()
    limits: dict[str, list[float]] = {}
    for language, rows, low, middle, high, *_ in found:
        if rows >= FEWEST_ROWS_A_LANGUAGE and low is not None:
            code, (below, above) = language_code(language), widened(low, middle, high)
            known = limits.get(code, [below, above])
            limits[code] = [min(known[0], below), max(known[1], above)]
    return limits
