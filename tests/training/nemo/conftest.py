"""Jobs on sixteen clips of real digits, two spoken one after another in each."""

from __future__ import annotations

import dataclasses
import itertools
import json
import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import yaml

from asrdq.handoff.figures import Figures
from asrdq.planning.kept import Dropped, Filtered, Kept
from asrdq.recipes import read_recipe
from asrdq.training.counts import LoaderCounts
from asrdq.training.job import TrainingJob

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
SPEAKERS = ("george", "jackson", "theo", "nicolas")
CLIPS = 16
LEAST = 8400
"""Samples of the shortest clip, over a second: Canary's transcription fills shorter ones up."""
RECIPE: dict[str, Any] = {
    "name": "digits",
    "backend": "nemo",
    "model": {"base": "tiny.nemo", "family": "ctc", "parameters": 200_000},
    "data": {"max_duration_s": 20.0, "batch_size": 8, "workers": 0},
    "optimiser": {"lr": 3e-3, "weight_decay": 1e-3},
    "schedule": {"name": "CosineAnnealing", "min_lr": 1e-5, "max_steps": 10},
    "trainer": {"precision": "fp32", "log_every_n_steps": 1},
    "checkpoints": {"monitor": "val_wer", "top_k": 1},
    "evaluation": {"metric": "wer"},
    "loggers": [],
}

Rows = list[dict[str, Any]]


@pytest.fixture(scope="session")
def digits(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Rows:
    """Rows of NeMo's manifest: clips of 8 kHz, no text twice."""
    folder = tmp_path_factory.mktemp("digits")
    recordings = shared_data / "fsdd" / "recordings"
    pairs = random.Random(7).sample(list(itertools.permutations(range(10), 2)), CLIPS)
    rows: Rows = []
    for number, spoken in enumerate(pairs):
        speaker = SPEAKERS[number % len(SPEAKERS)]
        files = [recordings / f"{digit}_{speaker}_{number}.wav" for digit in spoken]
        first, second = (soundfile.read(file)[0] for file in files)
        pause = np.zeros(max(0, LEAST + 200 * number - len(first) - len(second)))
        signal = np.concatenate([first, pause, second])
        path = folder / f"clip{number}.wav"
        soundfile.write(path, signal, 8000)
        text = " ".join(WORDS[digit] for digit in spoken)
        duration = round(len(signal) / 8000, 3)
        row = {"audio_filepath": str(path), "duration": duration, "text": text}
        rows.append({**row, "lang": "en", "speaker": speaker})
    return rows


MakeJob = Callable[..., TrainingJob]


def make_job(
    folder: Path,
    rows: Sequence[Mapping[str, Any]],
    base: Path | str,
    *,
    steps: int = 10,
    validation: Sequence[Mapping[str, Any]] | None = None,
    figures: Mapping[str, Any] | None = None,
    job: Mapping[str, Any] | None = None,
    **recipe: Mapping[str, Any] | Any,
) -> TrainingJob:
    """Write the files of a bundle that a backend reads, and return the job on them.

    Args:
        folder: Where they go, and the run.
        rows: The training manifest.
        base: The model.
        steps: Steps of the run.
        validation: The validation manifest; None: the same rows.
        figures: What differs from figures for these rows.
        job: What differs in the job.
        recipe: Sections of the recipe that are laid over `RECIPE`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    said = {
        key: {**value, **recipe.get(key, {})} if isinstance(value, dict) else recipe.get(key, value)
        for key, value in RECIPE.items()
    }
    said |= {key: value for key, value in recipe.items() if key not in RECIPE}
    said["schedule"]["max_steps"] = steps
    (folder / "recipe.yaml").write_text(yaml.safe_dump(said), encoding="utf-8")
    read = read_recipe(str(folder / "recipe.yaml"))
    sides = {"train": list(rows), "validation": list(rows if validation is None else validation)}
    for side, its in sides.items():
        text = "".join(json.dumps(row) + "\n" for row in its)
        (folder / f"{side}.jsonl").write_text(text, encoding="utf-8")
    hours = sum(row["duration"] for row in rows) / 3600
    long = [row for row in rows if row["duration"] > read.data.max_duration_s]
    kept_hours = hours - sum(row["duration"] for row in long) / 3600
    dropped = (Filtered(Dropped.TOO_LONG, len(long), hours - kept_hours),) if long else ()
    planned = Figures(
        kept=Kept(len(rows) - len(long), kept_hours, 20.0, kept_hours, dropped),
        devices=1,
        nodes=1,
        gpu=None,
        steps_per_epoch=max(1, len(rows) // 8),
        steps=steps,
        max_steps=steps,
        warmup_steps=5,
        accumulation=1,
        val_check_interval=steps,
        hours=None,
        usd=None,
        disk_gb=50,
    )
    made = TrainingJob(
        bundle=folder,
        bundle_id="0" * 64,
        backend="nemo",
        recipe=read,
        figures=dataclasses.replace(planned, **(figures or {})),
        train=folder / "train.jsonl",
        validation=folder / "validation.jsonl",
        expected_train=LoaderCounts(
            len(rows) - len(long), kept_hours, {str(d.reason): d.rows for d in dropped}
        ),
        expected_validation=LoaderCounts(
            len(sides["validation"]),
            sum(row["duration"] for row in sides["validation"]) / 3600,
        ),
        run_dir=folder / "run",
        device="cpu",
        base=str(base),
        name="digits",
        manifest="digits@0",
    )
    made.run_dir.mkdir(exist_ok=True)
    return dataclasses.replace(made, **(job or {}))
