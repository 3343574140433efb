"""Expected speaking rates: a number, one for each language, or the usual one of the data."""

from __future__ import annotations

import dataclasses
from typing import Any, Literal

import pyarrow as pa
import pytest

from asrdq.alignment.pocketsphinx import PocketSphinxAligner
from asrdq.audit.collection import EVIDENCE_TABLE
from asrdq.audit.faults import Fault, PlantedClip
from asrdq.audit.selection import Clip
from asrdq.audit.trials import Trials, build_trials
from asrdq.errors import UsageError
from asrdq.settings import AuditSettings


def clip(name: str, language: str, characters: int) -> Clip:
    words = ("x" * characters,) if characters else ()
    return Clip(
        utt_id=name,
        stratum="s",
        inclusion_probability=1.0,
        audio_path="a",
        path="a",
        offset_s=0.0,
        length_s=None,
        stated_s=None,
        text="".join(words),
        words=words,
        characters=characters,
        language=language,
        speaker=None,
        audio_hash="h",
    )


def untouched(clips: list[Clip]) -> list[PlantedClip]:
    return [PlantedClip(one.utt_id, Fault.UNTOUCHED, one.words) for one in clips]


def trials_of(
    clips: list[Clip], rate: Literal["auto"] | float | dict[str, float], seconds: float = 10.0
) -> Trials:
    return examined(clips, untouched(clips), AuditSettings(characters_per_second=rate), seconds)


def examined(
    clips: list[Clip], copies: list[PlantedClip], settings: AuditSettings, seconds: float
) -> Trials:
    row: dict[str, Any] = dict.fromkeys(EVIDENCE_TABLE.names) | {
        "status": "aligned",
        "duration_s": seconds,
        "voiced_s": 5.0,
        "text_coverage": 1.0,
        "speech_coverage": 1.0,
        "evidence": [],
        "spans": [],
    }
    table = pa.Table.from_pylist([row] * len(clips), schema=EVIDENCE_TABLE)
    return build_trials(clips, copies, table, PocketSphinxAligner(), settings)


def mismatches(clips: list[Clip], rate: Any) -> list[bool]:
    found: list[bool] = trials_of(clips, rate).length_mismatch.tolist()
    return found


CLIPS = [clip(f"c{count}", "en", count) for count in (40, 60, 150, 190, 230)]


def test_ten_a_second_unless_told_otherwise() -> None:
    assert AuditSettings().characters_per_second == 10.0
    assert mismatches(CLIPS, 10.0) == [True, False, False, False, True]


def test_another_rate() -> None:
    # Twenty a second: right from 100 to 400 letters in ten seconds.
    assert mismatches(CLIPS, 20.0) == [True, True, False, False, False]


def test_the_usual_rate_of_the_data() -> None:
    # The median is 15 a second: right from 75 to 300.
    assert mismatches(CLIPS, "auto") == [True, True, False, False, False]


def test_rates_by_language() -> None:
    clips = [clip("a", "en", 60), clip("b", "zh", 60)]
    assert mismatches(clips, {"en": 10.0, "zh": 3.0}) == [False, False]
    assert mismatches(clips, {"en": 20.0, "zh": 2.0}) == [True, True]


def test_a_language_without_a_rate_has_none() -> None:
    with pytest.raises(UsageError, match="no rate for the language 'fr'"):
        mismatches([clip("c", "fr", 60)], {"en": 10.0, "zh": 3.0})


def test_planted_copies_do_not_move_the_usual_rate() -> None:
    """Three clips of 100 letters in ten seconds, and six copies with 300: 10 a second is usual."""
    clips = [clip(f"c{at}", "en", 100) for at in range(3)]
    copies = [PlantedClip(one.utt_id, Fault.UNTOUCHED, one.words) for one in clips]
    for one in clips:
        copies += [PlantedClip(one.utt_id, Fault.EXTRA_WORDS, ("x" * 300,))] * 2
    owners = clips + [one for one in clips for _ in range(2)]
    trials = examined(owners, copies, AuditSettings(characters_per_second="auto"), 10.0)
    assert trials.length_mismatch.tolist() == [False] * 3 + [True] * 6


def test_clips_without_a_length_do_not_move_the_usual_rate() -> None:
    short = examined(CLIPS[:1], untouched(CLIPS[:1]), AuditSettings(), 0.0)
    assert short.chars_per_second.tolist() == [float("inf")]
    assert not examined(
        CLIPS[:1], untouched(CLIPS[:1]), AuditSettings(characters_per_second="auto"), 0.0
    ).length_mismatch.any()


def test_the_usual_rate_is_that_of_the_language() -> None:
    english = [clip(f"e{count}", "en", count) for count in (140, 150, 160)]
    chinese = [clip(f"z{count}", "zh", count) for count in (30, 35, 150)]
    # Medians 15 and 3.5 a second: 150 letters are too many for the second.
    assert mismatches([*english, *chinese], "auto") == [False] * 5 + [True]


def test_characters_per_second_are_letters_and_digits_of_the_text() -> None:
    assert trials_of([clip("a", "en", 60)], 10.0).chars_per_second.tolist() == [6.0]


@pytest.mark.parametrize("rate", [10.0, "auto", {"en": 10.0}])
def test_without_audio_there_is_no_rate_and_no_mismatch(rate: Any) -> None:
    table = trials_of([clip("a", "en", 60)], rate, seconds=float("nan"))
    assert not table.length_mismatch.any()


def test_a_copy_is_measured_in_the_characters_of_its_original() -> None:
    """`room 25` is read as room twenty five: 14 letters for 6 characters."""
    original = dataclasses.replace(
        clip("a", "en", 6), text="room 25", words=("room", "twenty", "five")
    )
    copies = [
        PlantedClip("a", Fault.UNTOUCHED, original.words),
        PlantedClip("a", Fault.MISSING_WORDS, ("room",)),
        PlantedClip("a", Fault.EXTRA_WORDS, (*original.words, "four", "rooms", "moved")),
        PlantedClip("a", Fault.NOISE, original.words),
        PlantedClip("a", Fault.SWAPPED_TEXT, ()),
    ]
    settings = AuditSettings(characters_per_second=1.0)
    found = examined([original] * len(copies), copies, settings, 2.0)
    assert found.chars_per_second.tolist() == pytest.approx([3.0, 12 / 14, 6.0, 3.0, 0.0])


def test_a_text_without_a_spoken_word_is_as_long_as_the_words_put_in_its_place() -> None:
    copy = PlantedClip("a", Fault.SWAPPED_TEXT, ("one", "two"))
    found = examined([clip("a", "en", 0)], [copy], AuditSettings(characters_per_second=1.0), 2.0)
    assert found.chars_per_second.tolist() == [3.0]
