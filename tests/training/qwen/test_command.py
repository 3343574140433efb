"""A bundle for Qwen3-ASR goes through every guard of `asrdq train` and becomes a model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.training.qwen.conftest import GROUPS, STAGES, MakeJob

from asrdq.errors import DataError
from asrdq.handoff.provenance import seal
from asrdq.results import plain
from asrdq.training import TrainPlan, train

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


def write_bundle(folder: Path, job: Any, clips: list[dict[str, Any]]) -> Path:
    """A bundle as a hand-off writes it, as far as training reads it."""
    recipe = job.recipe.model_dump(mode="json")
    listing = [{"path": row["audio"], "bytes": Path(row["audio"]).stat().st_size} for row in clips]
    lines = {"data/train.jsonl": clips, "data/validation.jsonl": clips[:2], "audio.jsonl": listing}
    for name, rows in lines.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "config").mkdir()
    (folder / "config" / "recipe.yaml").write_text(yaml.safe_dump(recipe, sort_keys=False))
    sides = {
        name: {
            "manifest": f"{name}@0",
            "fingerprint": name,
            "rows": len(rows),
            "hours": sum(row["duration"] for row in rows) / 3600,
        }
        for name, rows in (("train", clips), ("validation", clips[:2]))
    }
    body = {"schema_version": 1, "backend": "qwen", "figures": plain(job.figures), "lint": []}
    seal(folder, {**body, **sides, "recipe": {"name": "tiny", "sha256": "0" * 64}})
    return folder


def test_a_bundle_is_trained_and_the_run_says_what_came_out(
    make_job: MakeJob, tiny: Path, clips: list[dict[str, Any]], tmp_path: Path
) -> None:
    job = make_job(
        tmp_path / "job",
        steps=6,
        every=4,
        warmup=1,
        model={"groups": GROUPS, "base": str(tiny)},
        stages=STAGES,
        trainer={"precision": "fp32", "log_every_n_steps": 1, "seed": 7, "accumulation": 1},
    )
    bundle = write_bundle(tmp_path / "bundle", job, clips)
    with pytest.raises(DataError, match="lr-too-high"):
        train(TrainPlan(bundle=bundle, device="cpu"))
    plan = TrainPlan(bundle=bundle, device="cpu", allow=frozenset({"lr-too-high"}))
    result = train(plan)
    info = json.loads((tmp_path / "bundle.run" / "training_run_info.json").read_text())
    assert result.info.state == info["state"] == "finished"
    assert info["steps"] == 6
    assert Path(info["model"]["path"]).name == "model"
    assert {each["rule"] for each in info["allowed"]} == {"lr-too-high"}
    assert train(plan).already
