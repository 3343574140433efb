"""Texts that SQL cannot judge: a library looks at each different one before the suite is run.

What it has against some is put into the table `findings`, which the SQL of the expectation reads,
so that Great Expectations counts and shows these rows like all others.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from asrdq.checks.rules import SUBJECT
from asrdq.checks.text_judge import (
    FINDINGS,
    FINDINGS_SCHEMA,
    Judged,
    Locate,
    TextJudge,
    Texts,
    key_of,
)
from asrdq.console import Stage, silent
from asrdq.errors import ToolError, UsageError
from asrdq.workspace.store import quote_name

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from asrdq.checks.expected import Expected

_AT_ONCE = 5000


@dataclass(frozen=True, slots=True)
class Ruling:
    """What came of an expectation whose texts were judged.

    Attributes:
        trouble: Why it cannot be judged; None where it can.
        note: How many rows could not be told, and why; None where all could.
    """

    trouble: str | None = None
    note: str | None = None


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
