"""The best path against every path there is, written down and added up."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asrdq.alignment.viterbi import BETWEEN, BestPath, best_path, frames_needed

BLANK = 0
Scores = npt.NDArray[np.float32]


def spelled(labels: tuple[int, ...]) -> list[int]:
    """What a row of labels spells: equal neighbours are one, blanks are nothing."""
    return [label for label, _ in itertools.groupby(labels) if label != BLANK]


def brute_force(posteriors: Scores, words: list[list[int]]) -> float:
    """The best score over all rows of labels that spell the words, by trying every one."""
    text = [token for word in words for token in word]
    frames, tokens = posteriors.shape
    scores = [
        float(sum(posteriors[frame, label] for frame, label in enumerate(labels)))
        for labels in itertools.product(range(tokens), repeat=frames)
        if spelled(labels) == text
    ]
    return max(scores, default=-np.inf)


def path_of(posteriors: Scores, words: list[list[int]], price: float = 1e6) -> BestPath | None:
    """Only silence stands between words here, as in plain CTC."""
    return best_path(posteriors, words, BLANK, posteriors[:, BLANK], np.full(len(words), price))


def draw_posteriors(chance: np.random.Generator, frames: int, tokens: int, *, ties: bool) -> Scores:
    if ties:
        return chance.integers(-3, 0, (frames, tokens)).astype(np.float32)
    return np.log(chance.dirichlet(np.ones(tokens), frames)).astype(np.float32)


def labels_on(path: BestPath, words: list[list[int]]) -> tuple[int, ...]:
    text = [token for word in words for token in word]
    return tuple(text[token] if token >= 0 else BLANK for token in path.token)


@given(
    words=st.lists(st.lists(st.integers(1, 2), min_size=1, max_size=2), min_size=1, max_size=3),
    frames=st.integers(1, 7),
    seed=st.integers(0, 2**32 - 1),
    ties=st.booleans(),
)
def test_it_is_the_best_of_all_paths(
    words: list[list[int]], frames: int, seed: int, ties: bool
) -> None:
    posteriors = draw_posteriors(np.random.default_rng(seed), frames, 3, ties=ties)
    path = path_of(posteriors, words)
    best = brute_force(posteriors, words)
    if frames < frames_needed(words):
        assert best == -np.inf
        assert path is None or path.left_out.any()
        return
    assert path is not None and not path.left_out.any()
    labels = labels_on(path, words)
    assert spelled(labels) == [token for word in words for token in word]
    assert path.scores.sum() == pytest.approx(best, abs=1e-4)
    taken = posteriors[np.arange(frames), list(labels)]
    assert path.scores == pytest.approx(taken, abs=1e-6)


def test_equal_tokens_in_a_row_need_a_blank_also_across_words() -> None:
    assert frames_needed([[1, 1], [1]]) == 5
    posteriors = np.log(np.full((5, 2), 0.5)).astype(np.float32)
    path = path_of(posteriors, [[1, 1], [1]])
    assert path is not None
    assert path.token.tolist() == [0, -1, 1, -1, 2]
    assert path.word.tolist() == [0, 0, 0, BETWEEN, 1]
    short = path_of(posteriors[:4], [[1, 1], [1]])
    assert short is None or short.left_out.any()


def brute_force_with_choice(
    posteriors: Scores, words: list[list[int]], between: Scores, price: list[float]
) -> float:
    """The same where words may be left out and other sounds stand between words.

    A row of labels is cut into gap, word, gap, …; a gap between two words that are there may be
    empty if the tokens on its sides differ, a gap where a word is left out may not.
    """
    frames = len(posteriors)
    best = -np.inf
    for there in itertools.product([True, False], repeat=len(words)):
        kept = [word for word, is_there in zip(words, there, strict=True) if is_there]
        cost = sum(one for one, is_there in zip(price, there, strict=True) if not is_there)
        least = least_gaps(words, there)
        for cuts in itertools.combinations_with_replacement(range(frames + 1), 2 * len(kept)):
            edges = [0, *cuts, frames]
            parts = list(itertools.pairwise(edges))
            gaps, inside = parts[::2], parts[1::2]
            if any(b - a < need for (a, b), need in zip(gaps, least, strict=True)):
                continue
            if any(
                a == b and left[-1] == right[0]
                for (a, b), left, right in zip(gaps[1:-1], kept, kept[1:], strict=False)
            ):
                continue
            score = sum(float(between[a:b].sum()) for a, b in gaps) - cost
            for (a, b), word in zip(inside, kept, strict=True):
                score += tight(posteriors[a:b], word)
            best = max(best, score)
    return best


def least_gaps(words: list[list[int]], there: tuple[bool, ...]) -> list[int]:
    """For each gap between words that are there, whether it needs a frame to leave others out."""
    least = [0]
    for is_there in there:
        if is_there:
            least.append(0)
        else:
            least[-1] = 1
    return least


def tight(posteriors: Scores, word: list[int]) -> float:
    """The best score of a word that begins and ends with a token, not a blank."""
    frames, tokens = posteriors.shape
    return max(
        (
            float(sum(posteriors[frame, label] for frame, label in enumerate(labels)))
            for labels in itertools.product(range(tokens), repeat=frames)
            if spelled(labels) == word and labels[0] != BLANK and labels[-1] != BLANK
        ),
        default=-np.inf,
    )


@given(
    words=st.lists(st.lists(st.integers(1, 2), min_size=1, max_size=2), min_size=1, max_size=3),
    frames=st.integers(1, 5),
    seed=st.integers(0, 2**32 - 1),
)
def test_words_left_out_and_other_sounds_are_part_of_the_best_path(
    words: list[list[int]], frames: int, seed: int
) -> None:
    chance = np.random.default_rng(seed)
    posteriors = draw_posteriors(chance, frames, 3, ties=False)
    between = np.log(chance.uniform(0.05, 1.0, frames)).astype(np.float32)
    price = chance.uniform(0.5, 4.0, len(words))
    path = best_path(posteriors, words, BLANK, between, price)
    best = brute_force_with_choice(posteriors, words, between, list(price))
    assert path is not None  # everything can be left out
    found = path.scores.sum() - price[path.left_out].sum()
    assert found == pytest.approx(best, abs=1e-4)
    there = {int(word) for word in path.word if word != BETWEEN}
    assert there == set(np.flatnonzero(~path.left_out).tolist())


def test_of_equal_paths_the_one_that_stays_wins() -> None:
    """All paths are equal here: the token is met as early as can be, and silence follows."""
    posteriors = np.zeros((4, 2), dtype=np.float32)
    path = path_of(posteriors, [[1]])
    assert path is not None
    assert path.token.tolist() == [0, -1, -1, -1]


def test_a_long_text_is_aligned_exactly_where_it_was_put() -> None:
    """2,000 frames, 60 words of five tokens: far more paths than can be tried."""
    chance = np.random.default_rng(3)
    words = chance.integers(1, 20, (60, 5)).tolist()
    labels = np.zeros(2000, dtype=np.int64)
    starts = np.arange(300) * 6 + 20
    labels[starts] = np.ravel(words)
    labels[starts + 1] = np.ravel(words)
    posteriors = np.full((2000, 20), np.log(0.01), dtype=np.float32)
    posteriors[np.arange(2000), labels] = np.log(0.8)
    path = path_of(posteriors, words)
    assert path is not None
    assert np.array_equal(np.where(path.token >= 0, np.ravel(words)[path.token], 0), labels)
    first, last = 7 * 5 * 6 + 20, 7 * 5 * 6 + 20 + 4 * 6 + 1
    assert np.flatnonzero(path.word == 7).tolist() == list(range(first, last + 1))
