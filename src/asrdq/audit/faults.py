"""Faults planted on copies of clips, to measure what the audit would find."""

from __future__ import annotations

import hashlib
import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]


class Fault(StrEnum):
    """What is done to a copy; `untouched` is the clip as it is."""

    UNTOUCHED = "untouched"
    SWAPPED_TEXT = "swapped_text"
    EXTRA_WORDS = "extra_words"
    HALF_AUDIO = "half_audio"
    MISSING_WORDS = "missing_words"
    SUBSTITUTED_WORDS = "substituted_words"
    SUBSTITUTED_WORD = "substituted_word"
    SILENCE = "silence"
    NOISE = "noise"


PLANTED: Final = tuple(fault for fault in Fault if fault is not Fault.UNTOUCHED)
GROSS: Final = tuple(fault for fault in PLANTED if fault is not Fault.SUBSTITUTED_WORD)
"""Faults that an instrument must find to be fit for a stratum."""

AUDIO_FAULTS: Final = frozenset({Fault.HALF_AUDIO, Fault.SILENCE, Fault.NOISE})
"""Faults that change the audio; the others change the words."""

EXTRA_WORD_COUNT: Final = 3
DAMAGED_SHARE: Final = 0.3
_SHORTEST_FOR_SHARES: Final = 4


@dataclass(frozen=True, slots=True)
class PlantedClip:
    """A copy of a clip: its words after the fault, and the fault to apply to its audio."""

    utt_id: str
    fault: Fault
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Donor:
    """A clip whose words other clips may be given."""

    utt_id: str
    words: tuple[str, ...]


class FaultPlanter:
    """Plants faults that depend on the seed and the clip alone, not on the order of clips.

    Args:
        donors: Clips of one language; their words are the vocabulary for substitutions.
        seed: Changes every choice.
    """

    def __init__(self, donors: Sequence[Donor], seed: int) -> None:
        self._donors = sorted(donors, key=lambda donor: donor.utt_id)
        self._vocabulary = sorted({word for donor in donors for word in donor.words})
        self._seed = seed

    def plant(
        self, utt_id: str, words: Sequence[str], faults: Sequence[Fault] = PLANTED
    ) -> Iterator[PlantedClip]:
        """Yield the copies of one clip, leaving out faults that it cannot carry.

        A text of fewer than four words carries no fault that damages a share of its words, a
        corpus of one text no swap.
        """
        for fault in faults:
            chance = random.Random(_digest(self._seed, fault, utt_id))
            damaged = self._damaged_words(fault, utt_id, list(words), chance)
            if damaged is not None:
                yield PlantedClip(utt_id, fault, tuple(damaged))

    def _damaged_words(
        self, fault: Fault, utt_id: str, words: list[str], chance: random.Random
    ) -> list[str] | None:
        share = max(1, round(DAMAGED_SHARE * len(words)))
        enough = len(words) >= _SHORTEST_FOR_SHARES
        match fault:
            case Fault.SWAPPED_TEXT:
                return self._other_words(utt_id, words, chance)
            case Fault.EXTRA_WORDS:
                donor = self._other_words(utt_id, words, chance)
                return None if donor is None else words + _run_of(donor, chance)
            case Fault.MISSING_WORDS:
                return words[:-share] if enough else None
            case Fault.SUBSTITUTED_WORDS:
                return self._substituted(words, share, chance) if enough else None
            case Fault.SUBSTITUTED_WORD:
                return self._substituted(words, 1, chance) if words else None
            case _:
                return words

    def _other_words(
        self, utt_id: str, words: list[str], chance: random.Random
    ) -> list[str] | None:
        if not self._donors:
            return None
        start = chance.randrange(len(self._donors))
        for donor in self._donors[start:] + self._donors[:start]:
            if donor.utt_id != utt_id and donor.words and list(donor.words) != words:
                return list(donor.words)
        return None

    def _substituted(self, words: list[str], count: int, chance: random.Random) -> list[str] | None:
        if len(set(self._vocabulary) - set(words)) < count:
            return None
        damaged = list(words)
        for position in chance.sample(range(len(words)), count):
            while damaged[position] in words:
                damaged[position] = chance.choice(self._vocabulary)
        return damaged


def damaged_audio(samples: Samples, rate: int, fault: Fault, utt_id: str, seed: int) -> Samples:
    """Return the samples after the fault; faults of the text leave them as they are.

    Half of the audio keeps the first half. Silence is a room's: white noise at -70 dBFS, since
    digital zeros would be found by any tool. Noise has the level of the clip.
    """
    if fault is Fault.HALF_AUDIO:
        return samples[: len(samples) // 2]
    if fault not in (Fault.SILENCE, Fault.NOISE) or not len(samples):
        return samples
    level = 10.0 ** (-70 / 20)
    if fault is Fault.NOISE:
        level = max(level, math.sqrt(float(np.mean(np.square(samples, dtype=np.float64)))))
    chance = np.random.default_rng(_digest(seed, fault, utt_id))
    noise = chance.standard_normal(len(samples)) * level
    return np.asarray(noise.clip(-1.0, 1.0), dtype=np.float32)


def _run_of(words: list[str], chance: random.Random) -> list[str]:
    start = chance.randrange(max(1, len(words) - EXTRA_WORD_COUNT + 1))
    return words[start : start + EXTRA_WORD_COUNT]


def _digest(seed: int, fault: Fault, utt_id: str) -> int:
    data = f"{seed}\x1f{fault}\x1f{utt_id}".encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "big")
