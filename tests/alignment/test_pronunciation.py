"""Predicted pronunciations against those of the CMU dictionary."""

from __future__ import annotations

import importlib.util
import random
import re
from pathlib import Path

import pytest
from rapidfuzz.distance import Levenshtein

from asrdq.alignment.pronunciation import Pronouncer, with_possessive
from asrdq.errors import ToolError

PHONE_ERROR_RATE = 0.10
"""Measured 0.082 on these words; the package `g2p` has 0.662 on the same."""


@pytest.fixture(scope="module")
def pronouncer() -> Pronouncer:
    return Pronouncer()


@pytest.fixture(scope="module")
def dictionary() -> dict[str, list[list[str]]]:
    """All pronunciations of each purely alphabetic word that the acoustic model comes with."""
    spec = importlib.util.find_spec("pocketsphinx")
    assert spec is not None and spec.origin is not None
    file = Path(spec.origin).parent / "model/en-us/cmudict-en-us.dict"
    found: dict[str, list[list[str]]] = {}
    for line in file.read_text().splitlines():
        word, *phones = line.split()
        found.setdefault(re.sub(r"\(\d+\)$", "", word), []).append(phones)
    return {word: all_of_it for word, all_of_it in found.items() if re.fullmatch("[a-z]{2,}", word)}


def test_phone_error_rate_on_dictionary_words(
    pronouncer: Pronouncer, dictionary: dict[str, list[list[str]]]
) -> None:
    errors = phones = 0
    for word in random.Random(7).sample(sorted(dictionary), 300):
        predicted = (pronouncer.pronounce(word) or "").split()
        nearest = min(dictionary[word], key=lambda right: Levenshtein.distance(predicted, right))
        errors += Levenshtein.distance(predicted, nearest)
        phones += len(nearest)
    assert phones > 1500
    assert errors / phones < PHONE_ERROR_RATE


@pytest.mark.parametrize(
    ("word", "phones"),
    [
        ("cat", "K AE T"),
        ("speech", "S P IY CH"),
        ("nation", "N EY SH AH N"),
        ("phone", "F OW N"),
        ("running", "R AH N IH NG"),
    ],
)
def test_common_words_have_their_entry_in_the_cmu_dictionary(
    pronouncer: Pronouncer, word: str, phones: str
) -> None:
    assert pronouncer.pronounce(word) == phones


@pytest.mark.parametrize(
    ("word", "phones"),
    [
        ("b", "B IY"),
        ("mp", "EH M P IY"),
        ("hdtv", "EY CH D IY T IY V IY"),
        ("x", "EH K S"),
        ("cds'", "S IY D IY EH S"),
        ("tv's", "T IY V IY Z"),
    ],
)
def test_letters_without_a_vowel_are_spelled(
    pronouncer: Pronouncer, word: str, phones: str
) -> None:
    assert pronouncer.pronounce(word) == phones


@pytest.mark.parametrize(
    ("base", "sound"), [("cat", "S"), ("dog", "Z"), ("church", "IH Z"), ("boss", "IH Z")]
)
def test_a_possessive_sounds_by_the_end_of_the_word(
    pronouncer: Pronouncer, base: str, sound: str
) -> None:
    assert pronouncer.pronounce(f"{base}'s") == f"{pronouncer.pronounce(base)} {sound}"


def test_with_possessive() -> None:
    assert with_possessive(["K", "AE", "P"]) == ["K", "AE", "P", "S"]
    assert with_possessive(["B", "EH", "D"]) == ["B", "EH", "D", "Z"]
    assert with_possessive(["W", "AA", "CH"]) == ["W", "AA", "CH", "IH", "Z"]


@pytest.mark.parametrize("word", ["שלום", "été", "привет", "12", "'", "'s", "", "-", "日本"])
def test_what_has_no_english_letters_has_no_pronunciation(
    pronouncer: Pronouncer, word: str
) -> None:
    assert pronouncer.pronounce(word) is None


def test_phones_are_those_of_the_acoustic_model(
    pronouncer: Pronouncer, dictionary: dict[str, list[list[str]]]
) -> None:
    known = {phone for entries in dictionary.values() for phones in entries for phone in phones}
    for word in ["zhivago", "metformin", "a" * 60, "qwxyz", "oiseaux", "o'neil", "e-mail"]:
        phones = (pronouncer.pronounce(word) or "").split()
        assert phones and set(phones) <= known


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(ToolError, match="g2p_en is missing") as caught:
        Pronouncer()
    assert caught.value.hint == "pip install g2p_en"
