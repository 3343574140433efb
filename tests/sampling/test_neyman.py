"""Allocation by a former audit's rates, and least numbers of each stratum."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asrdq.audit.tables import AUDITS
from asrdq.errors import UsageError
from asrdq.sampling import SamplingPlan, draw_sample
from asrdq.sampling.allocation import StratumSize, allocate

if TYPE_CHECKING:
    from asrdq.workspace import ManifestVersion, Workspace

Ingest = Callable[[Sequence[dict[str, Any]]], "ManifestVersion"]


def drawn(strata: dict[str, int], method: Any, rows: int, **more: Any) -> list[int]:
    sizes = [StratumSize(name, count, count / 100) for name, count in strata.items()]
    return [each.drawn_rows for each in allocate(sizes, method, rows=rows, **more)]


def test_neyman_is_size_times_deviation() -> None:
    spread = {"a": 0.5, "b": 0.1, "c": 0.2}
    # 500, 400 and 200 of 1100
    assert drawn({"a": 1000, "b": 4000, "c": 1000}, "neyman", 110, deviations=spread) == [
        *(50, 40, 20)
    ]


def test_a_least_number_is_taken_from_the_others_in_proportion() -> None:
    strata = {"a": 700, "b": 200, "c": 100, "d": 3}
    assert drawn(strata, "proportional", 103, at_least_rows=20) == [60, 20, 20, 3]


def test_least_numbers_above_the_sample_are_refused() -> None:
    with pytest.raises(UsageError, match="more than the sample"):
        drawn({"a": 100, "b": 100}, "equal", 30, at_least_rows=20)


@given(
    st.lists(st.integers(1, 500), min_size=1, max_size=8),
    st.integers(0, 10),
    st.integers(0, 200),
    st.sampled_from(["proportional", "equal"]),
)
def test_least_numbers_hold_and_the_sample_keeps_its_size(
    counts: list[int], least: int, extra: int, method: str
) -> None:
    strata = {str(number): count for number, count in enumerate(counts)}
    rows = min(sum(min(least, count) for count in counts) + extra + 1, sum(counts))
    given_rows = drawn(strata, method, rows, at_least_rows=least)
    assert sum(given_rows) == rows
    for count, got in zip(counts, given_rows, strict=True):
        assert min(least, count) <= got <= count


def audited(
    workspace: Workspace, manifest: ManifestVersion, counts: dict[str, tuple[int, int]]
) -> None:
    with workspace.run("audit", manifest) as run:
        lines = [
            {"run_id": run.run_id, "utt_id": f"{name}{n}", "stratum": name, "low_quality": n < low}
            for name, (low, clips) in counts.items()
            for n in range(clips)
        ]
        workspace.append("audits", pa.Table.from_pylist(lines, schema=AUDITS))


def test_a_sample_by_the_rates_of_the_latest_audit(workspace: Workspace, ingest: Ingest) -> None:
    rows = [
        {"audio_filepath": f"{name}{n}.wav", "duration": 1.0, "text": "x", "domain": name}
        for name in ("loud", "clean", "new")
        for n in range(1000)
    ]
    data = ingest(rows)
    plan = SamplingPlan(strata="domain", allocation="neyman", rows=120)
    with pytest.raises(UsageError, match="no audit of train had any of these strata"):
        draw_sample(workspace, data, plan)
    # smoothed rates (49 + 1) / (98 + 2) and (9 + 1) / (98 + 2)
    audited(workspace, data, {"loud": (49, 98), "clean": (9, 98)})
    result = draw_sample(workspace, data, plan)
    got = {row["stratum"]: row["drawn_rows"] for row in result.strata.to_pylist()}
    # deviations 0.5, 0.3 and, of a stratum that no audit saw, 0.5
    assert got == {"loud": 46, "clean": 28, "new": 46}
