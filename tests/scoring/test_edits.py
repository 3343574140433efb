"""Word errors, against rapidfuzz and jiwer and by hand."""

from __future__ import annotations

import random
from collections import defaultdict

import pyarrow as pa
import pytest
from rapidfuzz.distance import Levenshtein

from asrdq.scoring.edits import LONGEST_IN_MATRIX, Edit, find_edits
from asrdq.scoring.tokens import tokenise

KINDS = {"replace": Edit.SUBSTITUTION, "delete": Edit.DELETION, "insert": Edit.INSERTION}


def texts(values: list[str]) -> pa.Array:
    return pa.array(values, pa.string())


def edits_of(references: list[str], hypotheses: list[str]) -> list[list[tuple[Edit, int, int]]]:
    pairs = tokenise(texts(references), texts(hypotheses))
    edits = find_edits(pairs.references, pairs.hypotheses)
    found: dict[int, list[tuple[Edit, int, int]]] = defaultdict(list)
    columns = (edits.pair, edits.kind, edits.reference, edits.hypothesis)
    for pair, kind, left, right in zip(*(column.tolist() for column in columns), strict=True):
        found[pair].append((Edit(kind), left, right))
    return [sorted(found[number], key=lambda edit: edit[1:]) for number in range(len(references))]


def rapidfuzz_edits(reference: str, hypothesis: str) -> list[tuple[Edit, int, int]]:
    operations = Levenshtein.editops(reference.split(), hypothesis.split())
    return [(KINDS[each.tag], each.src_pos, each.dest_pos) for each in operations]


@pytest.mark.parametrize(
    ("reference", "hypothesis", "edits"),
    [
        ("a b c", "a b c", []),
        ("a b c", "a x c", [(Edit.SUBSTITUTION, 1, 1)]),
        ("a b c", "a c", [(Edit.DELETION, 1, 1)]),
        ("a c", "a b c", [(Edit.INSERTION, 1, 1)]),
        ("", "a", [(Edit.INSERTION, 0, 0)]),
        ("a", "", [(Edit.DELETION, 0, 0)]),
        ("", "", []),
        ("a a", "a", [(Edit.DELETION, 1, 1)]),
        ("one two three", "two three four", [(Edit.DELETION, 0, 0), (Edit.INSERTION, 3, 2)]),
    ],
)
def test_the_errors_of_a_pair(
    reference: str, hypothesis: str, edits: list[tuple[Edit, int, int]]
) -> None:
    assert edits_of([reference], [hypothesis]) == [edits]


def test_of_equally_good_alignments_rapidfuzz_s_is_meant() -> None:
    chance = random.Random(5)

    def text(longest: int) -> str:
        return " ".join(chance.choices("abc", k=chance.randint(0, longest)))

    references = [text(14) for _ in range(4000)]
    hypotheses = [text(14) for _ in range(4000)]
    expected = [rapidfuzz_edits(*pair) for pair in zip(references, hypotheses, strict=True)]
    assert edits_of(references, hypotheses) == expected


def test_long_texts_are_aligned_one_by_one_by_the_same_rule() -> None:
    chance = random.Random(6)
    sizes = (LONGEST_IN_MATRIX - 1, LONGEST_IN_MATRIX, LONGEST_IN_MATRIX + 1, 90, 400)
    references = [" ".join(chance.choices("abcd", k=size)) for size in sizes]
    hypotheses = [" ".join(chance.choices("abcd", k=size + 3)) for size in sizes]
    expected = [rapidfuzz_edits(*pair) for pair in zip(references, hypotheses, strict=True)]
    assert edits_of(references, hypotheses) == expected


def test_an_utterance_of_ten_thousand_words() -> None:
    words = [f"w{number}" for number in range(10_000)]
    heard = [*words[:5000], "x", *words[5001:9000], *words[9001:]]
    assert edits_of([" ".join(words)], [" ".join(heard)]) == [
        [(Edit.SUBSTITUTION, 5000, 5000), (Edit.DELETION, 9000, 9000)]
    ]


def test_no_pairs() -> None:
    assert edits_of([], []) == []
