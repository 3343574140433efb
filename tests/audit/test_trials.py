"""Expected speaking rates: a number, one for each language, or the usual one of the data."""

from __future__ import annotations

from typing import Any, Literal

import pyarrow as pa
import pytest

from asrdq.alignment.pocketsphinx import PocketSphinxAligner
from asrdq.audit.collection import EVIDENCE_TABLE
from asrdq.audit.faults import Fault, PlantedClip
from asrdq.audit.selection import Clip
from asrdq.audit.trials import Trials, build_trials
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
        text="".join(words),
        words=words,
        characters=characters,
        language=language,
        speaker=None,
        audio_hash="h",
    )


def trials_of(
    clips: list[Clip], rate: Literal["auto"] | float | dict[str, float], seconds: float = 10.0
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
    copies = [PlantedClip(one.utt_id, Fault.UNTOUCHED, one.words) for one in clips]
    settings = AuditSettings(characters_per_second=rate)
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
    clips = [clip("a", "en", 60), clip("b", "zh", 60), clip("c", "fr", 60)]
    assert mismatches(clips, {"en": 10.0, "zh": 3.0}) == [False, False, False]
    assert mismatches(clips, {"en": 20.0, "zh": 2.0}) == [True, True, False]


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
