"""Regular expressions and LIKE, which Great Expectations does not know on DuckDB by itself.

The names and parameters are its own, so that its suites work as they are. Regular expressions are
those of RE2 and may match anywhere in the value.
"""

from __future__ import annotations

import duckdb

from asrdq.checks.rules import literal, matches, rule
from asrdq.errors import UsageError


@rule("expect_column_values_to_match_regex")
def match_regex(column: str, *, regex: str) -> str:
    """The value matches a regular expression somewhere.

    Example: `{"column": "utt_id", "regex": "^[a-z0-9-]+$"}`
    """
    return matches(column, _readable(regex))


@rule("expect_column_values_to_not_match_regex")
def not_match_regex(column: str, *, regex: str) -> str:
    """The value matches a regular expression nowhere.

    Example: `{"column": "text", "regex": "(?i)lorem ipsum"}`
    """
    return f"NOT {matches(column, _readable(regex))}"


@rule("expect_column_values_to_match_like_pattern")
def match_like(column: str, *, like_pattern: str) -> str:
    """The value is LIKE a pattern: `%` stands for anything, `_` for one character.

    Example: `{"column": "audio_path", "like_pattern": "%.flac"}`
    """
    return f"{column}::VARCHAR LIKE {literal(like_pattern)}"


@rule("expect_column_values_to_not_match_like_pattern")
def not_match_like(column: str, *, like_pattern: str) -> str:
    """The value is not LIKE a pattern.

    Example: `{"column": "audio_path", "like_pattern": "/tmp/%"}`
    """
    return f"{column}::VARCHAR NOT LIKE {literal(like_pattern)}"


def _readable(regex: str) -> str:
    """Return the regular expression if RE2 can read it."""
    with duckdb.connect() as connection:
        try:
            connection.execute("SELECT regexp_matches('', ?)", [regex])
        except duckdb.Error as error:
            raise UsageError(f"regex '{regex}' cannot be read: {error}") from error
    return regex
