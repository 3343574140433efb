"""The languages that Qwen3-ASR knows, and what its training lines call them.

Names and codes are those of the table of released models in https://github.com/QwenLM/Qwen3-ASR.
"""

from __future__ import annotations

from typing import Final

from asrdq.text.languages import language_code, language_name

_NAMES: Final = {
    "ar": "Arabic",
    "yue": "Cantonese",
    "zh": "Chinese",
    "cs": "Czech",
    "da": "Danish",
    "nl": "Dutch",
    "en": "English",
    "fil": "Filipino",
    "fi": "Finnish",
    "fr": "French",
    "de": "German",
    "el": "Greek",
    "hi": "Hindi",
    "hu": "Hungarian",
    "id": "Indonesian",
    "it": "Italian",
    "ja": "Japanese",
    "ko": "Korean",
    "mk": "Macedonian",
    "ms": "Malay",
    "fa": "Persian",
    "pl": "Polish",
    "pt": "Portuguese",
    "ro": "Romanian",
    "ru": "Russian",
    "es": "Spanish",
    "sv": "Swedish",
    "th": "Thai",
    "tr": "Turkish",
    "vi": "Vietnamese",
}

_TWO_LANGUAGES: Final = {"zh-hk", "zh-mo"}
"""Chinese of Hong Kong and Macau: Cantonese to some, written Chinese to others."""


def qwen_language(language: str) -> str | None:
    """Return the name that Qwen3-ASR has for a language, None where it has none.

    A region makes no difference, except where it leaves open which language is meant.

    >>> qwen_language("en-US"), qwen_language("german"), qwen_language("he")
    ('English', 'German', None)
    """
    word = language.strip().lower().replace("_", "-")
    if word in _TWO_LANGUAGES:
        return None
    return _NAMES.get(language_code(word))


def target_language(language: str) -> str:
    """Return what stands before a transcript that Qwen3-ASR is to learn.

    It is the name that the model has for the language; for another language its name in English,
    in the manner of those, which is new to the model; what is neither stays as it is.

    >>> [target_language(language) for language in ("en", "he", "Hebrew", "zh-HK", "mixed")]
    ['English', 'Hebrew', 'Hebrew', 'zh-HK', 'mixed']
    """
    word = language.strip().lower().replace("_", "-")
    name = qwen_language(language)
    if name is None and word not in _TWO_LANGUAGES:
        name = language_name(language_code(word))
    return name or language
