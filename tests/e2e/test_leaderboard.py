"""`asrdq leaderboard` as a user types it, and the page of a scored manifest."""

from __future__ import annotations

import json
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

RunCli = Callable[..., "subprocess.CompletedProcess[str]"]

pytestmark = pytest.mark.slow


@pytest.fixture
def scored(tmp_path: Path, run_cli: RunCli) -> Path:
    """A workspace with 120 scored rows: 60 drugs of which 30 are missed, 60 conditions, none."""
    folder = tmp_path / "project"
    rows, heard = [], []
    for number in range(120):
        drug = number % 2 == 0
        term = "cefazolin" if drug else "sepsis"
        text = f"we saw {term} today"
        missed = drug and number % 4 == 0
        rows.append(
            {"id": f"u{number}", "audio_filepath": f"{number}.wav", "text": text, "duration": 3.0}
            | {"term": term, "entity_category": "drug" if drug else "condition"}
            | {"ipa_source": "magpie_g2p" if missed else "merriam-webster"}
        )
        heard.append({"utt_id": f"u{number}", "hypothesis": text.replace("cefazolin", "zolin")})
        if not missed:
            heard[-1]["hypothesis"] = text
    for name, lines in (("eval", rows), ("r1", heard)):
        content = "".join(json.dumps(line) + "\n" for line in lines)
        (tmp_path / f"{name}.jsonl").write_text(content, encoding="utf-8")
    run_cli("init", folder)
    run_cli("ingest", tmp_path / "eval.jsonl", "--name", "eval", cwd=folder)
    run_cli("score", "eval", "--hyps", f"r1={tmp_path / 'r1.jsonl'}", cwd=folder)
    return folder


def test_before_anything_was_scored(tmp_path: Path, run_cli: RunCli) -> None:
    run_cli("init", tmp_path / "empty")
    done = run_cli("leaderboard", "r1", cwd=tmp_path / "empty", code=2)
    assert "nothing was scored yet" in done.stderr
    assert "→ asrdq score MANIFEST --hyps r1" in done.stderr


def test_the_leaderboard_and_the_route(scored: Path, run_cli: RunCli) -> None:
    done = run_cli("leaderboard", "r1", cwd=scored)
    titles = ["All utterances", "KER by entity", "KER by source", "KER by noise", "KER per term"]
    places = [done.stdout.index(title) for title in [*titles, "Next: cover pronunciations"]]
    assert places == sorted(places)
    assert "absent: eval@0 has no column 'noise_level'" in done.stdout
    assert "delta magpie_g2p − merriam-webster: +1.000" in done.stdout
    assert "Do not tune on it" in done.stdout
    assert "priority: 'drug' (the worst category with at least 5 rows)" in done.stdout
    step = done.stderr.split("next: ")[1].splitlines()[0].split("  ")[0]
    rows = run_cli(*shlex.split(step)[1:], "--format", "json", cwd=scored).stdout
    assert json.loads(rows) == [{"term": "cefazolin"}]  # the step is a command that works
    other = run_cli("leaderboard", "r2", cwd=scored, code=2)
    assert "did you mean 'r1'" in other.stderr
    other = run_cli("leaderboard", "r1", "--priority", "drugs", cwd=scored, code=2)
    assert "did you mean 'drug'" in other.stderr


def test_every_format_and_the_page(scored: Path, run_cli: RunCli, tmp_path: Path) -> None:
    own = ("leaderboard", "r1", "--on", "eval", "--priority", "condition", "--later")
    document = json.loads(run_cli(*own, "--format", "json", cwd=scored).stdout)
    assert document["schema_version"] == 1
    assert document["route"]["priority"] == "condition"
    assert document["route"]["first"] is False
    markdown = run_cli(*own, "--format", "markdown", cwd=scored).stdout
    assert markdown.startswith("# Leaderboard: r1 on eval@0\n")
    assert "| drug | KER | 0.500 |" in markdown
    lines = run_cli(*own, "--format", "csv", cwd=scored).stdout.splitlines()
    assert lines[0].startswith('"section","place","member"') or lines[0].startswith("section,place")
    page = tmp_path / "board.html"
    done = run_cli(*own, "--html", page, cwd=scored)
    assert f"written: {page}" in done.stderr
    assert "<h2>Leaderboard of <bdi>r1</bdi></h2>" in page.read_text(encoding="utf-8")


def test_sclite_and_back(scored: Path, run_cli: RunCli, sclite: Callable[[str], None]) -> None:
    done = run_cli("leaderboard", "r1", "--trn", scored / "trn", cwd=scored)
    assert "120 utterances" in done.stderr
    command = next(line for line in done.stderr.splitlines() if "score them: " in line)
    sclite(command.removeprefix("score them: "))
    for name in ("sclite.raw", "sclite.sys"):
        told = run_cli("leaderboard", "r1", "--sclite", scored / "trn" / name, cwd=scored).stdout
        assert "both agree in everything" in told
    broken = run_cli("leaderboard", "r1", "--sclite", scored / "asrdq.yaml", cwd=scored, code=1)
    assert "no row 'Sum' of a report by sclite" in broken.stderr


def test_the_report_of_a_scored_manifest(scored: Path, run_cli: RunCli) -> None:
    done = run_cli("report", "eval", cwd=scored)
    assert "eval was not audited: the page has no verdict" in done.stderr
    assert "next: asrdq audit eval" in done.stderr
    page = Path(done.stdout.strip()).read_text(encoding="utf-8")
    assert "Leaderboard of" in page
    assert "cefazolin" in page
