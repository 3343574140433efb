"""Evidence of every kind, broken in every way: never PROCEED, and the same in every format."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from junitparser import Error, Failure, JUnitXml
from tests.gates.whole import RULES, write_hypotheses

from asrdq.cli.gate import document, show
from asrdq.cli.output import Format
from asrdq.gates import GateResult, Verdict, step_summary
from asrdq.gates.formats.outcomes import outcomes
from asrdq.hypotheses import load_hypotheses
from asrdq.leakage import LeakPlan, find_leaks
from asrdq.manifests import ingest_manifest

if TYPE_CHECKING:
    from tests.gates.whole import Whole

pytestmark = pytest.mark.slow

Break = Callable[["Whole"], None]


def drop(table: str) -> Break:
    return lambda whole: whole.drop_table(table)


def empty(table: str) -> Break:
    return lambda whole: whole.change_table(table, lambda rows: rows.slice(0, 0))


def lose_rows(table: str, count: int = 1) -> Break:
    return lambda whole: whole.change_table(table, lambda rows: rows.slice(count))


def lose_column(table: str, column: str) -> Break:
    return lambda whole: whole.change_table(table, lambda rows: rows.drop_columns([column]))


def set_values(table: str, **values: Any) -> Break:
    return lambda whole: whole.change_rows(table, lambda row: row.update(values))


def lose_runs(command: str) -> Break:
    def change(runs: pa.Table) -> pa.Table:
        return runs.filter(pc.field("command") != command)

    return lambda whole: whole.change_table("runs", change)


def set_runs(command: str, **values: Any) -> Break:
    def change(row: dict[str, Any]) -> None:
        if row["command"] == command and row["state"] != "running":
            row.update(values)

    return lambda whole: whole.change_rows("runs", change)


def set_parameters(command: str, **values: Any) -> Break:
    def change(row: dict[str, Any]) -> None:
        if row["command"] == command:
            row["parameters"] = json.dumps(json.loads(row["parameters"]) | values)

    return lambda whole: whole.change_rows("runs", change)


def edit(file: str, before: str, after: str) -> Break:
    return lambda whole: whole.edit(file, before, after)


def delete(file: str) -> Break:
    return lambda whole: (whole.root / file).unlink()


def other_test(whole: Whole) -> None:
    whole.ingest_test(text="another text altogether")


def other_train(whole: Whole) -> None:
    text = (whole.audio / "train.jsonl").read_text(encoding="utf-8")
    changed = whole.folder / "train.jsonl"
    changed.write_text(text.replace('"a sentence"', '"another sentence"', 1), encoding="utf-8")
    ingest_manifest(whole.workspace, [changed], "train", audio_root=whole.audio)


def fewer_kinds(whole: Whole) -> None:
    whole.drop_table("leaks")
    whole.drop_table("leak_findings")
    lose_runs("leaks")(whole)
    test = whole.workspace.manifest("test")
    find_leaks(whole.workspace, whole.train, test, LeakPlan(without=["audio"]))


def written_again(whole: Whole) -> None:
    file = write_hypotheses(whole.folder, "r1", lambda number: 0)
    load_hypotheses(whole.workspace, whole.workspace.manifest("test"), file, name="r1")


def one_more_speaker_kind(whole: Whole) -> None:
    whole.edit("policies/whole.yaml", "{against: [test]}", "{against: [test], maximum_term: 0}")
    fewer = LeakPlan(without=["term"])
    find_leaks(whole.workspace, whole.train, whole.workspace.manifest("test"), fewer)
    whole.change_table("runs", lambda runs: runs.filter(_newest_leaks(runs)))


def _newest_leaks(runs: pa.Table) -> pa.Expression:
    ids = [row["run_id"] for row in runs.to_pylist() if row["command"] == "leaks"]
    return (pc.field("command") != "leaks") | (pc.field("run_id") == max(ids))


FAULTS: dict[str, tuple[str, Break, str]] = {
    "audit missing": ("", drop("audits"), "missing_table"),
    "audit never made": ("", lose_runs("audit"), "no_audit"),
    "audit stale": ("", other_train, "stale_audit"),
    "audit empty": ("", empty("audits"), "empty_table"),
    "audit tampered": ("", set_values("audits", coverage=1.5), "contradiction"),
    "audit partial": ("", lose_rows("audits"), "contradiction"),
    "audit broken": ("", lose_column("audits", "reasons"), "broken_table"),
    "faults missing": ("", drop("detections"), "missing_table"),
    "faults empty": ("", empty("detections"), "empty_table"),
    "faults partial": ("", lose_rows("detections", 2), "unproven"),
    "faults tampered": ("", set_values("detections", found=101), "contradiction"),
    "faults broken": ("", lose_column("detections", "found"), "broken_table"),
    "faults stale": ("freshness", set_runs("audit", ended=dt.datetime(2020, 1, 1)), "age:faults"),
    "suite missing": ("suites", drop("checks"), "suite:own"),
    "suite never run": ("suites", lose_runs("check"), "suite:own"),
    "suite of other content": ("suites", other_train, "suite:own"),
    "suite against other content": ("suites", other_test, "suite:own"),
    "suite empty": ("suites", empty("checks"), "suite:own"),
    "suite partial": ("suites", lose_rows("checks"), "suite:own"),
    "suite broken": ("suites", lose_column("checks", "success"), "suite:own"),
    "suite unfinished": ("suites", set_runs("check", state="failed"), "suite:own"),
    "suite with errors": ("suites", set_values("checks", error="no column"), "suite:own"),
    "suite without an answer": ("suites", set_values("checks", success=None), "suite:own"),
    "suite hash tampered": ("suites", set_values("checks", suite_hash="0"), "suite:own"),
    "suite severity tampered": ("suites", set_values("checks", severity="warning"), "suite:own"),
    "suite edited": ("suites", edit("expectations/own.json", "10", "11"), "suite:own"),
    "suite that lost an expectation": (
        "suites",
        edit("expectations/own.json", '"type": "expect_text_to_be_filled"', '"type": "x"'),
        "suite:own",
    ),
    "suite deleted": ("suites", delete("expectations/own.json"), "suite:own"),
    "suite that is no JSON": ("suites", edit("expectations/own.json", "{", "["), "suite:own"),
    "suite comparison unknown": ("suites", set_parameters("check", others={}), "suite:own"),
    "suite old": (
        "suites",
        set_runs("check", ended=dt.datetime.now(dt.UTC) - dt.timedelta(days=11)),
        "age:suite:own",
    ),
    "leaks missing": ("leaks", drop("leak_findings"), "leaks:test"),
    "leaks without rows": ("leaks", drop("leaks"), "leaks:test"),
    "leaks never looked for": ("leaks", lose_runs("leaks"), "leaks:test"),
    "leaks of other training data": ("leaks", other_train, "leaks:test"),
    "leaks of other evaluation data": ("leaks", other_test, "leaks:test"),
    "leaks empty": ("leaks", empty("leak_findings"), "leaks:test"),
    "leaks partial": ("leaks", lose_rows("leak_findings"), "leaks:test"),
    "leaks broken": ("leaks", lose_column("leak_findings", "state"), "leaks:test"),
    "leaks tampered": ("leaks", set_values("leak_findings", rows=1), "leaks:test"),
    "leaks not known": ("leaks", set_values("leak_findings", state="unknown"), "leaks:test"),
    "leaks of fewer kinds": ("leaks", fewer_kinds, "leaks:test"),
    "leaks without a kind asked for": ("leaks", one_more_speaker_kind, "leaks:test"),
    "leaks of longer texts only": ("leaks", set_parameters("leaks", min_words=4), "leaks:test"),
    "leaks that say no settings": ("leaks", set_runs("leaks", parameters="{}"), "leaks:test"),
    "leaks of no manifest": (
        "leaks",
        edit("policies/whole.yaml", "[test]", "[none]"),
        "leaks:none",
    ),
    "scores missing": ("scores", drop("score_groups"), "score:test:r1:wer"),
    "scores without rows": ("scores", drop("scores"), "score:test:r1:wer"),
    "scores never made": ("scores", lose_runs("score"), "change:test:r0..r1:wer"),
    "scores of other references": ("scores", other_test, "score:test:r1:wer"),
    "scores empty": ("scores", empty("score_groups"), "score:test:r1:wer"),
    "scores partial": ("scores", lose_rows("scores", 60), "score:test:r1:wer"),
    "scores of a sample": ("scores", set_parameters("score", sample=True), "score:test:r1:wer"),
    "scores broken": ("scores", lose_column("score_groups", "rate"), "score:test:r1:wer"),
    "rate tampered": ("scores", set_values("score_groups", rate=0.01), "score:test:r1:wer"),
    "interval tampered": ("scores", set_values("score_groups", low=0.9), "score:test:r1:wer"),
    "counts tampered": (
        "scores",
        set_values("score_groups", substitutions=0.0),
        "score:test:r1:wer",
    ),
    "utterances tampered": ("scores", set_values("scores", substitutions=0), "score:test:r1:wer"),
    "hypotheses missing": ("scores", drop("hypotheses"), "score:test:r1:wer"),
    "hypotheses empty": ("scores", empty("hypotheses"), "score:test:r1:wer"),
    "hypotheses written again": ("scores", written_again, "score:test:r1:wer"),
    "scores by another normaliser": (
        "scores",
        set_values("score_groups", normaliser_hash="0"),
        "score:test:r1:wer",
    ),
    "scores old": (
        "scores freshness",
        set_runs("score", ended=dt.datetime(2020, 1, 1)),
        "age:score:test:r1:wer",
    ),
    "scores from the future": (
        "scores freshness",
        set_runs("score", ended=dt.datetime(2120, 1, 1)),
        "age:score:test:r1:wer",
    ),
    "scores without an end": (
        "scores freshness",
        set_runs("score", ended=None),
        "score:test:r1:wer",
    ),
    "criteria deleted": ("criteria", delete("policies/criteria.yaml"), "criteria"),
    "criteria empty": ("criteria", lambda w: empty_file(w, "policies/criteria.yaml"), "criteria"),
    "criteria broken": ("criteria", edit("policies/criteria.yaml", "must", "most"), "criteria"),
    "criteria about no column": (
        "criteria",
        edit("policies/criteria.yaml", "value: 10 %", "value: 10 %, scope: {accent: a}"),
        "criteria",
    ),
    "criteria about no value": (
        "criteria",
        edit("policies/criteria.yaml", "value: 10 %", "value: 10 %, scope: {domain: a}"),
        "criteria",
    ),
    "criteria without a measure": (
        "criteria",
        edit("policies/criteria.yaml", "metric: wer,", "metric: ker,"),
        "criteria",
    ),
    "criteria without scores": ("criteria", drop("scores"), "criteria"),
    "criteria on other references": ("criteria", other_test, "criteria"),
    "criteria on tampered scores": ("criteria", set_values("scores", hits=10), "criteria"),
    "amount by no column": (
        "amount",
        edit("policies/whole.yaml", "{domain: {noisy: 0.01, clean: 0.005}}", "{accent: 1}"),
        "amount:minimum_hours_by:accent",
    ),
}


def empty_file(whole: Whole, file: str) -> None:
    (whole.root / file).write_text("", encoding="utf-8")


@pytest.mark.parametrize("case", FAULTS)
def test_broken_evidence_never_proceeds_in_any_format(
    whole: Whole, case: str, capsys: pytest.CaptureFixture[str]
) -> None:
    named, break_it, rule = FAULTS[case]
    sections = named.split()
    if "freshness" in sections:
        keep_days(whole, sections)
    break_it(whole)
    result = whole.ask(*(sections or ["amount"]))
    assert result.verdict is Verdict.UNDECIDED
    assert result.verdict.exit_code() == 4
    bad = {one.rule: str(one.state) for one in outcomes(result) if str(one.state) == "undecided"}
    assert rule in bad
    for output, read in READERS.items():
        assert set(bad) <= read(result), output
    for output in (Format.TABLE, Format.MARKDOWN):
        show(result, output, fail_on_caution=False)
        said = capsys.readouterr().out
        assert re.match(r"\W*UNDECIDED", said)
        assert all(name in said for name in bad)
    assert json.loads((whole.root / "reports" / "alignment_report.json").read_text())[
        "decision"
    ] == ("UNDECIDED")


def keep_days(whole: Whole, sections: list[str]) -> None:
    """Leave the limits of age that the other sections are about."""
    days = "audit_days: 30, faults_days: 30"
    days += ", scores_days: 30" if "scores" in sections else ""
    text = whole.policy.read_text(encoding="utf-8")
    kept = re.sub(r"freshness: \{.*\}", f"freshness: {{{days}}}", text)
    whole.policy.write_text(kept, encoding="utf-8")


def of_json(result: GateResult) -> set[str]:
    told = json.loads(document(result, "json", "p.yaml", fail_on_caution=False))
    assert (told["schema_version"], told["verdict"]) == (1, str(result.verdict))
    return {rule["rule"] for rule in told["rules"] if rule["state"] in ("undecided", "failed")}


def of_junit(result: GateResult) -> set[str]:
    xml = document(result, "junit", "p.yaml", fail_on_caution=False)
    suite = next(iter(JUnitXml.fromstring(xml.encode())))
    return {
        case.name for case in suite if any(isinstance(r, (Error, Failure)) for r in case.result)
    }


def of_github(result: GateResult) -> set[str]:
    told = document(result, "github", "p.yaml", fail_on_caution=False)
    found = re.findall(r"^::error title=asrdq gate%3A ([^:]*)::", told, re.M)
    return {name.replace("%3A", ":") for name in found}


def of_sarif(result: GateResult) -> set[str]:
    (run,) = json.loads(document(result, "sarif", "p.yaml", fail_on_caution=False))["runs"]
    assert run["invocations"][0]["exitCode"] == int(result.verdict.exit_code())
    return {one["ruleId"] for one in run["results"] if one["level"] == "error"}


def of_summary(result: GateResult) -> set[str]:
    return set(re.findall(r"^\| `([^`]*)` \| (?:undecided|failed) \|", step_summary(result), re.M))


READERS: dict[str, Callable[[GateResult], set[str]]] = {
    "json": of_json,
    "junit": of_junit,
    "github": of_github,
    "sarif": of_sarif,
    "step summary": of_summary,
}


def test_untouched_every_rule_holds(whole: Whole) -> None:
    result = whole.ask()
    assert result.verdict is Verdict.PROCEED
    found = outcomes(result)
    assert {str(one.state) for one in found} == {"holds"}
    demanded = {one.rule: one for one in found if one.rule in RULES}
    assert set(demanded) == set(RULES)
    assert all(one.value and one.limit and one.evidence for one in demanded.values())
    assert all(read(result) == set() for read in READERS.values())
