"""However a manifest names a language, it is one code, one name and one adapter."""

from __future__ import annotations

import pytest

from asrdq.manifests.formats.qwen_languages import qwen_language, target_language
from asrdq.models.mms_languages import adapter_name, codes_of_adapter
from asrdq.text.languages import language_code, language_name, three_letters, words_for


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("en", "en"),
        ("EN_us", "en"),
        ("en-Latn-GB", "en"),
        (" English ", "en"),
        ("eng", "en"),
        ("iw", "he"),
        ("Hebrew", "he"),
        ("zh-Hans", "zh"),
        ("Mandarin", "zh"),
        ("tlh", "tlh"),
        ("ukr", "uk"),
        ("Ukrainian", "uk"),
        ("cmn-Hans", "zh"),
        ("yue", "yue"),
        ("spa", "es"),
        ("Farsi", "fa"),
        ("Deutsch", "de"),
        ("Chinese (Simplified)", "zh"),
        ("zz", "zz"),
        ("mixed", "mixed"),
        ("\ud800", "\ud800"),
        ("", ""),
    ],
)
def test_language_code(name: str, code: str) -> None:
    assert language_code(name) == code


@pytest.mark.parametrize(
    "code", ["ar", "en", "es", "fa", "fil", "he", "id", "nl", "ro", "uk", "zh"]
)
def test_every_word_for_a_language_is_brought_to_its_code(code: str) -> None:
    words = words_for(code)
    assert {code, three_letters(code)} < words
    assert {language_code(word) for word in words} == {code}


def test_names_are_in_english_and_of_languages_alone() -> None:
    assert [language_name(code) for code in ("uk", "yue", "mixed", "")] == [
        "Ukrainian",
        "Cantonese",
        None,
        None,
    ]


@pytest.mark.parametrize(
    ("language", "known", "learned"),
    [
        ("ukr", None, "Ukrainian"),
        ("Ukrainian", None, "Ukrainian"),
        ("iw", None, "Hebrew"),
        ("tl", "Filipino", "Filipino"),
        ("spa", "Spanish", "Spanish"),
        ("zh_MO", None, "zh_MO"),
    ],
)
def test_what_qwen_calls_a_language(language: str, known: str | None, learned: str) -> None:
    assert qwen_language(language) == known
    assert target_language(language) == learned


@pytest.mark.parametrize(
    ("adapter", "codes"),
    [
        ("ukr", {"uk"}),
        ("tgl", {"fil"}),
        ("nob", {"no", "nb"}),
        ("cmn-script_simplified", {"zh"}),
        ("yue", {"yue"}),
        ("srp-script_latin", {"srp-script_latin"}),
        ("arb", {"arb"}),  # Arabic has the adapter ara
    ],
)
def test_an_adapter_is_found_by_each_of_its_languages(adapter: str, codes: set[str]) -> None:
    assert codes_of_adapter(adapter) == codes
    assert codes == {adapter} or {adapter_name(code) for code in codes} == {adapter}
