"""How much data there is: rows and stated hours, counted from the rows themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

from asrdq.errors import first_few
from asrdq.gates.demands.judged import (
    Answer,
    Asked,
    Demand,
    NoEvidenceError,
    Source,
    Standing,
)
from asrdq.workspace.store import quote_name

_NAMED = 5


def demands(asked: Asked) -> Iterator[Demand]:
    """Give what a policy demands of rows and hours."""
    rules, again = asked.policy.amount, f"asrdq ingest FILE --name {asked.manifest.name}"
    if rules.minimum_rows is not None:
        yield Demand(
            "amount:minimum_rows",
            "the manifest has enough rows",
            f"at least {rules.minimum_rows:,}",
            again,
            partial(_rows, asked, rules.minimum_rows),
        )
    if rules.minimum_hours is not None:
        yield Demand(
            "amount:minimum_hours",
            "the manifest has enough hours",
            f"at least {_hours(rules.minimum_hours)}",
            again,
            partial(_least_hours, asked, rules.minimum_hours),
        )
    if rules.maximum_hours is not None:
        yield Demand(
            "amount:maximum_hours",
            "the manifest does not have too many hours",
            f"at most {_hours(rules.maximum_hours)}",
            again,
            partial(_most_hours, asked, rules.maximum_hours),
        )
    for column, least in rules.minimum_hours_by.items():
        each = least if isinstance(least, float) else None
        named = least if isinstance(least, dict) else {}
        limits = [f"{value} {_hours(hours)}" for value, hours in named.items()]
        yield Demand(
            f"amount:minimum_hours_by:{column}",
            f"there are enough hours of each {column}",
            f"at least {', '.join(limits) if each is None else f'{_hours(each)} each'}",
            again,
            partial(_hours_by, asked, column, each, named),
        )


def _counted(asked: Asked) -> tuple[int, float]:
    query = f"SELECT count(*) AS rows, sum(duration_s) / 3600 AS hours FROM {_view(asked)}"
    [row] = asked.workspace.query(query).to_pylist()
    return int(row["rows"]), float(row["hours"] or 0.0)


def _rows(asked: Asked, least: int) -> Answer:
    rows, _ = _counted(asked)
    return _answer(asked, rows >= least, f"{rows:,} rows")


def _least_hours(asked: Asked, least: float) -> Answer:
    _, hours = _counted(asked)
    return _answer(asked, hours >= least, _hours(hours))


def _most_hours(asked: Asked, most: float) -> Answer:
    _, hours = _counted(asked)
    return _answer(asked, hours <= most, _hours(hours))


def _hours_by(asked: Asked, column: str, each: float | None, named: Mapping[str, float]) -> Answer:
    if column not in asked.manifest.columns:
        raise NoEvidenceError(f"{asked.manifest} has no column '{column}'")
    query = (
        f"SELECT coalesce({quote_name(column)}::VARCHAR, '(none)') AS value, "
        f"sum(duration_s) / 3600 AS hours FROM {_view(asked)} GROUP BY 1 ORDER BY 2, 1"
    )
    found = {row["value"]: row["hours"] for row in asked.workspace.query(query).to_pylist()}
    limits = dict(named) if each is None else dict.fromkeys(found, each)
    have = sorted((found.get(value, 0.0), value) for value in limits)
    short = [f"{value} {_hours(hours)}" for hours, value in have if hours < limits[value]]
    shown = short or [f"{value} {_hours(hours)}" for hours, value in have]
    told = first_few(shown, _NAMED)
    return _answer(asked, not short, told, query)


def _answer(asked: Asked, holds: bool, value: str, query: str | None = None) -> Answer:
    standing = Standing.HOLDS if holds else Standing.BREACHED
    source = Source(str(asked.manifest), query or f"SELECT * FROM {_view(asked)}")
    message = f"{asked.manifest} has {value}"
    return Answer(standing, message, value, (source,))


def _view(asked: Asked) -> str:
    return quote_name(str(asked.manifest))


def _hours(hours: float) -> str:
    return f"{hours:,.4g} h" if hours < 100 else f"{hours:,.1f} h"
