"""Faults that scripts for fine-tuning Qwen3-ASR had, each with the tests that ours is free of it.

What already has its test beside the code is named here; what has none is tested here.
"""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

from asrdq.alignment import AlignerOptions
from asrdq.audit.examination import ClipTask, examine
from asrdq.audit.faults import Fault
from asrdq.text import spoken_words

FAULTS = {
    "the gate read a list as a dictionary and scored every clip 0": (
        "tests/alignment/test_qwen.py::test_times_are_those_of_qwen_asr_itself",
        "tests/e2e/test_faults_of_scripts.py::test_right_clips_are_covered_and_wrong_ones_are_not",
    ),
    "a missing aligner fell back to characters per second": (
        "tests/audit/test_reasons.py::test_an_aligner_that_cannot_run_stops_the_audit",
        "tests/alignment/test_pocketsphinx.py::"
        "test_without_its_pronunciation_model_it_does_not_start",
        "tests/audit/test_other_aligners.py::test_hebrew_is_refused_by_qwen_before_work_starts",
    ),
    "sampling unseeded": (
        "tests/sampling/test_draw.py::test_the_seed_decides",
        "tests/sampling/test_keys.py::test_keys_never_change",
        "tests/training/qwen/test_evaluation.py::"
        "test_clips_are_drawn_by_the_seed_alike_for_each_domain",
    ),
    "the stage switch came one epoch late": (
        "tests/training/qwen/test_plan_of_stages.py::"
        "test_epochs_count_from_one_so_that_the_third_begins_after_two",
        "tests/training/qwen/test_stages.py::"
        "test_the_switch_comes_with_the_first_step_of_epoch_three",
    ),
    "the scheduler was not rebuilt with the optimiser": (
        "tests/training/qwen/test_stages.py::test_the_schedule_goes_on_over_the_switch",
    ),
    "full transcripts on every chunk": (
        "tests/training/qwen/test_rows.py::test_a_long_recording_is_left_out_and_never_cut",
        "tests/e2e/test_cut.py::test_each_cut_lies_between_the_digits_where_its_texts_part",
        "tests/linting/test_data_rules.py::"
        "test_the_transcript_of_a_recording_on_each_of_its_pieces",
    ),
    "duplicates and overlapping chunks on both sides of the split": (
        "tests/leakage/test_librispeech.py::"
        "test_one_recording_cut_into_overlapping_chunks_that_carry_the_full_text",
        "tests/linting/test_data_rules.py::test_overlapping_segments_are_a_leak",
        "tests/handoff/test_refusals.py::test_the_same_content_on_both_sides",
    ),
    "timestamps left in 40 % of the targets, validation too": (
        "tests/training/qwen/test_rows.py::"
        "test_time_stamps_left_in_a_target_cost_the_row_on_both_sides",
    ),
    "augmentation while evaluating": (
        "tests/training/qwen/test_judging.py::"
        "test_the_loss_of_an_evaluation_is_that_of_clean_audio",
    ),
    "labels in another format than the model's": (
        "tests/training/qwen/test_labels.py::"
        "test_labels_are_the_answer_and_its_end_whatever_the_padding_side",
        "tests/training/qwen/test_labels.py::"
        "test_prompt_and_features_are_those_of_the_released_processor",
        "tests/training/qwen/test_labels.py::"
        "test_the_check_stops_where_a_tokenizer_writes_something_else",
    ),
    "empty hypotheses dropped from WER": (
        "tests/training/qwen/test_evaluation.py::"
        "test_an_empty_hypothesis_counts_as_all_words_left_out",
        "tests/scoring/test_score.py::"
        "test_a_missing_hypothesis_is_refused_unless_something_else_was_asked",
    ),
    "an evaluation script whose loop skipped every row": (
        "tests/training/qwen/test_judging.py::"
        "test_every_chosen_clip_is_heard_and_one_without_audio_counts_too",
        "tests/scoring/test_score.py::test_nothing_to_score_is_an_error",
        "tests/transcription/test_run.py::test_not_one_clip_can_be_read",
    ),
    '"beam 5" that ran greedy': (
        "tests/transcription/test_qwen.py::"
        "test_five_beams_are_a_search_and_not_greedy_under_another_name",
        "tests/transcription/test_qwen.py::test_greedily_and_with_beams_through_the_command",
        "tests/transcription/test_qwen.py::"
        "test_a_transcriber_without_a_beam_search_does_not_run_greedily_instead",
    ),
    "maqaf-joined words merged by the normaliser": (
        "tests/text/normalisers/test_hebrew_properties.py::test_words_at_a_maqaf_are_words_apart",
        "tests/training/qwen/test_evaluation.py::"
        "test_the_normaliser_of_the_recipe_parts_words_at_a_maqaf",
    ),
}

NAMED = [(fault, test) for fault, tests in FAULTS.items() for test in tests]


@pytest.mark.parametrize(("fault", "test"), NAMED, ids=[test.split("::")[1] for _, test in NAMED])
def test_each_fault_has_its_tests_and_stands_in_the_documentation(
    fault: str, test: str, project_root: Path
) -> None:
    file, name = test.split("::")
    tree = ast.parse((project_root / file).read_text(encoding="utf-8"))
    found = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name]
    assert len(found) == 1
    page = (project_root / "docs" / "qwen.md").read_text(encoding="utf-8")
    rows = [row for row in page.splitlines() if row.startswith(f"| {fault} |")]
    assert len(rows) == 1
    assert f"`{name}`" in rows[0]


@pytest.mark.slow
def test_right_clips_are_covered_and_wrong_ones_are_not(librispeech: Path) -> None:
    """A score of 0 for every clip, right or wrong, would stop any data; so would 1 pass any."""
    rows = [json.loads(line) for line in librispeech.read_text().splitlines()]
    rows = [row for row in rows if 4 < row["duration"] < 8][:4]
    texts = [row["text"] for row in rows]
    long = max(rows, key=lambda row: len(row["text"]))["text"]
    wrong = [f"{long} {long} {long}"] * len(rows)
    covered = []
    for given in (texts, wrong):
        tasks = [
            ClipTask(
                key=str(number),
                utt_id=str(number),
                path=str(librispeech.parent / row["audio_filepath"]),
                offset_s=0.0,
                length_s=None,
                words=tuple(spoken_words(text)),
                language="en",
                fault=Fault.UNTOUCHED,
                seed=0,
            )
            for number, (row, text) in enumerate(zip(rows, given, strict=True))
        ]
        covered.append(
            [each.coverage.lower for each in examine(AlignerOptions("pocketsphinx"), tasks)]
        )
    right, strange = covered
    assert min(right) > 0.8
    assert max(strange) < 0.6
