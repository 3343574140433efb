"""What holds for every normaliser and any text: idempotence, columns, words."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asrdq.text.normalisers import Normaliser, normaliser
from asrdq.text.normalisers.registry import SHIPPED

pytestmark = pytest.mark.slow

NASTY = (
    "aAbBzZ0159.,:/^-+%'\"`´()<>[]{}_=~$€ \t\n\x00\x1c\x85½⅓²³⁹⁻①⅟㍘㎎℃°º˚\u00b5\u03bc"
    "٣٫٬–—−‑’ʼŉ×·İıßẞΣσςͅ"
    "΄¨ﬁﬀＡ１％＇K Å\u0301\u0338\u0345\u05b0\u05bc\u05be\u05c0\u05c3\u05f3\u05f4אבגםןץשׁﬠﭏ"
    "\u200b\u200c\u200d\u200e\u200f\u202a\u2066\u00ad\ufeff\u034f\ufe0f\U000e0100\ud800\udfff😀ـ가ำनि्"
)
signs = st.one_of(
    st.sampled_from(NASTY),
    st.characters(),
    st.characters(categories=["Cs", "Cf", "Mn", "Mc", "No", "Sk", "Po", "Lm"]),
)
SPOKEN = """two twenty hundred million point and a half double oh minus dollars cents percent won't
she's mr st colour 5 2.5 1 0 $2 ¢7 [x] (y) uh 's 21st ' -"""
spoken = st.lists(st.sampled_from(SPOKEN.split())).map(" ".join)
texts = st.one_of(st.text(signs, max_size=30), st.text(st.sampled_from(NASTY)), spoken)
whole = st.text(signs.filter(lambda sign: not "\ud800" <= sign <= "\udfff"), max_size=20)
ascii_texts = st.text(st.characters(max_codepoint=127), max_size=20)
rows = st.lists(st.one_of(st.none(), whole, ascii_texts, spoken), max_size=12)

VARIANTS = """\
version: 1
groups:
  - [a b, ab, AB]
  - [b, zz]
  - [5 mg, 5 milligram, five milligram]
  - [hundred million, 100 million]
"""


@pytest.fixture(scope="module", params=["plain", "variants"])
def variants(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Path | None:
    """Spelling variants, or none."""
    if request.param == "plain":
        return None
    file = tmp_path_factory.mktemp("variants") / "variants.yaml"
    file.write_text(VARIANTS)
    return file


@pytest.fixture(scope="module", params=SHIPPED)
def chosen(request: pytest.FixtureRequest, variants: Path | None) -> Normaliser:
    """Each shipped normaliser, with and without spelling variants."""
    return normaliser(request.param, variants)


@given(text=texts)
def test_normalising_twice_is_normalising_once(chosen: Normaliser, text: str) -> None:
    once = chosen(text)
    assert chosen(once) == once
    assert once == " ".join(once.split())
    assert once.encode().decode() == once


@settings(max_examples=30)
@given(text=texts)
def test_the_explanation_ends_with_the_result(chosen: Normaliser, text: str) -> None:
    assert chosen.explain(text)[-1][1] == chosen(text)


@settings(max_examples=40)
@given(given_rows=rows)
def test_a_column_is_its_texts_one_by_one(chosen: Normaliser, given_rows: list[str | None]) -> None:
    one_by_one = [None if text is None else chosen(text) for text in given_rows]
    column = pa.array(given_rows, pa.string())
    done = chosen.column(column)
    assert done.type == pa.string()
    done.validate(full=True)
    assert done.to_pylist() == one_by_one
    for start in range(min(3, len(column) + 1)):
        assert chosen.column(column.slice(start, 4)).to_pylist() == one_by_one[start : start + 4]
    chunks = pa.chunked_array([column.slice(0, 2), column.slice(2, 0), column.slice(2)])
    assert chosen.column(chunks).to_pylist() == one_by_one


@settings(max_examples=50)
@given(one=texts, other=texts)
def test_words_are_normalised_each_by_itself(chosen: Normaliser, one: str, other: str) -> None:
    if chosen.word_by_word and chosen.equivalences is None:
        parts = f"{chosen(one)} {chosen(other)}".split()
        assert chosen(f"{one} {other}").split() == parts
