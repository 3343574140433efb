"""Which stored sample an audit may take, and when it has to draw another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from asrdq.sampling import SamplingPlan, draw_sample, latest_sample, standing_sample
from asrdq.settings import StratumRule
from asrdq.workspace import ManifestVersion, Workspace

pytestmark = pytest.mark.slow

Ingest = Callable[[list[dict[str, Any]]], ManifestVersion]
BY_DOMAIN = SamplingPlan("domain", fraction=0.1)


def rows(count: int, *domains: str) -> list[dict[str, Any]]:
    """NeMo rows with a domain each, in turn."""
    domains = domains or ("phone", "studio")
    return [
        {"audio_filepath": f"{n}.wav", "duration": 2.0, "domain": domains[n % len(domains)]}
        for n in range(count)
    ]


def test_a_sample_that_was_asked_for_stays_whatever_the_settings_say(
    workspace: Workspace, ingest: Ingest
) -> None:
    train = ingest(rows(100))
    asked = draw_sample(workspace, train, SamplingPlan(rows=7))
    assert standing_sample(workspace, train, BY_DOMAIN).run_id == asked.run_id


def test_a_sample_by_the_settings_stays_as_long_as_they_do(
    workspace: Workspace, ingest: Ingest
) -> None:
    train = ingest(rows(100))
    first = standing_sample(workspace, train, BY_DOMAIN)
    assert standing_sample(workspace, train, BY_DOMAIN).run_id == first.run_id
    larger = standing_sample(workspace, train, SamplingPlan("domain", fraction=0.5))
    assert larger.run_id != first.run_id
    assert larger.clips.num_rows == 50
    reseeded = standing_sample(workspace, train, SamplingPlan("domain", fraction=0.5, seed=7))
    assert reseeded.clips["utt_id"].to_pylist() != larger.clips["utt_id"].to_pylist()


def test_a_sample_by_rules_is_found_again(workspace: Workspace, ingest: Ingest) -> None:
    rules = [StratumRule(name="phone", where="domain = 'phone'"), StratumRule(name="rest")]
    train = ingest(rows(100))
    first = standing_sample(workspace, train, SamplingPlan(rules, rows=10))
    assert standing_sample(workspace, train, SamplingPlan(rules, rows=10)).run_id == first.run_id


def test_a_sample_ends_with_its_strata(workspace: Workspace, ingest: Ingest) -> None:
    before = ingest(rows(100))
    draw_sample(workspace, before, BY_DOMAIN)
    after = ingest(rows(100, "meeting"))
    assert (after.fingerprint, after.version) == (before.fingerprint, before.version + 1)
    assert latest_sample(workspace, before) is not None
    assert latest_sample(workspace, after) is None
    assert standing_sample(workspace, after, BY_DOMAIN).strata["stratum"].to_pylist() == ["meeting"]


def test_a_sample_ends_where_strata_of_equal_size_change_places(
    workspace: Workspace, ingest: Ingest
) -> None:
    draw_sample(workspace, ingest(rows(100, "phone", "studio")), BY_DOMAIN)
    assert latest_sample(workspace, ingest(rows(100, "studio", "phone"))) is None


def test_a_sample_ends_with_the_column_of_its_strata(workspace: Workspace, ingest: Ingest) -> None:
    draw_sample(workspace, ingest(rows(100)), BY_DOMAIN)
    without = [{k: v for k, v in row.items() if k != "domain"} for row in rows(100)]
    assert latest_sample(workspace, ingest(without)) is None


@pytest.mark.parametrize(("condition", "unmatched"), [("strreet", ["noisy"]), ("phone", [])])
def test_a_rule_without_rows_is_named(
    workspace: Workspace, ingest: Ingest, condition: str, unmatched: list[str]
) -> None:
    rules = [
        StratumRule(name="noisy", where=f"domain = '{condition}'", share=0.5),
        StratumRule(name="rest", share=0.5),
    ]
    plan = SamplingPlan(rules, allocation="shares", rows=20)
    assert draw_sample(workspace, ingest(rows(100)), plan).unmatched_rules() == unmatched
