"""The names of MMS's adapters: ISO 639-3 codes of languages, some with a script."""

from __future__ import annotations

from typing import Final

from asrdq.text.languages import language_code, three_letters

_OWN: Final = {
    "az": "azj-script_latin",
    "fil": "tgl",
    "ms": "zlm",
    "ne": "npi",
    "no": "nob",
    "or": "ory",
    "sr": "srp-script_cyrillic",
    "sw": "swh",
    "ur": "urd-script_arabic",
    "uz": "uzb-script_latin",
    "zh": "cmn-script_simplified",
}
"""Adapters that are not called by the code of their language alone."""


def adapter_name(code: str) -> str:
    """Return the name of the adapter for a language code.

    >>> adapter_name("he"), adapter_name("az"), adapter_name("yue")
    ('heb', 'azj-script_latin', 'yue')
    """
    return _OWN.get(code) or three_letters(code)


def codes_of_adapter(name: str) -> frozenset[str]:
    """Return the language codes that an adapter is for; its own name where there are none.

    >>> codes_of_adapter("heb"), codes_of_adapter("azj-script_latin")
    (frozenset({'he'}), frozenset({'az'}))
    >>> sorted(codes_of_adapter("nob"))
    ['nb', 'no']
    """
    named = {code for code, adapter in _OWN.items() if adapter == name}
    codes = {*named, language_code(name)} if "-" not in name else named
    return frozenset(code for code in codes if adapter_name(code) == name) or frozenset({name})
