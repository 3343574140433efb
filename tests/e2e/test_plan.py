"""`asrdq recipes` and `asrdq plan` as a user types them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

RunCli = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def project(tmp_path: Path, run_cli: RunCli) -> Path:
    """A workspace with a manifest of 1,000 clips of 7.2 s, and 30 that are too long."""
    folder = tmp_path / "project"
    lines = [
        json.dumps({"audio_filepath": f"{n}.wav", "duration": 7.2 if n < 1000 else 40, "text": "x"})
        for n in range(1030)
    ]
    (tmp_path / "train.jsonl").write_text("\n".join(lines), encoding="utf-8")
    run_cli("init", folder)
    run_cli("ingest", tmp_path / "train.jsonl", "--name", "train", cwd=folder)
    return folder


def test_recipes_without_a_workspace(tmp_path: Path, run_cli: RunCli) -> None:
    done = run_cli("recipes", "--format", "json", cwd=tmp_path)
    assert {row["recipe"] for row in json.loads(done.stdout)} == {
        "canary-finetune",
        "parakeet-an4",
        "parakeet-tdt-sft",
        "qwen3-asr-gradual",
        "qwen3-asr-sft",
        "smoke",
    }
    assert "next: asrdq plan" in done.stderr


def test_a_broken_workspace_is_not_passed_over(project: Path, run_cli: RunCli) -> None:
    (project / "asrdq.yaml").write_text("projekt: x\n", encoding="utf-8")
    done = run_cli("recipes", cwd=project, code=2)
    assert "did you mean 'project'" in done.stderr


def test_a_recipe_that_is_none_does_not_hide_the_others(project: Path, run_cli: RunCli) -> None:
    (project / "recipes").mkdir()
    (project / "recipes" / "broken.yaml").write_text("name: broken\n", encoding="utf-8")
    done = run_cli("recipes", "--format", "json", cwd=project)
    assert len(json.loads(done.stdout)) == 6
    assert "broken.yaml is no recipe" in done.stderr


def test_where_each_value_of_a_recipe_is_from(project: Path, run_cli: RunCli) -> None:
    (project / "recipes").mkdir()
    own = project / "recipes" / "ours.yaml"
    own.write_text("name: ours\nextends: smoke\ndata:\n  batch_size: 2\n", encoding="utf-8")
    done = run_cli("recipes", "ours", "--format", "json", cwd=project)
    rows = {row["key"]: row for row in json.loads(done.stdout)}
    assert rows["data.batch_size"]["value"] == "2"
    assert rows["data.batch_size"]["from"].endswith("recipes/ours.yaml:4")
    assert "smoke.yaml:" in rows["schedule.epochs"]["from"]
    assert "parakeet-tdt-sft.yaml:" in rows["optimiser.lr"]["from"]
    assert rows["trainer.nodes"]["from"] == "default"


def test_a_plan_for_people(project: Path, run_cli: RunCli) -> None:
    done = run_cli("plan", "train", "-r", "qwen3-asr-gradual", "-g", "2xA100-40", cwd=project)
    assert "1,000 rows" in done.stdout
    assert "2 clips × accumulation 16 × GPUs 2" in done.stdout
    assert "dropped: too_long" in done.stdout
    assert "24 h idle cost 76.80 USD (3.20 an hour)" in done.stderr
    assert "next: asrdq gate train" in done.stderr


def test_a_plan_for_machines_and_a_speed_of_ones_own(project: Path, run_cli: RunCli) -> None:
    command = ("plan", "train", "-r", "qwen3-asr-gradual", "-g", "2xA100-40", "--format", "json")
    result = json.loads(run_cli(*command, "--clips-per-second", 1, cwd=project).stdout)
    # 1,000 clips, five times, one a second.
    assert result["time"]["training_hours"] == pytest.approx(5000 / 3600)
    assert result["steps"]["steps"] == 16 * 5
    assert result["kept"]["dropped"] == [
        {"reason": "too_long", "rows": 30, "hours": pytest.approx(30 * 40 / 3600)}
    ]


def test_a_run_that_does_not_fit_stops_a_script(project: Path, run_cli: RunCli) -> None:
    command = ("plan", "train", "-r", "qwen3-asr-sft", "-g", "a10g")
    done = run_cli(*command, cwd=project, code=1)
    assert "error: memory:" in done.stderr
    assert "next:" not in done.stderr
    document = json.loads(run_cli(*command, "--format", "json", cwd=project, code=1).stdout)
    assert document["findings"][0]["level"] == "error"


def test_prices_of_a_team_are_laid_over(project: Path, run_cli: RunCli) -> None:
    prices = "machines:\n  ours: {gpu: h100, gpus: 8, usd_per_hour: 20, entered: 2026-11-01}\n"
    (project / "prices.yaml").write_text(prices, encoding="utf-8")
    command = ("plan", "train", "-r", "parakeet-tdt-sft", "-g", "8xh100", "--format", "json")
    cost = json.loads(run_cli(*command, cwd=project).stdout)["cost"]
    assert [offer["machine"] for offer in cost["offers"]] == ["ours"]
    assert cost["idle_usd"] == 480
    (project / "prices.yaml").write_text("machines: {ours: {gpu: h100}}\n", encoding="utf-8")
    done = run_cli(*command, cwd=project, code=2)
    problems = json.loads(done.stdout)["error"]["problems"]
    assert {(item["file"], item["line"]) for item in problems} == {("prices.yaml", 1)}
    assert len(problems) == 3  # gpus, usd_per_hour and entered are missing
