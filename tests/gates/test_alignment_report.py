"""The report that teams query with jq."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from asrdq.cli.app import run
from asrdq.errors import ExitCode, ToolError, UsageError
from asrdq.gates import evaluate_gate
from asrdq.gates.policy import Policy, read_policy
from asrdq.shipped import shipped_file

if TYPE_CHECKING:
    from tests.gates.conftest import Audited

pytestmark = pytest.mark.slow


def report(audited: Audited) -> dict[str, Any]:
    evaluate_gate(audited.workspace, audited.manifest)
    path = audited.workspace.root / "reports" / "alignment_report.json"
    body: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return body


def test_the_familiar_names_are_there_with_their_values(audited: Audited) -> None:
    audited.write_audit({"noisy": 30, "clean": 2})
    body = report(audited)
    assert body["schema_version"] == 1
    assert body["total_samples"] == 400
    assert body["low_quality_count"] == 32
    assert body["low_quality_percentage"] == pytest.approx(8.0)
    assert body["decision"] == "PROCEED"
    assert body["recommendation"] == "The data is fit to train on."
    # 32 clips at 0.4 and 368 at 0.9.
    assert body["coverage_distribution"] == pytest.approx(
        {"p10": 0.9, "p25": 0.9, "p50": 0.9, "p75": 0.9, "p90": 0.9, "mean": 0.86}
    )
    noisy = body["domain_statistics"]["noisy"]
    assert noisy["total_samples"] == 300
    assert noisy["low_quality_percentage"] == pytest.approx(10.0)
    assert noisy["mean_coverage"] == pytest.approx(0.85)
    assert noisy["length_mismatch_percentage"] == 0.0
    assert len(body["detailed_metrics"]) == 400
    assert body["detailed_metrics"][0]["coverage"] in (0.4, 0.9)


def test_a_report_stands_under_its_manifests_name_and_as_the_newest(audited: Audited) -> None:
    audited.write_audit()
    body = report(audited)
    named = audited.workspace.root / "reports" / "train.alignment_report.json"
    assert json.loads(named.read_text(encoding="utf-8")) == body
    [decision] = audited.workspace.read("decisions").to_pylist()
    assert decision["report"] == str(named)


def test_a_gate_that_fails_leaves_no_former_decision(audited: Audited) -> None:
    audited.write_audit()
    reports = audited.workspace.root / "reports"
    policy = audited.folder / "wrong.yaml"
    policy.write_text("audit: {caution: 0.1}\n", encoding="utf-8")
    assert report(audited)["decision"] == "PROCEED"
    with pytest.raises(UsageError):
        evaluate_gate(audited.workspace, audited.manifest, policy_file=policy)
    assert list(reports.glob("*alignment_report.json")) == []


def test_a_gate_about_no_manifest_leaves_the_reports_of_others_alone(audited: Audited) -> None:
    audited.write_audit()
    assert report(audited)["decision"] == "PROCEED"
    root = audited.workspace.root
    assert run(["gate", "trian", "--workspace", str(root)]) == ExitCode.USAGE
    left = [path.name for path in (root / "reports").glob("*alignment_report.json")]
    assert left == ["train.alignment_report.json"]
    assert run(["gate", "train@99", "--workspace", str(root)]) == ExitCode.USAGE
    assert list((root / "reports").glob("*alignment_report.json")) == []


def test_a_report_that_cannot_be_removed_stops_the_gate(audited: Audited) -> None:
    audited.write_audit()
    (audited.workspace.root / "reports" / "alignment_report.json").mkdir(parents=True)
    with pytest.raises(ToolError, match="cannot be removed"):
        audited.ask()


def test_wrong_stated_durations_are_counted(audited: Audited) -> None:
    audited.write_audit({"clean": 7}, change=with_another_duration)
    body = report(audited)
    assert body["duration_differs_count"] == 7
    assert body["length_mismatch_count"] == 0
    assert body["domain_statistics"]["clean"]["plain_facts"] == {"duration_differs": 7}
    assert body["domain_statistics"]["noisy"]["plain_facts"] == {}
    assert "7 have another duration than the manifest states" in audited.ask().summary()


def with_another_duration(row: dict[str, Any]) -> None:
    if row["low_quality"]:
        row["reasons"] = ["duration_differs"]


def test_ours_beside_them(audited: Audited) -> None:
    run_id = audited.write_audit({"noisy": 30, "clean": 2})
    body = report(audited)
    assert body["fingerprint"] == audited.manifest.fingerprint
    assert body["audit_run_id"] == run_id
    assert body["population_rate"]["rate"] == pytest.approx(0.08)
    assert body["corrected_rate"]["low"] <= body["corrected_rate"]["rate"]
    assert body["instrument"] == {
        "found": 700.0,
        "planted": 700.0,
        "false_alarms": 1.0,
        "untouched": 100.0,
    }
    assert {row["fault"] for row in body["detections"]} >= {"swapped_text", "untouched"}


def test_without_an_audit_the_report_says_undecided(audited: Audited) -> None:
    body = report(audited)
    assert (body["decision"], body["total_samples"]) == ("UNDECIDED", 0)
    assert body["low_quality_percentage"] is None
    assert "asrdq audit train" in body["recommendation"]


def test_an_older_report_does_not_outlive_a_new_verdict(audited: Audited) -> None:
    audited.write_audit()
    assert report(audited)["decision"] == "PROCEED"
    (audited.folder / "clip-0001.wav").write_bytes(b"changed")
    assert report(audited)["decision"] == "UNDECIDED"


def test_the_shipped_policy_states_the_defaults() -> None:
    assert read_policy(shipped_file("policies", "default.yaml")) == Policy()
