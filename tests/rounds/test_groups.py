"""Groups, blocks and scopes."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from asrdq.errors import UsageError
from asrdq.rounds.blocks import block_rows
from asrdq.rounds.deltas import Changes
from asrdq.rounds.groups import by_column, by_duration
from asrdq.rounds.pairing import Pairing, quantities
from asrdq.rounds.scope import read_scope, scope_text


def scores(errors: list[int], speakers: list[str | None], weights: list[float]) -> pa.Table:
    size = len(errors)
    return pa.table(
        {
            "utt_id": [f"u{i}" for i in range(size)],
            **{name: [0] * size for name in ("deletions", "insertions", "characters")},
            "substitutions": errors,
            "words": [10] * size,
            "terms": [i % 3 for i in range(size)],
            "missed_terms": [min(i % 3, 1) for i in range(size)],
            "weight": weights,
            "block": pa.array(speakers, pa.string()),
        }
    )


def test_the_rates_of_an_utterance() -> None:
    """Two terms of which one is missed make half a row; without a term there is no row."""
    rows = scores([0, 2, 3], ["a"] * 3, [1.0, 1.0, 2.0])
    assert [list(each) for each in quantities(rows, "wer")] == [[0, 2, 6], [10, 10, 20]]
    assert [list(each) for each in quantities(rows, "ser")] == [[0, 1, 2], [1, 1, 2]]
    assert [list(each) for each in quantities(rows, "ker")] == [[0, 1, 1], [0, 1, 2]]


def test_weights_make_a_sample_speak_for_all() -> None:
    before = scores([1, 5], [None, None], [9.0, 1.0])
    pairing = Pairing(before, before)
    changes = Changes(pairing, block_rows(before["block"]))
    assert changes.of("wer", np.array([True, True]), "").before == pytest.approx(14 / 100)


def test_speakers_are_blocks_and_an_utterance_without_one_is_its_own() -> None:
    found = block_rows(pa.chunked_array([pa.array(["a", "b", None, "a", None])]))
    assert (found.count, found.unit) == (4, "speaker")
    assert found.of_row[0] == found.of_row[3]
    assert len(set(found.of_row.tolist())) == 4


@pytest.mark.parametrize("speakers", [["a"] * 4, [None] * 4])
def test_with_one_speaker_or_none_utterances_are_blocks(speakers: list[str | None]) -> None:
    found = block_rows(pa.chunked_array([pa.array(speakers, pa.string())]))
    assert (found.count, found.unit) == (4, "utterance")


def test_many_blocks_are_merged_into_groups_of_one_size() -> None:
    names = pa.chunked_array([pa.array([f"s{i}" for i in range(5000)])])
    found = block_rows(names, most=500)
    assert set(np.bincount(found.of_row).tolist()) == {10}
    assert str(found) == "5,000 speakers in 500 random groups"
    assert list(found.of_row) != list(block_rows(names, most=500, seed=1).of_row)


def test_a_group_of_one_speaker_is_told_by_its_utterances() -> None:
    speakers = ["a"] * 30 + [f"s{i}" for i in range(30)]
    before = scores([2] * 60, speakers, [1.0] * 60)
    after = scores([1, 2] * 30, speakers, [1.0] * 60)
    changes = Changes(Pairing(before, after), block_rows(before["block"]), 1000)
    column = pa.chunked_array([pa.array(["one"] * 30 + ["many"] * 30)])
    rows = {row["group"]: row for row in changes.table("wer", by_column("c", column)).to_pylist()}
    assert (rows["one"]["blocked_by"], rows["one"]["blocks"]) == ("utterance", 30)
    assert (rows["many"]["blocked_by"], rows["many"]["blocks"]) == ("speaker", 30)
    assert rows["one"]["change"] == pytest.approx(-0.05)
    assert -0.08 < rows["one"]["low"] < -0.06
    assert rows["one"]["method"] == "bootstrap"


def test_null_is_a_group_and_numbers_are_texts() -> None:
    found = by_column("age", pa.chunked_array([pa.array([30, None, 20])]))
    assert found.names == ("(none)", "20", "30")
    assert found.of_row.tolist() == [2, 0, 1]


def test_what_cannot_be_grouped_by_is_an_error() -> None:
    with pytest.raises(UsageError, match="list"):
        by_column("terms", pa.chunked_array([pa.array([["a"], ["b"]])]))
    with pytest.raises(UsageError, match="1,001 values"):
        by_column("utt_id", pa.chunked_array([pa.array([str(i) for i in range(1001)])]))


def test_durations_without_a_number_have_no_group() -> None:
    assert by_duration(np.array([0.1, 5.0, 14.9, 15.0, np.nan])).of_row.tolist() == [0, 1, 1, 2, -1]


def test_scopes_are_read_and_told_the_same_way() -> None:
    scope = read_scope(["domain=b|a", "accent=x", "domain=c"])
    assert scope_text(scope) == "accent=x, domain=a|b|c"
    assert scope_text({}) == "all rows"
    with pytest.raises(UsageError, match="not COLUMN=VALUE"):
        read_scope(["domain"])
