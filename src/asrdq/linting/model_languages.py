"""The languages that well-known base models were trained on."""

from __future__ import annotations

import re

from asrdq.manifests.formats.qwen_languages import qwen_language
from asrdq.text.languages import language_code

_ENGLISH = frozenset({"en"})
_FOUR = frozenset({"en", "de", "es", "fr"})
_EUROPEAN_CODES = """
bg hr cs da nl en et fi fr de el hu it lv lt mt pl pt ro sk sl es sv ru uk
"""
_WHISPER_CODES = """
en zh de es ru ko fr ja pt tr pl ca nl ar sv it id hi fi vi he uk el ms cs ro da hu ta no th ur
hr bg lt la mi ml cy sk te fa lv bn sr az sl kn et mk br eu is hy ne mn bs kk sq sw gl mr pa si
km sn yo so af oc ka be tg sd gu am yi lo uz fo ht ps tk nn mt sa lb my bo mg as tt haw ln
ha ba jv su yue nb fil
"""
_EUROPEAN = frozenset(_EUROPEAN_CODES.split())
_WHISPER = frozenset(_WHISPER_CODES.split())
_MODELS = (
    (r"whisper-.*\.en", _ENGLISH),
    (r"whisper", _WHISPER),
    (r"parakeet-tdt-0\.6b-v3|canary-1b-v2", _EUROPEAN),
    (r"parakeet.*-ja", frozenset({"ja"})),
    (r"parakeet", _ENGLISH),
    (r"canary-qwen", _ENGLISH),
    (r"canary", _FOUR),
    (r"nemotron-speech-streaming-en", _ENGLISH),
)
"""Patterns of names, the more exact first, as the cards of the models list their languages."""


def knows(model: str, language: str) -> bool | None:
    """Return whether a model was trained on a language; None for a model not listed.

    Args:
        model: Its name in lower case, without the owner.
        language: A code or a name, as manifests have it.

    >>> knows("canary-1b-flash", "he"), knows("qwen3-asr-1.7b", "he"), knows("mine", "he")
    (False, False, None)
    """
    if "qwen3-asr" in model:
        return qwen_language(language) is not None
    for pattern, codes in _MODELS:
        if re.search(pattern, model):
            return language_code(language) in codes
    return None
