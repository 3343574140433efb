"""Our rules as expectations of Great Expectations, registered before a suite is loaded."""

from __future__ import annotations

from typing import Any, ClassVar

from sqlalchemy import Boolean, literal_column

import asrdq.checks.speech  # noqa: F401  (fills RULES)
from asrdq.checks.library import (
    ColumnMapExpectation,
    ColumnMapMetricProvider,
    SqlAlchemyExecutionEngine,
    column_condition_partial,
)
from asrdq.checks.plain import unless_plain
from asrdq.checks.rules import RULES, Rule
from asrdq.checks.text_judge import own_findings
from asrdq.workspace.store import quote_name

_NULLS = "column_values.nonnull.unexpected_count"


class SpeechExpectation(ColumnMapExpectation):  # type: ignore[misc]
    """A rule as an expectation of Great Expectations."""

    rule: ClassVar[Rule | None] = None

    @classmethod
    def is_abstract(cls) -> bool:
        """Return whether this is the base class, which is not registered."""
        return cls.rule is None or super().is_abstract()

    def _validate(self, metrics: dict[str, Any], *arguments: Any, **options: Any) -> Any:
        """Judge by the rows that count: where nulls fail they do."""
        if self.rule is not None and self.rule.nulls_fail:
            metrics = {**metrics, _NULLS: 0}
        return super()._validate(metrics, *arguments, **options)


_registered: set[str] = set()


def register_rules() -> None:
    """Make all rules known to Great Expectations that are not yet."""
    for name in RULES.keys() - _registered:
        _register(RULES[name])
        _registered.add(name)


def _register(rule: Rule) -> None:
    """Make a rule known to Great Expectations: a metric, and the expectation that uses it."""
    parameters = rule.parameters
    words = "".join(word.capitalize() for word in rule.name.split("_"))

    @column_condition_partial(  # type: ignore[untyped-decorator]
        engine=SqlAlchemyExecutionEngine, filter_column_isnull=not rule.nulls_fail
    )
    def _sqlalchemy(cls: type, column: Any, **given: Any) -> Any:
        arguments = {name: given[name] for name in parameters}
        good = good_rows(rule, column.name, arguments)
        if rule.plain_texts_pass:
            good = unless_plain(column.name, good)
        return literal_column(good, Boolean())

    metric = f"column_values.asrdq.{rule.name.removeprefix('expect_')}"
    type(
        f"{words}Metric",
        (ColumnMapMetricProvider,),
        {
            "condition_metric_name": metric,
            "condition_value_keys": tuple(parameters),
            "_sqlalchemy": _sqlalchemy,
        },
    )
    defaults = {name: value for name, (_, value) in parameters.items() if value is not ...}
    given = {"column": rule.column} if rule.column else {}
    metaclass: Any = type(SpeechExpectation)
    metaclass(
        words,
        (SpeechExpectation,),
        {
            "__module__": __name__,
            "__doc__": rule.help,
            "__annotations__": {
                **({"column": str} if rule.column else {}),
                **{name: kind for name, (kind, _) in parameters.items()},
            },
            **given,
            **defaults,
            "rule": rule,
            "map_metric": metric,
            "success_keys": ("mostly", *parameters),
            "args_keys": ("column", *parameters),
        },
    )


def good_rows(rule: Rule, column: str, arguments: dict[str, Any]) -> str:
    """Return the SQL that is true for a good row and false, never null, for any other.

    Raises:
        UsageError: The parameters contradict each other, or are none of the valid ones.
    """
    name = quote_name(column)
    condition = own_findings(rule.condition(name, **arguments), rule.name, column, arguments)
    good = f"coalesce(({condition}), false)"
    return f"({name} IS NOT NULL AND {good})" if rule.nulls_fail else good
