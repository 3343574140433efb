"""What the loader uses against what was handed off: rows exactly, hours within one per cent."""

from __future__ import annotations

import pytest

from asrdq.errors import DataError
from asrdq.training.counts import LoaderCounts, check_counts

HANDED = LoaderCounts(1000, 2.0, {"too_long": 3})


@pytest.mark.parametrize(
    ("used", "tolerance"),
    [
        (LoaderCounts(1000, 2.0, {"too_long": 3}), 0.0),
        (LoaderCounts(1000, 1.981, {}), 0.0),
        (LoaderCounts(990, 1.99), 0.01),
        (LoaderCounts(1010, 2.01), 0.01),
        (LoaderCounts(950, 1.9), 0.05),
        (LoaderCounts(710, 1.42), 0.29),
    ],
)
def test_it_passes(used: LoaderCounts, tolerance: float) -> None:
    check_counts("train", used, HANDED, tolerance)


@pytest.mark.parametrize(
    ("used", "tolerance", "told"),
    [
        (
            LoaderCounts(999, 2.0, {"too_long": 3, "unreadable": 1}),
            0.0,
            ["999 rows, and 1,000 were to be left: 1 apart", "unreadable: 1 dropped, 0 expected"],
        ),
        (
            LoaderCounts(1001, 2.0, {"too_long": 2}),
            0.0,
            ["1,001 rows, and 1,000 were to be left: 1 apart", "too_long: 2 dropped, 3 expected"],
        ),
        (LoaderCounts(1000, 1.979), 0.0, ["1.979 hours, and 2 were to be left"]),
        (LoaderCounts(1000, 20.0), 0.05, ["20 hours, and 2 were to be left"]),
        (
            LoaderCounts(989, 2.0, {"too_long": 3}),
            0.01,
            ["989 rows, and 1,000 were to be left: 11 apart"],
        ),
    ],
)
def test_it_is_refused(used: LoaderCounts, tolerance: float, told: list[str]) -> None:
    with pytest.raises(DataError, match="handed off for validation") as caught:
        check_counts("validation", used, HANDED, tolerance)
    assert [problem.message for problem in caught.value.problems] == told
