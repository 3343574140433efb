"""Texts that SQL cannot judge: a library looks at each different one before the suite is run.

What it has against some is put into the table `findings`, which the SQL of the expectation reads,
so that Great Expectations counts and shows these rows like all others.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Protocol

import pyarrow as pa

from asrdq.checks.rules import SUBJECT
from asrdq.console import Stage, silent
from asrdq.errors import ToolError, UsageError
from asrdq.places import Place
from asrdq.workspace.store import quote_name

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from asrdq.checks.suites import Expected

Locate = Callable[[str], Place]

FINDINGS = "findings"
"""The table in the database of a check: `asked`, `text`, `beside`, `shown`."""
ASKED = "findings_of_this"
"""Stands in the SQL of a rule for its own rows of `findings`."""
FINDINGS_SCHEMA = pa.schema([(name, pa.string()) for name in ("asked", "text", "beside", "shown")])
_AT_ONCE = 5000


@dataclass(frozen=True, slots=True)
class Texts:
    """Some different texts of a manifest.

    Attributes:
        text: The texts.
        beside: What the other column has that the judge asked for; None where there is nothing.
        rows: How many rows have both.
    """

    text: list[str]
    beside: list[str | None]
    rows: list[int]


@dataclass(slots=True)
class Judged:
    """What a judge says of some texts.

    Attributes:
        found: What it has against some: text, what stands beside it, and what is shown of it.
        told: Number of rows that it could judge.
        untold: Number of rows that it could not, by the reason.
    """

    found: list[tuple[str, str | None, str]] = field(default_factory=list)
    told: int = 0
    untold: Counter[str] = field(default_factory=Counter)


class TextJudge(Protocol):
    """Judges texts by something that is not SQL."""

    @property
    def beside(self) -> str | None:
        """A column that it needs to see next to the text."""

    def judge(self, batches: Iterable[Texts]) -> Iterator[Judged]:
        """Judge texts batch by batch, in any order.

        Raises:
            ToolError: A library is missing, or failed.
            UsageError: A file is missing, or a parameter is none of the valid ones.
        """


@dataclass(frozen=True, slots=True)
class Ruling:
    """What came of an expectation whose texts were judged.

    Attributes:
        trouble: Why it cannot be judged; None where it can.
        note: How many rows could not be told, and why; None where all could.
    """

    trouble: str | None = None
    note: str | None = None


def key_of(name: str, column: str, arguments: dict[str, Any]) -> str:
    """Return what the findings of an expectation are kept under."""
    return sha256(json.dumps([name, column, arguments], sort_keys=True).encode()).hexdigest()[:16]


def own_findings(sql: str, name: str, column: str, arguments: dict[str, Any]) -> str:
    """Return the SQL of a rule with its own findings put in."""
    key = key_of(name, column, arguments)
    return sql.replace(ASKED, f"(SELECT * FROM {FINDINGS} WHERE asked = '{key}')")


def judge_texts(
    database: DuckDBPyConnection,
    expectations: Sequence[Expected],
    locate: Locate,
    *,
    stage: Stage = silent,
) -> dict[int, Ruling]:
    """Fill the table `findings` for the expectations that need it.

    Args:
        database: It has the view `checked`, and has the table `findings` afterwards.
        expectations: Some of a suite.
        locate: Finds the files that a suite names.
        stage: Opens progress displays.

    Returns:
        What came of each expectation that needs a judge, by its position.
    """
    database.register("no_findings", FINDINGS_SCHEMA.empty_table())
    database.execute(f"CREATE TABLE {FINDINGS} AS FROM no_findings")
    rulings: dict[int, Ruling] = {}
    for item in expectations:
        if item.rule is None or item.rule.judge is None:
            continue
        try:
            judge = item.rule.judge(locate, **item.given)
            if judge is not None:
                rulings[item.position] = _judge(database, item, judge, stage)
        except (ToolError, UsageError) as error:
            told = " – ".join(filter(None, [error.where, error.message, error.hint]))
            rulings[item.position] = Ruling(trouble=told)
    return rulings


def _judge(database: DuckDBPyConnection, item: Expected, judge: TextJudge, stage: Stage) -> Ruling:
    column = quote_name(item.loaded.column)
    beside = "NULL" if judge.beside is None else quote_name(judge.beside)
    key = key_of(item.name, item.loaded.column, item.given)
    different = (
        f"SELECT {column}::VARCHAR AS text, {beside}::VARCHAR AS beside, count(*) AS rows "
        f"FROM {SUBJECT} WHERE {column} IS NOT NULL GROUP BY ALL"
    )
    all_of_it = Judged()
    with database.cursor() as reading, stage(item.name, None, "texts") as progress:
        for judged in judge.judge(_batches(reading.sql(different).to_arrow_reader(_AT_ONCE))):
            _keep(database, key, judged)
            all_of_it.told += judged.told
            all_of_it.untold += judged.untold
            all_of_it.found += judged.found[: not all_of_it.found]
            progress.advance(judged.told + judged.untold.total())
    return _ruling(all_of_it)


def _batches(reader: pa.RecordBatchReader) -> Iterator[Texts]:
    for batch in reader:
        yield Texts(*(column.to_pylist() for column in batch.columns))


def _keep(database: DuckDBPyConnection, key: str, judged: Judged) -> None:
    rows = [dict(zip(FINDINGS_SCHEMA.names, (key, *one), strict=True)) for one in judged.found]
    if rows:
        database.register("fresh_findings", pa.Table.from_pylist(rows, FINDINGS_SCHEMA))
        database.execute(f"INSERT INTO {FINDINGS} FROM fresh_findings")


def _ruling(judged: Judged) -> Ruling:
    if not judged.untold:
        return Ruling()
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in judged.untold.most_common())
    if not judged.told and not judged.found:
        return Ruling(trouble=f"no row can be told: {reasons}")
    rows = judged.told + judged.untold.total()
    return Ruling(note=f"{judged.untold.total():,} of {rows:,} rows not told: {reasons}")
