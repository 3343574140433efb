"""Names of languages, as manifests write them, brought to one code."""

from __future__ import annotations

from typing import Final

_NAMES: Final = {
    "arabic": "ar",
    "cantonese": "yue",
    "chinese": "zh",
    "dutch": "nl",
    "english": "en",
    "french": "fr",
    "german": "de",
    "hebrew": "he",
    "italian": "it",
    "japanese": "ja",
    "korean": "ko",
    "mandarin": "zh",
    "portuguese": "pt",
    "russian": "ru",
    "spanish": "es",
}
_OLD_CODES: Final = {"iw": "he", "in": "id", "ji": "yi", "eng": "en", "heb": "he", "deu": "de"}


def language_code(name: str) -> str:
    """Return the primary language subtag (ISO 639-1 where there is one) of a language name.

    Regions and scripts are dropped, since an aligner's support does not depend on them.

    >>> language_code("en-US"), language_code("Hebrew"), language_code("iw")
    ('en', 'he', 'he')
    """
    word = name.strip().lower().replace("_", "-").split("-")[0]
    return _NAMES.get(word) or _OLD_CODES.get(word, word)


def words_for(code: str) -> frozenset[str]:
    """Return the words that `language_code` brings to one code, the code among them.

    >>> sorted(words_for("he"))
    ['he', 'heb', 'hebrew', 'iw']
    """
    known = {**_NAMES, **_OLD_CODES}
    return frozenset({code, *(word for word, meant in known.items() if meant == code)})
