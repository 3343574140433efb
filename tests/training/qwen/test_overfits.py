"""The trainer learns what it hears: sixteen real clips by heart, and nothing from other audio."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.training.qwen.conftest import MakeJob, train

if TYPE_CHECKING:
    from asrdq.models.qwen import Qwen
    from asrdq.training import Trained, TrainingJob

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


@dataclass
class Overfitted:
    job: TrainingJob
    trained: Trained
    qwen: Qwen


@pytest.fixture(scope="module")
def overfitted(
    make_job: MakeJob, clips: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> Overfitted:
    import torch

    from asrdq.models.qwen import load_qwen
    from asrdq.training.qwen.tiny import tiny_qwen

    folder = tmp_path_factory.mktemp("overfitted")
    texts = [row["text"].partition(">")[2] for row in clips]
    base = tiny_qwen(texts, folder / "base", width=96, layers=1)
    job = make_job(
        folder,
        base=base,
        steps=150,
        every=150,
        warmup=10,
        data={"max_duration_s": 30.0, "batch_size": 16, "workers": 0},
        optimiser={"lr": 3e-3},
        evaluation={"normaliser": "basic", "domain_column": "domain"},
    )
    trained = train(job)
    assert trained.model is not None
    return Overfitted(
        job, trained, load_qwen(str(trained.model), torch.device("cpu"), torch.float32)
    )


def heard(qwen: Qwen, files: list[str]) -> list[str]:
    from asrdq.audio import decode
    from asrdq.models.qwen import answer, features_of

    mels = [features_of(qwen.processor, decode(file).samples) for file in files]
    return [each.text for each in answer(qwen, mels, [None] * len(mels))]


def test_the_loss_falls_and_the_held_out_rates_with_it(overfitted: Overfitted) -> None:
    with (overfitted.job.run_dir / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    losses = [float(row["train_loss"]) for row in rows if row["train_loss"]]
    assert len(losses) == 150
    assert losses[0] > 5.0  # ln 300 = 5.7: nothing is known of some 300 tokens
    assert losses[-1] < 0.05
    last = rows[-1]
    assert float(last["val_wer"]) == float(last["val_wer_jackson"]) == 0.0
    assert float(last["val_empty"]) == 0.0


def test_right_audio_gives_every_transcript_and_wrong_audio_none(
    overfitted: Overfitted, clips: list[dict[str, Any]]
) -> None:
    files = [row["audio"] for row in clips]
    texts = [row["text"].partition(">")[2] for row in clips]
    assert heard(overfitted.qwen, files) == texts
    others = heard(overfitted.qwen, files[1:] + files[:1])
    assert sum(one == text for one, text in zip(others, texts, strict=True)) == 0


def test_the_exported_folder_is_one_that_qwen_asr_itself_transcribes_with(
    overfitted: Overfitted, clips: list[dict[str, Any]]
) -> None:
    import functools

    from qwen_asr import Qwen3ASRModel

    from asrdq.audio import decode

    model = Qwen3ASRModel.from_pretrained(str(overfitted.trained.model), max_new_tokens=30)
    model.model.generate = functools.partial(
        model.model.generate, eos_token_id=overfitted.qwen.ends
    )
    found = [model.transcribe((decode(row["audio"]).samples, 16_000))[0] for row in clips[:3]]
    assert [each.text for each in found] == ["zero george", "zero jackson", "one george"]
    assert {each.language for each in found} == {"English"}
    saved = json.loads((Path(str(overfitted.trained.model)) / "config.json").read_text())
    assert saved["architectures"] == ["Qwen3ASRForConditionalGeneration"]


def test_what_is_kept_says_what_it_is(overfitted: Overfitted) -> None:
    trained = overfitted.trained
    assert (trained.steps, trained.epochs, trained.stopped_by) == (150, 150.0, None)
    assert trained.best is not None
    assert trained.best.name == "step=150-val_wer=0.000000"
    assert trained.trainable == trained.parameters
    folders = [folder for folder in overfitted.job.run_dir.rglob("*") if folder.is_file()]
    assert not [file for file in folders if file.suffix == ".bin"]
