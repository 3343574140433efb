"""What kind of decoder a model has, by its name."""

from __future__ import annotations

from asrdq.linting.config import Family

_NAMES = {
    Family.TDT: ("tdt",),
    Family.RNNT: ("rnnt", "transducer", "nemotron-speech-streaming"),
    Family.CTC: ("ctc",),
    Family.AED: ("canary",),
    Family.WHISPER: ("whisper",),
    Family.QWEN3_ASR: ("qwen3-asr",),
}


def families_of_name(name: str) -> frozenset[Family]:
    """Return the families that the name of a model tells; none where it tells none.

    >>> sorted(families_of_name("nvidia/parakeet-tdt_ctc-110m"))
    [<Family.CTC: 'ctc'>, <Family.TDT: 'tdt'>]
    """
    lower = name.lower()
    return frozenset(
        family for family, parts in _NAMES.items() if any(part in lower for part in parts)
    )
