"""The normalisers of Whisper, as the package `whisper-normalizer` has them.

Radford et al., Robust Speech Recognition via Large-Scale Weak Supervision, appendix C. Neither is
idempotent by itself: a British spelling may only come to light after a contraction was written out.
They are applied until nothing changes, which on most texts is once.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from asrdq.text.normalisers.characters import collapse_spaces, settle
from asrdq.text.normalisers.normaliser import Normaliser

_PACKAGE: Final = "whisper_normalizer"
_LONG_FIGURES: Final = re.compile(r"(\d{1000})(?=\d)")


def cut_long_figures(text: str) -> str:
    """Part figures after each 1,000 digits: Python reads no number of more than 4,300."""
    return _LONG_FIGURES.sub(r"\1 ", text)


def whisper_english(text: str) -> str:
    """Apply Whisper's English normaliser until nothing changes."""
    return settle(_english_round, text)


def whisper_basic(text: str) -> str:
    """Apply Whisper's normaliser for all languages until nothing changes."""
    return settle(_basic_round, text)


def _english_round(text: str) -> str:
    return collapse_spaces(_english()(cut_long_figures(text)))


def _basic_round(text: str) -> str:
    return collapse_spaces(_basic()(text))


@cache
def _english() -> Callable[[str], str]:
    from whisper_normalizer.english import EnglishTextNormalizer

    made: Callable[[str], str] = EnglishTextNormalizer()
    return made


@cache
def _basic() -> Callable[[str], str]:
    from whisper_normalizer.basic import BasicTextNormalizer

    made: Callable[[str], str] = BasicTextNormalizer()
    return made


def _files(*names: str) -> tuple[Path, ...]:
    spec = find_spec(_PACKAGE)
    assert spec is not None
    assert spec.origin is not None
    return tuple(Path(spec.origin).parent / name for name in names)


WHISPER_ENGLISH: Final = Normaliser(
    "whisper-en",
    "1",
    (whisper_english,),
    data=_files("basic.py", "english.py", "normalizers/english.json"),
)
WHISPER_BASIC: Final = Normaliser("whisper-basic", "1", (whisper_basic,), data=_files("basic.py"))
