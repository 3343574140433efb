"""How far a word reaches around the frames in which a CTC model is sure of it."""

from __future__ import annotations

import numpy as np
import pytest

from asrdq.alignment.ctc_edges import word_edges
from asrdq.alignment.viterbi import BETWEEN, BestPath
from asrdq.audio import FRAME_S

FRAME = 2 * FRAME_S
"""A frame of the model is two of the voice."""
FRAMES = 40


def edges(
    sure: list[tuple[int, int]],
    voiced: list[tuple[int, int]],
    letters: int,
    starred: tuple[int, int] = (0, 0),
) -> list[tuple[int, int]]:
    """Return first and last frame + 1 of words that the model is sure of in these frames."""
    word = np.full(FRAMES, BETWEEN)
    for number, (first, last) in enumerate(sure):
        word[first:last] = number
    voice, star = np.zeros((2, FRAMES), dtype=np.bool_)
    for first, last in voiced:
        voice[first:last] = True
    star[slice(*starred)] = True
    path = BestPath(word, word, np.zeros(FRAMES), np.zeros(len(sure), dtype=np.bool_))
    found = word_edges(path, star, np.full(len(sure), letters), np.repeat(voice, 2), FRAME)
    return [(int(first), int(last)) for first, last in found]


@pytest.mark.parametrize(
    ("sure", "voiced", "expected"),
    [
        ((20, 21), (17, 24), (17, 24)),
        ((20, 21), (0, 40), (15, 26)),
        ((23, 24), (10, 24), (13, 24)),
        ((26, 27), (12, 24), (16, 27)),
        ((28, 29), (12, 24), (28, 29)),
        ((20, 21), (22, 26), (20, 26)),
    ],
    ids=["all voice", "slow speech", "at the end", "said late", "too late", "said early"],
)
def test_a_word_takes_the_voice_beside_it(
    sure: tuple[int, int], voiced: tuple[int, int], expected: tuple[int, int]
) -> None:
    """Three letters take 0.65 s in slow speech: 11 frames of 0.06 s; late is up to 3 frames."""
    assert round(FRAME, 9) == 0.06
    assert edges([sure], [voiced], letters=3) == [expected]


def test_two_words_share_the_voice_between_them() -> None:
    assert edges([(10, 11), (15, 16)], [(8, 18)], letters=3) == [(8, 13), (13, 18)]


def test_another_sound_is_no_part_of_a_word() -> None:
    assert edges([(20, 21)], [(10, 30)], letters=3, starred=(22, 30)) == [(11, 22)]
