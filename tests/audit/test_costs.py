"""Hours lost and hours kept, worked out by hand."""

from __future__ import annotations

import dataclasses

import numpy as np
import pyarrow as pa
import pytest
from synthetic import corpus, trials_of

from asrdq.audit.calibration.costs import group_costs, share_of_hours
from asrdq.audit.faults import GROSS, Fault
from asrdq.audit.trials import Trials
from asrdq.sampling.estimators import wilson


def test_a_share_of_equal_hours_is_a_share_of_clips() -> None:
    found = share_of_hours(np.full(20, 0.5), np.arange(20) < 3)
    assert (found.value, found.low, found.high) == pytest.approx(
        (0.15, wilson(3, 20).low, wilson(3, 20).high)
    )


def test_one_long_clip_counts_as_few() -> None:
    """One of 9 h and nine of 1 h are worth 18² ÷ (81 + 9) = 3.6 clips; the long one is half."""
    hours = np.array([9.0] + [1.0] * 9)
    found = share_of_hours(hours, hours > 5)
    expected = wilson(1.8, 3.6)
    assert (found.value, found.low, found.high) == pytest.approx((0.5, expected.low, expected.high))


def test_no_hours_have_no_share() -> None:
    assert share_of_hours(np.empty(0), np.empty(0, np.bool_)).value is None


def timed(trials: Trials) -> Trials:
    """Let clips of even number last 1 h and the others 3 h."""
    seconds = [3600.0 if int(one[-1]) % 2 == 0 else 3 * 3600.0 for one in trials.utt_ids.tolist()]
    at = trials.table.schema.get_field_index("duration_s")
    table = trials.table.set_column(at, "duration_s", pa.array(seconds, pa.float64()))
    return dataclasses.replace(trials, table=table)


def test_good_hours_lost_and_bad_hours_kept() -> None:
    """Of 40 clips, 80 h, two short ones are flagged; of swapped texts two long ones are missed."""
    trials = timed(trials_of(corpus("x", 40, 5), {"x": 4.0}))
    scores = np.where(trials.untouched, 0.0, 5.0)
    low = ~trials.untouched
    low[trials.untouched & np.isin(trials.utt_ids, ["x-000", "x-002"])] = True
    swapped = trials.faults == Fault.SWAPPED_TEXT.value
    low[swapped & np.isin(trials.utt_ids, ["x-001", "x-003"])] = False
    everything = np.ones(len(trials.clips), np.bool_)
    lost, kept = group_costs(trials, scores, low, everything, 800.0)
    assert lost["cost"] == "good hours lost"
    assert (lost["checked_h"], lost["share"]) == (80.0, pytest.approx(2 / 80))
    assert (lost["of_h"], lost["expected_h"]) == (800.0, pytest.approx(20.0))
    assert lost["low"] < lost["share"] < lost["high"]
    assert kept["cost"] == "bad hours kept"
    assert kept["checked_h"] == 80.0 * len(GROSS)
    assert kept["share"] == pytest.approx(6 / 80 / len(GROSS))
    assert (kept["of_h"], kept["expected_h"]) == (0.0, 0.0)
    assert kept["low"] < kept["share"] < kept["high"]


def test_clips_that_are_really_faulty_are_no_hours_lost() -> None:
    """Eight of 40 untouched clips, 16 of 80 h, score as planted ones do and are flagged."""
    trials = timed(trials_of(corpus("x", 40, 5), {"x": 4.0}))
    scores = np.zeros(len(trials.clips))
    scores[~trials.untouched] = np.linspace(5.0, 6.0, int((~trials.untouched).sum()))
    bad = trials.untouched & np.isin(trials.utt_ids, [f"x-{at:03}" for at in range(8)])
    scores[bad] = np.linspace(5.0, 6.0, 8)
    low = ~trials.untouched | bad
    lost, kept = group_costs(trials, scores, low, np.ones(len(low), np.bool_), 100.0)
    assert lost["share"] == pytest.approx(0.0, abs=0.02)
    assert kept["of_h"] == pytest.approx(20.0, abs=1.5)
    assert lost["of_h"] + kept["of_h"] == pytest.approx(100.0)
