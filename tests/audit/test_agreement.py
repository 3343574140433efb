"""Two instruments on the same clips."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score
from synthetic import corpus, judged, trials_of

from asrdq.audit.agreement import agreement_tables, boundary_differences_ms, cohens_kappa


def span(start_s: float, end_s: float, plausible: bool = True) -> dict[str, Any]:
    return {"start_s": start_s, "end_s": end_s, "plausible": plausible}


def test_boundaries_are_compared_where_both_placed_the_word() -> None:
    ours = [span(0.0, 0.5), span(0.5, 1.0), span(1.0, 1.0, plausible=False)]
    theirs = [span(0.1, 0.5), span(0.5, 0.97), span(1.0, 1.4)]
    assert boundary_differences_ms(ours, theirs).tolist() == pytest.approx([100.0, 0.0, 0.0, 30.0])


def test_without_an_alignment_there_is_nothing_to_compare() -> None:
    assert boundary_differences_ms([], [span(0.0, 1.0)]).tolist() == []


@pytest.mark.parametrize("table", [(20, 5, 10, 15), (1, 0, 0, 9), (0, 3, 4, 2), (0, 2, 0, 8)])
def test_kappa_is_that_of_scikit_learn(table: tuple[int, int, int, int]) -> None:
    first = [1] * table[0] + [1] * table[1] + [0] * table[2] + [0] * table[3]
    second = [1] * table[0] + [0] * table[1] + [1] * table[2] + [0] * table[3]
    assert cohens_kappa(*table) == pytest.approx(cohen_kappa_score(first, second))


def test_kappa_of_one_kind_of_verdict_is_undefined() -> None:
    assert cohens_kappa(0, 0, 0, 7) is None
    assert cohens_kappa(0, 0, 0, 0) is None


def test_verdicts_are_counted_and_clips_without_one_stand_apart() -> None:
    clips = [*corpus("x", 40, 5), *corpus("y", 40, 5)]
    statuses = {"x-000": "aligner_failed", "x-001": "no_alignment", "y-001": "no_alignment"}
    trials = trials_of(clips, {"x": 4.0, "y": 4.0})
    second = trials_of(clips, {"x": 4.0, "y": 4.0}, statuses)
    (*_, ours), (*_, theirs) = judged(trials), judged(second)
    rows, figures = agreement_tables(
        trials, ours, second, theirs, run_id="r", aligners=("a 1", "b 2")
    )
    found = {row["utt_id"]: row for row in rows.to_pylist()}
    assert len(found) == 80
    assert found["x-000"]["second_instrument"] == "aligner_failed"
    assert found["x-000"]["second_low_quality"] is None
    assert found["x-000"]["agree"] is None
    assert found["x-001"]["second_low_quality"] is True
    assert "no_alignment" in found["x-001"]["second_reasons"]
    assert found["x-001"]["agree"] is found["x-001"]["low_quality"]
    per = {row["stratum"]: row for row in figures.to_pylist()}
    assert set(per) == {"x", "y", None}
    assert [per[name]["not_judged"] for name in ("x", "y", None)] == [1, 0, 1]
    counts = ("both_low", "first_only", "second_only", "neither_low", "not_judged")
    for row in per.values():
        assert sum(row[name] for name in counts) == row["clips"]
    for name in counts:
        assert per["x"][name] + per["y"][name] == per[None][name]
    assert per[None]["second_only"] == sum(
        row["low_quality"] is False and row["second_low_quality"] is True for row in found.values()
    )
    assert per[None]["median_ms"] is None
    assert np.isfinite(per[None]["kappa"])
