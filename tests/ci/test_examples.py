"""The examples of the page about CI, run or compared with what they call."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from junitparser import JUnitXml

from asrdq.cli.verbs import VERBS

if TYPE_CHECKING:
    from tests.gates.conftest import Audited

HOOKS = ("asrdq-suite-lint", "asrdq-policy-lint", "asrdq-lint")


@pytest.fixture
def examples(project_root: Path) -> list[dict[str, Any]]:
    """The YAML of the page: of GitHub, of GitLab and of pre-commit."""
    page = (project_root / "docs" / "ci.md").read_text(encoding="utf-8")
    return [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", page, re.S)]


@pytest.fixture
def program(tmp_path: Path, project_root: Path) -> dict[str, str]:
    """An environment with nothing but the command of this tree."""
    folder = tmp_path / "bin"
    folder.mkdir()
    script = f'#!/bin/sh\nexec "{sys.executable}" -m asrdq "$@"\n'
    (folder / "asrdq").write_text(script, encoding="utf-8")
    (folder / "asrdq").chmod(0o755)
    path = f"{folder}:/usr/bin:/bin"
    return {"PATH": path, "HOME": str(tmp_path), "PYTHONPATH": str(project_root / "src")}


def shell(lines: list[str], folder: Path, environment: dict[str, str]) -> int:
    """Run the lines of a job as GitLab's shell does and return its exit code."""
    text = "\n".join(["set -eo pipefail", *lines])
    done = subprocess.run(
        ["bash", "-c", text], cwd=folder, env=environment, capture_output=True, check=False
    )
    return done.returncode


def hooks(root: Path) -> dict[str, dict[str, Any]]:
    found = yaml.safe_load((root / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    return {hook["id"]: hook for hook in found}


def test_the_workflow_gives_inputs_that_the_action_has(
    project_root: Path, examples: list[dict[str, Any]]
) -> None:
    action = yaml.safe_load((project_root / "action.yml").read_text(encoding="utf-8"))
    [step] = [item for item in examples[0]["jobs"]["gate"]["steps"] if "asrdq" in item["uses"]]
    assert set(step["with"]) <= set(action["inputs"])
    required = {name for name, told in action["inputs"].items() if told.get("required")}
    assert required <= set(step["with"])
    page = (project_root / "docs" / "ci.md").read_text(encoding="utf-8")
    assert set(action["inputs"]) == set(re.findall(r"^\| `([\w-]+)` \|", page, re.M))
    assert all(f"`{name}`" in page for name in action["outputs"])


@pytest.mark.slow
@pytest.mark.parametrize(("low", "code"), [(0, 0), (100, 1)])
def test_the_job_of_gitlab_ends_as_the_gate_does(
    audited: Audited,
    examples: list[dict[str, Any]],
    program: dict[str, str],
    tmp_path: Path,
    low: int,
    code: int,
) -> None:
    audited.write_audit({"noisy": low})
    job = examples[1]["data-gate"]
    given = {**job["variables"], "ASRDQ_WORKSPACE": str(audited.workspace.root)}
    environment = {**program, **given}
    folder = tmp_path / "checkout"
    folder.mkdir()
    assert shell(job["script"], folder, environment) == code
    report = JUnitXml.fromfile(str(folder / job["artifacts"]["reports"]["junit"]))
    assert (report.failures + report.errors > 0) == (code != 0)
    assert shell(job["after_script"], folder, environment) == 0
    assert all((folder / name).stat().st_size for name in job["artifacts"]["paths"])
    assert job["artifacts"]["when"] == "always"


@pytest.mark.slow
def test_the_job_of_gitlab_stops_at_a_broken_suite(
    audited: Audited, examples: list[dict[str, Any]], program: dict[str, str], tmp_path: Path
) -> None:
    audited.write_audit()
    job = examples[1]["data-gate"]
    root = Path(audited.workspace.root)
    (root / "expectations" / "ours.json").write_text('{"expectations": [{"type": "expect_x"}]}')
    environment = {**program, **job["variables"], "ASRDQ_WORKSPACE": str(root)}
    assert shell(job["script"], tmp_path, environment) == 2
    assert not (tmp_path / "gate.xml").exists()


def test_the_hooks_are_those_that_the_page_names(
    project_root: Path, examples: list[dict[str, Any]]
) -> None:
    found = hooks(project_root)
    assert tuple(found) == HOOKS
    assert [hook["id"] for hook in examples[2]["repos"][0]["hooks"]] == list(HOOKS)
    for hook in found.values():
        assert set(hook) <= {
            *("id", "name", "description", "entry", "language", "files", "types"),
            "additional_dependencies",
        }
        assert hook["language"] == "python"
        program, verb, *_ = shlex.split(hook["entry"])
        assert program == "asrdq"
        assert verb in VERBS


@pytest.mark.parametrize(
    ("hook", "path", "taken"),
    [
        ("asrdq-suite-lint", "expectations/asr_manifest.json", True),
        ("asrdq-suite-lint", "data/ws/expectations/ours.json", True),
        ("asrdq-suite-lint", "expectations/old/ours.json", False),
        ("asrdq-suite-lint", "my-expectations/ours.json", False),
        ("asrdq-policy-lint", "policies/default.yaml", True),
        ("asrdq-policy-lint", "data/ws/policies/ours.yml", True),
        ("asrdq-policy-lint", "policies/README.md", False),
        ("asrdq-lint", "recipes/smoke.yaml", True),
        ("asrdq-lint", "recipes.yaml", False),
    ],
)
def test_a_hook_takes_its_files(project_root: Path, hook: str, path: str, taken: bool) -> None:
    assert bool(re.search(hooks(project_root)[hook]["files"], path)) == taken


@pytest.mark.slow
@pytest.mark.parametrize(
    ("hook", "folder", "bad", "code"),
    [
        ("asrdq-suite-lint", "expectations", '{"expectations": [{"type": "expect_nothing"}]}', 2),
        ("asrdq-policy-lint", "policies", "audit: {caution_form: 0.1}\n", 2),
        ("asrdq-lint", "recipes", "name: spoiled\nextends: smoke\noptimiser: {lr: 0.1}\n", 1),
    ],
)
def test_a_hook_passes_what_comes_along_and_stops_a_mistake(
    project_root: Path,
    program: dict[str, str],
    tmp_path: Path,
    hook: str,
    folder: str,
    bad: str,
    code: int,
) -> None:
    entry = shlex.split(hooks(project_root)[hook]["entry"])
    good = sorted(map(str, (project_root / folder).iterdir()))
    spoiled = tmp_path / f"spoiled{Path(good[0]).suffix}"
    spoiled.write_text(bad, encoding="utf-8")

    def run(*files: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["/usr/bin/env", "-S", *entry, *files],
            cwd=tmp_path,
            env=program,
            capture_output=True,
            text=True,
            check=False,
        )

    assert run(*good).returncode == 0
    failed = run(*good, str(spoiled))
    assert failed.returncode == code
    assert spoiled.name in failed.stdout + failed.stderr
