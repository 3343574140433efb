"""`asrdq report` as a user types it, on clips that come along."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

CLIPS = 27
"""The first of the three domains."""

RunCli = Callable[..., "subprocess.CompletedProcess[str]"]

pytestmark = pytest.mark.slow(minutes=1)


@pytest.fixture
def project(tmp_path: Path, data_samples: Path, run_cli: RunCli) -> Path:
    """A workspace with the clips of one domain."""
    folder = tmp_path / "project"
    lines = (data_samples / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines[:CLIPS]]
    for row in rows:
        row["audio_filepath"] = str(data_samples / row["audio_filepath"])
    manifest = tmp_path / "train.jsonl"
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    run_cli("init", folder)
    run_cli("ingest", manifest, "--name", "train", cwd=folder)
    run_cli("sample", "train", "--fraction", "1", cwd=folder)
    return folder


def test_from_an_audit_to_a_page(project: Path, run_cli: RunCli, tmp_path: Path) -> None:
    run_cli("probe", "train", cwd=project)
    run_cli("audit", "train", cwd=project)
    done = run_cli("report", "train", cwd=project)
    assert done.stdout == f"{project / 'reports' / 'train.html'}\n"
    assert "next: asrdq gate train" in done.stderr
    run_cli("gate", "train", cwd=project, code=None)
    wanted = tmp_path / "elsewhere" / "page.html"
    done = run_cli("report", "train", "--output", wanted, "--clips", 3, cwd=project)
    assert done.stdout == f"{wanted}\n"
    assert "next: open" in done.stderr
    page = wanted.read_text(encoding="utf-8")
    assert page.count("<article") == page.count("<audio") == 3
    assert f"{CLIPS} clips probed" in page
    answer = run_cli(
        "sql", "SELECT state FROM runs WHERE command = 'report'", "--format", "json", cwd=project
    )
    assert json.loads(answer.stdout) == [{"state": "done"}] * 2


def test_before_any_audit_it_is_undecided_or_about_the_checks_alone(
    project: Path, run_cli: RunCli
) -> None:
    done = run_cli("report", "train", cwd=project, code=4)
    assert done.stdout == ""
    assert "never audited" in done.stderr
    assert "→ asrdq audit train" in done.stderr
    assert not list((project / "reports").glob("*.html"))
    run_cli("check", "train", cwd=project)
    done = run_cli("report", "train", cwd=project)
    assert "train was not audited: the page has no verdict" in done.stderr
    assert "next: asrdq audit train" in done.stderr
    page = Path(done.stdout.strip()).read_text(encoding="utf-8")
    assert "asr_manifest" in page
    assert "No verdict yet" not in page


def test_an_unknown_manifest_and_a_wrong_number(project: Path, run_cli: RunCli) -> None:
    assert "did you mean 'train'" in run_cli("report", "trian", cwd=project, code=2).stderr
    assert (
        "less than or equal to 100"
        in run_cli("report", "train", "--clips", 101, cwd=project, code=2).stderr
    )
