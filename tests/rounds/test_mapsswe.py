"""MAPSSWE and McNemar: by hand, and beside NIST's sc_stats."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from asrdq.rounds.mapsswe import WordErrors, mapsswe, segment_errors
from asrdq.rounds.mcnemar import mcnemar

if TYPE_CHECKING:
    from tests.rounds.conftest import Sctk

MakeErrors = Callable[..., WordErrors]


def test_one_right_word_does_not_end_a_segment_and_two_do(word_errors: MakeErrors) -> None:
    before, after = word_errors("SCSCCS"), word_errors("CCCCCC")
    assert [list(each) for each in segment_errors(before, after)] == [[2, 1], [0, 0]]


def test_a_word_that_one_round_has_wrong_is_no_boundary(word_errors: MakeErrors) -> None:
    before, after = word_errors("SCCCS"), word_errors("CCSCC")
    assert [list(each) for each in segment_errors(before, after)] == [[2], [1]]


def test_an_insertion_between_two_right_words_is_an_error(word_errors: MakeErrors) -> None:
    before, after = word_errors("SCICS"), word_errors("CCC")
    assert [list(each) for each in segment_errors(before, after)] == [[3], [0]]


def test_segments_end_with_the_utterance(word_errors: MakeErrors) -> None:
    before, after = word_errors("CS", "SC"), word_errors("CC", "CC")
    assert [list(each) for each in segment_errors(before, after)] == [[1, 1], [0, 0]]


def test_more_boundary_words_join_segments(word_errors: MakeErrors) -> None:
    before, after = word_errors("SCCSCCCS"), word_errors("CCCCCCCC")
    assert list(segment_errors(before, after, 3)[0]) == [2, 1]


def test_the_z_statistic_by_hand(word_errors: MakeErrors) -> None:
    """Differences 1, 1, 0: mean 2/3, deviation √(1/3), z = (2/3) ÷ (√(1/3) ÷ √3) = 2."""
    found = mapsswe(word_errors("S", "D", "S"), word_errors("C", "C", "D"))
    assert (found.segments, found.errors_before, found.errors_after) == (3, 3, 1)
    assert found.mean == pytest.approx(2 / 3)
    assert found.deviation == pytest.approx((1 / 3) ** 0.5)
    assert found.z == pytest.approx(2.0)
    assert found.p == pytest.approx(0.0455, abs=1e-4)


def test_without_errors_there_is_no_difference(word_errors: MakeErrors) -> None:
    found = mapsswe(word_errors("CC", "C"), word_errors("CC", "C"))
    assert (found.segments, found.z, found.p) == (0, 0.0, 1.0)


def test_equal_differences_everywhere_leave_z_unknown(word_errors: MakeErrors) -> None:
    found = mapsswe(word_errors("S", "S"), word_errors("C", "C"))
    assert (found.mean, found.z, found.p) == (1.0, None, None)


def test_mcnemar_counts_what_only_one_round_has_right() -> None:
    """Of four utterances that differ one is broken: p = 2 (1 + 4) ÷ 2⁴ = 0.625."""
    before = np.array([True, True, True, False, False, True])
    after = np.array([False, False, False, True, False, True])
    found = mcnemar(before, after)
    assert (found.both_right, found.fixed, found.broken, found.both_wrong) == (1, 3, 1, 1)
    assert found.p == pytest.approx(0.625)


def test_mcnemar_of_equal_rounds_is_one() -> None:
    wrong = np.array([True, False])
    assert mcnemar(wrong, wrong).p == 1.0


def assert_same(sctk: Sctk, before: Path, after: Path) -> None:
    theirs = sctk.compare(before, after)
    errors_before, errors_after = sctk.errors(before, after)
    ours = mapsswe(errors_before, errors_after)
    assert (ours.segments, (ours.errors_before, ours.errors_after)) == (
        theirs.segments,
        theirs.errors,
    )
    assert ours.mean == pytest.approx(theirs.mean, abs=6e-4)
    assert ours.deviation == pytest.approx(theirs.deviation, abs=6e-4)
    assert ours.z == pytest.approx(theirs.z, abs=6e-4)
    first, second = segment_errors(errors_before, errors_after)
    table = mcnemar(first > 0, second > 0)
    assert theirs.segment_table == (table.both_right, table.broken, table.fixed, table.both_wrong)


@pytest.mark.parametrize(("before", "after"), [("file1", "file2"), ("file2", "file1")])
def test_nists_own_example(sctk: Sctk, shared_data: Path, before: str, after: str) -> None:
    folder = shared_data / "sctk"
    assert_same(sctk, folder / f"{before}.sgml", folder / f"{after}.sgml")


def test_artie_on_sclites_alignment(sctk: Sctk, artie_alignments: tuple[Path, Path]) -> None:
    before, after = artie_alignments
    assert_same(sctk, before, after)
    assert sctk.compare(before, after).z == 12.588


def test_mcnemar_on_artie(sctk: Sctk, artie_alignments: tuple[Path, Path]) -> None:
    theirs = sctk.compare(*artie_alignments).utterance_table
    wrong = [np.isin(np.arange(1712), each.utterance) for each in sctk.errors(*artie_alignments)]
    found = mcnemar(*wrong)
    assert (found.both_right, found.broken, found.fixed, found.both_wrong) == theirs
    assert theirs == (181, 46, 115, 1370)
    assert found.p < 0.001


@pytest.mark.parametrize(("differing", "broken"), [(5, 0), (8, 1), (12, 3), (20, 6)])
def test_the_p_value_of_mcnemar(sctk: Sctk, tmp_path: Path, differing: int, broken: int) -> None:
    rows = range(differing)
    rounds = (
        [["a", "b" if i < broken else "x"] for i in rows],
        [["a", "x" if i < broken else "b"] for i in rows],
    )
    trn(tmp_path / "ref", [["a", "b"]] * differing)
    aligned = []
    for name, words in zip(("first", "second"), rounds, strict=True):
        trn(tmp_path / f"{name}.trn", words)
        aligned.append(sctk.align(tmp_path / "ref", tmp_path / f"{name}.trn", name))
    wrong = [np.isin(np.arange(differing), e.utterance) for e in sctk.errors(*aligned)]
    assert mcnemar(*wrong).p == pytest.approx(sctk.compare(*aligned).utterance_p, abs=6e-4)


@pytest.mark.parametrize("seed", range(3))
def test_random_rounds_on_sclites_alignment(sctk: Sctk, tmp_path: Path, seed: int) -> None:
    """Runs of insertions at both ends, deleted ends, empty hypotheses."""
    draw = random.Random(seed)
    references = [draw.choices("abcdefg", k=draw.randint(1, 14)) for _ in range(80)]
    aligned = []
    trn(tmp_path / "ref", references)
    for name in ("first", "second"):
        trn(tmp_path / f"{name}.trn", [spoilt(draw, words) for words in references])
        aligned.append(sctk.align(tmp_path / "ref", tmp_path / f"{name}.trn", name))
    assert_same(sctk, *aligned)


def spoilt(draw: random.Random, words: list[str]) -> list[str]:
    out = []
    for word in words:
        out += draw.choices("xyz", k=draw.choice([0] * 8 + [1, 2]))
        out += draw.choice([[word]] * 8 + [[], ["z"]])
    return out + draw.choices("xyz", k=draw.choice([0, 0, 0, 1]))


def trn(path: Path, utterances: list[list[str]]) -> None:
    lines = [f"{' '.join(words)} (spk_{i:03})" for i, words in enumerate(utterances)]
    path.write_text("\n".join(lines) + "\n")
