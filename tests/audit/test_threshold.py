"""Thresholds on synthetic scores whose truth is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import roc_auc_score

from asrdq.audit.calibration.fitting import confidence_of, separation
from asrdq.audit.calibration.threshold import Scores, Threshold, find_threshold

BUDGET = 0.015
CLIPS, COPIES, SEEDS = 150, 700, 200
DISTANCE = 8.0


def mixture(seed: int, hidden: float, distance: float = DISTANCE) -> tuple[Scores, Scores, int]:
    """Scores of untouched clips, the right ones first, and of planted copies.

    Right clips are standard normal, faults lie at the distance; one in seven does not align.
    """
    chance = np.random.default_rng(seed)
    planted = chance.normal(distance, 1.0, COPIES)
    planted[: COPIES // 7] = np.inf
    faulty = round(hidden * CLIPS)
    right = chance.normal(size=CLIPS - faulty)
    return np.concatenate([right, chance.choice(planted, faulty)]), planted, len(right)


@pytest.mark.parametrize("hidden", [0.0, 0.05, 0.15, 0.20])
def test_the_budget_is_kept_on_right_clips_whatever_hides_among_them(hidden: float) -> None:
    alarms = clips = 0
    shares, missed = [], []
    for seed in range(SEEDS):
        untouched, planted, right = mixture(seed, hidden)
        found = find_threshold(untouched, planted, BUDGET)
        alarms += int((untouched[:right] > found.value).sum())
        clips += right
        shares.append(found.hidden_share)
        missed.append(float((planted <= found.value).mean()))
    four_sigma = 4.0 * math.sqrt(BUDGET * (1 - BUDGET) / clips)
    assert alarms / clips < BUDGET + four_sigma
    assert abs(float(np.mean(shares)) - hidden) < 0.02
    assert float(np.mean(missed)) < 0.01


def test_the_budget_is_used_and_not_only_kept() -> None:
    values = [find_threshold(*mixture(seed, 0.0)[:2], BUDGET).value for seed in range(SEEDS)]
    assert 0.008 < float(np.mean(stats.norm.sf(values))) < BUDGET


def test_real_faults_do_not_move_the_threshold() -> None:
    moved = []
    for seed in range(SEEDS):
        clean = find_threshold(*mixture(seed, 0.0)[:2], BUDGET)
        spoiled = find_threshold(*mixture(seed, 0.15)[:2], BUDGET)
        moved.append(spoiled.value - clean.value)
    # In units of the spread of right clips; a quantile that counts the faults moves by 8.
    assert abs(float(np.mean(moved))) < 0.3
    assert max(map(abs, moved)) < 2.0


def test_a_weak_instrument_takes_its_right_clips_for_faulty_no_more_than_it_must() -> None:
    """Four of ten faults lie beyond a score that one right clip in 80 exceeds.

    Where three of four faults lie, every eleventh right clip does, which alone would say 0.3.
    """
    chance = np.random.default_rng(5)
    untouched = np.concatenate([chance.normal(size=1600), chance.normal(2.0, 1.0, 400)])
    planted = chance.normal(2.0, 1.0, 1000)
    assert abs(find_threshold(untouched, planted, BUDGET).hidden_share - 0.2) < 0.04


def test_an_instrument_that_sees_nothing_takes_most_clips_for_faulty_or_flags_few() -> None:
    chance = np.random.default_rng(0)
    found = find_threshold(chance.normal(size=150), chance.normal(size=700), BUDGET)
    assert math.isfinite(found.value)
    assert 0.0 <= found.hidden_share <= 0.9


def test_where_nothing_aligns_nothing_is_above_the_threshold() -> None:
    nothing = np.full(30, np.inf)
    found = find_threshold(nothing, np.full(100, np.inf), BUDGET)
    assert found.value == math.inf
    assert confidence_of(np.array([math.inf]), found.value)[0] == 0.0


def test_faults_that_never_align_show_the_share_of_clips_that_do_not() -> None:
    untouched = np.concatenate([np.random.default_rng(1).normal(size=85), np.full(15, np.inf)])
    found = find_threshold(untouched, np.full(300, np.inf), BUDGET)
    assert found.hidden_share == pytest.approx(0.15)
    assert 1.5 < found.value < 4.0


@pytest.mark.parametrize("planted", [[], [math.inf], [5.0]])
@pytest.mark.parametrize("untouched", [[0.0], [0.0, 0.0], [0.0, math.inf], [math.inf]])
def test_few_clips_give_a_threshold_and_no_error(
    untouched: list[float], planted: list[float]
) -> None:
    found = find_threshold(np.array(untouched), np.array(planted), BUDGET)
    assert not math.isnan(found.value)
    assert 0.0 <= found.hidden_share <= 0.9


def test_equal_scores_are_not_above_themselves() -> None:
    found = find_threshold(np.zeros(40), np.full(100, 3.0), BUDGET)
    assert found == Threshold(0.0, 0.0)


@pytest.mark.parametrize("budget", [0.2, 0.3, 0.49])
def test_a_generous_budget_begins_at_the_tail(budget: float) -> None:
    untouched, planted, _ = mixture(5, 0.0)
    found = find_threshold(untouched, planted, budget)
    assert found.value == pytest.approx(np.quantile(untouched, 0.8))


SCORES = st.lists(st.sampled_from([-1.0, 0.0, 0.5, 1.0, 2.0, math.inf]), min_size=1, max_size=20)


@given(SCORES, SCORES)
def test_separation_is_the_area_under_the_roc_curve(
    untouched: list[float], planted: list[float]
) -> None:
    labels = [0] * len(untouched) + [1] * len(planted)
    finite = [min(score, 1e9) for score in [*untouched, *planted]]
    area = separation(np.array(untouched), np.array(planted), 0.0)
    assert area == pytest.approx(roc_auc_score(labels, finite))


def test_separation_without_clips_is_unknown() -> None:
    some, none, unscored = np.array([1.0]), np.zeros(0), np.array([np.nan])
    for absent in (none, unscored):
        assert separation(absent, some, 0.0) is None
        assert separation(some, absent, 0.0) is None
    assert separation(np.array([1.0, np.nan]), np.array([np.nan, 2.0]), 0.0) == 1.0


@pytest.mark.parametrize("hidden", [0.05, 0.15, 0.20])
def test_separation_allows_for_the_faults_among_untouched_clips(hidden: float) -> None:
    corrected, clean = [], []
    for seed in range(SEEDS):
        untouched, planted, right = mixture(seed, hidden, distance=2.0)
        corrected.append(separation(untouched, planted, hidden))
        clean.append(separation(untouched[:right], planted, 0.0))
    assert float(np.mean(corrected)) == pytest.approx(float(np.mean(clean)), abs=0.025)
    assert float(np.mean(clean)) > 0.9


def test_confidence_is_half_at_the_threshold_and_falls() -> None:
    scores = np.array([-1e6, -3.0, 0.0, 2.0, 2.5, 1e6, math.inf])
    found = confidence_of(scores, 2.0)
    assert found[3] == 0.5
    assert found[-1] == 0.0
    assert found[0] == 1.0
    assert list(found) == sorted(found, reverse=True)
    # e^0.5 = 1.6487: 1 ÷ 2.6487.
    assert found[4] == pytest.approx(0.37754, abs=1e-5)
    assert np.isnan(confidence_of(np.array([np.nan]), np.nan))[0]
