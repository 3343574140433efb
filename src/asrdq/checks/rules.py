"""What an expectation of our own is: a name, parameters, and the SQL that a good row fulfils."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from asrdq.errors import UsageError
from asrdq.workspace.store import quote_name, quote_text

if TYPE_CHECKING:
    from asrdq.checks.text_judge import TextJudge

SUBJECT = "checked"
"""The view of the rows that are checked."""
FACTS = "facts"
"""The view of what a probe found about their audio."""
MANIFEST = "manifest"
"""The parameter that names another manifest."""
BY, CONTENT, PATH = "by", "content", "path"
"""The parameter that says how audio is compared, and its values; content needs probes."""

Condition = TypeVar("Condition", bound=Callable[..., str])
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Rule:
    """An expectation about each row, as SQL on DuckDB.

    Attributes:
        name: The type in suites, `expect_…`.
        condition: Gives the SQL that a good row fulfils, from the quoted column and the parameters.
            What it gives for a row may be null: such a row is not good.
        column: The column that is looked at unless a suite names another one; None where it has to.
        reads: Further columns; `{by}` stands for the column that the parameter `by` names.
        nulls_fail: Whether a row without a value fails; else it is not looked at.
        shows: SQL of what is shown of a failing row, or what gives it as `condition` does; None
            for the value of the column.
        audio: Whether the facts of a probe are needed.
        judge: Gives what judges the texts beforehand, from what finds files and the parameters;
            None where SQL does it alone.
        plain_texts_pass: Whether every text passes that has but letters, white space, and single
            signs of punctuation; such texts are recognised once for all rules.
    """

    name: str
    condition: Callable[..., str]
    column: str | None = None
    reads: tuple[str, ...] = ()
    nulls_fail: bool = False
    shows: str | Callable[..., str] | None = None
    audio: bool = False
    judge: Callable[..., TextJudge | None] | None = None
    plain_texts_pass: bool = False

    @property
    def parameters(self) -> dict[str, tuple[Any, Any]]:
        """The parameters: type and default, which is `...` where there is none."""
        types = typing.get_type_hints(self.condition)
        return {
            name: (types[name], ... if item.default is item.empty else item.default)
            for name, item in inspect.signature(self.condition).parameters.items()
            if item.kind is item.KEYWORD_ONLY
        }

    @property
    def help(self) -> str:
        """What it expects, with an example."""
        return inspect.cleandoc(self.condition.__doc__ or "")

    def shown(self, column: str, arguments: Row) -> str:
        """Return SQL of what is shown of a failing row."""
        if callable(self.shows):
            return self.shows(quote_name(column), **arguments)
        return self.shows or quote_name(column)

    def columns(self, arguments: Row) -> Iterator[str]:
        """Give the names of the further columns, for some parameters."""
        for name in self.reads:
            found = name.format(**arguments)
            if found != "None":
                yield found


def facts_of(manifest: str) -> str:
    """Return the view of what a probe found about the audio of another manifest."""
    return f"{FACTS} of {manifest}"


RULES: dict[str, Rule] = {}
"""All expectations of our own, by name."""


def rule(name: str, **about: Any) -> Callable[[Condition], Condition]:
    """Register a function as an expectation; the options are the attributes of `Rule`.

    Example:
        >>> @rule("expect_duration_below", column="duration_s")   # doctest: +SKIP
        ... def below(column: str, *, seconds: float) -> str:
        ...     return f"{column} < {literal(seconds)}"
    """

    def register(condition: Condition) -> Condition:
        RULES[name] = Rule(name, condition, **about)
        return condition

    return register


def literal(value: str | float | None) -> str:
    """Return a value as SQL.

    >>> literal("it's"), literal(0.5), literal(None)
    ("'it''s'", '0.5', 'NULL')
    """
    if value is None:
        return "NULL"
    return quote_text(value) if isinstance(value, str) else f"{value!r}"


def listed(values: Sequence[str | float]) -> str:
    """Return values as an SQL list in parentheses.

    >>> listed(["a", "b"])
    "('a', 'b')"
    """
    return f"({', '.join(map(literal, values))})"


def matches(column: str, pattern: str) -> str:
    """Return SQL that asks whether a regular expression (RE2) is found in a column."""
    return f"regexp_matches({column}::VARCHAR, {quote_text(pattern)})"


def check_share(**given: float | None) -> None:
    """Check that a parameter is a share.

    Raises:
        UsageError: It is below 0 or above 1.
    """
    for name, value in given.items():
        if value is not None and not 0 <= value <= 1:
            raise UsageError(f"{name} is {value}, and a share is from 0 to 1")


def between(value: str, low: float | None, high: float | None) -> str:
    """Return SQL that asks whether a value lies between two limits, which belong to it.

    >>> between("x", 0.5, None)
    'x >= 0.5'
    """
    if low is not None and high is not None:
        if low > high:
            raise UsageError(f"no value lies between {low} and {high}", hint="swap the limits")
        return f"{value} BETWEEN {literal(low)} AND {literal(high)}"  # the value is computed once
    if low is None and high is None:
        return f"{value} IS NOT NULL"
    return f"{value} >= {literal(low)}" if high is None else f"{value} <= {literal(high)}"
