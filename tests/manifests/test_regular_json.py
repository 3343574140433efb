"""Regular lines are read as they stand, or not at all."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

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
    found = parse_regular("\n".join(lines).encode(), FIELDS)
    return None if found is None else found.to_pylist()


@given(st.lists(rows, min_size=1, max_size=6), st.booleans(), st.sampled_from([": ", ":"]))
def test_what_is_read_is_what_was_written(
    items: list[dict[str, Any]], last_end: bool, colon: str
) -> None:
    lines = [json.dumps(item, ensure_ascii=False, separators=(",", colon)) for item in items]
    data = "\n".join(lines).encode() + b"\n" * last_end
    found = parse_regular(data, FIELDS)
    if found is not None:
        assert found.schema == FIELDS
        assert found.to_pylist() == items


@given(
    st.lists(rows, min_size=1, max_size=3),
    st.lists(
        st.tuples(st.integers(0, 10_000), st.sampled_from(list('"\\:,{}[] \n\t-+.019eEntfasx'))),
        min_size=1,
        max_size=3,
    ),
    st.booleans(),
)
def test_damaged_bytes_are_refused_or_read_as_they_stand(
    items: list[dict[str, Any]], damages: list[tuple[int, str]], inserted: bool
) -> None:
    text = "\n".join(json.dumps(item, ensure_ascii=False) for item in items)
    for place, character in damages:
        at = place % len(text)
        text = text[:at] + character + text[at + (not inserted) :]
    found = parse_regular(text.encode(), FIELDS)
    if found is not None:
        assert found.to_pylist() == [
            json.loads(line) for line in text.removesuffix("\n").split("\n")
        ]


def test_what_a_program_writes_is_read() -> None:
    items = [
        {
            "text": None if i % 5 == 0 else f"wörd {i} " * 20,
            "snr": i / 8,
            "take": i,
            "ok": i % 2 == 0,
        }
        for i in range(20_000)
    ]
    lines = [json.dumps(item, ensure_ascii=False) for item in items]
    assert read(*lines) == items


@pytest.mark.parametrize("letters", [2**20, 2**21, 5 * 2**20])
def test_a_line_longer_than_what_is_read_at_once_is_read(letters: int) -> None:
    long = GOOD.replace('"x"', f'"{"x" * letters}"')
    for lines in ([long], [GOOD, long], [long, GOOD], [GOOD, long, long, GOOD]):
        assert read(*lines) == [json.loads(line) for line in lines]


def test_short_names_at_the_very_start_are_recognised() -> None:
    found = parse_regular(b'{"a":1,"b":"x"}', pa.schema([("a", pa.int64()), ("b", pa.string())]))
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
        '{"text":"x","snr":1.5,"take":9223372036854775808,"ok":true}',
        '{"text":"x","snr":1.5,"take":3.0,"ok":true}',
        '{"text":"x","snr":1.5,"take":3e0,"ok":true}',
        '{"text":"x","snr":01.5,"take":3,"ok":true}',
        '{"text":"x","snr":-01.5,"take":3,"ok":true}',
        '{"text":"x","snr":1.,"take":3,"ok":true}',
        '{"text":"x","snr":.5,"take":3,"ok":true}',
        '{"text":"x","snr":-.5,"take":3,"ok":true}',
        '{"text":"x","snr":+1.5,"take":3,"ok":true}',
        '{"text":"x","snr":-,"take":3,"ok":true}',
        '{"text":"x","snr":,"take":3,"ok":true}',
        '{"text":"x","snr":1-2,"take":3,"ok":true}',
        '{"text":"x","snr":1.2.3,"take":3,"ok":true}',
        '{"text":"x","snr":1e,"take":3,"ok":true}',
        '{"text":"x","snr":1 ,"take":3,"ok":true}',
        '{"text":"x","snr":nul,"take":3,"ok":true}',
        '{"text":"x","snr":nulll,"take":3,"ok":true}',
        '{"text":"x","snr":1.5,"take":3,"ok":True}',
        '{"text":"x","snr":1.5,"take":3,"ok":tru}',
        '{"text":"x","snr":1.5,"take":3,"ok":truee}',
        '{"text":"x","snr":1.5,"take":3,"ok":fals}',
        '{"text":"x"y","snr":1.5,"take":3,"ok":true}',
        '{"text":"x" "y","snr":1.5,"take":3,"ok":true}',
        '{"text":"x,"snr":1.5,"take":3,"ok":true}',
        '{"text":x","snr":1.5,"take":3,"ok":true}',
        '{"text":","snr":1.5,"take":3,"ok":true}',
        '{"text":"x\ty","snr":1.5,"take":3,"ok":true}',
        '{"text":"x\\q","snr":1.5,"take":3,"ok":true}',
        '{"text":"x\\","snr":1.5,"take":3,"ok":true}',
        '{"text":"x\\" "y","snr":1.5,"take":3,"ok":true}',
        '{"text":"x\\u12","snr":1.5,"take":3,"ok":true}',
        '{"texx":"x","snr":1.5,"take":3,"ok":true}',
        '{"text":"x","snr":1.5,"take":3,"ok":true]',
        '["text":"x","snr":1.5,"take":3,"ok":true}',
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
        parse_regular(f"{GOOD}\n{first},\n".encode() + b'"take"' + second.encode(), FIELDS) is None
    )


def test_names_that_differ_in_one_letter_are_told_apart() -> None:
    fields = pa.schema([("old_audio_filepath", pa.string()), ("new_audio_filepath", pa.string())])
    line = '{"old_audio_filepath":"a","new_audio_filepath":"b"}'
    found = parse_regular(line.encode(), fields)
    assert found is not None
    assert found.to_pylist() == [{"old_audio_filepath": "a", "new_audio_filepath": "b"}]
    for other in ("odd_audio_filepath", "old_audio_filenath", "Old_audio_filepath"):
        wrong = f"{line}\n{line.replace('old_audio_filepath', other)}"
        assert parse_regular(wrong.encode(), fields) is None


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (r"\u05d0\n\/", "\u05d0\n/"),
        (r"say \"x\"", 'say "x"'),
        (r"\"", '"'),
        (r"\",\"snr\" 7", '","snr" 7'),
        ("", ""),
        ("null", "null"),
    ],
)
def test_escapes_are_read_by_a_parser(written: str, meant: str) -> None:
    found = read(GOOD, GOOD.replace('"x"', f'"{written}"'), GOOD)
    assert found is not None
    assert [row["text"] for row in found] == ["x", meant, "x"]


@pytest.mark.parametrize(
    "number", ["0", "-0.5", "0.25", "1e-05", "-2.5E+3", "100", "9007199254740991"]
)
def test_floats_in_every_notation_are_read(number: str) -> None:
    found = read(GOOD, GOOD.replace("1.5", number))
    assert found is not None
    assert [row["snr"] for row in found] == [1.5, float(number)]


@pytest.mark.parametrize("number", [0, -1, 2**53 + 1, 2**63 - 1, -(2**63)])
def test_integers_are_read_exactly(number: int) -> None:
    found = read(GOOD, GOOD.replace(":3,", f":{number},"))
    assert found is not None
    assert [row["take"] for row in found] == [3, number]
