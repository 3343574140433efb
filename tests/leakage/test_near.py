"""Near texts: every pair above the threshold, against all pairs measured one by one."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import Levenshtein

from asrdq.leakage.near import NearIndex
from asrdq.leakage.words import Words, blocks, normalised

sentences = st.lists(st.sampled_from("abcde"), min_size=1, max_size=14).map(" ".join)


@given(
    st.lists(sentences, min_size=1, max_size=12, unique=True),
    st.lists(st.one_of(sentences, st.just("")), max_size=12),
    st.sampled_from([0.6, 0.7, 0.75, 0.8, 0.9]),
)
def test_every_near_pair_is_found_and_no_other(
    indexed: list[str], asked: list[str], threshold: float
) -> None:
    index = NearIndex.build(pa.array(indexed), threshold)
    texts = pa.array(asked, pa.string())
    pairs = index.search(texts, Words.of(texts))
    found = set(zip(pairs.asked.tolist(), pairs.indexed.tolist(), strict=True))
    expected = {
        (i, j)
        for i, one in enumerate(asked)
        for j, two in enumerate(indexed)
        if one
        and one != two
        and Levenshtein.normalized_similarity(one.split(), two.split()) >= threshold - 1e-9
    }
    assert found == expected


def test_nearness_is_one_less_edited_words_by_words() -> None:
    index = NearIndex.build(pa.array(["the quick brown fox jumps"]), 0.8)
    texts = pa.array(["the quick red fox jumps", "the quick brown fox", "quick brown fox"])
    pairs = index.search(texts, Words.of(texts))
    # 1 of 5 words replaced; 1 of 5 missing; 2 of 5 missing is too far
    assert pairs.asked.tolist() == [0, 1]
    assert pairs.similarity.tolist() == pytest.approx([0.8, 0.8])


def test_a_long_text_with_few_edits() -> None:
    words = [f"word{number}" for number in range(400)]
    changed = ["x" if number % 10 == 3 else word for number, word in enumerate(words)]
    index = NearIndex.build(pa.array([" ".join(words)]), 0.8)
    texts = pa.array([" ".join(changed)])
    pairs = index.search(texts, Words.of(texts))
    assert pairs.similarity.tolist() == pytest.approx([0.9])


def test_normalised_texts() -> None:
    given_texts = ["  Hello,   World! ", "Ｆｕｌｌ ﬁ", "don't", None, "…", "שָׁלוֹם עולם", "Ça  va?"]
    found = normalised(pa.array(given_texts)).to_pylist()
    assert found[:5] == ["hello world", "full fi", "don t", "", ""]
    assert [len(text.split()) for text in found[5:]] == [2, 2]
    assert normalised(pa.array(found)).to_pylist() == found


@given(st.lists(st.text(alphabet="ab é-", max_size=12), max_size=8))
def test_words_are_those_of_split(texts: list[str]) -> None:
    column = normalised(pa.array(texts, pa.string()))
    words = Words.of(column)
    said = [text.split() for text in column.to_pylist()]
    assert words.counts.tolist() == [len(each) for each in said]
    every = [word for each in said for word in each]
    hashes = words.runs(words.first[0] + pa.array(range(len(every)), pa.int64()).to_numpy(), 1)
    for i, one in enumerate(every):
        for j, two in enumerate(every):
            assert (hashes[i] == hashes[j]) == (one == two)


def test_blocks_are_all_texts_in_order() -> None:
    texts = pa.array(["x" * 100_000 + str(number) for number in range(200)])
    pieces = list(blocks(texts))
    assert len(pieces) > 1
    assert [start for start, _ in pieces] == [
        sum(len(piece) for _, piece in pieces[:number]) for number in range(len(pieces))
    ]
    assert pa.concat_arrays([piece for _, piece in pieces]).equals(texts)
