"""`asrdq lint` on a real command line: exit codes and formats."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from tests.conftest import RunCli
from tests.linting.conftest import SOUND, changed

from asrdq.errors import ExitCode
from asrdq.linting import every_rule, lint_commands, lint_config, lint_sarif, read_config

CONFIGS = Path(__file__).parent / "configs"
HOSTILE = "a\r\n::error title=x::owned %0A <b> ##[error] \x1b[31m"

SARIF = {
    "type": "object",
    "required": ["version", "runs"],
    "properties": {
        "version": {"const": "2.1.0"},
        "runs": {
            "type": "array",
            "items": {
                "required": ["tool", "results"],
                "properties": {
                    "results": {
                        "type": "array",
                        "items": {
                            "required": ["ruleId", "level", "message", "locations"],
                            "properties": {"level": {"enum": ["error", "warning", "note"]}},
                        },
                    }
                },
            },
        },
    },
}


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "train.yaml"
    file.write_text(changed(SOUND, "lr: 2e-3", "gradient_clip_val: 0.0"), encoding="utf-8")
    return file


@pytest.mark.slow
def test_exit_codes_and_formats_agree(run_cli: RunCli, config: Path) -> None:
    table = run_cli("lint", config, code=1)
    assert "lr-too-high" in table.stdout and "1 error, 1 warning, 0 notes" in table.stderr
    document = json.loads(run_cli("lint", config, "--format", "json", code=1).stdout)
    assert document["schema_version"] == 1
    assert [each["rule"] for each in document["found"]] == ["lr-too-high", "no-gradient-clipping"]
    github = run_cli("lint", config, "--format", "github", code=1).stdout.splitlines()
    assert re.match(
        rf"::error file={re.escape(str(config))},line=15,title=asrdq lint%3A lr-too-high::",
        github[0],
    )
    sarif = json.loads(run_cli("lint", config, "-f", "sarif", code=1).stdout)
    jsonschema.validate(sarif, SARIF)
    [first, _] = sarif["runs"][0]["results"]
    region = first["locations"][0]["physicalLocation"]["region"]
    assert (first["ruleId"], region) == ("lr-too-high", {"startLine": 15})


@pytest.mark.slow
def test_warnings_fail_where_that_is_asked(run_cli: RunCli, tmp_path: Path) -> None:
    file = tmp_path / "train.yaml"
    file.write_text(changed(SOUND, "gradient_clip_val: 0.0"), encoding="utf-8")
    run_cli("lint", file, code=0)
    run_cli("lint", file, "--fail-on", "warning", code=1)
    done = run_cli("lint", file, "--fix", code=0)
    assert "1 mended" in done.stderr
    run_cli("lint", file, "--fail-on", "note", code=0)
    assert file.read_text(encoding="utf-8") == SOUND


@pytest.mark.slow
def test_wrong_usage_ends_with_2(run_cli: RunCli, config: Path, tmp_path: Path) -> None:
    assert "which configuration?" in run_cli("lint", code=2).stderr
    assert "no such file" in run_cli("lint", tmp_path / "no.yaml", code=2).stderr
    assert "no override" in run_cli("lint", config, "-o", "x", code=2).stderr
    assert "GPU" in run_cli("lint", config, "--gpus", "2xnone", code=2).stderr


def test_a_recipe_is_found_by_its_name(run_cli: RunCli) -> None:
    assert "(recipe): 0 errors" in run_cli("lint", "parakeet-an4", code=0).stderr


def test_rules_are_listed(run_cli: RunCli) -> None:
    listed = json.loads(run_cli("lint", "--rules", "--format", "json").stdout)
    assert [each["rule"] for each in listed] == list(every_rule())
    assert all(each["reason"] and each["mend"] for each in listed)


@pytest.mark.slow
def test_a_configuration_is_held_against_a_workspace(
    run_cli: RunCli, data_samples: Path, config: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "ws"
    run_cli("init", folder)
    rows = [{"audio_filepath": f"{n}.wav", "text": "hej", "duration": 25.0} for n in range(3)]
    manifest = tmp_path / "rows.jsonl"
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    run_cli("ingest", manifest, "--name", "train", cwd=folder)
    result = run_cli("lint", config, "-m", "train", "-f", "json", code=1, cwd=folder)
    found = {each["rule"]: each for each in json.loads(result.stdout)["found"]}
    assert found["rows-dropped"]["level"] == "error"
    assert "3 of 3 rows (100.00%)" in found["rows-dropped"]["message"]


def test_texts_of_a_configuration_command_nothing(tmp_path: Path) -> None:
    file = tmp_path / "train.yaml"
    text = changed(SOUND, f"monitor: {json.dumps(HOSTILE + 'loss')}")
    file.write_text(text, encoding="utf-8")
    result = lint_config(read_config(file))
    lines = lint_commands(result).split("\n")
    assert len(lines) == len(result.standing) + 1
    assert all(line.startswith(("::warning ", "::notice ")) for line in lines)
    assert "\x1b" not in "".join(lines) and "##[" not in "".join(lines)


def test_a_suppression_is_told_to_code_scanners(tmp_path: Path) -> None:
    file = tmp_path / "train.yaml"
    file.write_text(changed(SOUND, "lr: 2e-3  # asrdq: ignore[lr-too-high] a new head"))
    result = lint_config(read_config(file))
    assert result.exit_code() is ExitCode.OK
    log: Any = json.loads(lint_sarif(result, result.exit_code()))
    [one] = log["runs"][0]["results"]
    assert one["suppressions"] == [
        {"kind": "inSource", "status": "accepted", "justification": "a new head"}
    ]
    assert lint_commands(result).count("::error") == 0


@pytest.mark.slow
def test_several_files_are_linted_and_the_worst_counts(
    run_cli: RunCli, config: Path, tmp_path: Path
) -> None:
    sound = tmp_path / "sound.yaml"
    sound.write_text(SOUND, encoding="utf-8")
    told = run_cli("lint", sound, config, code=1).stderr
    assert f"{sound} (nemo): 0 errors" in told and f"{config} (nemo): 1 error" in told
    assert "one configuration" in run_cli("lint", sound, config, "-f", "sarif", code=2).stderr
    assert "--fix needs the path" in run_cli("lint", "smoke", "--fix", code=2).stderr


@pytest.mark.slow
def test_a_listing_comes_through_a_pipe(run_cli: RunCli, config: Path, tmp_path: Path) -> None:
    text = changed(SOUND, "train_ds.manifest_filepath: /data/a.jsonl")
    config.write_text(changed(text, "validation_ds.manifest_filepath: /data/b.jsonl"))
    done = run_cli("lint", config, "--exists", "-", "-f", "json", code=1, stdin="/data/a.jsonl\n")
    [found] = json.loads(done.stdout)["found"]
    assert found["message"].endswith("/data/b.jsonl does not exist where the job runs")


@pytest.mark.slow
def test_a_recipe_of_the_workspace_is_found_by_its_name(run_cli: RunCli, tmp_path: Path) -> None:
    folder = tmp_path / "ws"
    run_cli("init", folder)
    (folder / "recipes").mkdir(exist_ok=True)
    mine = "name: mine\nextends: parakeet-an4\noptimiser:\n  lr: 2.0e-3\n"
    (folder / "recipes" / "mine.yaml").write_text(mine, encoding="utf-8")
    yours = "name: yours\nextends: mine\n"
    (folder / "recipes" / "yours.yaml").write_text(yours, encoding="utf-8")
    done = run_cli("lint", "yours", "-f", "json", code=1, cwd=folder)
    [found] = json.loads(done.stdout)["found"]
    assert (found["rule"], found["line"]) == ("lr-too-high", 4)
    assert found["file"].endswith("recipes/mine.yaml")
