"""Columns of texts in every shape that Arrow has."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from asrdq.errors import UsageError
from asrdq.text.normalisers import normaliser
from asrdq.text.normalisers.columns import byte_table

TEXTS = ["  So,  What? ", None, "", "...", "É  2.5mg", "x" * 300, " a", "b ", None]
BASIC = ["so what", None, "", "", "é 2 5mg", "x" * 300, "a", "b", None]


@pytest.mark.parametrize(
    "kind",
    [
        pa.string(),
        pa.large_string(),
        pa.string_view(),
        pa.dictionary(pa.int32(), pa.string()),
        pa.dictionary(pa.int8(), pa.large_string()),
    ],
    ids=str,
)
def test_every_kind_of_text_column(kind: pa.DataType) -> None:
    done = normaliser("basic").column(pa.array(TEXTS, pa.string()).cast(kind))
    assert done.type == pa.string()
    assert done.to_pylist() == BASIC


@pytest.mark.parametrize("empty", [pa.array([], pa.string()), pa.chunked_array([], pa.string())])
def test_an_empty_column(empty: pa.Array) -> None:
    for name in ("basic", "clinical", "whisper-en"):
        done = normaliser(name).column(empty)
        assert (done.type, len(done)) == (pa.string(), 0)


def test_a_column_of_nothing_but_nulls() -> None:
    for name in ("basic", "clinical", "whisper-en"):
        assert normaliser(name).column(pa.nulls(2)).to_pylist() == [None, None]


@pytest.mark.parametrize(
    "column", [pa.array([1]), pa.array([b"a"]), pa.array([1]).dictionary_encode()]
)
def test_a_column_without_texts_is_refused(column: pa.Array) -> None:
    with pytest.raises(UsageError, match="holds no texts"):
        normaliser("basic").column(column)


def test_bytes_beneath_a_null_are_not_seen() -> None:
    data, ends = pa.py_buffer(b"A B\xc3\xa9  C"), pa.py_buffer(np.array([0, 2, 5, 8], np.int32))
    valid = pa.array([True, False, True]).buffers()[1]
    column = pa.Array.from_buffers(pa.string(), 3, [valid, ends, data])
    for name in ("basic", "clinical"):
        assert normaliser(name).column(column).to_pylist() == ["a", None, "c"]


@pytest.mark.parametrize("name", ["none", "sclite", "basic", "clinical-strict", "clinical"])
def test_more_rows_than_are_done_at_once(name: str) -> None:
    chosen = normaliser(name)
    texts = [f" Row  {number},é" if number % 7 == 0 else f"Row-{number}" for number in range(1000)]
    column = pa.array(texts * 150)
    assert chosen.column(column).to_pylist() == [chosen(text) for text in texts] * 150


def test_a_long_text() -> None:
    for name in ("basic", "clinical"):
        done = normaliser(name).column(pa.array(["Word,  " * 10_000, "é " * 10_000]))
        assert done.to_pylist() == [" ".join(["word"] * 10_000), " ".join(["é"] * 10_000)]


def test_the_table_has_what_each_ascii_character_becomes() -> None:
    table = byte_table(normaliser("clinical-strict"))
    assert [chr(code) for code in table[[*b"aZ5_-"]]] == ["a", "z", "5", "_", "-"]
    assert table[[*b"\t\n "]].tolist() == [32, 32, 32]
    assert table[[*b".,'\x00"]].tolist() == [255] * 4
    assert table[128:].tolist() == list(range(128, 256))
