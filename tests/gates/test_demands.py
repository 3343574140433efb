"""What a policy demands, judged on real evidence: values by hand, breaches, warnings, waivers."""

from __future__ import annotations

import datetime as dt
import json
import re
import shutil
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
import yaml
from junitparser import JUnitXml
from tests.conftest import RunCli
from tests.gates.sarif_schema import SARIF
from tests.gates.whole import outcome_of

from asrdq.checks import check
from asrdq.cli.gate import document, show
from asrdq.cli.output import Format
from asrdq.errors import UsageError
from asrdq.gates import Verdict, step_summary, waive
from asrdq.gates.formats.outcomes import State, outcomes
from asrdq.gates.rules import is_waivable
from asrdq.leakage import LeakPlan, find_leaks

if TYPE_CHECKING:
    from tests.gates.whole import Whole


pytestmark = pytest.mark.slow


def until_tomorrow() -> dt.date:
    return dt.datetime.now(dt.UTC).date() + dt.timedelta(days=1)


def waived(whole: Whole, name: str) -> None:
    waive(whole.workspace, name, owner="Dana", until=until_tomorrow(), reason="a pilot")


def test_figures_limits_and_evidence_are_those_worked_out_by_hand(whole: Whole) -> None:
    result = whole.ask()
    expected = {
        "amount:minimum_rows": ("40 rows", "at least 40"),
        "amount:minimum_hours": ("0.02222 h", "at least 0.02 h"),  # 40 × 2 s
        "amount:minimum_hours_by:domain": (
            "clean 0.005556 h, noisy 0.01667 h",  # 10 × 2 s and 30 × 2 s
            "at least noisy 0.01 h, clean 0.005 h",
        ),
        "suite:own": ("0 critical and 0 warnings of 3 fail", "no critical failure"),
        "criteria": ("3 of 3 met", "every must"),
    }
    for name, (value, limit) in expected.items():
        found = outcome_of(result, name)
        assert (found.value, found.limit) == (value, limit), name
    # 4 of 12 speakers have one wrong word in each of their 4 rows of 10 words: 16 of 480
    wer = outcome_of(result, "score:test:r1:wer")
    assert (wer.value or "").startswith("0.03333 [")
    # r0 had 2 or 3 wrong words a row by turns: 120 of 480; 0.0333 − 0.25
    change = outcome_of(result, "change:test:r0..r1:wer")
    assert (change.value or "").startswith("-0.2167 [")
    for one in result.judged:
        for source in one.answer.sources:
            assert whole.workspace.query(source.query).num_rows, one.rule


def test_a_decision_holds_every_rule(whole: Whole) -> None:
    whole.ask()
    [row] = whole.workspace.query("SELECT rules, evidence FROM decisions").to_pylist()
    names = {one["rule"] for one in row["rules"]}
    assert {"rate", "suite:own", "leaks:test", "criteria", "age:audit"} <= names
    assert [text.partition(":")[0] for text in row["evidence"]] == [
        *("audit", "check own", "hypotheses r0 on test, part 1"),
        *("hypotheses r1 on test, part 1", "leaks test", "score r0 on test", "score r1 on test"),
    ]


BREACHES = {
    "too few rows": ("amount: {minimum_rows: 41}", "amount:minimum_rows"),
    "too few hours": ("amount: {minimum_hours: 0.03}", "amount:minimum_hours"),
    "too many hours": ("amount: {maximum_hours: 0.02}", "amount:maximum_hours"),
    "too few hours of a value": (
        "amount: {minimum_hours_by: {domain: 0.006}}",
        "amount:minimum_hours_by:domain",
    ),
    "no hours of a value": (
        "amount: {minimum_hours_by: {domain: {studio: 0.001}}}",
        "amount:minimum_hours_by:domain",
    ),
    "too much of a column is shared": (
        "leaks: {against: [test], maximum_same: {domain: 0.5}}",
        "leaks:test",
    ),
    "too high a rate": (
        "scores: [{manifest: test, hyps: r0, maximum: 0.1}]",
        "score:test:r0:wer",
    ),
    "too high a bare rate": (
        "scores: [{manifest: test, hyps: r1, maximum: 0.03, confidence: null}]",
        "score:test:r1:wer",
    ),
    "too low a rate": (
        "scores: [{manifest: test, hyps: r0, metric: wip, minimum: 0.9}]",
        "score:test:r0:wip",
    ),
    "worse than before": (
        "scores: [{manifest: test, hyps: r0, baseline: r1, maximum_increase: 0.01}]",
        "change:test:r1..r0:wer",
    ),
    "relatively worse than before": (
        "scores: [{manifest: test, hyps: r0, baseline: r1, maximum_relative_increase: 0.5,"
        " confidence: null}]",
        "change:test:r1..r0:wer",
    ),
}


@pytest.mark.parametrize("case", BREACHES)
def test_a_breach_stops_and_a_waiver_makes_it_caution(whole: Whole, case: str) -> None:
    text, name = BREACHES[case]
    result = whole.ask_by(text)
    assert result.verdict is Verdict.STOP
    assert result.of_audit is Verdict.PROCEED
    assert result.reasons[0].code == name
    found = outcome_of(result, name)
    assert (found.state, bool(found.value and found.limit and found.evidence)) == (
        State.FAILED,
        True,
    )
    waived(whole, name)
    result = whole.ask()
    assert result.verdict is Verdict.CAUTION
    assert outcome_of(result, name).state is State.WAIVED
    assert "a pilot" in str(result.waived[0])
    [strict] = [one for one in outcomes(result, fail_on_caution=True) if one.rule == name]
    assert strict.state is State.FAILED


def test_an_interval_over_a_limit_is_undecided_and_can_be_waived(whole: Whole) -> None:
    text = "scores: [{manifest: test, hyps: r1, maximum: 0.05}]"  # 0.0333 [0.013, 0.085]
    result = whole.ask_by(text)
    assert result.verdict is Verdict.UNDECIDED
    assert outcome_of(result, "score:test:r1:wer").state is State.UNDECIDED
    assert whole.ask_by(text.replace("0.05}", "0.05, confidence: null}")).verdict is (
        Verdict.PROCEED
    )
    waived(whole, "score:test:r1:wer")
    assert whole.ask_by(text).verdict is Verdict.CAUTION


def test_nobody_can_answer_for_evidence_that_is_not_there(whole: Whole) -> None:
    whole.drop_table("checks")
    waived(whole, "suite:own")
    result = whole.ask("suites")
    assert result.verdict is Verdict.UNDECIDED
    assert outcome_of(result, "suite:own").state is State.UNDECIDED


def test_an_expired_waiver_of_a_demand_is_told(whole: Whole) -> None:
    with pytest.raises(UsageError, match="is past"):
        waive(
            whole.workspace,
            "suite:own",
            owner="Dana",
            until=dt.date(2020, 1, 1),
            reason="a pilot",
        )
    with pytest.raises(UsageError, match="unknown rule 'sute:own'"):
        waived(whole, "sute:own")
    assert is_waivable("age:score:test:r1:wer")
    assert not is_waivable("missing_audio")


def failing_suite(whole: Whole, severity: str) -> None:
    text = (whole.root / "expectations" / "own.json").read_text(encoding="utf-8")
    suite = json.loads(text)
    suite["expectations"][2] |= {"severity": severity}
    suite["expectations"][2]["kwargs"]["max_value"] = 1
    (whole.root / "expectations" / "own.json").write_text(json.dumps(suite))
    check(whole.workspace, whole.train, "own")


@pytest.mark.parametrize(
    ("severity", "fail_on", "verdict"),
    [
        ("warning", "critical", Verdict.CAUTION),
        ("warning", "warning", Verdict.STOP),
        ("critical", "critical", Verdict.STOP),
        ("critical", "warning", Verdict.STOP),
    ],
)
def test_a_failing_suite_by_its_severity(
    whole: Whole, severity: str, fail_on: str, verdict: Verdict
) -> None:
    failing_suite(whole, severity)
    result = whole.ask_by(f"suites: [{{suite: own, fail_on: {fail_on}}}]")
    assert result.verdict is verdict
    counts = "1 critical and 0 warnings" if severity == "critical" else "0 critical and 1 warning"
    found = outcome_of(result, "suite:own")
    assert found.value == f"{counts} of 3 fail"
    assert "(40 rows)" in found.messages()[0]


def test_a_suite_by_its_path(whole: Whole) -> None:
    shutil.copy(whole.root / "expectations" / "own.json", whole.root / "mine.json")
    result = whole.ask_by("suites: [{suite: mine.json}]")
    assert result.verdict is Verdict.PROCEED


def test_leaks_within_a_limit_and_the_train_side_that_is_another(whole: Whole) -> None:
    text = "leaks: {against: [test], maximum_same: {domain: 1.0}}"
    result = whole.ask_by(text)
    assert result.verdict is Verdict.PROCEED
    assert "domain 100.00%" in (outcome_of(result, "leaks:test").value or "")
    itself = whole.ask_by("leaks: {against: [train]}")
    assert itself.verdict is Verdict.UNDECIDED
    assert "compared with itself" in itself.reasons[0].message


def test_the_newest_comparison_that_is_enough_counts(whole: Whole) -> None:
    fewer = LeakPlan(without=["audio"])
    find_leaks(whole.workspace, whole.train, whole.workspace.manifest("test"), fewer)
    assert whole.ask("leaks").verdict is Verdict.PROCEED


def test_criteria_that_are_missed_stop_and_are_named(whole: Whole) -> None:
    whole.edit("policies/criteria.yaml", "value: 10 %", "value: 1 %")
    result = whole.ask("criteria")
    assert result.verdict is Verdict.STOP
    found = outcome_of(result, "criteria")
    assert found.value == "2 of 3 met"
    assert "must wer < 0.01: missed (0.03333)" in found.messages()[0]


def test_criteria_read_the_rate_of_this_very_gate(whole: Whole) -> None:
    whole.edit("policies/criteria.yaml", '"<", value: 5 %', '">", value: 5 %')
    assert whole.ask("criteria").verdict is Verdict.STOP


def test_held_out_criteria_leave_rows_of_training_out(whole: Whole) -> None:
    whole.edit("policies/whole.yaml", "manifest: test}\n", "manifest: test, held_out: true}\n")
    assert whole.ask("criteria").verdict is Verdict.PROCEED


@pytest.mark.parametrize("days", [(29, Verdict.PROCEED), (31, Verdict.UNDECIDED)])
def test_age_counts_from_the_end_of_a_run(whole: Whole, days: tuple[int, Verdict]) -> None:
    ended = dt.datetime.now(dt.UTC) - dt.timedelta(days=days[0])

    def older(row: dict[str, Any]) -> None:
        if row["command"] == "audit" and row["state"] == "done":
            row["ended"] = ended

    whole.change_rows("runs", older)
    result = whole.ask_by("freshness: {audit_days: 30}")
    assert result.verdict is days[1]
    assert outcome_of(result, "age:audit").value == f"{days[0]}.0 days"


def test_the_report_and_the_table_show_every_rule(whole: Whole, run_cli: RunCli) -> None:
    done = run_cli("-w", whole.root, "gate", "train", "-p", whole.policy)
    for name in ("suite:own", "leaks:test", "score:test:r1:wer", "criteria", "age:audit"):
        assert name in done.stdout
    assert "0.03333 [" in done.stdout
    report = json.loads((whole.root / "reports" / "alignment_report.json").read_text())
    rules = {one["rule"]: one for one in report["rules"]}
    suite = rules["suite:own"]
    assert suite["state"] == "holds"
    assert suite["limit"] == "no critical failure"
    [source] = suite["evidence"]
    assert source["table"] == "checks"
    told = run_cli("-w", whole.root, "sql", source["query"], "--format", "json")
    assert len(json.loads(told.stdout)) == 3


HOSTILE = "a|b`\r\n::error title=x::owned, %0A <script>alert(1)</script> \x1b[31m ##[error] [x](y)"


def test_hostile_names_in_a_policy_break_out_of_no_format(
    whole: Whole, capsys: pytest.CaptureFixture[str]
) -> None:
    rules = [{"suite": HOSTILE}, {"suite": "own"}]
    score = {"manifest": "test", "hyps": "r1", "where": {HOSTILE: HOSTILE}, "maximum": 0.1}
    result = whole.ask_by(yaml.safe_dump({"suites": rules, "scores": [score]}))
    assert result.verdict is Verdict.UNDECIDED
    names = [one.rule for one in result.judged]
    assert names[0] == f"suite:{HOSTILE}"
    commands = document(result, "github", "p.yaml", fail_on_caution=False).split("\n")
    assert all(re.match(r"::(error|warning|notice) title=[^:,]*::", line) for line in commands)
    assert len([line for line in commands if "owned" in line]) >= 2
    xml = document(result, "junit", "p.yaml", fail_on_caution=False)
    assert "<script>" not in xml
    cases = [case.name for case in next(iter(JUnitXml.fromstring(xml.encode())))]
    assert any("alert(1)" in name for name in cases)
    jsonschema.validate(json.loads(document(result, "sarif", "p", fail_on_caution=False)), SARIF)
    summary = step_summary(result).split("\n")
    assert not [line for line in summary if line.startswith("::") or "\x1b" in line]
    rows = [line for line in summary if line.startswith("| `")]
    assert all(len(re.findall(r"(?<!\\)\|", row)) == 7 for row in rows)
    show(result, Format.TABLE, fail_on_caution=False)
    show(result, Format.MARKDOWN, fail_on_caution=False)
    assert "\x1b" not in capsys.readouterr().out
