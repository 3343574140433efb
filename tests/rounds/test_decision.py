"""The decision table, row by row."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from asrdq.errors import ExitCode
from asrdq.rounds.change import Change
from asrdq.rounds.decision import Code, Decision, Rules, Verdict, decide
from asrdq.rounds.guards import Guard, GuardState, judge_guard


def change(before: float, after: float, half: float, rows: int = 500) -> Change:
    """A change whose interval reaches `half` to both sides."""
    moved = after - before
    return Change(
        metric="ker",
        scope="all rows",
        rows=rows,
        blocks=rows,
        before=before,
        after=after,
        change=moved,
        low=moved - half,
        high=moved + half,
        relative=moved / before,
        relative_low=(moved - half) / before,
        relative_high=(moved + half) / before,
        improvement=0.5,
        error=half / 1.96,
    )


def without(*names: str) -> Change:
    """A change of which some values are not known."""
    unknown: dict[str, Any] = dict.fromkeys(names)
    return replace(change(0.5, 0.3, 0.1), **unknown)


def codes(decision: Decision) -> list[Code]:
    return [reason.code for reason in decision.reasons]


@pytest.mark.parametrize(
    ("before", "after", "half", "verdict", "reason", "code"),
    [
        (0.5, 0.25, 0.1, Verdict.KEEP, Code.TARGET_REACHED, ExitCode.OK),
        (0.5, 0.4, 0.05, Verdict.KEEP, Code.TARGET_REACHED, ExitCode.OK),
        (0.5, 0.45, 0.04, Verdict.GROW, Code.SHORT_OF_TARGET, ExitCode.FAILED),
        (0.5, 0.25, 0.3, Verdict.GROW, Code.CANNOT_TELL, ExitCode.UNDECIDED),
        (0.5, 0.52, 0.1, Verdict.GROW, Code.CANNOT_TELL, ExitCode.UNDECIDED),
        (0.5, 0.6, 0.05, Verdict.OVERFIT, Code.WORSE, ExitCode.FAILED),
    ],
)
def test_the_target_decides(
    before: float, after: float, half: float, verdict: Verdict, reason: Code, code: ExitCode
) -> None:
    found = decide(change(before, after, half))
    assert (found.verdict, codes(found), found.exit_code) == (verdict, [reason], code)


@pytest.mark.parametrize(
    ("former", "after", "verdict"),
    [
        (-0.04, 0.48, Verdict.STOP),
        (-0.06, 0.48, Verdict.GROW),
        (-0.04, 0.47, Verdict.GROW),
        (None, 0.48, Verdict.GROW),
        (0.10, 0.51, Verdict.STOP),
    ],
)
def test_two_rounds_under_five_per_cent(
    former: float | None, after: float, verdict: Verdict
) -> None:
    assert decide(change(0.5, after, 0.1), former_relative=former).verdict is verdict


def test_a_rise_is_not_called_a_negative_drop() -> None:
    told = decide(change(0.5, 0.51, 0.1), former_relative=0.0).reasons[0].message
    assert "2.0% higher, and 0.0% lower in the round before" in told
    same = decide(change(0.5, 0.5, 0.1), former_relative=-0.01).reasons[0].message
    assert "0.0% lower, and 1.0% lower in the round before" in same
    assert "-0.0%" not in same


def test_no_rows_are_not_few_rows() -> None:
    nothing = replace(without("before", "after", "change", "low", "high", "relative"), rows=0)
    assert codes(decide(nothing)) == [Code.NOT_MEASURED]
    assert Code.FEW_ROWS in codes(decide(replace(change(0.5, 0.2, 0.1), rows=99)))


def test_a_round_that_is_worse_is_overfit_even_after_a_round_that_brought_nothing() -> None:
    assert decide(change(0.5, 0.6, 0.05), former_relative=-0.01).verdict is Verdict.OVERFIT


def test_nothing_measured_decides_nothing() -> None:
    found = decide(without("before", "after", "change", "low", "high", "relative"))
    assert (found.verdict, found.exit_code) == (Verdict.UNDECIDED, ExitCode.UNDECIDED)
    assert codes(found) == [Code.NOT_MEASURED]


def test_a_rate_without_an_interval_decides_nothing() -> None:
    assert decide(without("low", "high")).verdict is Verdict.UNDECIDED


def test_a_rate_of_nothing_before_cannot_drop() -> None:
    nothing = replace(change(0.5, 0.5, 0.01), before=0.0, after=0.0, relative=None)
    found = decide(nothing)
    assert (found.verdict, found.exit_code) == (Verdict.GROW, ExitCode.UNDECIDED)


def guard(low: float, high: float) -> Guard:
    return judge_guard(change(0.1, 0.1 + (low + high) / 2, (high - low) / 2), 0.01)


@pytest.mark.parametrize(
    ("low", "high", "state"),
    [
        (-0.02, 0.009, GuardState.HOLDS),
        (0.002, 0.009, GuardState.HOLDS),
        (-0.02, 0.012, GuardState.UNKNOWN),
        (0.005, 0.03, GuardState.UNKNOWN),
        (0.011, 0.03, GuardState.BROKEN),
    ],
)
def test_a_guard_set_is_a_test_of_non_inferiority(
    low: float, high: float, state: GuardState
) -> None:
    assert guard(low, high).state is state


@pytest.mark.parametrize(
    ("limits", "verdict", "code"),
    [
        ((-0.02, 0.005), Verdict.KEEP, ExitCode.OK),
        ((-0.02, 0.015), Verdict.GROW, ExitCode.UNDECIDED),
        ((0.011, 0.03), Verdict.OVERFIT, ExitCode.FAILED),
    ],
)
def test_guards_stand_in_the_same_verdict(
    limits: tuple[float, float], verdict: Verdict, code: ExitCode
) -> None:
    found = decide(change(0.5, 0.25, 0.1), [guard(*limits)])
    assert (found.verdict, found.exit_code) == (verdict, code)


def test_a_guard_without_rows_is_unknown() -> None:
    assert (
        judge_guard(without("before", "after", "change", "low", "high")).state is GuardState.UNKNOWN
    )


def test_few_rows_are_told_with_the_width_of_the_interval() -> None:
    found = decide(change(0.513, 0.128, 0.18, rows=39))
    assert found.reasons[-1].message == (
        "39 rows are fewer than 100: the interval of the change is 0.360 wide"
    )
    assert Code.FEW_ROWS not in codes(decide(change(0.513, 0.128, 0.18, rows=100)))


def test_what_cannot_be_told_says_how_many_rows_would() -> None:
    """(1.9647 + 0.8424) · 0.1 ÷ 1.96 = 0.1432; 500 · (0.1432 ÷ 0.05)² = 4,103."""
    [reason] = decide(change(0.5, 0.45, 0.1)).reasons
    assert "500 rows show a change of 0.143 four times in five" in reason.message
    assert "about 4,103" in reason.message


def test_limits_can_be_moved() -> None:
    found = decide(change(0.5, 0.45, 0.04), rules=Rules(keep=0.05))
    assert found.verdict is Verdict.KEEP
