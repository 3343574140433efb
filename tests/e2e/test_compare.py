"""`asrdq compare`, as a user runs it."""

from __future__ import annotations

import csv
import io
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from asrdq.hypotheses import load_hypotheses
from asrdq.manifests import ingest_manifest
from asrdq.scoring import score_hypotheses
from asrdq.workspace import Workspace

RunCli = Callable[..., "subprocess.CompletedProcess[str]"]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 rows of which round 1 misses the drug in 40 and round 2 in 10; 2 clean rows break."""
    folder = tmp_path_factory.mktemp("rounds")
    rows: list[dict[str, Any]] = []
    heard: dict[str, list[dict[str, str]]] = {"r1": [], "r2": []}
    for i in range(60):
        key, text = f"u{i:02}", f"give metformin {i}"
        rows.append({"utt_id": key, "text": text, "term": "metformin", "domain": "ward"})
        for name, missed in (("r1", 40), ("r2", 10)):
            said = text.replace("metformin", "met for min") if i < missed else text
            heard[name].append({"utt_id": key, "hypothesis": said})
    for i in range(600):
        key, text = f"c{i:03}", "good morning"
        rows.append({"utt_id": key, "text": text, "domain": "clean"})
        heard["r1"].append({"utt_id": key, "hypothesis": text})
        heard["r2"].append({"utt_id": key, "hypothesis": "good mourning" if i < 2 else text})
    given = [{"audio_path": f"{r['utt_id']}.wav", "duration_s": 6.0, **r} for r in rows]
    Workspace.init(folder / "workspace")
    workspace = Workspace.open(folder / "workspace")
    for name, lines in {"eval": given, **heard}.items():
        file = folder / f"{name}.jsonl"
        file.write_text("".join(json.dumps(line) + "\n" for line in lines))
        if name == "eval":
            ingest_manifest(workspace, [file], name)
        else:
            version = workspace.manifest("eval")
            load_hypotheses(workspace, version, file, name=name)
            score_hypotheses(workspace, version, name)
    return workspace.root


def test_compare_for_people(scored: Path, run_cli: RunCli) -> None:
    done = run_cli(
        *("compare", "r1", "r2", "--by", "domain", "--guard", "domain=clean", "--margin", "0.02"),
        cwd=scored,
    )
    assert "KEEP: keep the round" in done.stdout
    assert "KER of all rows: 0.667 → 0.167" in done.stdout
    assert "guard WER of domain=clean: 0.00000 → 0.00167" in done.stdout
    assert "60 rows are fewer than 100" in done.stdout
    lines = [line.split() for line in done.stdout.splitlines()]
    assert ["reference", "give", "metformin", "10"] in lines
    assert ["r1", "give", "+met", "+for", "[min]", "10"] in lines
    assert ["r2", "good", "[mourning]"] in lines
    [row] = [line for line in lines if line[:3] == ["domain:", "ward", "KER"]]
    assert row[3:7] == ["60", "66.67", "16.67", "-50"]
    assert "next: asrdq compare r1 r2 --rows broken" in done.stderr


def test_compare_for_machines(scored: Path, run_cli: RunCli) -> None:
    done = run_cli("compare", "r1", "r2", "--format", "json", cwd=scored)
    document = json.loads(done.stdout)
    assert document["schema_version"] == 1
    assert document["decision"]["verdict"] == "KEEP"
    assert document["target"]["relative"] == pytest.approx(-0.75)
    assert document["counts"] == {"fixed": 30, "broken": 2}
    assert len(document["changed"]) == 22
    again = json.loads(run_cli("compare", "r1", "r2", "-f", "json", cwd=scored).stdout)
    assert again["deltas"] == document["deltas"]


def test_the_rows_that_broke(scored: Path, run_cli: RunCli) -> None:
    done = run_cli("compare", "r1", "r2", "--rows", "broken", "--format", "csv", cwd=scored)
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [row["utt_id"] for row in rows] == ["c000", "c001"]
    assert {row["after"] for row in rows} == {"good mourning"}


def test_markdown_holds_the_verdict_and_fenced_alignments(scored: Path, run_cli: RunCli) -> None:
    done = run_cli("compare", "r1", "r2", "--format", "markdown", "--examples", "1", cwd=scored)
    assert "- KEEP: keep the round" in done.stdout.splitlines()
    assert "| all | KER | 60 |" in done.stdout
    assert done.stdout.count("```") == 4


def test_exit_codes_are_a_gate(scored: Path, run_cli: RunCli) -> None:
    run_cli("compare", "r2", "r1", cwd=scored, code=1)
    run_cli(
        "compare", "r1", "r2", "--guard", "domain=clean", "--margin", "0.0005", cwd=scored, code=4
    )
    run_cli(
        "compare", "r1", "r2", "--metric", "wer", "--target", "domain=clean", cwd=scored, code=4
    )


def test_mistakes_are_told(scored: Path, run_cli: RunCli) -> None:
    done = run_cli("compare", "r1", "r7", cwd=scored, code=2)
    assert "unknown scored set of hypotheses 'r7'" in done.stderr
    done = run_cli("compare", "r1", "r2", "--target", "domain", cwd=scored, code=2)
    assert "'domain' is not COLUMN=VALUE" in done.stderr
    done = run_cli("compare", "r1", "r2", "--guard", "domian", cwd=scored, code=2)
    assert "unknown column 'domian'" in done.stderr
    bad = scored / "criteria.yaml"
    bad.write_text("version: 1\nmust:\n  - {metric: werr, comparison: '<', value: 0.1}\n")
    done = run_cli("compare", "r1", "r2", "--criteria", bad, cwd=scored, code=2)
    assert "criteria.yaml:3: must.0.metric" in done.stderr


def test_before_anything_is_scored_the_next_step_is_named(
    workspace: Workspace, run_cli: RunCli
) -> None:
    done = run_cli("compare", "r1", "r2", cwd=workspace.root, code=2)
    assert "nothing was scored yet" in done.stderr
    assert "asrdq score" in done.stderr
