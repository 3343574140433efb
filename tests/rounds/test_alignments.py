"""Alignments of two rounds side by side, and where their errors are."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st
from jiwer import process_words

from asrdq.rounds.alignments import pair_errors, side_by_side
from asrdq.rounds.changed_rows import changed_rows, examples
from asrdq.rounds.pairing import Pairing
from asrdq.scoring.aligned import Mark

texts = st.lists(st.sampled_from(["a", "b", "c", "שלום", "d"]), max_size=8).map(" ".join)


@given(texts, texts, texts)
def test_each_line_is_its_text_and_its_errors_are_jiwers(
    reference: str, before: str, after: str
) -> None:
    columns = side_by_side((reference, reference), before, after)
    lines = [[c.reference for c in columns], [c.before for c in columns]]
    lines.append([c.after for c in columns])
    assert [" ".join(filter(None, line)) for line in lines] == [reference, before, after]
    if not reference:
        return
    for text, marks in (
        (before, [c.mark_before for c in columns]),
        (after, [c.mark_after for c in columns]),
    ):
        theirs = process_words(reference, text)
        counts = theirs.hits, theirs.substitutions, theirs.deletions, theirs.insertions
        ours = [marks.count(m) for m in (Mark.RIGHT, Mark.SUBSTITUTED, Mark.DELETED, Mark.INSERTED)]
        assert tuple(ours) == counts


@given(st.lists(st.tuples(texts, texts), max_size=5))
def test_errors_have_the_slots_of_their_words(pairs: list[tuple[str, str]]) -> None:
    """A substituted or deleted word i is 2 i + 1, one inserted before it 2 i."""
    references, hypotheses = (pa.array([p[k] for p in pairs], pa.string()) for k in (0, 1))
    scores = pa.table({"reference": references, "hypothesis": hypotheses})
    found, _ = pair_errors(scores, scores)
    expected = set()
    for row, (reference, hypothesis) in enumerate(pairs):
        word = 0
        for column in side_by_side((reference, reference), hypothesis, hypothesis):
            if column.mark_before is not Mark.RIGHT:
                expected.add((row, 2 * word + (column.mark_before is not Mark.INSERTED)))
            word += column.mark_before is not Mark.INSERTED
    assert set(zip(found.utterance.tolist(), found.slot.tolist(), strict=True)) == expected


def table(errors: list[int]) -> pa.Table:
    size = len(errors)
    return pa.table(
        {
            "utt_id": [f"u{i}" for i in range(size)],
            "substitutions": errors,
            "deletions": [0] * size,
            "insertions": [0] * size,
            "words": [9] * size,
            "reference": ["r"] * size,
            "hypothesis": [str(e) for e in errors],
        }
    )


def test_changed_rows_have_their_kind_and_the_greatest_come_first() -> None:
    changed = changed_rows(Pairing(table([2, 0, 3, 1, 4, 0]), table([0, 5, 2, 2, 4, 0])))
    listed = [(row["utt_id"], row["kind"], row["after"]) for row in changed.to_pylist()]
    assert listed == [
        ("u1", "broken", "5"),
        ("u0", "fixed", "0"),
        ("u2", "better", "2"),
        ("u3", "worse", "2"),
    ]
    assert examples(changed, 1)["kind"].to_pylist() == ["fixed", "broken", "better", "worse"]
    assert examples(changed, 0).num_rows == 0


def test_rounds_without_a_word_have_no_errors() -> None:
    scores = pa.table({"reference": ["", ""], "hypothesis": ["", ""]})
    for found in pair_errors(scores, scores):
        assert len(found.slot) == 0
        assert found.slot.dtype == np.int64


def test_rounds_scored_against_different_choices_stand_side_by_side() -> None:
    columns = side_by_side(("well um yes sir", "well yes sir"), "well um no", "oh well yes")
    assert [(c.reference, c.before, c.after) for c in columns] == [
        ("", "", "oh"),
        ("well", "well", "well"),
        ("um", "um", ""),
        ("yes", "no", "yes"),
        ("sir", "", ""),
    ]
    assert [c.mark_after.value for c in columns] == ["I", "C", " ", "C", "D"]
    [column] = side_by_side(("um", "uh"), "um", "uh")
    assert (column.reference, column.before, column.after) == ("um/uh", "um", "uh")


def test_places_of_different_choices_are_not_compared() -> None:
    """Of two utterances only the second has one reference: places 2 i + 1 of its words i."""
    before = pa.table({"reference": ["a b c", "a b c"], "hypothesis": ["a x c", "a x y"]})
    after = pa.table({"reference": ["a c c", "a b c"], "hypothesis": ["a c", "x b c"]})
    one, two = pair_errors(before, after)
    places = [sorted(zip(e.utterance.tolist(), e.slot.tolist(), strict=True)) for e in (one, two)]
    assert places == [[(0, 0), (1, 3), (1, 5)], [(0, 0), (1, 1)]]
