"""`asrdq handoff` and `asrdq handoff verify` as people and schedulers call them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.conftest import RunCli, cli_environment

if TYPE_CHECKING:
    from tests.handoff.conftest import Ready


def arguments(ready: Ready) -> list[object]:
    return [
        *("handoff", "train", "--val", "val", "--recipe", "smoke", "--backend", "nemo"),
        *("--out", ready.out, "-w", str(ready.audited.workspace.root)),
    ]


@pytest.mark.slow
def test_from_a_green_gate_to_a_verified_bundle(ready: Ready, run_cli: RunCli) -> None:
    done = run_cli(*arguments(ready))
    assert "train@0 (400 rows) and val@0 (5 rows) handed to nemo with smoke" in done.stdout
    bundle_id = done.stdout.split("bundle id ")[1].strip()
    named = f"asrdq -w {ready.audited.workspace.root}"
    assert f"next: {named} handoff verify {ready.out} --id {bundle_id}" in done.stderr
    fine = run_cli("handoff", "verify", ready.out, "--id", bundle_id, cwd=ready.out)
    assert "all as handed off" in fine.stdout
    (ready.audited.folder / "val-1.wav").unlink()
    gone = run_cli("handoff", "verify", ready.out, "--format", "json", code=1)
    alone = subprocess.run(
        [sys.executable, ready.out / "verify.py", "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert alone.returncode == 1
    assert json.loads(gone.stdout) == json.loads(alone.stdout)
    assert json.loads(gone.stdout)["findings"][0]["kind"] == "audio_missing"
    files = run_cli("handoff", "verify", "--no-audio", cwd=ready.out)
    assert "0 clips" in files.stdout
    run_cli("handoff", "verify", "--id", "0" * 64, cwd=ready.out, code=1)


@pytest.mark.slow
def test_a_refusal_ends_with_1_and_names_reasons_ids_and_commands(
    ungated: Ready, run_cli: RunCli
) -> None:
    done = run_cli(*arguments(ungated), "--format", "json", code=1)
    error = json.loads(done.stdout)["error"]
    assert error["kind"] == "RefusedError"
    assert error["exit_code"] == 1
    [problem] = error["problems"]
    assert problem["message"].startswith("no_verdict: the gate was never asked about train@0")
    assert "asrdq gate train@0" in problem["message"]
    assert "→ asrdq gate train@0" in done.stderr
    assert not ungated.out.exists()


@pytest.mark.slow
def test_what_is_wrongly_asked_ends_with_2(ready: Ready, run_cli: RunCli) -> None:
    words = arguments(ready)
    assert "did you mean 'smoke'" in run_cli(*words, "--recipe", "smok", code=2).stderr
    assert "unknown GPU" in run_cli(*words, "--gpus", "2xa1000", code=2).stderr
    assert not ready.out.exists()


def test_a_folder_that_is_no_bundle(run_cli: RunCli, tmp_path: Path) -> None:
    assert "no such folder" in run_cli("handoff", "verify", "nowhere", code=3).stderr
    assert "missing provenance.json" in run_cli("handoff", "verify", tmp_path, code=1).stdout


def test_verifying_loads_no_library(tmp_path: Path) -> None:
    code = (
        "import sys; from asrdq.cli.app import run;"
        "assert run(['-q', 'handoff', 'verify', sys.argv[1]]) == 1;"
        "print([m for m in ('numpy', 'pyarrow', 'duckdb', 'polars', 'yaml', 'scipy')"
        " if m in sys.modules])"
    )
    command = [sys.executable, "-c", code, tmp_path]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env=cli_environment()
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_both_ways_to_write_the_verb_have_help(run_cli: RunCli) -> None:
    assert "verify" in run_cli("handoff", "--help").stdout
    assert "--allow-override" in run_cli("handoff", "make", "--help").stdout
    assert "--allow-override" in run_cli("handoff", "train", "--help").stdout
    assert "--no-audio" in run_cli("handoff", "verify", "--help").stdout
