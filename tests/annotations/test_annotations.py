"""Workflow commands and SARIF: what is said arrives, and no text commands anything."""

from __future__ import annotations

import json

import hypothesis.strategies as st
import pytest
from hypothesis import given

from asrdq.annotations.github import plain_markdown, workflow_command
from asrdq.annotations.sarif import sarif_document, sarif_location, sarif_result, suppressed
from asrdq.errors import ExitCode


def unescaped(text: str) -> str:
    """The runner's own reading of a value."""
    for code, sign in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(code, sign)
    return text


def shown(text: str) -> str:
    kept = "".join(sign if sign.isprintable() or sign in "\r\n" else "�" for sign in text)
    return kept.replace("##[", "## [")


@given(title=st.text(), message=st.text())
def test_a_command_is_one_line_and_says_what_was_meant(title: str, message: str) -> None:
    command = workflow_command("error", title, message)
    assert len(command.splitlines()) == 1
    named, _, told = command.removeprefix("::error title=").partition("::")
    assert unescaped(told) == shown(message)
    assert unescaped(named) == shown(title)


@given(file=st.text(min_size=1), line=st.integers(1, 10**6))
def test_a_command_at_a_line_of_a_file(file: str, line: int) -> None:
    command = workflow_command("warning", "t", "m", file=file, line=line)
    head, _, message = command.removeprefix("::warning ").partition("::")
    given_file, given_line, title = head.split(",")
    assert unescaped(given_file) == f"file={shown(file)}"
    assert (given_line, title, message) == (f"line={line}", "title=t", "m")


def test_a_line_without_a_file_is_not_said() -> None:
    assert workflow_command("notice", "t", "m", line=3) == "::notice title=t::m"


def test_markdown_shows_a_text_as_it_is() -> None:
    assert plain_markdown("a|b\n<b> `x` \x1b[1m") == r"a\|b &lt;b&gt; \`x\` \[1m"


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("a b/ö.yaml", "a%20b/%C3%B6.yaml"),
        ("/a/b.wav", "file:///a/b.wav"),
        ("s3://bucket/a b", "s3://bucket/a%20b"),
    ],
)
def test_a_place_is_a_uri(path: str, uri: str) -> None:
    location = sarif_location(path, "name", 7)
    assert location["physicalLocation"] == {
        "artifactLocation": {"uri": uri},
        "region": {"startLine": 7},
    }
    assert location["logicalLocations"] == [{"fullyQualifiedName": "name"}]


def test_a_document_has_rules_results_and_the_exit_code() -> None:
    result = suppressed(sarif_result("r", "warning", "told"), "inSource", "why")
    log = json.loads(sarif_document("x/y", {"r": "demand"}, [result], ExitCode.FAILED, {"k": 1}))
    [run] = log["runs"]
    assert run["tool"]["driver"]["rules"] == [{"id": "r", "shortDescription": {"text": "demand"}}]
    assert run["invocations"] == [{"executionSuccessful": True, "exitCode": 1}]
    assert run["results"][0]["suppressions"][0]["justification"] == "why"
    assert run["properties"] == {"schema_version": 1, "k": 1}
