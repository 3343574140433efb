"""The normalisers without a language: `none`, `sclite`, `basic` and `clinical-strict`."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from asrdq.text.normalisers.characters import (
    drop_invisible,
    fold_compatibility,
    separate_lone_accents,
)
from asrdq.text.normalisers.normaliser import Normaliser

_NEITHER_WORD_NOR_HYPHEN: Final = re.compile(r"[^\w\s-]")


def separate_punctuation(text: str) -> str:
    """Put a space in the place of punctuation and symbols (Unicode categories P and S)."""
    return "".join(" " if unicodedata.category(sign)[0] in "PS" else sign for sign in text)


def decompose(text: str) -> str:
    """Bring text to NFKD: accents become marks of their own."""
    return unicodedata.normalize("NFKD", text)


def lower_case(text: str) -> str:
    """Write letters in lower case."""
    return text.lower()


def delete_punctuation(text: str) -> str:
    """Delete everything but word characters, white space and hyphens; nothing takes its place."""
    return _NEITHER_WORD_NOR_HYPHEN.sub("", text)


NONE: Final = Normaliser("none", "1", (), byte_by_byte=True, word_by_word=True)
SCLITE: Final = Normaliser("sclite", "1", (lower_case,), byte_by_byte=True, word_by_word=True)
BASIC: Final = Normaliser(
    "basic",
    "1",
    (drop_invisible, separate_lone_accents, fold_compatibility, separate_punctuation),
    byte_by_byte=True,
    word_by_word=True,
)
CLINICAL_STRICT: Final = Normaliser(
    "clinical-strict",
    "1",
    (decompose, lower_case, delete_punctuation),
    byte_by_byte=True,
    word_by_word=True,
)
