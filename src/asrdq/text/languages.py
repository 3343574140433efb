"""Names of languages, as manifests write them, brought to one code.

Codes and names are those of the Unicode Common Locale Data Repository, by the library langcodes.
"""

from __future__ import annotations

import functools
import re
from typing import Final

_CODE: Final = re.compile("[a-z]{2,3}")
_OTHER_WORDS: Final = {
    "ar": ("arb",),
    "es": ("castilian",),
    "fa": ("farsi", "pes"),
    "fil": ("tagalog", "tgl", "tl"),
    "he": ("iw",),
    "id": ("in",),
    "ms": ("zsm",),
    "nl": ("flemish",),
    "ro": ("mo", "moldovan"),
    "zh": ("cmn", "mandarin"),
}
"""What some languages are called too."""


@functools.lru_cache(maxsize=4096)
def language_code(name: str) -> str:
    """Return the primary language subtag (ISO 639-1 where there is one) of a code or a name.

    Regions and scripts are dropped, since an aligner's support does not depend on them; a name may
    be in any language. What names no language stays as it is, in lower case.

    >>> language_code("en-US"), language_code("Hebrew"), language_code("iw"), language_code("ukr")
    ('en', 'he', 'he', 'uk')
    """
    import langcodes

    word = name.strip().lower().replace("_", "-")
    first = word.partition("-")[0]
    if _CODE.fullmatch(first):
        code = first
    else:
        try:
            code = langcodes.find(word).language or first
        except (LookupError, UnicodeEncodeError):
            return first
    return langcodes.standardize_tag(code, macro=True).partition("-")[0]


def language_name(code: str) -> str | None:
    """Return the English name of a language code, None where it has none.

    >>> language_name("he"), language_name("mixed")
    ('Hebrew', None)
    """
    import langcodes

    named = langcodes.Language.make(code)
    return named.display_name() if named.has_name_data() else None


def three_letters(code: str) -> str:
    """Return the ISO 639-3 code of a language, itself where it has none.

    >>> three_letters("he"), three_letters("yue"), three_letters("xx")
    ('heb', 'yue', 'xx')
    """
    import langcodes

    try:
        return langcodes.Language.make(code).to_alpha3()
    except LookupError:
        return code


def words_for(code: str) -> frozenset[str]:
    """Return the words by which one is commonly told a language, the code among them.

    `language_code` brings each to the code.

    >>> sorted(words_for("he"))
    ['he', 'heb', 'hebrew', 'iw']
    """
    import langcodes

    named = langcodes.Language.make(code)
    codes = {named.to_alpha3(), named.to_alpha3("B")}
    return frozenset({code, *codes, named.display_name().lower(), *_OTHER_WORDS.get(code, ())})
