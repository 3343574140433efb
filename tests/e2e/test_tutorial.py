"""The tutorial is run as it is written: every block in its order, every line that it shows."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from asrdq.workspace import Workspace

pytestmark = pytest.mark.slow(minutes=3)

BLOCK = re.compile(r"^```(sh|text)\n(.*?)^```", re.M | re.S)
ROUND = "@@ block"


def run_blocks(page: Path, folder: Path) -> list[tuple[str, str]]:
    """Run the blocks of a page in one shell; return what each printed, and what is shown of it."""
    blocks = BLOCK.findall(page.read_text(encoding="utf-8"))
    commands = [body for language, body in blocks if language == "sh"]
    shown: list[str] = []
    for language, body in blocks:
        if language == "sh":
            shown.append("")
        else:
            shown[-1] = body
    script = "\n".join(f"echo '{ROUND}'\n{body}" for body in commands)
    paths = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        ["bash", "-ec", script],
        cwd=folder,
        env={**os.environ, "PATH": paths, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    assert "Traceback" not in done.stderr
    printed = (done.stdout + "").split(ROUND)[1:]
    assert len(printed) == len(commands)
    return list(zip(printed, shown, strict=True))


def test_the_tutorial(project_root: Path, data_samples: Path, tmp_path: Path) -> None:
    (tmp_path / "data_samples").symlink_to(data_samples)
    for printed, shown in run_blocks(project_root / "docs" / "tutorial.md", tmp_path):
        missing = [line for line in shown.splitlines() if line not in printed]
        assert missing == [], printed
    story = tmp_path / "story"
    workspace = Workspace.open(story)
    decisions = workspace.query("SELECT manifest, verdict FROM decisions ORDER BY decided")
    assert decisions.to_pylist() == [
        {"manifest": "train", "verdict": "STOP"},
        {"manifest": "train_clean", "verdict": "PROCEED"},
    ]
    assert not (story / "refused").exists()
    info = json.loads((story / "run" / "training_run_info.json").read_text())
    assert (info["steps"], info["train"]["used"]["rows"]) == (72, 34)
    (compared,) = workspace.read("comparisons").to_pylist()
    assert compared["go"] == "NO_GO"
    assert compared["after_rate"] > 0.2
    card = (story / "run" / "README.md").read_text(encoding="utf-8")
    front = yaml.safe_load(card.split("---\n")[1])
    values = {
        (each["dataset"].get("config"), metric["type"]): metric["value"]
        for each in front["model-index"][0]["results"]
        for metric in each["metrics"]
    }
    assert values[None, "wer"] == round(100 * compared["after_rate"], 2)
    assert {scope for scope, _ in values} == {
        *(None, "domain=meeting", "domain=street", "domain=voicemail")
    }
    assert "PROCEED accepted by Dana Levi" in card
    assert "NO\\_GO for r0 → r1 on val" in card
    cards = workspace.read("cards").to_pylist()
    assert [row["pushed_to"] for row in cards] == [None, None]
