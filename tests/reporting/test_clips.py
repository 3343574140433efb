from __future__ import annotations

import itertools
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from asrdq.reporting.clips import NARROW_PX, WIDE_PX, place_labels, worst_clips
from asrdq.reporting.distributions import reason_tallies, spreads, unjudged_tallies
from asrdq.reporting.sound import Sound
from asrdq.reporting.words import BAD, Word


def clip(
    utt_id: str,
    confidence: float | None,
    *reasons: str,
    coverage: float = 0.9,
    instrument: str = "ok",
    stratum: str = "a",
) -> dict[str, Any]:
    return {
        "utt_id": utt_id,
        "stratum": stratum,
        "confidence": confidence,
        "coverage": coverage,
        "reasons": list(reasons),
        "low_quality": bool(reasons) if instrument == "ok" else None,
        "instrument": instrument,
    }


def ids(clips: list[dict[str, Any]]) -> list[str]:
    return [str(clip["utt_id"]) for clip in clips]


def test_the_lowest_confidence_comes_first_then_coverage_then_the_id() -> None:
    clips = [
        clip("d", 0.4, "low_confidence"),
        clip("c", 0.1, "low_confidence", coverage=0.9),
        clip("b", 0.1, "low_confidence", coverage=0.2),
        clip("a", 0.1, "low_confidence", coverage=0.9),
    ]
    assert ids(worst_clips(clips, 10)) == ["b", "a", "c", "d"]


def test_passed_clips_fill_the_places_left() -> None:
    clips = [clip("fine", 0.99), clip("close", 0.51), clip("low", 0.9, "length_mismatch")]
    assert ids(worst_clips(clips, 2)) == ["low", "close"]


def test_many_clips_without_a_file_do_not_hide_the_others() -> None:
    clips = [clip(f"gone-{i}", None, "missing_audio") for i in range(9)]
    clips.append(clip("wrong", 0.3, "low_confidence"))
    assert ids(worst_clips(clips, 3)) == ["gone-0", "gone-1", "wrong"]


def test_a_clip_that_was_not_judged_is_not_shown() -> None:
    assert worst_clips([clip("x", None, instrument="too_weak")], 5) == []


def test_reasons_are_counted_by_clip_and_stratum() -> None:
    clips = [
        clip("a", 0.1, "low_confidence", "no_alignment", stratum="s"),
        clip("b", 0.1, "low_confidence", stratum="t"),
        clip("c", 0.1, "low_confidence", stratum="t"),
        clip("d", 0.9),
        clip("e", None, instrument="too_long"),
    ]
    tallies = reason_tallies(clips)
    assert [(t.code, t.clips, t.strata) for t in tallies] == [
        ("low_confidence", 3, (("t", 2), ("s", 1))),
        ("no_alignment", 1, (("s", 1),)),
    ]
    assert tallies[1].share == 1 / 3
    assert [(t.code, t.clips, t.share) for t in unjudged_tallies(clips)] == [("too_long", 1, 0.2)]


def test_a_clip_without_a_value_has_coverage_zero_and_unjudged_ones_are_left_out() -> None:
    clips = [clip("a", 0.9, coverage=0.7), clip("b", None, instrument="too_long")]
    clips.append({**clip("c", None, "missing_audio", stratum="b"), "coverage": None})
    every, a, b = spreads(clips, ["a", "b"], "coverage", 0.6)
    assert (every.stratum, every.histogram.count, every.below) == (None, 2, 1)
    assert (a.histogram.count, a.below) == (1, 0)
    assert (b.histogram.count, b.below) == (1, 1)


def sound(length_s: float) -> Sound:
    return Sound(0.0, length_s, length_s, "M0,0Z", 1, (), b"")


def words(starts: list[float], text: str, bad: int) -> list[Word]:
    return [
        Word(text, start, start + 0.2, -1.0, True, BAD if i == bad else "")
        for i, start in enumerate(sorted(starts))
    ]


@given(
    st.lists(st.floats(0.0, 9.8), min_size=1, max_size=40),
    st.text("abc", min_size=1, max_size=12),
    st.integers(0, 39),
)
def test_labels_never_lie_over_each_other(starts: list[float], text: str, bad: int) -> None:
    labels = place_labels(words(starts, text, bad), sound(10.0))
    assert len(labels) == len(starts)
    for screen, width in (("wide", WIDE_PX), ("narrow", NARROW_PX)):
        middles = sorted(
            width * (label.word.start_s + 0.1) / 10.0
            for label in labels
            if screen in label.room.split()
        )
        gaps = [b - a for a, b in itertools.pairwise(middles)]
        assert all(gap >= 6.6 * len(text) for gap in gaps)


def test_a_badly_fitting_word_has_its_label_before_its_neighbours() -> None:
    labels = place_labels(words([4.0, 4.1, 4.2], "overlapping", 1), sound(10.0))
    assert [label.room for label in labels] == ["", "wide narrow", ""]
