"""Great Expectations at work: the metrics of all expectations together, then each verdict.

What can stand in one query does: Great Expectations bundles the counts of rows that fail, of any
number of expectations, into one SELECT. The rows themselves are not asked for here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from asrdq.checks.dialect import sqlalchemy_engine
from asrdq.checks.library import (
    MetricsCalculator,
    SqlAlchemyBatchData,
    SqlAlchemyExecutionEngine,
    quietly,
)
from asrdq.checks.plain import plain_texts
from asrdq.checks.registration import good_rows
from asrdq.checks.rules import SUBJECT
from asrdq.checks.text_judge import own_findings
from asrdq.workspace.store import quote_name

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from asrdq.checks.expected import Expected

ROW_KEYS = ("utt_id", "duration_s")
_ROWS, _NULLS, _LEFT = (
    "table.row_count",
    "column_values.nonnull.unexpected_count",
    "filtered_row_count",
)
_NULL_TESTS = ("expect_column_values_to_be_null", "expect_column_values_to_not_be_null")
_FORMAT = {
    "result_format": {
        "result_format": "BOOLEAN_ONLY",
        "return_unexpected_index_query": True,
        "unexpected_index_column_names": list(ROW_KEYS),
    }
}


@dataclass(frozen=True, slots=True)
class Measured:
    """What Great Expectations says of one expectation.

    Attributes:
        success: Its verdict; false where there is an error.
        error: Why there is none.
        rows: Number of rows that fail; None where it does not count rows.
        query: SQL on the view `checked` that gives `utt_id`, `duration_s` and the values of these.
        observed: What it measured of a whole column or table.
    """

    success: bool
    error: str | None = None
    rows: int | None = None
    query: str | None = None
    observed: str | None = None


def measure(database: DuckDBPyConnection, expectations: Sequence[Expected]) -> dict[int, Measured]:
    """Judge expectations on the view `checked`; what comes back is by their position.

    One that cannot be computed spoils the query that it shares, so the ones that were left without
    a verdict are then judged each alone.
    """
    engine = SqlAlchemyExecutionEngine(engine=sqlalchemy_engine(database))
    data = SqlAlchemyBatchData(execution_engine=engine, table_name=SUBJECT, create_temp_table=False)
    engine.load_batch_data(SUBJECT, data)
    with quietly(), plain_texts(database, expectations):
        found = dict(_judge(engine, expectations))
        for expected in expectations:
            if found[expected.position].error and len(expectations) > 1:
                found |= dict(_judge(engine, [expected]))
    return found


def _judge(engine: Any, expectations: Sequence[Expected]) -> Iterator[tuple[int, Measured]]:
    needed = {item.position: _needed(engine, item) for item in expectations}
    wanted = [metric for metrics in needed.values() for metric in metrics.values()]
    calculator = MetricsCalculator(execution_engine=engine, show_progress_bars=False)
    resolved, aborted = calculator.compute_metrics(wanted, runtime_configuration=deepcopy(_FORMAT))
    for item in expectations:
        metrics = needed[item.position]
        if all(metric.id in resolved for metric in metrics.values()):
            values = {name: resolved[metric.id] for name, metric in metrics.items()}
            yield item.position, _verdict(engine, item, resolved, values)
        else:
            yield item.position, Measured(False, error=_reason(aborted))


def _needed(engine: Any, item: Expected) -> dict[str, Any]:
    found = item.loaded.get_validation_dependencies(
        execution_engine=engine, runtime_configuration=deepcopy(_FORMAT)
    )
    metrics: dict[str, Any] = found.metric_configurations
    return metrics


def _reason(aborted: dict[Any, Any]) -> str:
    """Return what went wrong in one line."""
    for about in aborted.values():
        told = about["exception_info"]
        first = str(getattr(told, "exception_message", None) or told["exception_message"])
        return " ".join(first.split("\n[SQL:", maxsplit=1)[0].split())
    return "Great Expectations gave no value and no reason"


def _verdict(engine: Any, item: Expected, resolved: Any, values: dict[str, Any]) -> Measured:
    if nothing := _nothing_judged(item, values):
        return Measured(False, error=nothing)
    judged = item.loaded.metrics_validate(
        metrics=resolved, execution_engine=engine, runtime_configuration=deepcopy(_FORMAT)
    )
    counted = values.get(f"{getattr(item.loaded, 'map_metric', None)}.unexpected_count")
    if counted is None:
        shown = {name: value for name, value in values.items() if name != _ROWS} or values
        observed = ", ".join(f"{name.split('.', 1)[-1]} = {value}" for name, value in shown.items())
        return Measured(bool(judged.success), observed=observed)
    query = (judged.result or {}).get("unexpected_index_query")
    return Measured(bool(judged.success), rows=int(counted), query=_query(item, query))


def _nothing_judged(item: Expected, values: dict[str, Any]) -> str | None:
    """Return why an expectation saw no value, as of a column that holds only nulls."""
    total, nulls = values.get(_ROWS), values.get(_NULLS)
    if total == 0:
        return "the table has no row"
    counts_nulls = item.name in _NULL_TESTS or bool(item.rule and item.rule.nulls_fail)
    if nulls is not None and nulls == total and not counts_nulls:
        return f"no row has a value in '{item.about[0]}'"
    left = [value for name, value in values.items() if name.endswith(_LEFT)]
    return f"no row has values in {', '.join(item.about)}" if left == [0] else None


def _query(item: Expected, query: str | None) -> str | None:
    if item.rule is None or item.loaded.row_condition is not None:
        return None if query is None else query.strip().rstrip(";")
    column = item.loaded.column
    keys = ", ".join(ROW_KEYS)
    good = good_rows(item.rule, column, item.given)
    seen = "" if item.rule.nulls_fail else f"{quote_name(column)} IS NOT NULL AND "
    shown = own_findings(item.rule.shown(column, item.given), item.name, column, item.given)
    return f"SELECT {keys}, {shown} FROM {SUBJECT} WHERE {seen}NOT {good}"
