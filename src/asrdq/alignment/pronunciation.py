"""ARPABET pronunciations for words that the aligner's dictionary lacks.

The letters are read by the GRU of the package `g2p_en` (Park and Kim, trained on CMUdict, Apache
2.0). Importing that package downloads data, so only its weights are read and the network of two
layers is run here; `docs/decisions/0004-pronunciation.md` has the comparison that chose it.
"""

from __future__ import annotations

import functools
import importlib.util
import re
from pathlib import Path
from typing import Final
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from asrdq.errors import ToolError

_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"
_LETTER_INDEX: Final = {letter: index for index, letter in enumerate(_LETTERS, start=3)}
_END_OF_WORD: Final = 2
_START, _END = 2, 3
_LONGEST_PRONUNCIATION: Final = 30
_PHONES: Final = [
    "<pad>",
    "<unk>",
    "<s>",
    "</s>",
    "AA",
    "AA",
    "AA",
    "AE",
    "AE",
    "AE",
    "AH",
    "AH",
    "AH",
    "AO",
    "AO",
    "AO",
    "AW",
    "AW",
    "AW",
    "AY",
    "AY",
    "AY",
    "B",
    "CH",
    "D",
    "DH",
    "EH",
    "EH",
    "EH",
    "ER",
    "ER",
    "ER",
    "EY",
    "EY",
    "EY",
    "F",
    "G",
    "HH",
    "IH",
    "IH",
    "IH",
    "IY",
    "IY",
    "IY",
    "JH",
    "K",
    "L",
    "M",
    "N",
    "NG",
    "OW",
    "OW",
    "OW",
    "OY",
    "OY",
    "OY",
    "P",
    "R",
    "S",
    "SH",
    "T",
    "TH",
    "UH",
    "UH",
    "UH",
    "UW",
    "UW",
    "UW",
    "UW",
    "V",
    "W",
    "Y",
    "Z",
    "ZH",
]
_VOICELESS: Final = frozenset({"P", "T", "K", "F", "TH"})
_SIBILANT: Final = frozenset({"S", "Z", "SH", "ZH", "CH", "JH"})
_SPELLED: Final = dict(
    zip(
        _LETTERS,
        [
            "EY",
            "B IY",
            "S IY",
            "D IY",
            "IY",
            "EH F",
            "JH IY",
            "EY CH",
            "AY",
            "JH EY",
            "K EY",
            "EH L",
            "EH M",
            "EH N",
            "OW",
            "P IY",
            "K Y UW",
            "AA R",
            "EH S",
            "T IY",
            "Y UW",
            "V IY",
            "D AH B AH L Y UW",
            "EH K S",
            "W AY",
            "Z IY",
        ],
        strict=True,
    )
)

Array = npt.NDArray[np.float32]


class Pronouncer:
    """Predicts the ARPABET phones of an English word from its letters.

    Raises:
        ToolError: The package `g2p_en` is not installed or its weights cannot be read.

    >>> Pronouncer().pronounce("metformin")
    'M EH T F ER M AO R N'
    """

    def __init__(self) -> None:
        found = importlib.util.find_spec("g2p_en")
        if found is None or found.origin is None:
            raise ToolError("the package g2p_en is missing", hint="pip install g2p_en")
        file = Path(found.origin).with_name("checkpoint20.npz")
        try:
            with np.load(file) as weights:
                self._weights: dict[str, Array] = {name: weights[name] for name in weights.files}
        except (OSError, ValueError, EOFError, BadZipFile) as error:
            raise ToolError(
                f"the weights of the package g2p_en cannot be read: {error}",
                where=str(file),
                hint="pip install --force-reinstall g2p_en",
            ) from error
        self.pronounce = functools.lru_cache(maxsize=200_000)(self._pronounce)

    def _pronounce(self, word: str) -> str | None:
        base, possessive = (word[:-2], True) if word.endswith("'s") else (word, False)
        letters = re.sub("[^a-z]", "", base)
        if not letters or re.search(r"[^a-z'.\-]", base):
            return None
        if len(letters) == 1 or not re.search("[aeiouy]", letters):
            phones = " ".join(_SPELLED[letter] for letter in letters).split()
        else:
            phones = self._predict(letters)
        return " ".join(with_possessive(phones) if possessive else phones) or None

    def _predict(self, letters: str) -> list[str]:
        weights = self._weights
        state = np.zeros(weights["enc_w_hh"].shape[1], np.float32)
        for index in [*(_LETTER_INDEX[letter] for letter in letters), _END_OF_WORD]:
            state = self._step("enc", weights["enc_emb"][index], state)
        phones: list[str] = []
        index = _START
        while len(phones) < _LONGEST_PRONUNCIATION:
            state = self._step("dec", weights["dec_emb"][index], state)
            index = int(np.argmax(weights["fc_w"] @ state + weights["fc_b"]))
            if index == _END:
                break
            if index > _END:
                phones.append(_PHONES[index])
        return phones

    def _step(self, part: str, value: Array, state: Array) -> Array:
        """Run one gated recurrent unit (Cho et al. 2014, the cuDNN variant)."""
        weights = self._weights
        from_input = weights[f"{part}_w_ih"] @ value + weights[f"{part}_b_ih"]
        from_state = weights[f"{part}_w_hh"] @ state + weights[f"{part}_b_hh"]
        size = state.shape[0]
        gates = 1.0 / (1.0 + np.exp(-(from_input[: 2 * size] + from_state[: 2 * size])))
        reset, update = gates[:size], gates[size:]
        fresh = np.tanh(from_input[2 * size :] + reset * from_state[2 * size :])
        new: Array = (1.0 - update) * fresh + update * state
        return new


def with_possessive(phones: list[str]) -> list[str]:
    """Append the sound of a possessive or plural s, by the last phone of the word.

    >>> with_possessive(["D", "AA", "G"])
    ['D', 'AA', 'G', 'Z']
    """
    last = phones[-1]
    if last in _SIBILANT:
        return [*phones, "IH", "Z"]
    return [*phones, "S" if last in _VOICELESS else "Z"]
