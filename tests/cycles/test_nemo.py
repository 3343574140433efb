"""A whole round with NeMo: a tiny base is handed data, trained, transcribed and compared."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import yaml
from tests.cycles.conftest import QUICK, states
from tests.gates.conftest import Audited, write_manifest
from tests.training.nemo.conftest import RECIPE

from asrdq.cycles import CyclePlan, run_cycle
from asrdq.handoff import Asked
from asrdq.manifests import ingest_manifest
from asrdq.recipes import read_recipe_file
from asrdq.rounds import ComparePlan
from asrdq.workspace import ManifestVersion, Workspace

pytest.importorskip("nemo.collections.asr", reason="the extra train is not installed")
pytestmark = [pytest.mark.slow(minutes=1), pytest.mark.filterwarnings("ignore")]

RATE = 16_000
STEPS = 60


def noise(file: Path, seconds: float, seed: int) -> None:
    sound = np.random.default_rng(seed).normal(0.0, 0.1, round(RATE * seconds))
    soundfile.write(file, sound, RATE)


def ingested(workspace: Workspace, folder: Path, name: str, texts: list[str]) -> ManifestVersion:
    """Ingest clips of noise that are said to be these texts."""
    lines = []
    for number, text in enumerate(texts):
        file = folder / f"{name}-{number}.wav"
        noise(file, 2.0, 1_000 * len(name) + number)
        row = {"id": file.stem, "audio_filepath": str(file), "duration": 2.0, "text": text}
        lines.append(json.dumps(row) + "\n")
    manifest = folder / f"{name}.jsonl"
    manifest.write_text("".join(lines), encoding="utf-8")
    return ingest_manifest(workspace, [manifest], name).manifest


@pytest.fixture
def plan(workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CyclePlan:
    """400 audited clips that all say the same: what a tiny model learns in a few steps."""
    from asrdq.training.nemo.tiny import tiny_model

    for name in ("RANK", "LOCAL_RANK", "WORLD_SIZE", "ASRDQ_RUN_DIR", "ASRDQ_BUNDLE_ID"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "audio"
    folder.mkdir()
    for number in range(400):
        noise(folder / f"clip-{number:04d}.wav", 2.0, number)
    ingest_manifest(workspace, [write_manifest(folder)], "train")
    audited = Audited(workspace, folder, workspace.manifest("train"))
    audited.write_audit()
    audited.ask()
    base = tiny_model("ctc", ["a sentence", "blue whales"], tmp_path / "tiny")
    recipe: dict[str, Any] = {
        **RECIPE,
        "name": "tones",
        "model": {**RECIPE["model"], "base": str(base)},
        "data": {**RECIPE["data"], "batch_size": 16},
        "optimiser": {**RECIPE["optimiser"], "lr": 1e-3},
        "schedule": {**RECIPE["schedule"], "max_steps": STEPS, "warmup_steps": 5},
        "handoff": {"requires_signoff": False},
    }
    (tmp_path / "tones.yaml").write_text(yaml.safe_dump(recipe), encoding="utf-8")
    asked = Asked(
        workspace=workspace,
        train=workspace.manifest("train"),
        validation=ingested(workspace, folder, "val", ["a word", "a term", "one sentence"]),
        recipe=read_recipe_file(str(tmp_path / "tones.yaml"), workspace),
        backend="nemo",
        out=Path(),
    )
    texts = ["a sentence"] * 20 + ["blue whales"] * 5
    return CyclePlan(
        asked=asked,
        evaluation=ingested(workspace, folder, "eval", texts),
        device="cpu",
        score=QUICK,
        compare=ComparePlan(metric="wer", replicates=1_000),
        workers=1,
    )


def test_a_round_with_nemo(workspace: Workspace, plan: CyclePlan) -> None:
    result = run_cycle(workspace, plan)
    assert set(states(result).values()) == {"done"}
    assert result.model is not None and result.model.endswith(".nemo")
    assert result.before_rate is not None and result.before_rate >= 0.9
    # each right clip has two words: one of them at least is known by now
    assert result.after_rate is not None and result.after_rate <= 30 / 50
    assert (result.verdict, result.exit_code) == ("KEEP", 0)
    again = run_cycle(workspace, dataclasses.replace(plan, workers=2))
    assert set(states(again).values()) == {"found", "done"}
    assert states(again)["transcribe after"] == "found"
    assert (again.round, again.verdict) == (1, "KEEP")
