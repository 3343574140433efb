"""Verdicts on whole evidence, and a row for everything that must never PROCEED."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from asrdq.errors import ExitCode, UsageError
from asrdq.gates import Verdict, evaluate_gate
from asrdq.gates.decision import band
from asrdq.gates.policy_sections import AuditRules
from asrdq.sampling import SamplingPlan
from asrdq.sampling.estimators import Limit

if TYPE_CHECKING:
    from tests.gates.conftest import Audited

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("low", "rate", "verdict", "code"),
    [
        ({"noisy": 30, "clean": 9}, 0.0975, "PROCEED", 0),
        ({"noisy": 30, "clean": 10}, 0.10, "CAUTION", 0),
        ({"noisy": 50, "clean": 10}, 0.15, "CAUTION", 0),
        ({"noisy": 51, "clean": 10}, 0.1525, "STOP", 1),
    ],
)
def test_the_bands(
    audited: Audited, low: dict[str, int], rate: float, verdict: str, code: int
) -> None:
    """The whole manifest is audited, so the rate is exact."""
    audited.write_audit(low)
    result = audited.ask()
    assert result.rate.value == pytest.approx(rate)
    assert (result.verdict, result.verdict.exit_code()) == (verdict, code)


def test_caution_can_be_made_to_fail() -> None:
    assert Verdict.CAUTION.exit_code(fail_on_caution=True) is ExitCode.FAILED
    assert Verdict.UNDECIDED.exit_code() is ExitCode.UNDECIDED


def test_limits_belong_to_caution() -> None:
    found = [band(rate, AuditRules()) for rate in (0.0999, 0.10, 0.15, 0.1501)]
    assert found == ["PROCEED", "CAUTION", "CAUTION", "STOP"]


def test_an_interval_over_a_limit_is_undecided_and_says_what_would_decide(
    audited: Audited,
) -> None:
    audited.write_audit({"noisy": 6, "clean": 1}, plan=SamplingPlan("domain", rows=80))
    result = audited.ask()
    [reason] = result.reasons
    assert (result.verdict, reason.code) == ("UNDECIDED", "straddles")
    assert result.to_decide is not None
    assert result.to_decide.total is not None
    assert f"{result.to_decide.total:,} more clips" in reason.hint


@pytest.mark.parametrize("name", ["population", "sample", "corrected"])
def test_what_would_decide_is_about_the_rate_that_decides(audited: Audited, name: str) -> None:
    """Forty of each stratum: 11.9 % of the manifest, 8.75 % of the sample, 11.0 % corrected."""
    plan = SamplingPlan("domain", allocation="equal", rows=80)
    audited.write_audit({"noisy": 6, "clean": 1}, plan=plan)
    rules = f"rate: {name}, caution_from: 0.05, stop_above: 0.06"
    result = audited.ask(f"audit: {{{rules}}}")
    more = result.to_decide
    assert result.verdict is Verdict.UNDECIDED
    assert more is not None
    assert more.expected is not None
    assert more.expected.value == pytest.approx(result.rate.value, abs=0.006)
    assert not more.expected.straddles(Limit(0.06, belongs_below=True))


def test_without_confidence_the_bare_rate_decides(audited: Audited) -> None:
    audited.write_audit({"noisy": 6, "clean": 1}, plan=SamplingPlan("domain", rows=80))
    assert audited.ask("audit: {confidence: null}").verdict is Verdict.PROCEED


def test_the_policy_chooses_the_rate(audited: Audited) -> None:
    # Equal allocation: 20 of 100 noisy and 2 of 100 clean: sample rate 11 %, population 15.5 %.
    plan = SamplingPlan("domain", allocation="equal", rows=200)
    audited.write_audit({"noisy": 20, "clean": 2}, plan=plan)
    bare = "audit: {confidence: null, rate: %s}"
    by_sample, by_population = audited.ask(bare % "sample"), audited.ask(bare % "population")
    assert (by_sample.rate.value, by_sample.verdict) == (pytest.approx(0.11), "CAUTION")
    assert (by_population.rate.value, by_population.verdict) == (pytest.approx(0.155), "STOP")
    # (0.155 - 0.01) / (1 - 0.01) by Rogan and Gladen, with perfect recall.
    corrected = audited.ask(bare % "corrected")
    assert corrected.rate.value == pytest.approx(0.145 / 0.99)


def test_risk_strata_are_named_whatever_the_verdict(audited: Audited) -> None:
    audited.write_audit({"noisy": 0, "clean": 21})
    result = audited.ask()
    assert (result.verdict, result.risks) == ("PROCEED", ("clean",))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("audit: {caution_form: 0.1}", "did you mean 'caution_from'"),
        ("audit: {caution_from: 0.3}", "lies above stop_above"),
        ("audit: {rate: mean}", "audit.rate"),
        ("version: 2", "version"),
        ("audit: [", "not valid YAML"),
    ],
)
def test_a_broken_policy_is_refused(audited: Audited, text: str, message: str) -> None:
    audited.write_audit()
    with pytest.raises(UsageError, match=message):
        audited.ask(text)


def test_a_missing_policy_is_refused(audited: Audited) -> None:
    with pytest.raises(UsageError, match="no such file"):
        evaluate_gate(audited.workspace, audited.manifest, policy_file=Path("nowhere.yaml"))


def test_the_policy_is_remembered_wherever_one_stood(
    audited: Audited, monkeypatch: pytest.MonkeyPatch
) -> None:
    audited.write_audit()
    file = audited.folder / "own.yaml"
    file.write_text("audit: {confidence: null}", encoding="utf-8")
    monkeypatch.chdir(audited.folder)
    evaluate_gate(audited.workspace, audited.manifest, policy_file=Path("own.yaml"))
    assert audited.workspace.read("decisions")["policy"].to_pylist() == [str(file.resolve())]
    [run] = audited.workspace.query(
        "SELECT parameters FROM runs WHERE command = 'gate'"
    ).to_pylist()
    assert json.loads(run["parameters"])["policy"] == str(file.resolve())


def test_every_verdict_is_a_row_of_decisions(audited: Audited) -> None:
    audited.ask()
    run_id = audited.write_audit()
    audited.ask()
    rows = audited.workspace.read("decisions").sort_by("decided").to_pylist()
    assert [row["verdict"] for row in rows] == ["UNDECIDED", "PROCEED"]
    assert rows[1]["fingerprint"] == audited.manifest.fingerprint
    assert rows[1]["audit_run_id"] == run_id
