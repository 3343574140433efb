"""Bundles of made-up clips, and a small trainer of the tests, installed as a plug-in is."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from asrdq.handoff.figures import Figures
from asrdq.handoff.provenance import seal
from asrdq.planning.kept import Dropped, Filtered, Kept
from asrdq.recipes import read_recipe
from asrdq.results import plain
from asrdq.training import TrainingResult, TrainPlan, train
from asrdq.workspace import Workspace

PLUGINS = Path(__file__).parent / "plugins"
METADATA = "Metadata-Version: 2.1\nName: trial-backends\nVersion: 1.0\n"
ENTRY_POINTS = """[asrdq.backends]
line = trial_backends:LineBackend
nothing = trial_backends:NoBackend
broken = trial_backends:BrokenBackend
"""
STEPS = 30
RECIPE = {
    "name": "tiny",
    "extends": "smoke",
    "optimiser": {"lr": 1e-3},
    "data": {"batch_size": 4, "max_duration_s": 20.0},
}


def clips(folder: Path, side: str, count: int, **more: Any) -> list[dict[str, Any]]:
    """Clips of 1 to 3 s, with ten characters a second."""
    rows = []
    for number in range(count):
        audio = folder / f"{side}{number}.wav"
        audio.write_bytes(f"audio of {side} {number}".encode())
        seconds = 1.0 + 0.05 * (number * 7 % 41)
        text = f"{side[0]}{number} " + "abcde " * 10
        row = {
            "audio_filepath": str(audio),
            "duration": seconds,
            "text": text[: round(10 * seconds)].strip(),
        }
        rows.append({**row, **more})
    return rows


def write_bundle(
    folder: Path,
    *,
    recipe: Mapping[str, Any] | None = None,
    rows: list[dict[str, Any]] | None = None,
    figures: Mapping[str, Any] | None = None,
    lint: list[dict[str, Any]] | None = None,
) -> Path:
    """A bundle as a hand-off writes it, as far as training reads it: 40 clips, 30 steps."""
    folder.mkdir(parents=True)
    audio = folder.parent / "audio"
    audio.mkdir(exist_ok=True)
    train_rows = clips(audio, "train", 40) if rows is None else rows
    validation_rows = clips(audio, "val", 5)
    own = folder.parent / "tiny.yaml"
    own.write_text(yaml.safe_dump({**RECIPE, **(recipe or {})}), encoding="utf-8")
    whole = {**read_recipe(str(own)).model_dump(mode="json"), "extends": None}
    for name, content in {
        "config/recipe.yaml": yaml.safe_dump(whole, sort_keys=False),
        "data/train.jsonl": _lines(train_rows),
        "data/validation.jsonl": _lines(validation_rows),
        "audio.jsonl": _lines([_file(row) for row in (*train_rows, *validation_rows)]),
    }.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(content, encoding="utf-8")
    longest = whole["data"]["max_duration_s"]
    kept = [row for row in train_rows if (row["duration"] or 1.0) <= longest]
    body = {
        "schema_version": 1,
        "backend": whole["backend"],
        "recipe": {"name": whole["name"], "sha256": "0" * 64},
        "train": _side("train@0", train_rows),
        "validation": _side("val@0", validation_rows),
        "figures": {**plain(_figures(train_rows, kept)), **(figures or {})},
        "lint": lint or [],
    }
    seal(folder, body)
    return folder


def _lines(rows: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def _file(row: dict[str, Any]) -> dict[str, Any]:
    path = Path(row["audio_filepath"])
    return {"path": str(path), "bytes": path.stat().st_size}


def _hours(rows: list[dict[str, Any]]) -> float:
    return float(sum(row["duration"] or 1.0 for row in rows)) / 3600


def _side(manifest: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "manifest": manifest,
        "fingerprint": f"of {manifest}",
        "rows": len(rows),
        "hours": _hours(rows),
    }


def _figures(rows: list[dict[str, Any]], kept: list[dict[str, Any]]) -> Figures:
    long = [row for row in rows if row not in kept]
    dropped = (Filtered(Dropped.TOO_LONG, len(long), _hours(long)),) if long else ()
    hours = _hours(kept)
    return Figures(
        kept=Kept(len(kept), hours, max(row["duration"] or 1.0 for row in kept), hours, dropped),
        devices=1,
        nodes=1,
        gpu=None,
        steps_per_epoch=len(kept) // 4,
        steps=3 * (len(kept) // 4),
        max_steps=None,
        warmup_steps=5,
        accumulation=1,
        val_check_interval=1.0,
        hours=None,
        usd=None,
        disk_gb=50,
    )


@dataclasses.dataclass
class Trial:
    """A bundle, its run, and what trains it."""

    folder: Path
    bundle: Path

    @property
    def run_dir(self) -> Path:
        return self.folder / "bundle.run"

    def train(self, workspace: Workspace | None = None, **plan: Any) -> TrainingResult:
        asked = TrainPlan(self.bundle, backend="line", run_dir=self.run_dir)
        return train(dataclasses.replace(asked, **plan), workspace)

    def info(self) -> dict[str, Any]:
        found = json.loads((self.run_dir / "training_run_info.json").read_text(encoding="utf-8"))
        assert isinstance(found, dict)
        return found

    def log(self) -> list[dict[str, str]]:
        header, *lines = (self.run_dir / "metrics.csv").read_text(encoding="utf-8").splitlines()
        names = header.split(",")
        return [dict(zip(names, line.split(","), strict=True)) for line in lines]


@pytest.fixture
def trial_backends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Install the trainers; return what `PYTHONPATH` needs for them."""
    info = tmp_path / "site" / "trial_backends-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(METADATA)
    (info / "entry_points.txt").write_text(ENTRY_POINTS)
    monkeypatch.syspath_prepend(str(PLUGINS))
    monkeypatch.syspath_prepend(str(info.parent))
    for name in ("RANK", "LOCAL_RANK", "WORLD_SIZE", "ASRDQ_RUN_DIR", "ASRDQ_BUNDLE_ID"):
        monkeypatch.delenv(name, raising=False)
    yield f"{info.parent}:{PLUGINS}"
    sys.modules.pop("trial_backends", None)


@pytest.fixture
def trial(tmp_path: Path, trial_backends: str) -> Trial:
    """A sound bundle of 40 clips."""
    return Trial(tmp_path, write_bundle(tmp_path / "bundle"))
