"""Draws from a real workspace: strata, stability, stored tables, and users' mistakes."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from asrdq.errors import DataError, UsageError
from asrdq.sampling import SamplingPlan, draw_sample, latest_sample
from asrdq.settings import StratumRule

if TYPE_CHECKING:
    from asrdq.workspace import ManifestVersion, Workspace

pytestmark = pytest.mark.slow

Ingest = Callable[[list[dict[str, Any]]], "ManifestVersion"]


def clip(number: int, **columns: Any) -> dict[str, Any]:
    """A NeMo row with an id of its own."""
    return {
        "id": f"clip-{number:05d}",
        "audio_filepath": f"audio/{number:05d}.wav",
        "text": f"sentence number {number}",
        "duration": 2.0,
        **columns,
    }


def rows(count: int, start: int = 0) -> list[dict[str, Any]]:
    domains = ["phone", "phone", "studio", None]
    return [clip(n, domain=domains[n % 4], take=n % 2) for n in range(start, start + count)]


def drawn_ids(result: Any, stratum: str | None = None) -> list[str]:
    return [
        row["utt_id"]
        for row in result.clips.to_pylist()
        if stratum is None or row["stratum"] == stratum
    ]


def test_strata_of_a_column_name_the_rows_without_a_value(
    workspace: Workspace, ingest: Ingest
) -> None:
    result = draw_sample(workspace, ingest(rows(400)), SamplingPlan("domain", fraction=0.1))
    got = {row["stratum"]: row["drawn_rows"] for row in result.strata.to_pylist()}
    assert got == {"(none)": 10, "phone": 20, "studio": 10}
    assert Counter(row["stratum"] for row in result.clips.to_pylist()) == got
    assert sum(1 / row["inclusion_probability"] for row in result.clips.to_pylist()) == (
        pytest.approx(400)
    )


def test_strata_of_several_columns(workspace: Workspace, ingest: Ingest) -> None:
    plan = SamplingPlan(["domain", "take"], allocation="equal", rows=8)
    result = draw_sample(workspace, ingest(rows(400)), plan)
    assert [(r["stratum"], r["drawn_rows"]) for r in result.strata.to_pylist()] == [
        ("(none) / 1", 2),
        ("phone / 0", 2),
        ("phone / 1", 2),
        ("studio / 0", 2),
    ]


def test_the_first_rule_that_holds_takes_the_row(workspace: Workspace, ingest: Ingest) -> None:
    plan = SamplingPlan(
        [
            StratumRule(name="whatsapp", where="domain = 'phone' -- noisy", share=0.4),
            StratumRule(name="late", where="utt_id >= 'clip-00200' AND duration_s < 5", share=0.4),
            StratumRule(name="tail", share=0.2),
        ],
        allocation="shares",
        rows=50,
    )
    result = draw_sample(workspace, ingest(rows(400)), plan)
    assert [
        (r["stratum"], r["population_rows"], r["drawn_rows"]) for r in result.strata.to_pylist()
    ] == [("late", 100, 20), ("tail", 100, 10), ("whatsapp", 200, 20)]


def test_the_order_of_rows_does_not_matter(workspace: Workspace, ingest: Ingest) -> None:
    plan = SamplingPlan("domain", fraction=0.1)
    first = draw_sample(workspace, ingest(rows(300)), plan)
    shuffled = [*rows(300), clip(999, domain="studio", take=0)]
    random.Random(3).shuffle(shuffled)
    ingest(shuffled)
    again = draw_sample(
        workspace, ingest([row for row in shuffled if row["id"] != "clip-00999"]), plan
    )
    assert drawn_ids(again) == drawn_ids(first)


def test_appended_rows_keep_the_old_order(workspace: Workspace, ingest: Ingest) -> None:
    """Of the old rows, the new sample has those that came first in the old draw."""
    plan = SamplingPlan("domain", allocation="equal", rows=60)
    old = draw_sample(workspace, ingest(rows(200)), plan)
    new = draw_sample(workspace, ingest(rows(300)), plan)
    for stratum in ("phone", "studio", "(none)"):
        before, after = drawn_ids(old, stratum), drawn_ids(new, stratum)
        kept = [utt_id for utt_id in after if utt_id < "clip-00200"]
        assert kept
        assert kept == before[: len(kept)]


def test_the_seed_decides(workspace: Workspace, ingest: Ingest) -> None:
    train = ingest(rows(400))
    one = draw_sample(workspace, train, SamplingPlan(rows=40, seed=1))
    same = draw_sample(workspace, train, SamplingPlan(rows=40, seed=1))
    other = draw_sample(workspace, train, SamplingPlan(rows=40, seed=2))
    assert drawn_ids(one) == drawn_ids(same)
    assert drawn_ids(one) != drawn_ids(other)
    assert [row["rank"] for row in one.clips.to_pylist()] == list(range(1, 41))


def test_a_larger_sample_contains_the_smaller_one(workspace: Workspace, ingest: Ingest) -> None:
    train = ingest(rows(400))
    small = draw_sample(workspace, train, SamplingPlan("domain", rows=20))
    large = draw_sample(workspace, train, SamplingPlan("domain", rows=80))
    assert set(drawn_ids(small)) <= set(drawn_ids(large))


def test_the_latest_sample_of_this_very_content_is_found(
    workspace: Workspace, ingest: Ingest
) -> None:
    train = ingest(rows(100))
    assert latest_sample(workspace, train) is None
    draw_sample(workspace, train, SamplingPlan("domain", rows=10, seed=1))
    newest = draw_sample(workspace, train, SamplingPlan("domain", rows=20, seed=2))
    found = latest_sample(workspace, train)
    assert found is not None
    assert (found.run_id, found.plan.seed) == (newest.run_id, 2)
    assert found.strata.equals(newest.strata)
    assert found.clips.equals(newest.clips)
    assert latest_sample(workspace, ingest(rows(120))) is None


@pytest.mark.parametrize(
    ("strata", "message"),
    [
        ("domian", "did you mean 'domain'"),
        (["domain", "taek"], "did you mean 'take'"),
        ([StratumRule(name="a", where="domian = 'x'"), StratumRule(name="b")], "'domain'"),
        ([StratumRule(name="a", where="domain =")], "not a SQL condition"),
        ([StratumRule(name="a", where="true), (false")], "not one condition"),
        ([StratumRule(name="a", where="true; DROP TABLE x")], "not"),
        ([StratumRule(name="a", where="domain IN (SELECT text FROM train)")], "a subquery"),
        ([StratumRule(name="a", where="row_number() OVER () < 5")], "a window function"),
        ([StratumRule(name="a"), StratumRule(name="b", where="true")], "takes the rest"),
        ([StratumRule(name="a", where="true"), StratumRule(name="a")], "two strata rules"),
        ([StratumRule(name="a", where="domain = 'phone'")], "200 of 400 rows fall under no"),
    ],
)
def test_mistakes_in_strata_read_well(
    workspace: Workspace, ingest: Ingest, strata: Any, message: str
) -> None:
    train = ingest(rows(400))
    with pytest.raises(UsageError, match=message):
        draw_sample(workspace, train, SamplingPlan(strata, rows=10))


def test_a_condition_cannot_read_files(workspace: Workspace, ingest: Ingest) -> None:
    secret = workspace.root / "secret.csv"
    secret.write_text("a\n1\n", encoding="utf-8")
    for where in (f"(SELECT count(*) FROM '{secret}') > 0", f"len(read_text('{secret}')) > 0"):
        with pytest.raises(UsageError):
            draw_sample(
                workspace,
                ingest(rows(20)),
                SamplingPlan([StratumRule(name="a", where=where)], rows=5),
            )


@pytest.mark.parametrize(
    "sizes",
    [
        *({}, {"rows": 5, "fraction": 0.1}, {"rows": 0}, {"fraction": 1.5}, {"hours": -1.0}),
        *({"hours": float("nan")}, {"hours": float("inf")}, {"fraction": float("nan")}),
    ],
)
def test_a_plan_needs_one_possible_size(sizes: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        SamplingPlan(**sizes)


def test_a_sample_without_a_clip_is_a_failed_run(workspace: Workspace, ingest: Ingest) -> None:
    train = ingest(rows(40))
    with pytest.raises(DataError, match="not one clip of train@0"):
        draw_sample(workspace, train, SamplingPlan("domain", hours=1e-6))
    assert workspace.read("runs", "command = 'sample'")["state"].to_pylist() == ["failed"]
    assert latest_sample(workspace, train) is None
    assert not workspace.table_exists("samples")
