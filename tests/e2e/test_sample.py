"""`asrdq sample` and `asrdq gate` as a user types them."""

from __future__ import annotations

import csv
import io
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

RunCli = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def project(tmp_path: Path, run_cli: RunCli) -> Path:
    """A workspace with a manifest of 300 noisy, 90 clean and 10 rare rows."""
    folder = tmp_path / "project"
    names = ["noisy"] * 300 + ["clean"] * 90 + ["rare"] * 10
    lines = [
        json.dumps(
            {
                "audio_filepath": f"{number:04d}.wav",
                "duration": 3.6,
                "text": f"row {number}",
                "domain": name,
            }
        )
        for number, name in enumerate(names)
    ]
    (tmp_path / "train.jsonl").write_text("\n".join(lines), encoding="utf-8")
    run_cli("init", folder)
    run_cli("ingest", tmp_path / "train.jsonl", "--name", "train", cwd=folder)
    return folder


def test_asked_against_drawn(project: Path, run_cli: RunCli) -> None:
    shares = [f"--share={name}" for name in ("noisy=0.4", "clean=0.4", "rare=0.2")]
    done = run_cli(
        *("sample", "train", "--strata", "domain", *shares, "--rows", 100, "--format", "json"),
        cwd=project,
    )
    result = json.loads(done.stdout)
    got = {row["stratum"]: (row["asked_rows"], row["drawn_rows"]) for row in result["strata"]}
    # rare lacks 10 of its 20, which go to the others half and half.
    assert got == {"noisy": (40.0, 45), "clean": (40.0, 45), "rare": (20.0, 10)}
    assert len(result["clips"]) == 100
    assert "rare has 10 clips of the 20 asked for" in done.stderr
    assert "next: asrdq audit train" in done.stderr


def test_the_same_command_draws_the_same_clips(project: Path, run_cli: RunCli) -> None:
    command = ("sample", "train", "--strata", "domain", "--fraction", 0.1, "--format", "json")
    draws = [
        [clip["utt_id"] for clip in json.loads(run_cli(*command, cwd=project).stdout)["clips"]]
        for _ in range(2)
    ]
    assert draws[0] == draws[1]
    assert len(draws[0]) == 40


def test_hours(project: Path, run_cli: RunCli) -> None:
    done = run_cli("sample", "train", "--hours", 0.1, "--format", "csv", cwd=project)
    (values,) = csv.DictReader(io.StringIO(done.stdout))
    assert (values["stratum"], values["drawn_rows"]) == ("all", "100")
    assert float(values["drawn_hours"]) == pytest.approx(0.1)


def test_rules_of_the_settings(project: Path, run_cli: RunCli) -> None:
    settings = project / "asrdq.yaml"
    rules = """
  strata:
    - {name: loud, where: "domain = 'noisy' AND duration_s < 5", share: 0.5}
    - {name: rest, share: 0.5}
"""
    text = settings.read_text(encoding="utf-8")
    text = text.replace("  strata: null\n", rules.lstrip("\n"))
    text = text.replace("allocation: proportional", "allocation: shares")
    settings.write_text(text, encoding="utf-8")
    done = run_cli("sample", "train", "--rows", 20, "--format", "json", cwd=project)
    got = {row["stratum"]: row["drawn_rows"] for row in json.loads(done.stdout)["strata"]}
    assert got == {"loud": 10, "rest": 10}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--strata", "domian"), "did you mean 'domain'"),
        (("--rows", 5, "--hours", 1), "one of fraction, rows and hours"),
        (("--fraction", 2), "sample of 2 cannot be drawn"),
        (("--fraction", "nan"), "sample of nan cannot be drawn"),
        (("--hours", "nan"), "sample of nan cannot be drawn"),
        (("--strata", "domain", "--share", "noisy"), "not STRATUM=NUMBER"),
        (("--strata", "domain", "--share", "nosy=1.0"), "did you mean 'noisy'"),
        (("--strata", "domain", "--share", "noisy=1.0"), "no share for clean, rare"),
        (("--strata", "domain", "--allocation", "shares"), "no share for"),
    ],
)
def test_mistakes_read_well(
    project: Path, run_cli: RunCli, arguments: tuple[object, ...], message: str
) -> None:
    done = run_cli("sample", "train", *arguments, cwd=project, code=2)
    assert message in done.stderr
    assert done.stdout == ""


def test_an_unknown_manifest(project: Path, run_cli: RunCli) -> None:
    assert "did you mean 'train'" in run_cli("sample", "trian", cwd=project, code=2).stderr


def test_a_gate_before_any_audit_is_undecided(project: Path, run_cli: RunCli) -> None:
    done = run_cli("gate", "train", cwd=project, code=4)
    assert done.stdout.startswith("UNDECIDED for train@0")
    assert "never audited" in done.stdout
    assert "next: asrdq audit train" in done.stderr
    report = json.loads((project / "reports" / "alignment_report.json").read_text("utf-8"))
    assert report["decision"] == "UNDECIDED"


@pytest.mark.parametrize("output", ["json", "markdown"])
def test_the_exit_code_is_the_same_in_every_format(
    project: Path, run_cli: RunCli, output: str
) -> None:
    done = run_cli("gate", "train", "--format", output, cwd=project, code=4)
    if output == "json":
        assert json.loads(done.stdout)["decision"] == "UNDECIDED"
    else:
        assert done.stdout.startswith("**UNDECIDED**")


def test_a_wrong_policy_key_is_a_usage_error(project: Path, run_cli: RunCli) -> None:
    (project / "strict.yaml").write_text("audit: {stop_abvoe: 0.1}\n", encoding="utf-8")
    done = run_cli("gate", "train", "--policy", "strict.yaml", cwd=project, code=2)
    assert "did you mean 'stop_above'" in done.stderr
