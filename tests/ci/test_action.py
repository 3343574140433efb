"""The steps of the GitHub Action, run in a clean environment; inputs and data cannot command it."""

from __future__ import annotations

import json
import shutil
import sys
import tomllib
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from tests.ci.conftest import OFFLINE, FillSite
from tests.ci.runner import EXPRESSION, Job, commands, run_action
from tests.gates.conftest import Audited, write_manifest

if TYPE_CHECKING:
    from tests.conftest import S3Server

    from asrdq.workspace import Workspace

RunJob = Callable[..., Job]
INSTALL = "Install asrdq"
HOSTILE = "$(touch pwned)`touch pwned`';touch pwned;\"|touch pwned&\n::error::pwned\n$GITHUB_OUTPUT"


@pytest.fixture
def steps(project_root: Path) -> list[dict[str, Any]]:
    document = yaml.safe_load((project_root / "action.yml").read_text(encoding="utf-8"))
    found: list[dict[str, Any]] = document["runs"]["steps"]
    return found


@pytest.fixture
def run_job(project_root: Path, tmp_path: Path) -> RunJob:
    """Run the action but for its first step: asrdq is there already, as it is in this tree."""
    action = tmp_path / "action.yml"
    document = yaml.safe_load((project_root / "action.yml").read_text(encoding="utf-8"))
    document["runs"]["steps"] = [
        step for step in document["runs"]["steps"] if step["name"] != INSTALL
    ]
    action.write_text(yaml.safe_dump(document), encoding="utf-8")
    folder = tmp_path / "job"
    (folder / "temp").mkdir(parents=True)
    (folder / "temp" / "asrdq").symlink_to(sys.prefix)

    def run(variables: Mapping[str, str] | None = None, **inputs: str) -> Job:
        given = {name.replace("_", "-"): value for name, value in inputs.items()}
        environment = {"PYTHONPATH": str(project_root / "src"), **(variables or {})}
        return run_action(action, folder, given, environment)

    return run


def test_no_script_holds_an_expression_and_nothing_is_fetched_by_hand(
    steps: list[dict[str, Any]],
) -> None:
    scripts = [step["run"] for step in steps if "run" in step]
    assert len(scripts) == 4
    for script in scripts:
        assert not EXPRESSION.search(script)
        assert "eval" not in script
        assert "://" not in script
    assert [step["uses"] for step in steps if "uses" in step] == [
        "github/codeql-action/upload-sarif@v4"
    ]


def test_the_guard_against_commands_trips() -> None:
    assert commands("a\n   ::error::b\n") == ["::error::b"]
    assert commands("a ##[error]b") == ["a ##[error]b"]
    assert commands("::stop-commands::x\n::error::b\n::x::\n::notice::c") == ["::notice::c"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("low", "fail_on", "verdict", "code"),
    [(0, "stop", "PROCEED", 0), (48, "caution", "CAUTION", 1), (100, "stop", "STOP", 1)],
)
def test_the_verdict_is_the_outcome(
    audited: Audited, run_job: RunJob, low: int, fail_on: str, verdict: str, code: int
) -> None:
    audited.write_audit({"noisy": low})
    job = run_job(manifest="train", workspace=str(audited.workspace.root), fail_on=fail_on)
    assert job.code == code
    assert job.outputs["gate"]["verdict"] == verdict
    assert job.outputs["outcome"] == {"exit-code": str(code)}
    assert any(line.startswith("::notice title=asrdq gate::") for line in commands(job.log))
    assert f"## {verdict} for train" in job.summary
    assert job.ran == ["Ask the gate", "Outcome"]
    assert job.used == {}


@pytest.mark.slow
def test_without_evidence_it_is_undecided_in_each_format(audited: Audited, run_job: RunJob) -> None:
    where = str(audited.workspace.root)
    for form in ("github", "table", "json", "junit", "sarif"):
        job = run_job(manifest="train", workspace=where, format=form, upload_sarif="true")
        assert (job.code, job.outputs["gate"]["verdict"]) == (4, "UNDECIDED")
        written = Path(job.outputs["gate"]["file"]).read_text(encoding="utf-8")
        if form == "junit":
            assert ET.fromstring(written).tag in ("testsuites", "testsuite")
        elif form in ("json", "sarif"):
            assert json.loads(written)
        uploaded = {"sarif_file": job.outputs["gate"]["file"], "category": "asrdq"}
        uploads = {"github/codeql-action/upload-sarif@v4": uploaded} if form == "sarif" else {}
        assert job.used == uploads
        assert bool(commands(job.log)) == (form == "github")


@pytest.mark.slow
def test_suites_are_checked_first_and_the_worst_of_them_counts(
    audited: Audited, run_job: RunJob
) -> None:
    audited.write_audit()
    suites = Path(audited.workspace.root) / "expectations"
    for name, kind in (("bad", "audio_to_decode"), ("good", "text_without_brackets")):
        item = {"type": f"expect_{kind}", "kwargs": {}}
        (suites / f"{name}.json").write_text(json.dumps({"expectations": [item]}))
    where = str(audited.workspace.root)
    job = run_job(manifest="train", workspace=where, suites="good, bad\ngood")
    assert job.outputs["check"] == {"exit-code": "4"}
    assert job.outputs["gate"]["verdict"] == "PROCEED"
    assert job.code == 4
    assert run_job(manifest="train", workspace=where, suites="good").code == 0


@pytest.mark.slow
@pytest.mark.parametrize("name", ["manifest", "workspace", "policy", "suites", "fail-on", "format"])
def test_a_hostile_input_runs_nothing_and_fails(
    audited: Audited, run_job: RunJob, tmp_path: Path, name: str
) -> None:
    audited.write_audit()
    inputs = {"manifest": "train", "workspace": str(audited.workspace.root)}
    job = run_job(**{**inputs, name: HOSTILE})
    assert job.code == 2
    assert not list(tmp_path.rglob("pwned*"))
    named = [line for line in commands(job.log) if "pwned" in line]
    assert all(line.startswith("::error title=asrdq") for line in named)
    assert all(set(found) <= {"exit-code", "verdict", "file"} for found in job.outputs.values())
    assert job.outputs.get("gate", {}).get("verdict", "") in ("", "PROCEED")


@pytest.mark.slow
def test_an_option_as_an_input_stays_a_value(audited: Audited, run_job: RunJob) -> None:
    where = str(audited.workspace.root)
    for name in ("manifest", "policy", "suites"):
        job = run_job(**{"manifest": "train", "workspace": where, name: "--help"})
        assert job.code not in (0, 1), name


@pytest.mark.slow
def test_texts_of_the_data_command_nothing(
    audited: Audited, run_job: RunJob, tmp_path: Path
) -> None:
    from asrdq.manifests import ingest_manifest

    text = "a [b]\n::error::pwned\n::set-output name=x::y\r\n##[set-output name=x]y <img src=x>"
    file = tmp_path / "hostile.jsonl"
    row = {"audio_filepath": "a.wav", "text": text, "duration": 2.0, "id": "::error::pwned"}
    file.write_text(json.dumps(row) + "\n", encoding="utf-8")
    ingest_manifest(audited.workspace, [file], "hostile")
    root = Path(audited.workspace.root)
    item = {"type": "expect_text_without_brackets", "kwargs": {}}
    suite = {"name": "[/x]\n::error::pwned\n##[error]pwned", "expectations": [item]}
    (root / "expectations" / "ours.json").write_text(json.dumps(suite), encoding="utf-8")
    for form in ("github", "table"):
        job = run_job(manifest="hostile", workspace=str(root), suites="ours", format=form)
        assert job.outputs["check"] == {"exit-code": "1"}
        assert job.log.count("pwned") > 2
        assert not any("pwned" in line or "set-output" in line for line in commands(job.log))
        assert "<img" not in job.summary


@pytest.mark.slow
def test_evidence_on_s3_is_enough(
    s3_workspace: Workspace, s3_server: S3Server, run_job: RunJob, tmp_path: Path
) -> None:
    from asrdq.manifests import ingest_manifest

    folder = tmp_path / "audio"
    folder.mkdir()
    ingest_manifest(s3_workspace, [write_manifest(folder, 30, 30)], "train")
    Audited(s3_workspace, folder, s3_workspace.manifest("train")).write_audit()
    variables = {**s3_server.environment, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    where = str(s3_workspace.root)
    job = run_job(variables, manifest="train", workspace=where, suites="asr_manifest")
    assert (job.code, job.outputs["gate"]["verdict"]) == (0, "PROCEED"), job.log


@pytest.mark.slow
def test_it_installs_this_tree_and_runs_from_there(
    audited: Audited, project_root: Path, tmp_path: Path, fill_site: FillSite
) -> None:
    audited.write_audit()
    action = tmp_path / "a tree" / "action.yml"
    settings = tomllib.loads((project_root / "pyproject.toml").read_text(encoding="utf-8"))
    shipped = settings["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    tracked = ("src", "pyproject.toml", "README.md", "LICENSE", "constraints.txt", "action.yml")
    for name in (*tracked, *shipped):
        source, target = project_root / name, action.parent / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)
    folder = tmp_path / "job"
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    fill_site(folder / "temp" / "asrdq" / "lib" / version / "site-packages")
    python = tmp_path / "bin"
    python.mkdir()
    (python / "python3").symlink_to(Path(sys.base_prefix) / "bin" / version)
    environment = {**OFFLINE, "PATH": f"{python}:/usr/bin:/bin"}
    inputs = {"manifest": "train", "workspace": str(audited.workspace.root)}
    job = run_action(action, folder, {**inputs, "suites": "asr_manifest"}, environment)
    assert job.code == 0, job.log
    assert job.ran[0] == INSTALL
    assert job.outputs["gate"]["verdict"] == "PROCEED"
    refused = run_action(action, folder, {**inputs, "version": "1; touch pwned"}, environment)
    assert (refused.code, refused.ran) == (2, [INSTALL])
