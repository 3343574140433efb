"""The normalisers of Whisper, as the package `whisper-normalizer` has them.

Radford et al., Robust Speech Recognition via Large-Scale Weak Supervision, appendix C. The English
one is not idempotent: "minus 500" becomes "-500", and that "500". Both are applied until nothing
changes, in at most a hundred rounds; on most texts one is enough.
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
    """Apply Whisper's English normaliser, as it is."""
    return collapse_spaces(_english()(cut_long_figures(text)))


def whisper_english_again(text: str) -> str:
    """Apply it until nothing changes."""
    return settle(whisper_english, text)


def whisper_basic(text: str) -> str:
    """Apply Whisper's normaliser for all languages, as it is."""
    return collapse_spaces(_basic()(text))


def whisper_basic_again(text: str) -> str:
    """Apply it until nothing changes."""
    return settle(whisper_basic, text)


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
    (whisper_english, whisper_english_again),
    data=_files("basic.py", "english.py", "normalizers/english.json"),
)
WHISPER_BASIC: Final = Normaliser(
    "whisper-basic", "1", (whisper_basic, whisper_basic_again), data=_files("basic.py")
)
