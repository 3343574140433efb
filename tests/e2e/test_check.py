"""`asrdq check` as people and pipelines run it: exit codes, formats, what is said."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

RunCli = Callable[..., "subprocess.CompletedProcess[str]"]
pytestmark = pytest.mark.slow
ROW = {"audio_filepath": "a.wav", "text": "fine [laughs]", "duration": 2.0}


@pytest.fixture
def folder(tmp_path: Path, run_cli: RunCli) -> Path:
    run_cli("init", "ws")
    (tmp_path / "m.jsonl").write_text(json.dumps(ROW) + "\n")
    run_cli("ingest", "m.jsonl", "--name", "train", "--workspace", "ws")
    return tmp_path / "ws"


def write(folder: Path, kind: str, severity: str = "critical", **kwargs: Any) -> str:
    item = {"type": kind, "kwargs": kwargs, "severity": severity}
    (folder / "expectations" / "mine.json").write_text(json.dumps({"expectations": [item]}))
    return "mine"


def test_what_fails_is_shown_with_an_example_and_the_next_step(
    folder: Path, run_cli: RunCli
) -> None:
    suite = write(folder, "expect_text_without_brackets")
    done = run_cli("check", "train", "-s", suite, "-f", "markdown", cwd=folder, code=1)
    [_, _, row] = done.stdout.strip().splitlines()
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[:6] == ["fails", "critical", "expect_text_without_brackets", "text", "1", "1"]
    assert cells[-1].endswith(r": fine \[laughs\]")
    assert "critical expectations fail: expect_text_without_brackets" in done.stderr
    [step] = [line for line in done.stderr.splitlines() if line.startswith("next: asrdq sql")]
    query = step.split('"')[1]
    rows = json.loads(run_cli("sql", query, "--format", "json", cwd=folder).stdout)
    assert [row["value"] for row in rows] == ["fine [laughs]"]


def test_csv_is_complete(folder: Path, run_cli: RunCli) -> None:
    suite = write(folder, "expect_text_without_brackets", "warning")
    done = run_cli("check", "train", "-s", suite, "-f", "csv", cwd=folder)
    [row] = csv.DictReader(io.StringIO(done.stdout))
    found = run_cli("sql", row["query"], "--format", "json", cwd=folder)
    assert [row["value"] for row in json.loads(found.stdout)] == ["fine [laughs]"]


def test_without_great_expectations_it_says_how_to_get_it(folder: Path) -> None:
    program = (
        "import sys; sys.modules['great_expectations'] = None\n"
        "from asrdq.cli.app import run; sys.exit(run(['check', 'train']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 3
    assert "pip install 'asrdq[checks]'" in done.stderr


def test_nothing_is_told_to_the_network(folder: Path) -> None:
    program = (
        "import socket, sys\n"
        "def refuse(*_, **__): raise SystemExit('a socket was opened')\n"
        "socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse\n"
        "from asrdq.cli.app import run; sys.exit(run(['check', 'train']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_hostile_transcripts_stay_on_their_line_and_are_cut_in_the_table(
    tmp_path: Path, run_cli: RunCli
) -> None:
    text = "[x]\n::error::pwned\r\n##[error]pwned <img src=x>" + " long" * 200
    rows = [{**ROW, "id": f"{n:02d}::error::", "text": f"{n} {text}"} for n in range(20)]
    (tmp_path / "m.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    run_cli("init", "ws")
    run_cli("ingest", "m.jsonl", "--name", "train", "--workspace", "ws")
    suite = write(tmp_path / "ws", "expect_text_without_brackets")
    asked = ("check", "train", "-s", suite, "--limit", 7, "-w", "ws")
    for form in ("table", "markdown"):
        done = run_cli(*asked, "-f", form, code=1)
        lines = (done.stdout + done.stderr).splitlines()
        assert not any(line.strip().startswith("::") for line in lines)
        assert not any("##[" in line for line in lines)
        [row] = [line for line in lines if "critical" in line and "pwned" in line]
        assert "…" in row
        assert len(row) < 1200
    assert "<img" not in done.stdout.replace("\\<img", "")
    found = json.loads(run_cli(*asked, "-f", "json", code=1).stdout)
    assert found["checks"][0]["rows"] == 20
    assert [row["utt_id"] for row in found["failing"]] == [row["id"] for row in rows[:7]]
    assert [row["value"] for row in found["failing"]] == [row["text"] for row in rows[:7]]
