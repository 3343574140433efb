"""The exit codes of `asrdq check`, the same in each format."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from asrdq.cli.app import run

pytestmark = pytest.mark.slow

ROW = {"audio_filepath": "a.wav", "text": "fine [laughs]", "duration": 2.0}


def write(workspace: Any, kind: str, severity: str) -> None:
    item = {"type": kind, "kwargs": {}, "severity": severity}
    file = Path(workspace.root) / "expectations" / "mine.json"
    file.write_text(json.dumps({"expectations": [item]}))


@pytest.mark.parametrize(
    ("kind", "severity", "code"),
    [
        ("expect_text_without_digits", "critical", 0),
        ("expect_text_without_brackets", "warning", 0),
        ("expect_text_without_brackets", "critical", 1),
        ("expect_text_without_bracket", "critical", 2),
        ("expect_audio_to_decode", "warning", 4),
    ],
)
@pytest.mark.parametrize("output", ["table", "json", "csv", "markdown"])
def test_exit_codes_are_the_same_in_each_format(
    workspace: Any, ingest: Any, capsys: Any, kind: str, severity: str, code: int, output: str
) -> None:
    ingest([ROW], "train")
    write(workspace, kind, severity)
    where = ("--workspace", str(workspace.root))
    assert run(["check", "train", "--suite", "mine", "--format", output, *where]) == code
    written = capsys.readouterr().out
    if output == "json":
        document = json.loads(written)
        assert document["schema_version"] == 1
        assert ("error" in document) == (code == 2)
    elif code == 2:
        assert written == ""
    elif output == "csv":
        [row] = csv.DictReader(io.StringIO(written))
        assert row["success"] == ("true" if kind == "expect_text_without_digits" else "false")
