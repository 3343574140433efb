"""Expectations about labels, and about how rows and hours are spread over them."""

from __future__ import annotations

from asrdq.checks.rules import SUBJECT, between, check_share, listed, literal, rule
from asrdq.errors import UsageError


@rule("expect_labels_in_set", nulls_fail=True)
def labels_in_set(column: str, *, labels: list[str], all_present: bool = False) -> str:
    """The column has one of these labels, and a row without one fails.

    With `all_present` each label has to stand in some row; where one is missing every row fails.

    Example: `{"column": "noise_level", "labels": ["clean", "noisy"], "all_present": true}`
    """
    if not labels:
        raise UsageError("labels is empty")
    good = f"{column}::VARCHAR IN {listed(labels)}"
    return f"{good} AND {_every(column, labels)}" if all_present else good


def _every(column: str, labels: list[str]) -> str:
    return (
        f"(SELECT count(DISTINCT {column}::VARCHAR) FROM {SUBJECT} "
        f"WHERE {column}::VARCHAR IN {listed(labels)}) = {len(set(labels))}"
    )


@rule("expect_class_balance", nulls_fail=True)
def class_balance(
    column: str, *, min_share: float | None = None, max_share: float | None = None
) -> str:
    """The share of rows with the label of this row lies between two limits (0 to 1).

    All rows of a label that is too rare or too frequent fail, and those without a label.

    Example: `{"column": "gender", "min_share": 0.2}`
    """
    if min_share is None and max_share is None:
        raise UsageError("neither min_share nor max_share is given")
    check_share(min_share=min_share, max_share=max_share)
    share = f"(count(*) / (SELECT count(*) FROM {SUBJECT}))"
    return (
        f"{column} IN (SELECT {column} FROM {SUBJECT} WHERE {column} IS NOT NULL "
        f"GROUP BY {column} HAVING {between(share, min_share, max_share)})"
    )


@rule("expect_hours_per_stratum", reads=("duration_s",), nulls_fail=True)
def hours_per_stratum(column: str, *, min_hours: float, strata: list[str] | None = None) -> str:
    """The rows with the stratum of this row last at least so many hours together.

    With `strata`, only these are asked for them, and where one has no row every row fails. A row
    without a stratum fails.

    Example: `{"column": "domain", "min_hours": 5}`
    """
    long_enough = (
        f"{column} IN (SELECT {column} FROM {SUBJECT} WHERE {column} IS NOT NULL "
        f"GROUP BY {column} HAVING sum(duration_s) >= {literal(min_hours * 3600)})"
    )
    if strata is None:
        return long_enough
    if not strata:
        raise UsageError("strata is empty")
    asked = f"({column} IS NOT NULL AND {column}::VARCHAR NOT IN {listed(strata)})"
    return f"({asked} OR {long_enough}) AND {_every(column, strata)}"
