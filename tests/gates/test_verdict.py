"""Verdicts on whole evidence, and a row for everything that must never PROCEED."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from asrdq.errors import ExitCode, UsageError
from asrdq.gates import GateResult, Verdict, evaluate_gate
from asrdq.gates.decision import band
from asrdq.gates.policy import AuditRules
from asrdq.manifests import ingest_manifest
from asrdq.sampling import SamplingPlan

if TYPE_CHECKING:
    from tests.gates.conftest import Audited


def ask(audited: Audited, policy: str | None = None) -> GateResult:
    file = None
    if policy is not None:
        file = audited.folder / "policy.yaml"
        file.write_text(policy, encoding="utf-8")
    return evaluate_gate(audited.workspace, audited.manifest, policy_file=file)


def codes(result: GateResult) -> set[str]:
    return {reason.code for reason in result.reasons}


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
    result = ask(audited)
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
    result = ask(audited)
    assert (result.verdict, codes(result)) == ("UNDECIDED", {"straddles"})
    assert result.to_decide is not None
    assert result.to_decide.total is not None
    assert f"{result.to_decide.total:,} more clips" in result.reasons[0].hint


def test_without_confidence_the_bare_rate_decides(audited: Audited) -> None:
    audited.write_audit({"noisy": 6, "clean": 1}, plan=SamplingPlan("domain", rows=80))
    assert ask(audited, "audit: {confidence: null}").verdict is Verdict.PROCEED


def test_the_policy_chooses_the_rate(audited: Audited) -> None:
    # Equal allocation: 20 of 100 noisy and 2 of 100 clean: sample rate 11 %, population 15.5 %.
    plan = SamplingPlan("domain", allocation="equal", rows=200)
    audited.write_audit({"noisy": 20, "clean": 2}, plan=plan)
    bare = "audit: {confidence: null, rate: %s}"
    by_sample, by_population = ask(audited, bare % "sample"), ask(audited, bare % "population")
    assert (by_sample.rate.value, by_sample.verdict) == (pytest.approx(0.11), "CAUTION")
    assert (by_population.rate.value, by_population.verdict) == (pytest.approx(0.155), "STOP")
    # (0.155 - 0.01) / (1 - 0.01) by Rogan and Gladen, with perfect recall.
    corrected = ask(audited, bare % "corrected")
    assert corrected.rate.value == pytest.approx(0.145 / 0.99)


def test_risk_strata_are_named_whatever_the_verdict(audited: Audited) -> None:
    audited.write_audit({"noisy": 0, "clean": 21})
    result = ask(audited)
    assert (result.verdict, result.risks) == ("PROCEED", ("clean",))


def set_value(name: str, value: Any, stratum: str = "clean") -> Callable[[dict[str, Any]], None]:
    def change(row: dict[str, Any]) -> None:
        if row["stratum"] == stratum:
            row[name] = value

    return change


def fail_some(count: int, kind: str = "out_of_vocabulary") -> Callable[[dict[str, Any]], None]:
    left = [count]

    def change(row: dict[str, Any]) -> None:
        if left[0] > 0:
            left[0] -= 1
            row.update(instrument=kind, low_quality=None, reasons=[])

    return change


def table_change(name: str, edit: Callable[[pa.Table], pa.Table]) -> dict[str, Any]:
    def change(tables: dict[str, pa.Table]) -> None:
        tables[name] = edit(tables[name])

    return {"tables": change}


def as_text(column: str) -> Callable[[pa.Table], pa.Table]:
    def edit(table: pa.Table) -> pa.Table:
        place = table.schema.get_field_index(column)
        return table.set_column(place, column, table[column].cast(pa.string()))

    return edit


NEVER = {
    "unfinished": ({"state": "interrupted"}, "unfinished_audit"),
    "failed": ({"state": "failed"}, "unfinished_audit"),
    "no audits table": ({"leave_out": ("audits",)}, "missing_table"),
    "empty audits": (table_change("audits", lambda t: t.slice(0, 0)), "empty_table"),
    "missing column": (
        table_change("audits", lambda t: t.drop_columns(["reasons"])),
        "broken_table",
    ),
    "wrong type": (table_change("audits", as_text("coverage")), "broken_table"),
    "wrong truth type": (table_change("audits", as_text("low_quality")), "broken_table"),
    "rows lost": (table_change("audits", lambda t: t.slice(3)), "contradiction"),
    "rows twice": (
        table_change("audits", lambda t: pa.concat_tables([t, t.slice(0, 2)])),
        "contradiction",
    ),
    "NaN coverage": ({"change": set_value("coverage", float("nan"))}, "contradiction"),
    "no coverage": ({"change": set_value("coverage", None)}, "contradiction"),
    "coverage over 1": ({"change": set_value("text_coverage", 1.5)}, "contradiction"),
    "no judgement": ({"change": set_value("low_quality", None)}, "contradiction"),
    "reasons taken away": (
        {"low": {"clean": 5}, "change": set_value("reasons", [])},
        "contradiction",
    ),
    "low quality turned to good": (
        {"low": {"clean": 5}, "change": set_value("low_quality", False)},
        "contradiction",
    ),
    "instrument unknown": ({"change": set_value("instrument", None)}, "contradiction"),
    "another stratum": ({"change": set_value("stratum", "invented")}, "contradiction"),
    "instrument failed": ({"change": fail_some(9)}, "instrument_failed"),
    "a stratum without a clip": (
        {
            "plan": SamplingPlan(
                "domain", allocation="shares", rows=50, shares={"noisy": 1.0, "clean": 0.0}
            )
        },
        "stratum_without_clip",
    ),
    "too weak": (
        {
            "calibration": {"clean": "too_weak"},
            "change": lambda row: row.update(
                **(
                    {"instrument": "too_weak", "low_quality": None, "reasons": []}
                    if row["stratum"] == "clean"
                    else {}
                )
            ),
        },
        "too_weak",
    ),
    "shipped thresholds": ({"calibration": {"noisy": "shipped"}}, "unproven"),
    "not calibrated": ({"leave_out": ("calibrations",)}, "unproven"),
    "no planted faults": ({"leave_out": ("detections",)}, "unproven"),
    "recall below the floor": ({"recall": 0.7}, "low_recall"),
    "broken detections": (
        table_change("detections", lambda t: t.drop_columns(["found"])),
        "broken_table",
    ),
}


@pytest.mark.parametrize("case", NEVER)
def test_never_proceed(audited: Audited, case: str) -> None:
    arguments, code = NEVER[case]
    audited.write_audit(**arguments)
    result = ask(audited)
    assert result.verdict is Verdict.UNDECIDED
    assert code in codes(result)
    assert result.verdict.exit_code() == 4
    assert result.reasons[0].message


def test_the_matrix_breaks_something_that_would_proceed(audited: Audited) -> None:
    audited.write_audit()
    assert ask(audited).verdict is Verdict.PROCEED


def test_two_percent_of_failures_are_allowed_and_counted(audited: Audited) -> None:
    audited.write_audit(change=fail_some(8))
    result = ask(audited)
    assert result.verdict is Verdict.PROCEED
    assert result.measures is not None
    assert (result.measures.audited, result.measures.judged) == (400, 392)


def test_no_audit(audited: Audited) -> None:
    result = ask(audited)
    assert (result.verdict, codes(result)) == ("UNDECIDED", {"no_audit"})
    assert result.reasons[0].hint == "asrdq audit train"


def test_an_audit_of_older_content_does_not_answer(audited: Audited) -> None:
    audited.write_audit()
    assert ask(audited).verdict is Verdict.PROCEED
    file = audited.folder / "train.jsonl"
    file.write_text(
        file.read_text(encoding="utf-8").replace('"a sentence"', '"another sentence"', 1),
        encoding="utf-8",
    )
    ingest_manifest(audited.workspace, [file], "train")
    audited.manifest = audited.workspace.manifest("train")
    result = ask(audited)
    assert (result.verdict, codes(result)) == ("UNDECIDED", {"stale_audit"})
    assert "train@0" in result.reasons[0].message


def test_changed_or_lost_audio_is_found(audited: Audited) -> None:
    audited.write_audit()
    (audited.folder / "clip-0007.wav").write_bytes(b"something else")
    (audited.folder / "clip-0008.wav").unlink()
    result = ask(audited)
    assert (result.verdict, codes(result)) == ("UNDECIDED", {"changed_audio"})
    assert "2 audited clips" in result.reasons[0].message


def test_a_weak_stratum_leaves_a_verdict_on_the_rest(audited: Audited) -> None:
    arguments, _ = NEVER["too weak"]
    audited.write_audit({"noisy": 15}, **arguments)
    result = ask(audited)
    assert result.measures is not None
    assert result.measures.population_rate.value is None
    assert result.measures.judged_strata_rate.value == pytest.approx(0.05)
    assert "'clean'" in result.reasons[0].message
    assert "instrument_failed" not in codes(result)


def test_proof_may_come_from_a_later_faults_run(audited: Audited, faults_found: pa.Table) -> None:
    audited.write_audit(leave_out=("detections",))
    with audited.workspace.run("faults", audited.manifest) as run:
        rows = faults_found.set_column(0, "run_id", pa.repeat(run.run_id, faults_found.num_rows))
        audited.workspace.append("detections", rows)
    result = ask(audited)
    assert (result.verdict, result.evidence.proof_run_id) == ("PROCEED", run.run_id)


def test_a_policy_may_accept_an_unproven_instrument(audited: Audited) -> None:
    audited.write_audit(leave_out=("detections",))
    result = ask(audited, "instrument: {if_unproven: note}")
    assert result.verdict is Verdict.PROCEED
    assert "not proven on this data" in result.notes[0].message


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
        ask(audited, text)


def test_a_missing_policy_is_refused(audited: Audited) -> None:
    with pytest.raises(UsageError, match="no such file"):
        evaluate_gate(audited.workspace, audited.manifest, policy_file=Path("nowhere.yaml"))


def test_every_verdict_is_a_row_of_decisions(audited: Audited) -> None:
    ask(audited)
    run_id = audited.write_audit()
    ask(audited)
    rows = audited.workspace.read("decisions").sort_by("decided").to_pylist()
    assert [row["verdict"] for row in rows] == ["UNDECIDED", "PROCEED"]
    assert rows[1]["fingerprint"] == audited.manifest.fingerprint
    assert rows[1]["audit_run_id"] == run_id
