"""Policy files: what is refused and where, what lint finds beyond that, and the JSON Schema."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from tests.conftest import RunCli

from asrdq.errors import UsageError
from asrdq.gates import Policy, lint_policies, policy_schema, read_policy
from asrdq.shipped import shipped_folder

SCORE = "{manifest: test, hyps: r1"
WRONG = {
    "limits in the wrong order": (
        "audit: {caution_from: 0.3, stop_above: 0.1}",
        "audit: caution_from 0.3 lies above stop_above 0.1",
    ),
    "hours in the wrong order": (
        "amount: {minimum_hours: 5, maximum_hours: 2}",
        "minimum_hours 5 lies above maximum_hours 2: no manifest has both",
    ),
    "hours by value that pass the whole": (
        "amount: {maximum_hours: 2, minimum_hours_by: {domain: {a: 1.5, b: 1}}}",
        "minimum_hours_by domain asks for 2.5 h in all",
    ),
    "hours that are none": (
        "amount: {minimum_hours_by: {domain: fast}}",
        "amount.minimum_hours_by.domain: Input should be a valid number",
    ),
    "a suite twice": ("suites: [{suite: a}, {suite: a}]", "suites: a stands twice"),
    "a severity that is none": ("suites: [{suite: a, fail_on: bad}]", "suites.0.fail_on"),
    "no kind of leak": (
        "leaks: {against: [a], maximum_audio: null, maximum_overlap: null, "
        "maximum_transcript: null, maximum_text: null}",
        "every kind is null",
    ),
    "a manifest twice": ("leaks: {against: [a, a]}", "against: a stands twice"),
    "a share above 1": ("leaks: {against: [a], maximum_text: 2}", "less than or equal to 1"),
    "a metric that is none": (f"scores: [{SCORE}, metric: wr, maximum: 1}}]", "scores.0.metric"),
    "no limit": (f"scores: [{SCORE}}}]", "there is no limit"),
    "a largest recall": (
        f"scores: [{SCORE}, metric: keyword_recall, maximum: 0.9}}]",
        "keyword_recall is better when higher: write minimum",
    ),
    "a least error rate": (f"scores: [{SCORE}, minimum: 0.9}}]", "wer is better when lower"),
    "a limit that always holds": (
        f"scores: [{SCORE}, metric: ser, maximum: 1.0}}]",
        "ser is never above 1",
    ),
    "a baseline and no limit of change": (
        f"scores: [{SCORE}, maximum: 1, baseline: r0}}]",
        "a baseline needs maximum_increase",
    ),
    "a limit of change and no baseline": (
        f"scores: [{SCORE}, maximum_increase: 0.1}}]",
        "they need a baseline",
    ),
    "itself as the baseline": (
        f"scores: [{SCORE}, maximum_increase: 0, baseline: r1}}]",
        "'r1' would be compared with itself",
    ),
    "a change that is not paired": (
        f"scores: [{SCORE}, metric: mer, maximum_increase: 0, baseline: r0}}]",
        "changes are of wer, cer, ser, ker, not of mer",
    ),
    "a score twice": (
        f"scores: [{SCORE}, maximum: 0.1}}, {SCORE}, maximum: 0.2}}]",
        "scores: test:r1:wer stands twice",
    ),
    "another confidence": (
        f"scores: [{SCORE}, maximum: 0.1, confidence: 0.99}}]",
        "less than or equal to 0.95",
    ),
    "an age of nothing": ("freshness: {leaks_days: 3}", "freshness.leaks_days is about nothing"),
    "an age of no days": ("freshness: {audit_days: 0}", "greater than 0"),
    "rounds that are one": (
        "criteria: {file: a.yaml, before: r1, after: r1, manifest: test}",
        "'r1' would be compared with itself",
    ),
    "an unknown key": ("freshnes: {audit_days: 3}", "did you mean 'freshness'?"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_a_policy_cannot_say_is_refused_with_its_line(tmp_path: Path, case: str) -> None:
    line, problem = WRONG[case]
    file = tmp_path / "p.yaml"
    file.write_text(f"version: 1\n\n{line}\n", encoding="utf-8")
    with pytest.raises(UsageError) as raised:
        read_policy(file)
    [found] = raised.value.problems
    assert problem in found.message
    assert found.line in (1, 3)  # 1 where several sections contradict each other


def test_the_shipped_policies_are_sound_and_the_default_shows_every_default() -> None:
    files = sorted(shipped_folder("policies").glob("*.yaml"))
    lint_policies(files)
    assert [file.name for file in files] == ["default.yaml", "strict.yaml"]
    assert read_policy(files[0]) == Policy()
    strict = yaml.safe_load(files[1].read_text(encoding="utf-8"))
    assert set(strict) == set(Policy.model_fields)
    remarks = files[0].read_text(encoding="utf-8")
    for name in Policy.model_fields:
        assert f"\n{name}:" in remarks


def test_the_default_policy_names_every_key() -> None:
    text = (shipped_folder("policies") / "default.yaml").read_text(encoding="utf-8")
    for section in policy_schema()["$defs"].values():
        assert [key for key in section["properties"] if f"{key}:" not in text] == []


def said(error: UsageError) -> list[tuple[str, int | None, str]]:
    return [
        (Path(problem.file or "").name, problem.line, problem.message) for problem in error.problems
    ]


def test_lint_finds_all_of_it_in_all_files(tmp_path: Path) -> None:
    (tmp_path / "policies").mkdir()
    (tmp_path / "expectations").mkdir()
    (tmp_path / "expectations" / "ours.json").write_text('{"name": "ours"}')
    (tmp_path / "criteria.yaml").write_text(
        "version: 1\n"
        "must:\n"
        '  - {metric: wer, comparison: "<", value: 0}\n'
        '  - {metric: ser, comparison: ">", value: 1}\n'
        '  - {metric: wer, comparison: "<", value: 0.1}\n'
        '  - {metric: wer_relative, comparison: "<", value: -1}\n'
        '  - {metric: wer_change, comparison: "<", value: 0}\n'
    )
    names = tmp_path / "policies" / "names.yaml"
    names.write_text(
        "version: 1\n"
        "suites:\n"
        "  - {suite: ours}\n"
        "  - {suite: expectations/ours.json}\n"
        "  - {suite: asr_manifst}\n"
        "  - {suite: expectations/none.json}\n"
        "scores:\n"
        "  - {manifest: test, hyps: r1, maximum: 0.1, normaliser: basc}\n"
        "audit: {caution_from: 0}\n"
        "criteria: {file: criteria.yaml, before: a, after: b, manifest: test}\n"
    )
    broken = tmp_path / "policies" / "broken.yaml"
    broken.write_text("version: 1\naudit: [\n")
    keys = tmp_path / "policies" / "keys.yaml"
    keys.write_text("version: 2\nleaks: {against: [], maximum_audio: 3}\n")
    good = shipped_folder("policies") / "default.yaml"
    with pytest.raises(UsageError, match="11 problems in 3 of 4 policies") as raised:
        lint_policies([names, good, broken, keys])
    found = said(raised.value)
    assert [(file, line) for file, line, _ in found] == [
        *(("names.yaml", line) for line in (5, 6, 8, 9)),
        *(("criteria.yaml", line) for line in (3, 4, 6)),
        ("broken.yaml", 3),
        *(("keys.yaml", line) for line in (1, 2, 2)),
    ]
    messages = [message for _, _, message in found]
    assert "did you mean 'asr_manifest'?" in messages[0]
    assert messages[1].startswith("there is no suite ")
    assert "did you mean 'basic'?" in messages[2]
    assert "PROCEED could never be given" in messages[3]
    assert messages[4] == "wer < 0: can never hold"


def test_lint_tells_of_criteria_that_are_gone_or_wrong(tmp_path: Path) -> None:
    folder = tmp_path / "policies"
    folder.mkdir()
    file = folder / "p.yaml"
    file.write_text("criteria:\n  file: c.yaml\n  before: a\n  after: b\n  manifest: test\n")
    with pytest.raises(UsageError) as raised:
        lint_policies([file])
    assert said(raised.value) == [("p.yaml", 2, "criteria: no such file")]
    (tmp_path / "c.yaml").write_text("version: 1\nmust: [{metric: wr}]\n")
    with pytest.raises(UsageError) as raised:
        lint_policies([file])
    assert [line for name, line, _ in said(raised.value) if name == "c.yaml"] == [2, 2, 2]


@pytest.mark.slow
def test_the_command_ends_with_2_and_names_lines(run_cli: RunCli, tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    file.write_text("audit: {caution_from: 0.5}\n")
    done = run_cli("policy", "lint", file, code=2)
    assert f"{file}:1: audit: caution_from 0.5 lies above stop_above 0.15" in done.stderr
    file.write_text("audit: {caution_from: 0.05}\n")
    assert "is sound" in run_cli("policy", "lint", file).stderr
    assert yaml.safe_load(run_cli("policy", "schema").stdout) == policy_schema()


def documents() -> list[tuple[str, Any]]:
    files = shipped_folder("policies").glob("*.yaml")
    return [(file.name, yaml.safe_load(file.read_text(encoding="utf-8"))) for file in files]


@pytest.mark.parametrize(("name", "document"), documents())
def test_the_schema_takes_the_shipped_policies(name: str, document: Any) -> None:
    validator = jsonschema.Draft202012Validator(policy_schema())
    validator.check_schema(policy_schema())
    assert list(validator.iter_errors(document)) == []


@pytest.mark.parametrize(
    "document",
    [
        {"audit": {"caution": 0.1}},
        {"suites": [{"suite": ""}]},
        {"scores": [{"manifest": "test", "hyps": "r1", "metric": "wr"}]},
        {"leaks": {"against": []}},
        {"amount": {"minimum_hours_by": {"domain": "fast"}}},
        {"version": 2},
    ],
)
def test_the_schema_refuses_what_reading_refuses(document: Any, tmp_path: Path) -> None:
    assert not jsonschema.Draft202012Validator(policy_schema()).is_valid(document)
    file = tmp_path / "p.yaml"
    file.write_text(yaml.safe_dump(document), encoding="utf-8")
    with pytest.raises(UsageError):
        read_policy(file)
