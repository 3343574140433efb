"""Expectations about time: lengths, speed of speech, overlaps, freshness."""

from __future__ import annotations

import datetime as dt

from asrdq.checks.rules import SUBJECT, between, literal, rule
from asrdq.checks.speech.texts import code_in
from asrdq.errors import UsageError
from asrdq.workspace.store import quote_name


@rule("expect_duration_between", column="duration_s", nulls_fail=True)
def duration_between(
    column: str, *, min_value: float | None = None, max_value: float | None = None
) -> str:
    """The stated duration lies between two limits in seconds, which belong to it; a null fails.

    Example: `{"min_value": 0.1, "max_value": 40.0}`
    """
    if min_value is None and max_value is None:
        raise UsageError("neither min_value nor max_value is given")
    return f"isfinite({column}) AND {between(column, min_value, max_value)}"


@rule(
    "expect_characters_per_second_between",
    column="text",
    reads=("{duration_column}", "{language_column}"),
    nulls_fail=True,
)
def speed_between(
    column: str,
    *,
    min_value: float = 5.0,
    max_value: float = 20.0,
    by_language: dict[str, list[float]] | None = None,
    duration_column: str = "duration_s",
    language_column: str | None = None,
) -> str:
    """Letters and digits of the text ÷ stated duration lies between two limits.

    `by_language` has other limits for some languages, by the code in `language_column`. A row
    without a text or a duration fails.

    Example: `{"by_language": {"zh": [1, 8]}, "language_column": "language"}`
    """
    if by_language and language_column is None:
        raise UsageError("by_language needs language_column")
    speed = speed_of(column, quote_name(duration_column))
    usual = between("speed", min_value, max_value)
    limits = {code: _limits(code, pair) for code, pair in (by_language or {}).items()}
    own = "".join(
        f"WHEN {code_in(language_column or '', [code])} THEN {between('speed', *pair)} "
        for code, pair in limits.items()
    )
    judged = f"CASE {own}ELSE {usual} END" if own else usual
    return f"list_transform([{speed}], lambda speed: {judged})[1]"  # which is computed once


def speed_of(column: str, duration: str) -> str:
    """Return SQL of letters and digits of a text a second; null where the duration is not above 0.

    The usual other characters are taken out one by one, which is three times as fast as a regular
    expression that finds them.
    """
    rest = column
    for sign in " ,.":
        rest = f"replace({rest}, '{sign}', '')"
    letters = rf"length(regexp_replace({rest}, '[^\p{{L}}\p{{N}}]+', '', 'g'))"
    return f"({letters} / (CASE WHEN {duration} > 0 THEN {duration} END))"


def _limits(code: str, pair: list[float]) -> tuple[float, float]:
    if len(pair) != 2:
        raise UsageError(
            f"by_language has {len(pair)} limits for '{code}'", hint="give two: [1, 8]"
        )
    return pair[0], pair[1]


@rule("expect_segments_not_to_overlap", column="audio_path", reads=("offset_s", "duration_s"))
def no_overlap(column: str, *, tolerance_s: float = 0.01) -> str:
    """No segment begins before the ones before it in the same audio end.

    Of two that overlap by more than the tolerance, the later one fails. Without an offset a
    segment begins at 0, without a duration it has no end.

    Example: `{"tolerance_s": 0.01}`
    """
    return f"""utt_id NOT IN (
        SELECT utt_id FROM (
            SELECT utt_id, coalesce(offset_s, 0) AS start_s,
                max(coalesce(offset_s, 0) + coalesce(duration_s, 'infinity'::DOUBLE)) OVER (
                    PARTITION BY {column} ORDER BY coalesce(offset_s, 0), utt_id
                    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS ended_s
            FROM {SUBJECT} WHERE {column} IS NOT NULL)
        WHERE start_s < ended_s - {literal(tolerance_s)})"""


@rule("expect_values_to_be_fresh", nulls_fail=True)
def fresh(column: str, *, max_age_days: float, now: str | None = None) -> str:
    """The date or time in the column is at most so many days old, and not in the future.

    Texts are read as ISO 8601, in UTC where they do not say. `now` is for looking back.

    Example: `{"column": "recorded_at", "max_age_days": 365}`
    """
    moment = _moment(now)
    age_s = f"epoch({literal(moment)}::TIMESTAMPTZ) - epoch(TRY_CAST({column} AS TIMESTAMPTZ))"
    return f"({age_s}) BETWEEN 0 AND {literal(max_age_days * 86_400)}"


def _moment(now: str | None) -> str:
    if now is None:
        return dt.datetime.now(dt.UTC).isoformat()
    try:
        given = dt.datetime.fromisoformat(now)
    except ValueError as error:
        raise UsageError(f"now '{now}' is no time", hint="write it as 2026-11-21T12:00") from error
    return (given if given.tzinfo else given.replace(tzinfo=dt.UTC)).isoformat()
