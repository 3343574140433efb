"""Evaluations in the middle of a run: every chosen clip, unaugmented, and a stop in time."""

from __future__ import annotations

import csv
import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.training.qwen.conftest import MakeJob, recipe_of, train

from asrdq.training.qwen.evaluation import held_out, transcribed
from asrdq.training.qwen.rows import read_rows

if TYPE_CHECKING:
    from asrdq.training import TrainingJob

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


def column(job: TrainingJob, name: str) -> dict[int, float]:
    with (job.run_dir / "metrics.csv").open() as file:
        return {int(row["step"]): float(row[name]) for row in csv.DictReader(file) if row[name]}


def test_the_loss_of_an_evaluation_is_that_of_clean_audio(undisturbed: TrainingJob) -> None:
    """Computed once more here, clip by clip, from the weights on disk; the run was augmented."""
    import torch

    from asrdq.models.qwen import load_qwen, padded
    from asrdq.training.qwen.dataset import clip_features
    from asrdq.training.qwen.labels import tokens_of
    from asrdq.training.qwen.running import Qwen3ASRForConditionalGeneration

    last = undisturbed.run_dir / "checkpoints" / "checkpoint-8"
    network = Qwen3ASRForConditionalGeneration.from_pretrained(last).eval()
    processor = load_qwen(undisturbed.base, torch.device("cpu"), torch.float32).processor
    recipe = undisturbed.recipe
    rows = read_rows(undisturbed.validation, recipe.data, domain="domain").kept
    total, tokens = 0.0, 0
    for row in held_out(rows, recipe.evaluation.per_domain_clips, recipe.trainer.seed):
        mel = clip_features(processor, row)
        ids = tokens_of(processor, row, mel.shape[1])
        with torch.no_grad():
            logits = network(**padded(processor, [ids.ids], [mel])).logits[0]
        chances = torch.log_softmax(logits, dim=-1)
        said = ids.ids[ids.first :]
        places = range(ids.first - 1, len(ids.ids) - 1)
        total -= sum(float(chances[at, token]) for at, token in zip(places, said, strict=True))
        tokens += len(said)
    assert column(undisturbed, "val_loss")[8] == pytest.approx(total / tokens, rel=1e-4)


def test_every_chosen_clip_is_heard_and_one_without_audio_counts_too(
    make_job: MakeJob, tiny: Path, tmp_path: Path
) -> None:
    """An evaluation script of the source skipped every row, and reported no error."""
    import torch

    from asrdq.models.qwen import load_qwen

    rows = list(read_rows(make_job(tmp_path).train, recipe_of().data).kept[:5])
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"no sound")
    rows[2] = dataclasses.replace(rows[2], audio=str(broken))
    qwen = load_qwen(str(tiny), torch.device("cpu"), torch.float32)
    done: list[int] = []
    found = transcribed(qwen, rows, 2, lambda _: False, done.append)
    assert [each.row for each in found] == rows
    assert done == [2, 2, 1]
    assert found == transcribed(qwen, rows, 2, lambda _: False, done.append)


def test_a_run_stops_when_its_patience_is_used_up_and_does_not_go_on(
    make_job: MakeJob, clips: list[dict[str, Any]], tmp_path: Path
) -> None:
    """The rate is so small that no evaluation beats the first."""
    job = make_job(
        tmp_path,
        steps=20,
        every=1,
        validation=clips[:1],
        optimiser={"lr": 1e-12},
        evaluation={"normaliser": "basic", "patience": 2},
        checkpoints={"monitor": "val_cer"},
    )
    trained = train(job)
    assert (trained.stopped_by, trained.steps) == ("early_stopping", 3)
    assert trained.best is not None
    assert trained.best.name.startswith("step=1-val_cer=")
    assert trained.model is not None
    again = train(job)
    assert (again.stopped_by, again.steps, again.resumed_from) == ("early_stopping", 3, 3)


def test_a_request_to_stop_leaves_a_checkpoint_and_no_model(
    make_job: MakeJob, tmp_path: Path
) -> None:
    job = make_job(tmp_path, steps=3, validation=())
    stop = job.run_dir / "STOP"
    stop.touch()
    trained = train(job)
    assert (trained.stopped_by, trained.model) == ("stop_file", None)
    assert trained.last is not None
    assert trained.last.name == f"checkpoint-{trained.steps}"
    stop.unlink()
    again = train(job)
    assert (again.resumed_from, again.steps, again.stopped_by) == (trained.steps, 3, None)
    assert again.model is not None
