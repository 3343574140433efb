"""Errors of usage and tools: one document on stdout in every machine format, one exit code."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest
from junitparser import Error, JUnitXml
from tests.gates.sarif_schema import SARIF

from asrdq.cli import app
from asrdq.cli.failures import failure_document
from asrdq.errors import AsrdqError, DataError, Problem, ToolError, UndecidedError, UsageError

HOSTILE = "a\r\n::error title=x::owned %0A <script>alert(1)</script> \x1b[31m ]]> \x00 ##[error]"
ERRORS = [DataError, UsageError, ToolError, UndecidedError]


def hostile(kind: type[AsrdqError]) -> AsrdqError:
    problems = [Problem(HOSTILE, HOSTILE, 3), Problem("plain", "p.yaml", 4)]
    return kind(HOSTILE, where=HOSTILE, hint=HOSTILE, problems=problems)


def check_junit(text: str, code: int) -> None:
    [suite] = JUnitXml.fromstring(text.encode())
    assert (suite.tests, suite.errors, suite.failures) == (1, 1, 0)
    [case] = suite
    [result] = case.result
    assert isinstance(result, Error)
    assert "<script>alert(1)</script>" in result.message
    assert "<script>" not in text
    assert {p.name: p.value for p in suite.properties()} == {
        "schema_version": "1",
        "exit_code": str(code),
    }


def check_sarif(text: str, code: int) -> None:
    log = json.loads(text)
    jsonschema.validate(log, SARIF)
    [invocation] = log["runs"][0]["invocations"]
    assert (invocation["executionSuccessful"], invocation["exitCode"]) == (False, code)
    told = [one["message"]["text"] for one in invocation["toolExecutionNotifications"]]
    assert [text for text in told if "owned" in text]
    assert log["runs"][0]["results"] == []
    assert log["runs"][0]["properties"]["schema_version"] == 1


def check_github(text: str, code: int) -> None:
    lines = text.split("\n")
    assert all(re.match(r"::error title=[^:,]*::", line) for line in lines)
    assert len(lines) == 3
    assert not any("##[" in line or "\x1b" in line or "\r" in line for line in lines)
    assert "%0D%0A::error title=x::owned %250A" in lines[0]


def check_json(text: str, code: int) -> None:
    told = json.loads(text)
    assert told["schema_version"] == 1
    assert told["error"]["exit_code"] == code
    assert told["error"]["problems"][1] == {"message": "plain", "file": "p.yaml", "line": 4}


CHECKS: dict[str, Callable[[str, int], None]] = {
    "json": check_json,
    "junit": check_junit,
    "sarif": check_sarif,
    "github": check_github,
}


@pytest.mark.parametrize("output", CHECKS)
@pytest.mark.parametrize("kind", ERRORS)
def test_an_error_is_a_document_that_hostile_texts_do_not_break(
    output: str, kind: type[AsrdqError]
) -> None:
    CHECKS[output](failure_document(hostile(kind), output), int(kind.exit_code))


FAILURES = {
    "usage": (["gate", "trian"], 2),
    "option": (["gate", "train", "--fail-on", "nothing"], 2),
    "policy": (["gate", "train", "--policy", "policy.yaml"], 2),
    "tool": (["gate", "train", "--report-dir", "file"], 3),
}


@pytest.mark.parametrize("output", ["json", "junit", "sarif", "github"])
@pytest.mark.parametrize("case", FAILURES)
def test_the_gate_ends_so_in_every_machine_format(
    case: str,
    output: str,
    tmp_path: Path,
    ingest: Callable[..., object],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    ingest([{"id": "a", "audio_filepath": "a.wav", "text": "one", "duration": 1.0}], "train")
    (tmp_path / "policy.yaml").write_text("audit: {caution: 0.1}\n")
    (tmp_path / "file").write_text("in the way")
    words, code = FAILURES[case]
    capfd.readouterr()
    assert app.run(["-w", "workspace", *words, "--format", output]) == code
    said = capfd.readouterr()
    assert said.err.startswith("error: ")
    if output == "json":
        assert json.loads(said.out)["error"]["exit_code"] == code
    elif output == "junit":
        [suite] = JUnitXml.fromstring(said.out.encode())
        assert suite.errors == 1
    elif output == "sarif":
        log = json.loads(said.out)
        jsonschema.validate(log, SARIF)
        assert log["runs"][0]["invocations"][0]["exitCode"] == code
    else:
        assert said.out.startswith("::error title=asrdq%3A ")
