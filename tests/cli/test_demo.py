"""The demo replaces only what a demo made, and compares the audit with the truth."""

from __future__ import annotations

from pathlib import Path

import pytest

from asrdq.cli import demo
from asrdq.errors import UsageError

TRUTH = {"a": "", "b": "silence", "c": "half_audio", "d": "", "e": ""}
AUDITS = [
    {"utt_id": "a", "low_quality": True, "reasons": ["low_confidence"], "instrument": "ok"},
    {"utt_id": "b", "low_quality": True, "reasons": ["silent_audio"], "instrument": "ok"},
    {"utt_id": "c", "low_quality": False, "reasons": [], "instrument": "ok"},
    {"utt_id": "d", "low_quality": False, "reasons": [], "instrument": "ok"},
    {"utt_id": "e", "low_quality": None, "reasons": [], "instrument": "aligner_crashed"},
]


def test_the_comparison_counts_each_clip_once() -> None:
    outcome = demo.compare(AUDITS, TRUTH)
    assert outcome.found == {"b": "silence"}
    assert outcome.missed == {"c": "half_audio"}
    assert outcome.false_alarms == {"a": "low_confidence"}
    assert outcome.unjudged == ["e"]


def test_the_story_names_what_was_missed_and_what_was_wrong() -> None:
    assert demo.story(demo.compare(AUDITS, TRUTH), "CAUTION") == [
        "verdict: CAUTION",
        "planted faults found: 1 of 2",
        "  missed c: half_audio",
        "false alarms: 1 of 3 untouched clips",
        "  a: low_confidence",
        "not judged: 1 (e)",
    ]


def test_a_folder_of_another_origin_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("ten years of work", encoding="utf-8")
    with pytest.raises(UsageError, match="not made by a demo"):
        demo.prepare(tmp_path)
    assert (tmp_path / "thesis.txt").exists()


def test_an_earlier_demo_is_replaced(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    folder.mkdir()
    (folder / demo.MARKER).touch()
    demo.prepare(folder)
    assert not folder.exists()


def test_an_empty_folder_is_fine(tmp_path: Path) -> None:
    demo.prepare(tmp_path)
    assert tmp_path.exists()
