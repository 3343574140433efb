"""Each family learns sixteen real clips by heart, and its model hears what is in them."""

from __future__ import annotations

import csv
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.training.nemo.conftest import Rows, make_job

from asrdq.training.nemo.backend import NemoBackend
from asrdq.training.nemo.tiny import tiny_model
from asrdq.training.run_writer import RunWriter

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

LHOTSE = {"batch_size": None, "batch_duration_s": 12.0}
LEARNING_RATES = {"ctc": 5e-3, "tdt": 5e-3, "hybrid": 6e-3, "aed": 4e-3}
PROMPT = {"source_lang": "en", "target_lang": "en", "task": "asr", "pnc": "no"}


@pytest.mark.parametrize(
    ("family", "steps", "data"),
    [
        ("ctc", 170, LHOTSE),
        ("tdt", 110, {}),
        ("hybrid", 260, {}),
        ("aed", 180, LHOTSE),
    ],
)
def test_a_tiny_model_learns_sixteen_clips_and_hears_them(
    family: Any, steps: int, data: dict[str, Any], digits: Rows, tmp_path: Path
) -> None:
    base = tiny_model(family, [row["text"] for row in digits], tmp_path / "base")
    job = make_job(
        tmp_path,
        digits,
        base,
        steps=steps,
        model={"family": family},
        data=data,
        optimiser={"lr": LEARNING_RATES[family]},
    )
    backend = NemoBackend()
    backend.check(job)
    with RunWriter(job) as log:
        trained = backend.train(job, log)
    assert (trained.steps, trained.stopped_by, trained.resumed_from) == (steps, None, None)
    assert trained.facts == {"precision": "32-true"}
    assert log.used_counts is not None
    assert [each.rows for each in log.used_counts] == [16, 16]

    logged = _logged(job.run_dir / "metrics.csv")
    losses = [float(row["train_loss"]) for row in logged if row["train_loss"]]
    assert len(losses) == steps
    assert sum(losses[-8:]) / 8 < 0.1 * losses[0]
    assert [float(row["val_wer"]) for row in logged if row["val_wer"]][-1] < 0.2

    assert trained.model is not None
    texts = [row["text"] for row in digits]
    heard = transcribed(trained.model, digits, family)
    assert _exact(heard, texts) >= 13
    assert _exact(heard, [*texts[1:], texts[0]]) == 0
    assert _exact(transcribed(base, digits, family), texts) == 0
    assert str(job.run_dir) not in _config(trained.model)


def transcribed(model: Path, rows: Rows, family: str) -> list[str]:
    """Transcribe with a model as anybody restores it."""
    import torch

    from asrdq.models.nemo import load_nemo, quiet_nemo

    restored = load_nemo(str(model), torch.device("cpu")).eval()
    files = [row["audio_filepath"] for row in rows]
    prompt = PROMPT if family == "aed" else {}
    with quiet_nemo():
        found = restored.transcribe(files, batch_size=8, num_workers=0, verbose=False, **prompt)
    return [str(each.text).strip() for each in found]


def _exact(heard: list[str], texts: list[str]) -> int:
    return sum(a == b for a, b in zip(heard, texts, strict=True))


def _logged(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _config(model: Path) -> str:
    with tarfile.open(model) as archive:
        file = archive.extractfile("./model_config.yaml")
        assert file is not None
        return json.dumps(yaml.safe_load(file.read()))
