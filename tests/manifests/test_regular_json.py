"""Regular lines are read as they stand, or not at all."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asrdq.manifests.formats.fast_json import parse_fast
from asrdq.manifests.formats.regular_json import parse_regular

FIELDS = pa.schema(
    [("text", pa.string()), ("snr", pa.float64()), ("take", pa.int64()), ("ok", pa.bool_())]
)
GOOD = '{"text":"x","snr":1.5,"take":3,"ok":true}'

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.sampled_from(
    ['":', '"', "\\", '\\"', '": "', '","snr":7', "}\n{", "a,}", "null"]
)
rows = st.fixed_dictionaries(
    {
        "text": texts | st.none(),
        "snr": st.floats(allow_nan=False, allow_infinity=False) | st.none(),
        "take": st.integers(-(2**60), 2**60) | st.none(),
        "ok": st.booleans() | st.none(),
    }
)


def read(*lines: str) -> list[dict[str, Any]] | None:
    """Read lines as if the first ones had shown the fields."""
    found = parse_regular("\n".join(lines).encode(), len(lines), FIELDS)
    return None if found is None else found.to_pylist()


@given(st.lists(rows, min_size=1, max_size=6), st.booleans(), st.sampled_from([": ", ":"]))
def test_what_is_read_is_what_was_written(
    items: list[dict[str, Any]], last_end: bool, colon: str
) -> None:
    lines = [json.dumps(item, ensure_ascii=False, separators=(",", colon)) for item in items]
    data = "\n".join(lines).encode() + b"\n" * last_end
    found = parse_regular(data, len(lines), FIELDS)
    if found is not None:
        assert found.schema == FIELDS
        assert found.to_pylist() == items


def test_what_a_program_writes_is_read() -> None:
    items = [
        {"text": None if i % 5 == 0 else f"wörd {i}", "snr": i / 8, "take": i, "ok": i % 2 == 0}
        for i in range(20_000)
    ]
    lines = [json.dumps(item, ensure_ascii=False) for item in items]
    assert read(*lines) == items


def test_short_names_at_the_very_start_are_recognised() -> None:
    found = parse_regular(b'{"a":1,"b":"x"}', 1, pa.schema([("a", pa.int64()), ("b", pa.string())]))
    assert found is not None
    assert found.to_pylist() == [{"a": 1, "b": "x"}]


@pytest.mark.parametrize(
    "line",
    [
        '{"text":"x","snr":1.5,"take":3,"ok":true,}',
        '{"text":"x","snr":1.5,"take":3,"ok":true, }',
        '{"text":"x","snr":1.5,"take":3,"ok":true,\t}',
        '{"text":"x","snr":1.5,"take":3,"ok":true} ',
        ' {"text":"x","snr":1.5,"take":3,"ok":true}',
        '{"text":5,"snr":1.5,"take":3,"ok":true}',
        '{"text":true,"snr":1.5,"take":3,"ok":true}',
        '{"text":{"a":1},"snr":1.5,"take":3,"ok":true}',
        '{"text":"x","snr":"1.5","take":3,"ok":true}',
        '{"text":"x","snr":true,"take":3,"ok":true}',
        '{"text":"x","snr":NaN,"take":3,"ok":true}',
        '{"text":"x","snr":nan,"take":3,"ok":true}',
        '{"text":"x","snr":-Infinity,"take":3,"ok":true}',
        '{"text":"x","snr":1e999,"take":3,"ok":true}',
        '{"text":"x","snr":9007199254740992,"take":3,"ok":true}',
        '{"text":"x","snr":1.5,"take":3.5,"ok":true}',
        '{"text":"x","snr":1.5,"take":9007199254740993,"ok":true}',
        '{"text":"x","snr":1.5,"take":3,"ok":1}',
        '{"text":"x","snr":1.5,"take":3,"ok":"true"}',
        '{"text":"x","snr":1.5,"take":3,"ok":true,"more":1}',
        '{"text":"x","snr":1.5,"take":3}',
        '{"text":"x","snr":1.5,"take":3,"take":4}',
        '{"text":"x","snr":1.5,"ok":true,"take":3}',
        '{"te\\u0078t":"x","snr":1.5,"take":3,"ok":true}',
        '{"text":"x", "snr": 1.5,"take":3,"ok":true}',
        '{"text":"x","snr":1.5,"take":3,"ok":true}{"text":"x","snr":1.5,"take":3,"ok":true}',
        "",
        "{}",
        "[]",
    ],
)
def test_a_line_that_is_otherwise_is_refused(line: str) -> None:
    assert read(GOOD) == [{"text": "x", "snr": 1.5, "take": 3, "ok": True}]
    assert read(GOOD, line, GOOD) is None
    assert read(line) is None


def test_equal_counts_of_wrong_types_are_refused() -> None:
    assert read('{"text":1,"snr":"2","take":3,"ok":true}') is None
    assert read(GOOD, '{"snr":"2","text":1,"take":3,"ok":true}') is None


def test_a_document_over_two_lines_is_refused() -> None:
    first, second = GOOD.split(',"take"')
    assert (
        parse_regular(f"{GOOD}\n{first},\n".encode() + b'"take"' + second.encode(), 3, FIELDS)
        is None
    )


def test_names_that_end_alike_go_another_way() -> None:
    fields = pa.schema([("old_audio_path", pa.string()), ("new_audio_path", pa.string())])
    data = b'{"old_audio_path":"a","new_audio_path":"b"}'
    assert parse_regular(data, 1, fields) is None
    found = parse_fast(data)
    assert found is not None
    assert found.to_pylist() == [{"old_audio_path": "a", "new_audio_path": "b"}]
