"""What CI systems read of a verdict: the same answer in every format, whatever the texts hold."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import jsonschema
import pytest
from junitparser import Error, Failure, JUnitXml, Skipped
from tests.gates.sarif_schema import SARIF

from asrdq.gates import (
    GateResult,
    Verdict,
    junit_xml,
    sarif_log,
    step_summary,
    waive,
    workflow_commands,
)
from asrdq.gates.rules import RULES

if TYPE_CHECKING:
    from tests.gates.conftest import Audited

pytestmark = pytest.mark.slow

HOSTILE = (
    "a|b\r\n::error title=x::owned %0A <script>alert(1)</script> \x1b[31m ##[error] `[x](y)` \x00"
)
ONE_LINE = "".join(sign if sign.isprintable() else " " for sign in HOSTILE)
"""What a person may write: no control characters."""


def proceed(audited: Audited) -> GateResult:
    audited.write_audit()
    return audited.ask()


def caution(audited: Audited) -> GateResult:
    audited.write_audit({"noisy": 50})
    return audited.ask()


def stop(audited: Audited) -> GateResult:
    audited.write_audit({"noisy": 200})
    return audited.ask()


def weak(audited: Audited) -> GateResult:
    audited.write_audit(recall=0.5)
    return audited.ask()


def nothing(audited: Audited) -> GateResult:
    return audited.ask()


def waived(audited: Audited) -> GateResult:
    until = dt.datetime.now(dt.UTC).date()
    waive(audited.workspace, "low_recall", owner="Dana", until=until, reason=ONE_LINE)
    return weak(audited)


CASES = {
    "PROCEED": (proceed, Verdict.PROCEED),
    "CAUTION": (caution, Verdict.CAUTION),
    "STOP": (stop, Verdict.STOP),
    "weak": (weak, Verdict.UNDECIDED),
    "no audit": (nothing, Verdict.UNDECIDED),
    "waived": (waived, Verdict.CAUTION),
}


@pytest.mark.parametrize("case", CASES)
def test_every_format_fails_exactly_where_the_exit_code_does(audited: Audited, case: str) -> None:
    ask, verdict = CASES[case]
    result = ask(audited)
    assert result.verdict is verdict
    for strict in (False, True):
        fails = int(verdict.exit_code(fail_on_caution=strict)) != 0
        for name, failing in FAILING.items():
            assert failing(result, strict) == fails, (name, strict)


def junit_fails(result: GateResult, strict: bool) -> bool:
    suite = next(iter(JUnitXml.fromstring(junit_xml(result, fail_on_caution=strict).encode())))
    bad = [c for c in suite if any(isinstance(r, (Failure, Error)) for r in c.result)]
    assert suite.failures + suite.errors == len(bad)
    assert [case.name for case in suite][: len(RULES)] == list(RULES)
    return bool(bad)


def github_fails(result: GateResult, strict: bool) -> bool:
    lines = workflow_commands(result, fail_on_caution=strict).split("\n")
    assert all(re.match(r"::(error|warning|notice) title=[^:,]*::", line) for line in lines)
    return any(line.startswith("::error") for line in lines)


def sarif_fails(result: GateResult, strict: bool) -> bool:
    log = json.loads(sarif_log(result, "policies/default.yaml", fail_on_caution=strict))
    jsonschema.validate(log, SARIF)
    (run,) = log["runs"]
    known = {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    assert {one["ruleId"] for one in run["results"]} <= known
    errors = [one for one in run["results"] if one["level"] == "error"]
    assert (run["invocations"][0]["exitCode"] != 0) == bool(errors)
    return bool(errors)


def summary_fails(result: GateResult, strict: bool) -> bool:
    text = step_summary(result, fail_on_caution=strict)
    return bool(re.search(r"^\| `\w+` \| (failed|undecided) \|", text, re.M))


FAILING: dict[str, Callable[[GateResult, bool], bool]] = {
    "junit": junit_fails,
    "github": github_fails,
    "sarif": sarif_fails,
    "step summary": summary_fails,
}


def test_the_schema_refuses_what_is_no_sarif(audited: Audited) -> None:
    log = json.loads(sarif_log(nothing(audited), "p.yaml"))
    log["runs"][0]["results"][0]["level"] = "fatal"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(log, SARIF)


def test_a_waived_rule_is_skipped_and_suppressed(audited: Audited) -> None:
    result = waived(audited)
    suite = next(iter(JUnitXml.fromstring(junit_xml(result).encode())))
    (skipped,) = [case for case in suite if any(isinstance(r, Skipped) for r in case.result)]
    assert skipped.name == "low_recall"
    assert "by Dana" in skipped.result[0].message
    (run,) = json.loads(sarif_log(result, "p.yaml"))["runs"]
    hidden = [one for one in run["results"] if "suppressions" in one]
    assert {one["ruleId"] for one in hidden} == {"low_recall"}
    assert ONE_LINE.strip() in hidden[0]["suppressions"][0]["justification"]


def bad_clips(row: dict[str, Any]) -> None:
    row["text"], row["utt_id"] = HOSTILE, f"{row['utt_id']}\n::error::x"


def test_hostile_texts_break_out_of_no_format(audited: Audited) -> None:
    until = dt.datetime.now(dt.UTC).date()
    waive(audited.workspace, "low_recall", owner=ONE_LINE, until=until, reason=ONE_LINE)
    audited.write_audit({"noisy": 200}, recall=0.5, change=bad_clips)
    result = audited.ask()
    assert ONE_LINE.strip()[:10] in str(result.waived[0])
    lines = workflow_commands(result).split("\n")
    assert all(re.match(r"::(error|warning|notice) title=[^:,]*::", line) for line in lines)
    told = [line for line in lines if "owned" in line]
    assert told
    assert all("::error title=x::owned %250A" in line for line in told)
    assert not any("##[" in line or "\x1b" in line or "\r" in line for line in lines)
    xml = junit_xml(result)
    assert ElementTree.fromstring(xml.encode()).tag == "testsuites"
    assert "<script>" not in xml
    text = step_summary(result)
    assert "<script>" not in text
    assert "&lt;script&gt;" in text
    assert not [line for line in text.split("\n") if line.startswith(("::", "a|b"))]
    rows = [line for line in text.split("\n") if line.startswith("| `")]
    assert all(len(re.findall(r"(?<!\\)\|", row)) == 7 for row in rows)
    jsonschema.validate(json.loads(sarif_log(result, "a b/ö.yaml")), SARIF)
    assert not [line for line in result.summary().split("\n") if line.lstrip().startswith("::")]


@pytest.mark.slow
def test_the_command_has_one_exit_code_in_every_format(
    audited: Audited, run_cli: Any, tmp_path: Path
) -> None:
    audited.write_audit({"noisy": 200})
    where = ["-w", audited.workspace.root]
    page = tmp_path / "summary.md"
    for number, output in enumerate(("table", "json", "markdown", "junit", "github", "sarif")):
        env = {"GITHUB_STEP_SUMMARY": str(page)}
        done = run_cli("gate", "train", "-f", output, *where, code=1, env=env)
        assert "STOP" in done.stdout
        assert page.read_text().count("## STOP for train\\@0\n") == number + 1
    plain = run_cli("gate", "train", *where, code=1, env={"GITHUB_ACTIONS": "true"})
    assert plain.stdout.startswith("::error title=asrdq gate%3A rate::")
    broken = {"GITHUB_STEP_SUMMARY": str(tmp_path)}
    done = run_cli("gate", "train", "-f", "junit", *where, code=1, env=broken)
    assert "cannot be written" in done.stderr
    assert ElementTree.fromstring(done.stdout).tag == "testsuites"
