"""`asrdq split`, `leaks`, `duplicates` and `weights` as a user types them."""

from __future__ import annotations

import csv
import io
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

pytestmark = pytest.mark.slow

RunCli = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def project(tmp_path: Path, run_cli: RunCli) -> Path:
    """A workspace with a manifest of 400 rows by 40 speakers in two domains, without audio."""
    folder = tmp_path / "project"
    lines = [
        json.dumps(
            {
                "audio_filepath": f"{number:04d}.wav",
                "duration": 9.0,
                "text": f"sentence number {number}",
                "speaker": f"s{number % 40}",
                "domain": "phone" if number % 40 < 30 else "studio",
            }
        )
        for number in range(400)
    ]
    (tmp_path / "data.jsonl").write_text("\n".join(lines), encoding="utf-8")
    run_cli("init", folder)
    run_cli("ingest", tmp_path / "data.jsonl", "--name", "data", cwd=folder)
    return folder


SIDES = ("--side", "validation=0.1h", "--side", "test=10%")


def test_split_then_leaks(project: Path, run_cli: RunCli) -> None:
    done = run_cli(
        *("split", "data", *SIDES),
        *("--strata", "domain", "--disjoint", "speaker,text", "--format", "json"),
        cwd=project,
    )
    result = json.loads(done.stdout)
    whole = {row["side"]: row for row in result["sides"] if row["stratum"] is None}
    assert (whole["validation"]["rows"], whole["test"]["rows"]) == (40, 40)
    assert whole["validation"]["asked_hours"] == pytest.approx(0.1)
    assert whole["train"]["rows"] == 320
    assert "next: asrdq leaks data_train@0 data_validation@0" in done.stderr
    without = ("--without", "audio,overlap,transcript")
    clean = run_cli(
        *("leaks", "data_train", "data_test", *without, "--max-share", "speaker=0"), cwd=project
    )
    assert "speaker" in clean.stdout
    many = run_cli("split", "data", *SIDES, "--strata", "speaker", "--prefix", "by", cwd=project)
    assert "validation, the stratum farthest off: " in many.stderr
    shown = [line.split()[0] for line in many.stdout.splitlines() if " by_" in line]
    assert shown[:5] == ["train", "validation", "test", "validation", "validation"]
    assert "the first 50 rows" in many.stderr
    again = run_cli("split", "data", *SIDES, cwd=project)
    assert "400 rows have the side of the former split" in again.stderr


def test_what_is_impossible_ends_with_1(project: Path, run_cli: RunCli) -> None:
    command = ("split", "data", "--side", "test=7", "--disjoint", "speaker")
    done = run_cli(*command, cwd=project, code=1)
    assert "asked 7 rows, nearest 10 rows" in done.stderr
    assert "the largest has 10 of 400 rows" in done.stderr
    assert "test: asked 7 rows" in run_cli(*command, "--closest", cwd=project).stderr


def test_presets_and_sizes_exclude_each_other(project: Path, run_cli: RunCli) -> None:
    command = ("split", "data", "--preset", "term-aware", "--side", "test=5")
    assert "a preset says sides" in run_cli(*command, cwd=project, code=2).stderr
    done = run_cli("split", "data", "--preset", "term-aware", cwd=project, code=2)
    assert "unknown column 'entity_category'" in done.stderr


def test_leaks_above_a_limit_or_unknown(project: Path, run_cli: RunCli) -> None:
    run_cli("split", "data", "--side", "test=100", cwd=project)
    sides = ("leaks", "data_train", "data_test")
    unknown = run_cli(*sides, "--format", "json", cwd=project, code=4)
    assert json.loads(unknown.stdout)["undecided"] == ["audio", "overlap", "transcript"]
    limit = ("--only", "speaker", "--max-share", "speaker=0", "--format", "json")
    strict = run_cli(*sides, *limit, cwd=project, code=1)
    assert json.loads(strict.stdout)["too_much"] == ["speaker"]
    assert "too much is shared: speaker" in strict.stderr
    told = run_cli(*sides, "--only", "speaker", cwd=project)
    assert "! speaker:" in told.stderr
    rows = run_cli("sql", "SELECT count(*) AS n FROM leaks", "--format", "csv", cwd=project)
    assert int(rows.stdout.split()[1]) > 0


def test_duplicates(project: Path, run_cli: RunCli) -> None:
    near = ("duplicates", "data", "--only", "text,near_text", "--near", "0.6")
    done = run_cli(*near, "--format", "csv", cwd=project)
    # each sentence differs from any other in one word of three: 0.67
    lines = csv.DictReader(io.StringIO(done.stdout))
    assert [(line["kind"], line["state"], line["rows"]) for line in lines] == [
        ("text", "fine", "0"),
        ("near_text", "found", "400"),
    ]
    run_cli(*near, "--max-share", "near_text=0.5", cwd=project, code=1)
    assert "is not [KIND=]SHARE" in run_cli(*near, "--max-share=x", cwd=project, code=2).stderr


def test_weights(project: Path, run_cli: RunCli) -> None:
    done = run_cli(
        *("weights", "data", "--by", "domain", "--temperature", "0.5", "--out", "blend"),
        *("--format", "csv"),
        cwd=project,
    )
    assert done.stdout.splitlines()[0] == "level,group,rows,hours,weight,probability"
    entries = yaml.safe_load((project / "blend" / "input_cfg.yaml").read_text(encoding="utf-8"))
    assert [entry["type"] for entry in entries] == ["nemo", "nemo"]
    assert entries[0]["weight"] == pytest.approx(3**0.5 / (1 + 3**0.5))


def test_neyman_needs_an_audit(project: Path, run_cli: RunCli) -> None:
    command = ("sample", "data", "--strata", "domain", "--allocation", "neyman")
    assert "no audit of data" in run_cli(*command, cwd=project, code=2).stderr
    least = run_cli(
        *("sample", "data", "--strata", "domain", "--rows", 20, "--at-least", 10, "-f", "csv"),
        cwd=project,
    )
    assert [line.split(",")[3] for line in least.stdout.splitlines()[1:]] == ["10", "10"]
