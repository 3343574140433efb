"""Planted faults do what their names say, and the same on every machine."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asrdq.audit.faults import (
    AUDIO_FAULTS,
    GROSS,
    PLANTED,
    Donor,
    Fault,
    FaultPlanter,
    damaged_audio,
)

TEXTS = {
    "a": "the quick brown fox jumps over the lazy dog",
    "b": "please call me back before noon today",
    "c": "it smelled of wet leaves and fresh bread",
    "d": "we will meet again in seven days at the station",
}
DONORS = [Donor(utt_id, tuple(text.split())) for utt_id, text in TEXTS.items()]
TEXT_FAULTS = [fault for fault in PLANTED if fault not in AUDIO_FAULTS]

LETTERS = st.sampled_from(["ab", "bc", "cd", "de", "ef", "fg", "gh", "hi", "ij"])
WORDS = st.lists(LETTERS, max_size=12).map(tuple)
CORPORA = st.lists(WORDS, max_size=8).map(
    lambda texts: [Donor(f"u{number}", words) for number, words in enumerate(texts)]
)


PINNED = {
    Fault.SWAPPED_TEXT: "it smelled of wet leaves and fresh bread",
    Fault.EXTRA_WORDS: "please call me back before noon today and fresh bread",
    Fault.HALF_AUDIO: "please call me back before noon today",
    Fault.MISSING_WORDS: "please call me back before",
    Fault.SUBSTITUTED_WORDS: "please it me over before noon today",
    Fault.SUBSTITUTED_WORD: "please call me back before noon will",
    Fault.SILENCE: "please call me back before noon today",
    Fault.NOISE: "please call me back before noon today",
}
"""Copies of `b` with seed 42, written down once: an audit elsewhere must plant the same."""


def plant(donors: list[Donor], utt_id: str, seed: int = 1) -> dict[Fault, tuple[str, ...]]:
    words = next(donor.words for donor in donors if donor.utt_id == utt_id)
    planted = list(FaultPlanter(donors, seed).plant(utt_id, words))
    assert {copy.utt_id for copy in planted} <= {utt_id}
    assert len({copy.fault for copy in planted}) == len(planted)
    return {copy.fault: copy.words for copy in planted}


def test_the_faults_of_the_definitions() -> None:
    assert [fault.value for fault in PLANTED] == [
        "swapped_text",
        "extra_words",
        "half_audio",
        "missing_words",
        "substituted_words",
        "substituted_word",
        "silence",
        "noise",
    ]
    assert set(PLANTED) - set(GROSS) == {Fault.SUBSTITUTED_WORD}


def test_each_fault_does_what_it_says() -> None:
    words = TEXTS["a"].split()
    found = plant(DONORS, "a")
    assert set(found) == set(PLANTED)
    assert " ".join(found[Fault.SWAPPED_TEXT]) in {TEXTS[name] for name in "bcd"}
    assert list(found[Fault.EXTRA_WORDS][:9]) == words
    extra = " ".join(found[Fault.EXTRA_WORDS][9:])
    assert len(extra.split()) == 3 and any(extra in TEXTS[name] for name in "bcd")
    # 30 % of nine words are three.
    assert list(found[Fault.MISSING_WORDS]) == words[:6]
    for fault, count in ((Fault.SUBSTITUTED_WORDS, 3), (Fault.SUBSTITUTED_WORD, 1)):
        assert len(found[fault]) == 9
        changed = [new for old, new in zip(words, found[fault], strict=True) if old != new]
        assert len(changed) == count
        assert not set(changed) & set(words)
        assert set(changed) <= {word for text in TEXTS.values() for word in text.split()}
    for fault in AUDIO_FAULTS:
        assert list(found[fault]) == words


def test_the_same_on_every_machine() -> None:
    found = {fault: " ".join(words) for fault, words in plant(DONORS, "b", seed=42).items()}
    assert found == PINNED


@given(donors=CORPORA, seed=st.integers(0, 3), data=st.data())
def test_copies_do_not_depend_on_the_order_of_clips_and_never_are_the_clip(
    donors: list[Donor], seed: int, data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(donors))
    for donor in donors:
        found = plant(donors, donor.utt_id, seed)
        assert plant(shuffled, donor.utt_id, seed) == found
        for fault in TEXT_FAULTS:
            assert found.get(fault) != donor.words
        if Fault.EXTRA_WORDS in found:
            assert len(found[Fault.EXTRA_WORDS]) == len(donor.words) + 3
        if len(donor.words) < 4:
            assert not {Fault.MISSING_WORDS, Fault.SUBSTITUTED_WORDS} & set(found)
        if not donor.words:
            assert Fault.SUBSTITUTED_WORD not in found


def test_another_seed_plants_otherwise() -> None:
    assert any(plant(DONORS, "a", 1) != plant(DONORS, "a", seed) for seed in range(2, 5))


def test_most_copies_stay_when_a_corpus_grows() -> None:
    small = [Donor(f"u{n}", tuple(f"w{n}x{i}" for i in range(8))) for n in range(100)]
    grown = [*small, Donor("new", tuple(f"new{i}" for i in range(8)))]
    kept = [plant(small, d.utt_id) == plant(grown, d.utt_id) for d in small[:40]]
    # One of 101 donors changes few of the picks: each clip has one swap, one donor and three
    # to four words picked.
    assert sum(kept) >= 30


def test_extra_words_come_from_several_clips_where_each_has_too_few() -> None:
    donors = [Donor(name, (name * 2,)) for name in "abcd"]
    words = plant(donors, "a")[Fault.EXTRA_WORDS]
    assert words[0] == "aa" and sorted(words[1:]) == ["bb", "cc", "dd"]
    assert Fault.EXTRA_WORDS not in plant(donors[:3], "a")


@pytest.mark.parametrize("others", [[], [Donor("same", tuple(TEXTS["a"].split()))]])
def test_a_corpus_of_one_text_swaps_and_adds_nothing(others: list[Donor]) -> None:
    found = plant([DONORS[0], *others], "a")
    assert set(found) == {Fault.MISSING_WORDS, *AUDIO_FAULTS}


def test_only_the_wanted_faults_are_planted() -> None:
    planter = FaultPlanter(DONORS, 1)
    copies = planter.plant("a", DONORS[0].words, [Fault.SILENCE, Fault.SWAPPED_TEXT])
    assert [copy.fault for copy in copies] == [Fault.SILENCE, Fault.SWAPPED_TEXT]


SAMPLES = (np.sin(np.arange(16_001) / 7) * 0.3).astype(np.float32)


@pytest.mark.parametrize("fault", [Fault.UNTOUCHED, *TEXT_FAULTS])
def test_faults_of_the_text_leave_the_audio(fault: Fault) -> None:
    assert np.array_equal(damaged_audio(SAMPLES, 16_000, fault, "a", 1), SAMPLES)


def test_half_of_the_audio_is_its_first_half() -> None:
    half = damaged_audio(SAMPLES, 16_000, Fault.HALF_AUDIO, "a", 1)
    assert np.array_equal(half, SAMPLES[:8000])


@pytest.mark.parametrize(("fault", "level_db"), [(Fault.SILENCE, -70.0), (Fault.NOISE, -13.47)])
def test_silence_and_noise_have_their_level(fault: Fault, level_db: float) -> None:
    # A sine of 0.3 has the level 20 · log10(0.3 ÷ √2) = -13.47 dBFS.
    found = damaged_audio(SAMPLES, 16_000, fault, "a", 1)
    assert found.shape == SAMPLES.shape and found.dtype == np.float32
    assert np.abs(found).max() <= 1.0
    level = 10 * np.log10(np.mean(np.square(found, dtype=np.float64)))
    assert level == pytest.approx(level_db, abs=0.2)
    again = damaged_audio(SAMPLES, 16_000, fault, "a", 1)
    assert np.array_equal(found, again)
    for other in (("b", 1), ("a", 2)):
        assert not np.array_equal(found, damaged_audio(SAMPLES, 16_000, fault, *other))


@pytest.mark.parametrize("fault", sorted(AUDIO_FAULTS))
def test_no_samples_stay_none(fault: Fault) -> None:
    assert len(damaged_audio(np.zeros(0, np.float32), 16_000, fault, "a", 1)) == 0


def test_noise_in_place_of_digital_silence_is_not_nothing() -> None:
    assert damaged_audio(np.zeros(100, np.float32), 16_000, Fault.NOISE, "a", 1).any()
