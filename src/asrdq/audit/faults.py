"""Faults planted on copies of clips, to measure what the audit would find."""

from __future__ import annotations

import bisect
import hashlib
import math
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Generic, TypeVar

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]
T = TypeVar("T")


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
    """Plants faults that depend on the seed and the clip, not on the order of clips.

    Donors and words are picked from a ring of hashes (consistent hashing), so that most copies
    stay the same, and what was aligned stays cached, when the corpus grows.

    Args:
        donors: Clips of one language; their words are the vocabulary for substitutions.
        seed: Changes every choice.
    """

    def __init__(self, donors: Sequence[Donor], seed: int) -> None:
        self._donors = _Ring({donor.utt_id: donor.words for donor in donors if donor.words})
        self._vocabulary = _Ring({word: word for donor in donors for word in donor.words})
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
                more = self._extra_words(utt_id, words, chance)
                return None if more is None else words + more
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
        for donor, found in self._donors.walk(chance):
            if donor != utt_id and list(found) != words:
                return list(found)
        return None

    def _extra_words(
        self, utt_id: str, words: list[str], chance: random.Random
    ) -> list[str] | None:
        """Return three words in a row of other clips; of several where those are short."""
        found: list[str] = []
        for donor, others in self._donors.walk(chance):
            if donor != utt_id and list(others) != words:
                found += others
            if len(found) >= EXTRA_WORD_COUNT:
                start = chance.randrange(len(found) - EXTRA_WORD_COUNT + 1)
                return found[start : start + EXTRA_WORD_COUNT]
        return None

    def _substituted(self, words: list[str], count: int, chance: random.Random) -> list[str] | None:
        damaged = list(words)
        for position in sorted(chance.sample(range(len(words)), count)):
            walk = self._vocabulary.walk(chance)
            other = next((word for _, word in walk if word not in damaged), None)
            if other is None:
                return None
            damaged[position] = other
        return damaged


class _Ring(Generic[T]):
    """Named values on a ring of 64-bit hashes of their names."""

    def __init__(self, values: Mapping[str, T]) -> None:
        placed = sorted((_hash(name), name, value) for name, value in values.items())
        self._places = [place for place, _, _ in placed]
        self._entries = [(name, value) for _, name, value in placed]

    def walk(self, chance: random.Random) -> Iterator[tuple[str, T]]:
        """Yield every entry once, from a random place on."""
        start = bisect.bisect_left(self._places, chance.getrandbits(64))
        for index in range(len(self._entries)):
            yield self._entries[(start + index) % len(self._entries)]


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


def _digest(seed: int, fault: Fault, utt_id: str) -> int:
    return _hash(f"{seed}\x1f{fault}\x1f{utt_id}")


def _hash(text: str) -> int:
    data = text.encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "big")
