"""The languages that Qwen3-ASR knows, and what its training lines call them.

Names and codes are those of the table of released models in https://github.com/QwenLM/Qwen3-ASR;
the codes of three letters beside them are the ISO 639-3 codes of the same languages.
"""

from __future__ import annotations

from typing import Final

from asrdq.text.languages import language_code

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
_OTHERS: Final = """
af:Afrikaans am:Amharic as:Assamese az:Azerbaijani ba:Bashkir be:Belarusian bg:Bulgarian bn:Bengali
bo:Tibetan br:Breton bs:Bosnian ca:Catalan cy:Welsh et:Estonian eu:Basque fo:Faroese ga:Irish
gl:Galician gu:Gujarati ha:Hausa haw:Hawaiian he:Hebrew hr:Croatian hy:Armenian is:Icelandic
jv:Javanese ka:Georgian kk:Kazakh km:Khmer kn:Kannada ky:Kyrgyz la:Latin lb:Luxembourgish ln:Lingala
lo:Lao lt:Lithuanian lv:Latvian mg:Malagasy mi:Maori ml:Malayalam mn:Mongolian mr:Marathi mt:Maltese
my:Burmese ne:Nepali no:Norwegian oc:Occitan or:Odia pa:Punjabi ps:Pashto sa:Sanskrit sd:Sindhi
si:Sinhala sk:Slovak sl:Slovenian sn:Shona so:Somali sq:Albanian sr:Serbian su:Sundanese sw:Swahili
ta:Tamil te:Telugu tg:Tajik tk:Turkmen tt:Tatar uk:Ukrainian ur:Urdu uz:Uzbek yi:Yiddish yo:Yoruba
zu:Zulu
"""
_NEW_NAMES: Final = dict(pair.split(":") for pair in _OTHERS.split())
"""What a language is called in English that the released models have no name for."""

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


def target_language(language: str) -> str:
    """Return what stands before a transcript that Qwen3-ASR is to learn.

    It is the name that the model has for the language; for another language its name in English,
    in the manner of those, which is new to the model; what is neither stays as it is.

    >>> [target_language(language) for language in ("en", "he", "Hebrew", "zh-HK", "tlh")]
    ['English', 'Hebrew', 'Hebrew', 'zh-HK', 'tlh']
    """
    word = language.strip().lower().replace("_", "-")
    name = qwen_language(language)
    if name is None and word not in _TWO_LANGUAGES:
        name = _NEW_NAMES.get(language_code(word))
    return name or language
