"""Allocation: vectors by hand, and what must hold for any strata."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asrdq.errors import UsageError
from asrdq.sampling.allocation import StratumSize, allocate

GUIDE = {"whatsapp_noisy": 0.4, "kan_clean": 0.4, "long_tail": 0.2}


def sizes(**rows: int) -> list[StratumSize]:
    return [StratumSize(name, count, count * 3.0 / 3600) for name, count in rows.items()]


def drawn(*args: object, **kwargs: object) -> dict[str, int]:
    return {a.stratum.name: a.drawn_rows for a in allocate(*args, **kwargs)}  # type: ignore[arg-type]


def test_the_shares_of_the_guide() -> None:
    strata = sizes(whatsapp_noisy=12_000, kan_clean=9_000, long_tail=4_000)
    assert drawn(strata, "shares", rows=2500, shares=GUIDE) == {
        "whatsapp_noisy": 1000,
        "kan_clean": 1000,
        "long_tail": 500,
    }


def test_a_short_stratum_gives_all_and_the_rest_is_spread() -> None:
    # long_tail lacks 400 of its 500; 0.4 : 0.4 shares them half and half.
    strata = sizes(whatsapp_noisy=12_000, kan_clean=9_000, long_tail=100)
    got = allocate(strata, "shares", rows=2500, shares=GUIDE)
    assert [a.drawn_rows for a in got] == [1200, 1200, 100]
    assert [a.asked_rows for a in got] == pytest.approx([1000, 1000, 500])


def test_spreading_goes_on_until_nothing_is_left_over() -> None:
    # 100 asked equally of 5, 30, 1000: a third each; 5 is short, then 30 is short as well.
    assert drawn(sizes(a=5, b=30, c=1000), "equal", rows=100) == {"a": 5, "b": 30, "c": 65}


def test_proportional_by_largest_remainder() -> None:
    # 10 of 70, 25 and 5: 7, 2.5 and 0.5; the tied half goes to the first.
    assert drawn(sizes(a=70, b=25, c=5), "proportional", rows=10) == {"a": 6, "b": 3, "c": 1}


def test_more_than_there_is_gives_everything() -> None:
    assert drawn(sizes(a=3, b=4), "equal", rows=100) == {"a": 3, "b": 4}


def test_hours_become_rows_through_the_mean_duration() -> None:
    strata = [StratumSize("short", 1000, 1.0), StratumSize("long", 1000, 9.0)]
    # 1 hour equally: half an hour each is 500 of the short and 55.6 of the long clips.
    assert drawn(strata, "equal", hours=1.0) == {"short": 500, "long": 56}
    # 1 of 10 hours in proportion is a tenth of each.
    assert drawn(strata, "proportional", hours=1.0) == {"short": 100, "long": 100}


def test_hours_without_durations_are_refused() -> None:
    with pytest.raises(UsageError, match="states no durations"):
        allocate([StratumSize("a", 10, 0.0)], "equal", hours=1.0)


def test_wrong_shares_are_refused() -> None:
    with pytest.raises(UsageError, match="no share for b"):
        allocate(sizes(a=5, b=5), "shares", rows=5, shares={"a": 1.0})
    with pytest.raises(UsageError, match="add up to nan"):
        allocate(sizes(a=5), "shares", rows=5, shares={"a": float("nan")})
    with pytest.raises(UsageError, match=r"add up to 0\.9"):
        allocate(sizes(a=5, b=5), "shares", rows=5, shares={"a": 0.5, "b": 0.4})
    with pytest.raises(UsageError, match="share of b is below 0"):
        allocate(sizes(a=5, b=5), "shares", rows=5, shares={"a": 1.5, "b": -0.5})


@given(
    st.lists(st.integers(1, 500), min_size=1, max_size=12),
    st.sampled_from(["proportional", "equal"]),
    st.integers(1, 3000),
)
def test_totals_are_exact_and_no_stratum_is_forgotten(
    rows: list[int], method: str, wanted: int
) -> None:
    strata = [StratumSize(str(i), count, 1.0) for i, count in enumerate(rows)]
    got = allocate(strata, method, rows=wanted)  # type: ignore[arg-type]
    assert sum(a.drawn_rows for a in got) == min(wanted, sum(rows))
    assert all(0 <= a.drawn_rows <= a.stratum.rows for a in got)
    if wanted >= len(rows):
        assert all(a.drawn_rows >= 1 for a in got)
