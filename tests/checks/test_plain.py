"""Texts that are recognised as plain, once for all expectations that they fulfil."""

from __future__ import annotations

import string
from typing import Any

import duckdb
import pytest

from asrdq.checks import RULES
from asrdq.checks.engine import measure
from asrdq.checks.plain import plain_texts, unless_plain
from asrdq.checks.suites import load_expectation

ASKING = sorted(name for name, rule in RULES.items() if rule.plain_texts_pass)
MARKUP = [
    "<b>",
    "a&amp;b",
    "a &#38; b",
    "**a**",
    "__a__",
    "```a```",
    "http://a",
    "https://a",
    "{x}",
]


def expectations(*names: str, **arguments: Any) -> list[Any]:
    items = [{"type": name, "kwargs": arguments} for name in names]
    return [load_expectation(item, position) for position, item in enumerate(items, 1)]


def test_every_plain_text_fulfils_what_is_asked_of_the_others() -> None:
    """Every character alone, and every pair of the signs that matter."""
    signs = [*string.printable, *"…–—’‘“”«»⟨⟩【】٣½ß漢ש\u0301\u00a0"]
    characters = [chr(code) for code in range(0x4000)]
    texts = characters + signs + [a + b for a in signs for b in signs] + MARKUP
    with duckdb.connect() as database:
        database.execute("CREATE TABLE checked AS SELECT unnest($t) AS text", {"t": texts})
        with plain_texts(database, expectations(*ASKING)):
            good = ", ".join(f"({RULES[name].condition('text')})" for name in ASKING)
            plain = unless_plain("text", "false")
            rows = database.execute(f"SELECT text, {plain}, [{good}] FROM checked").fetchall()
    assert len(ASKING) == 4
    assert [text for text, plain, fulfils in rows if plain and not all(fulfils)] == []
    assert {"a", "ß", "漢", "a.", ", ", "-a"} <= {text for text, plain, _ in rows if plain}


@pytest.mark.parametrize("names", [ASKING, ASKING[:1]])
def test_counts_are_the_same_however_many_ask(names: list[str]) -> None:
    texts = ["so it is", "what?", None, "<b> [x] 7 ..", "<b> [x] 7 .."]
    with duckdb.connect() as database:
        database.execute(
            "CREATE TABLE checked AS SELECT unnest($t) AS text, 'u' AS utt_id, 1.0 AS duration_s",
            {"t": texts},
        )
        found = measure(database, expectations(*names))
        assert [item.rows for item in found.values()] == [2] * len(names)


def test_the_table_has_its_own_columns_before_and_after() -> None:
    with duckdb.connect() as database:
        database.execute("CREATE TABLE checked AS SELECT 'a <b>' AS text")
        counted = load_expectation(
            {"type": "expect_table_column_count_to_equal", "kwargs": {"value": 1}}, 9
        )
        found = measure(database, [*expectations(*ASKING), counted])
        assert found[9].success
        assert database.execute("SELECT * FROM checked").fetchall() == [("a <b>",)]
        with pytest.raises(duckdb.Error), plain_texts(database, expectations(*ASKING, column="no")):
            pass
        assert database.execute("SELECT * FROM checked").fetchall() == [("a <b>",)]
