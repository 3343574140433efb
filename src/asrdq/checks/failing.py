"""The rows that fail an expectation: how long they are, the first ones, and the query of all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asrdq.checks.engine import Measured
    from asrdq.checks.subject import Subject


@dataclass(frozen=True, slots=True)
class Failing:
    """Rows that fail one expectation.

    Attributes:
        hours: The stated hours of all of them.
        query: SQL for `asrdq sql` that gives `utt_id` and `value` of all of them.
        rows: The first of them by `utt_id`, with `value`.
    """

    hours: float
    query: str
    rows: list[dict[str, Any]]


def find_failing(subject: Subject, measured: Measured, limit: int) -> Failing | None:
    """Look for the rows that fail; None where there are none, or none can be told.

    The queries of Great Expectations leave out conditions on rows and join too much for columns
    that are unique together, so one that gives another number of rows than was counted is not
    believed.
    """
    if not measured.rows or measured.query is None:
        return None
    columns = subject.database.execute(f"DESCRIBE {measured.query}").fetchall()[2:]
    names = [f"value_{number}" for number in range(len(columns))]
    failing = f"({measured.query}) AS failing(utt_id, duration_s, {', '.join(names)})"
    texts = ", ".join(f"{name}::VARCHAR" for name in names)
    value = texts if len(names) == 1 else f"concat_ws(' | ', {texts})"
    row = f"{{'utt_id': utt_id, 'value': {value}}}"
    [(counted, seconds, first)] = subject.database.execute(
        f"SELECT count(*), coalesce(sum(duration_s), 0), min({row}, {max(limit, 1)}) FROM {failing}"
    ).fetchall()
    if counted != measured.rows:
        return None
    query = f"SELECT utt_id, {value} AS value FROM {failing} ORDER BY utt_id"
    return Failing(seconds / 3600, subject.whole(query), first[:limit])
