"""What is trained on, and what is left out: never in silence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.training.qwen.conftest import recipe_of

from asrdq.errors import DataError
from asrdq.sampling.strata import NO_VALUE
from asrdq.training.qwen.rows import Rows, new_languages, read_rows


def read(tmp_path: Path, *rows: dict[str, Any], **options: Any) -> Rows:
    (tmp_path / "a.wav").write_bytes(b"sound")
    given = [
        {"audio": "a.wav", "duration": 2.0, "text": "language English<asr_text>so what", **row}
        for row in rows
    ]
    file = tmp_path / "train.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in given), encoding="utf-8")
    data = recipe_of(data={"min_duration_s": 1.0, "max_duration_s": 15.0}).data
    return read_rows(file, data, **options)


def test_language_and_text_are_taken_apart_and_put_together_again(tmp_path: Path) -> None:
    row = read(tmp_path, {"prompt": "names: Ann"}).kept[0]
    assert (row.language, row.text, row.context) == ("English", "so what", "names: Ann")
    assert row.target == "language English<asr_text>so what"
    assert row.audio == str(tmp_path / "a.wav")
    assert read(tmp_path, {"text": "language None<asr_text>so"}).kept[0].language is None


def test_languages_without_a_name_in_the_released_model_are_counted(tmp_path: Path) -> None:
    texts = ["language Hebrew<asr_text>x", "language None<asr_text>x", "language Hebrew<asr_text>y"]
    kept = read(tmp_path, {}, *({"text": text} for text in texts)).kept
    assert new_languages(kept) == {"Hebrew": 2}


def test_a_long_recording_is_left_out_and_never_cut(tmp_path: Path) -> None:
    """The source scripts put the whole transcript on every chunk of such a recording."""
    found = read(tmp_path, {"duration": 15.0}, {"duration": 45.0})
    assert [row.duration_s for row in found.kept] == [15.0]
    assert found.counts.dropped == {"too_long": 1}


def test_a_clip_of_a_longer_file_is_that_clip(tmp_path: Path) -> None:
    first, second = read(tmp_path, {"offset": 3.0}, {}).kept
    assert (first.offset_s, first.length_s) == (3.0, 2.0)
    assert (second.offset_s, second.length_s) == (0.0, None)


@pytest.mark.parametrize("text", ["<|0.00|> so what<|1.52|>", "so<|im_end|>what", "so<asr_text>w"])
def test_time_stamps_left_in_a_target_cost_the_row_on_both_sides(tmp_path: Path, text: str) -> None:
    """Four targets in ten of the source data had them, in the validation too."""
    row = {"text": f"language Hebrew<asr_text>{text}"}
    for filtered in (True, False):
        found = read(tmp_path, row, {}, filtered=filtered)
        assert found.counts.dropped == {"markup": 1}
        assert found.counts.rows == 1


def test_each_reason_is_counted(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        {"duration": None},
        {"duration": 0.5},
        {"text": "language English<asr_text> \u00a0"},
        {"text": "so what"},
        {"audio": "gone.wav"},
        {},
    )
    assert found.counts.dropped == {
        "no_duration": 1,
        "too_short": 1,
        "empty_text": 1,
        "no_language_tag": 1,
        "missing": 1,
    }
    assert (found.counts.rows, found.counts.hours) == (1, pytest.approx(2.0 / 3600))


def test_a_validation_hears_clips_of_any_length_and_without_words(tmp_path: Path) -> None:
    rows = [{"duration": 0.5}, {"duration": 45.0}, {"text": "language None<asr_text>"}]
    assert read(tmp_path, *rows, filtered=False).counts.rows == 3


def test_domains_come_from_their_column(tmp_path: Path) -> None:
    found = read(tmp_path, {"domain": "noisy"}, {}, domain="domain")
    assert [row.domain for row in found.kept] == ["noisy", NO_VALUE]
    with pytest.raises(DataError, match="no row has the column 'domain'"):
        read(tmp_path, {}, domain="domain")


def test_a_line_that_is_no_row_is_told_with_its_number(tmp_path: Path) -> None:
    file = tmp_path / "train.jsonl"
    file.write_text('{"audio": "a.wav"}\n{"audio": \n', encoding="utf-8")
    with pytest.raises(DataError, match=r"train\.jsonl:2: is no JSON"):
        read_rows(file, recipe_of().data)
    file.write_text('{"audio_filepath": "a.wav"}\n', encoding="utf-8")
    with pytest.raises(DataError, match=r"train\.jsonl:1: has no audio"):
        read_rows(file, recipe_of().data)
