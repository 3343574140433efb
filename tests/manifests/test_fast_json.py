"""The fast readers give exactly what Python's own reader gives, or nothing."""

from __future__ import annotations

import io
import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asrdq.manifests.formats.exact_json import table_from_records
from asrdq.manifests.formats.fast_json import parse_fast
from asrdq.manifests.formats.lines import TOO_LONG, split_lines

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.sampled_from(
    ['": null', '":', '"', "\\", '\\"', "a\\", "2020-01-01", "null", "}\n{", "5"]
)
numbers = st.integers(-(2**64), 2**64) | st.floats(allow_nan=False, allow_infinity=False)
scalars = st.none() | st.booleans() | numbers | texts
values = st.one_of(scalars, st.lists(scalars, max_size=2), st.dictionaries(texts, scalars))
regular = st.fixed_dictionaries(
    {"a": texts, "b": st.floats(0, 100), "c": st.integers(0, 9), "d": st.booleans()},
    optional={"e": texts | st.none(), "f": st.integers(), "a ": numbers},
)
records = st.lists(regular, min_size=1, max_size=6) | st.lists(
    st.dictionaries(st.sampled_from(["a", "b", "c"]) | texts, values, min_size=1),
    min_size=1,
    max_size=5,
)


def without_nulls(value: Any) -> Any:
    """Drop nulls inside: a field that is null and one that is absent mean the same."""
    if isinstance(value, dict):
        kept = {key: without_nulls(item) for key, item in value.items()}
        return {key: item for key, item in kept.items() if item is not None} or None
    if isinstance(value, list):
        return [without_nulls(item) for item in value]
    return value


@given(records, st.booleans(), st.sampled_from([(", ", ": "), (",", ":")]))
def test_fast_is_exact_or_refuses(
    rows: list[dict[str, Any]], ascii_only: bool, separators: tuple[str, str]
) -> None:
    lines = [json.dumps(row, ensure_ascii=ascii_only, separators=separators) for row in rows]
    found = parse_fast("\n".join(lines).encode())
    if found is not None:
        assert found.num_rows == len(rows)
        given_back = [without_nulls(row) for row in found.to_pylist()]
        assert given_back == [without_nulls(row) for row in rows]


@pytest.mark.parametrize(
    "data",
    [
        b'{"a": 1}\n{"a": "x"}',
        b'{"a": "x"}\n{"a": 1}',
        b'{"a": "x"}\n{"a": true}',
        b'{"a": 1, "a": 2}',
        b'{"a": "x", "b": "y"}\n{"a": 5, "b": ["x", "y"]}',
        b'{"a":"x","b":"y"}\n{"a":5,"b":["x","y"]}',
        b'{"a": 1}{"a": 2}\n{"a":\n3}',
        b'{"a": 1}\n\n{"a": 2}',
        b'{"a": 9007199254740993}\n{"a": 0.5}',
        b'{"a": 12345678901234567890}',
        b'{"a": null}\n{"a": null}\n{"a": [null, null]}',
        b'{"a": "\xff"}',
        b'{"a": "\\ud83d"}',
        b'{"a": 1} trailing',
        b"[1]",
        b"",
    ],
)
def test_fast_refuses_what_it_would_get_wrong(data: bytes) -> None:
    assert parse_fast(data) is None


def test_fast_takes_regular_lines() -> None:
    lines = [json.dumps({"a": f"x{i}", "b": i / 2, "c": i, "d": True}) for i in range(2000)]
    found = parse_fast("\n".join(lines).encode())
    assert found is not None
    assert [str(kind) for kind in found.schema.types] == ["string", "double", "int64", "bool"]
    assert found["c"].to_pylist() == list(range(2000))


def test_texts_are_counted_across_pieces() -> None:
    lines = [json.dumps({"a": "x" * (i % 97), "b": i}) for i in range(20_000)]
    found = parse_fast("\n".join(lines).encode())
    assert found is not None
    assert found["a"].to_pylist() == ["x" * (i % 97) for i in range(20_000)]


def test_a_field_that_appears_late_is_not_lost() -> None:
    lines = [json.dumps({"a": "x" * 50}) for _ in range(5000)] + ['{"a": "y", "late": 1}']
    found = parse_fast("\n".join(lines).encode())
    assert found is not None
    assert found["late"].to_pylist()[-1] == 1


@given(st.lists(values, min_size=1, max_size=5))
def test_columns_of_any_values_keep_them(items: list[Any]) -> None:
    table, mixed = table_from_records([{"v": item} for item in items])
    back = table["v"].to_pylist()
    if "v" in mixed:
        for value, text in zip(items, back, strict=True):
            if isinstance(value, str) or value is None:
                assert text == value
            else:
                assert json.loads(text) == value
    else:
        assert [without_nulls(value) for value in back] == [without_nulls(v) for v in items]


@given(
    st.lists(st.binary(max_size=12).filter(lambda line: b"\n" not in line), max_size=30),
    st.integers(4, 40),
    st.booleans(),
)
def test_chunks_hold_every_line_with_its_number(
    lines: list[bytes], block_bytes: int, last_end: bool
) -> None:
    content = b"\n".join(lines) + (b"\n" if last_end and lines else b"")
    if content.startswith(b"\xef\xbb\xbf"):
        return
    seen: dict[int, bytes] = {}
    for chunk in split_lines(io.BytesIO(content), block_bytes):
        if chunk.context == TOO_LONG:
            seen[chunk.first_line] = b"(long)"
            continue
        for number, line in enumerate(chunk.data.split(b"\n"), chunk.first_line):
            if line:
                assert number not in seen
                seen[number] = line
    for number, line in enumerate(lines, 1):
        if line:
            assert seen[number] == line or (seen[number] == b"(long)" and len(line) >= block_bytes)


def test_nan_in_metadata_is_kept() -> None:
    table, mixed = table_from_records([{"v": math.nan}, {"v": 1.5}])
    assert not mixed
    assert math.isnan(table["v"][0].as_py())
