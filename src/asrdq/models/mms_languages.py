"""Three-letter codes of languages (ISO 639-3), by which MMS names its adapters."""

from __future__ import annotations

from typing import Final

_PAIRS: Final = (
    "af:afr am:amh ar:ara as:asm az:azj-script_latin be:bel bg:bul bn:ben bs:bos ca:cat "
    "cs:ces cy:cym da:dan de:deu el:ell en:eng es:spa et:est eu:eus fa:fas fi:fin fr:fra "
    "ga:gle gl:glg gu:guj ha:hau he:heb hi:hin hr:hrv hu:hun hy:hye id:ind is:isl it:ita "
    "ja:jpn jv:jav ka:kat kk:kaz km:khm kn:kan ko:kor ky:kir lo:lao lt:lit lv:lav mk:mkd "
    "ml:mal mn:mon mr:mar ms:zlm mt:mlt my:mya ne:npi nl:nld no:nob or:ory pa:pan pl:pol "
    "ps:pus pt:por ro:ron ru:rus sd:snd sk:slk sl:slv so:som sq:sqi sr:srp-script_cyrillic "
    "sv:swe sw:swh ta:tam te:tel tg:tgk th:tha tl:tgl tr:tur uk:ukr ur:urd-script_arabic "
    "uz:uzb-script_latin vi:vie yo:yor zh:cmn-script_simplified zu:zul"
)
_CODES: Final = {pair[:2]: pair[3:] for pair in _PAIRS.split()}


def three_letters(code: str) -> str:
    """Return the name of the adapter for a language code; a longer code stays as it is.

    >>> three_letters("he"), three_letters("yue")
    ('heb', 'yue')
    """
    return _CODES.get(code, code)


def two_letters(name: str) -> str:
    """Return the language code for the name of an adapter.

    >>> two_letters("heb"), two_letters("azj-script_latin"), two_letters("yue")
    ('he', 'az', 'yue')
    """
    return _SHORT.get(name, name)


_SHORT: Final = {name: code for code, name in _CODES.items()}
