"""The languages that Qwen3-ASR knows, and what its training lines call them.

Names and codes are those of the table of released models in https://github.com/QwenLM/Qwen3-ASR;
the codes of three letters beside them are the ISO 639-3 codes of the same languages.
"""

from __future__ import annotations

from typing import Final

_CODES: Final = {
    "Arabic": ("ar", "ara"),
    "Cantonese": ("yue",),
    "Chinese": ("zh", "zho", "cmn"),
    "Czech": ("cs", "ces"),
    "Danish": ("da", "dan"),
    "Dutch": ("nl", "nld"),
    "English": ("en", "eng"),
    "Filipino": ("fil",),
    "Finnish": ("fi", "fin"),
    "French": ("fr", "fra"),
    "German": ("de", "deu"),
    "Greek": ("el", "ell"),
    "Hindi": ("hi", "hin"),
    "Hungarian": ("hu", "hun"),
    "Indonesian": ("id", "ind"),
    "Italian": ("it", "ita"),
    "Japanese": ("ja", "jpn"),
    "Korean": ("ko", "kor"),
    "Macedonian": ("mk", "mkd"),
    "Malay": ("ms", "msa"),
    "Persian": ("fa", "fas"),
    "Polish": ("pl", "pol"),
    "Portuguese": ("pt", "por"),
    "Romanian": ("ro", "ron"),
    "Russian": ("ru", "rus"),
    "Spanish": ("es", "spa"),
    "Swedish": ("sv", "swe"),
    "Thai": ("th", "tha"),
    "Turkish": ("tr", "tur"),
    "Vietnamese": ("vi", "vie"),
}
_NAMES: Final = {
    **{code: name for name, codes in _CODES.items() for code in codes},
    **{name.lower(): name for name in _CODES},
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
    return _NAMES.get(word) or _NAMES.get(word.partition("-")[0])
