"""What tests of the Qwen3-ASR backend share: real clips, a tiny model, and jobs on both."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from asrdq.training import LoaderCounts, TrainingJob

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven")
SPEAKERS = ("george", "jackson")

GROUPS = {
    "projector": {"part": "projector", "parameters": 1},
    "llm_top": {"part": "language", "top_layers": 1, "parameters": 1},
    "lm_head": {"part": "head", "parameters": 1},
    "audio_top": {"part": "audio", "top_layers": 1, "parameters": 1},
}
STAGES = [
    {"from_epoch": 1, "train": ["projector", "llm_top", "lm_head"], "lr": {"projector": 4e-3}},
    {"from_epoch": 3, "train": ["projector", "audio_top", "llm_top", "lm_head"]},
]

MakeJob = Callable[..., "TrainingJob"]


@pytest.fixture(scope="session")
def clips(shared_data: Path) -> list[dict[str, Any]]:
    """Sixteen recordings of digits, each with a transcript that no other one has."""
    import soundfile

    rows = []
    for number, word in enumerate(WORDS):
        for speaker in SPEAKERS:
            file = shared_data / "fsdd" / "recordings" / f"{number}_{speaker}_0.wav"
            rows.append(
                {
                    "audio": str(file),
                    "text": f"language English<asr_text>{word} {speaker}",
                    "duration": soundfile.info(file).duration,
                    "domain": speaker,
                }
            )
    return rows


@pytest.fixture(scope="session")
def tiny(clips: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny Qwen3-ASR with random weights, whose head and embeddings are one."""
    from asrdq.training.qwen.tiny import tiny_qwen

    texts = [row["text"].partition(">")[2] for row in clips]
    return tiny_qwen(texts, tmp_path_factory.mktemp("tiny") / "base")


@pytest.fixture(scope="session")
def undisturbed(make_job: MakeJob, tmp_path_factory: pytest.TempPathFactory) -> TrainingJob:
    """A run of two stages that nobody disturbed: a switch after step 4, and 8 steps in all."""
    job = staged_job(make_job, tmp_path_factory.mktemp("undisturbed"))
    train(job)
    return job


def staged_job(make_job: MakeJob, folder: Path) -> TrainingJob:
    """Two steps an epoch, each of two passes; augmented, so that chance has its part too."""
    return make_job(
        folder,
        steps=8,
        accumulation=2,
        every=8,
        warmup=2,
        data={"max_duration_s": 30.0, "batch_size": 4, "workers": 0, "buckets": 2},
        model={"groups": GROUPS},
        schedule={"name": "cosine", "max_steps": 8},
        stages=STAGES,
        optimiser={"lr": 2e-3, "weight_decay": 0.01},
        augmentation={
            "spec_augment": {"frequency_masks": 1, "time_masks": 1},
            "speed_perturbation": [0.9, 1.0, 1.1],
            "noise_snr_db": [20.0],
        },
        evaluation={"normaliser": "basic", "per_domain_clips": 1, "domain_column": "domain"},
        checkpoints={"monitor": "val_loss", "every_n_steps": 2},
    )


def counts_of(rows: Sequence[Mapping[str, Any]]) -> LoaderCounts:
    from asrdq.training import LoaderCounts

    return LoaderCounts(len(rows), sum(row["duration"] for row in rows) / 3600)


@pytest.fixture(scope="session")
def make_job(clips: list[dict[str, Any]], tiny: Path) -> MakeJob:
    """Make a job in a folder: `make_job(folder, steps=4, **sections of the recipe)`."""

    def make(
        folder: Path,
        *,
        steps: int = 4,
        accumulation: int = 1,
        devices: int = 1,
        every: int = 1_000_000,
        warmup: int = 0,
        train: Sequence[Mapping[str, Any]] = clips,
        validation: Sequence[Mapping[str, Any]] = clips,
        base: Path = tiny,
        run: str = "run",
        **sections: Any,
    ) -> TrainingJob:
        from asrdq.handoff.figures import Figures
        from asrdq.planning.kept import Kept
        from asrdq.training import TrainingJob

        folder.mkdir(parents=True, exist_ok=True)
        (folder / run).mkdir(exist_ok=True)
        files = {"train": train, "validation": validation}
        for name, rows in files.items():
            lines = [json.dumps(row) + "\n" for row in rows]
            (folder / f"{name}.jsonl").write_text("".join(lines), encoding="utf-8")
        recipe = recipe_of(steps=steps, **sections)
        kept = Kept(len(train), counts_of(train).hours, 1.0, 1.0, ())
        size = (recipe.data.batch_size or 1) * accumulation * devices
        figures = Figures(
            kept=kept,
            devices=devices,
            nodes=1,
            gpu=None,
            steps_per_epoch=-(-len(train) // size),
            steps=steps,
            max_steps=None,
            warmup_steps=warmup,
            accumulation=accumulation,
            val_check_interval=every,
            hours=None,
            usd=None,
            disk_gb=1,
        )
        return TrainingJob(
            bundle=folder,
            bundle_id="0" * 64,
            backend="qwen",
            recipe=recipe,
            figures=figures,
            train=folder / "train.jsonl",
            validation=folder / "validation.jsonl",
            expected_train=counts_of(train),
            expected_validation=counts_of(validation),
            run_dir=folder / run,
            device="cpu",
            base=str(base),
            name="run",
            manifest="train@1",
        )

    return make


def recipe_of(steps: int = 4, **sections: Any) -> Any:
    """Return a recipe of the tests; sections are laid over it key by key."""
    from asrdq.recipes import Recipe

    values: dict[str, Any] = {
        "name": "tiny",
        "backend": "qwen",
        "model": {"base": "tiny", "family": "qwen3-asr", "parameters": 1_000_000},
        "data": {"max_duration_s": 30.0, "batch_size": 8, "workers": 0},
        "optimiser": {"lr": 2e-3},
        "schedule": {"name": "constant_with_warmup", "max_steps": steps},
        "trainer": {"precision": "fp32", "log_every_n_steps": 1, "seed": 7},
        "evaluation": {"normaliser": "basic"},
        "checkpoints": {"monitor": "val_wer"},
        "loggers": [],
    }
    for name, given in sections.items():
        whole = isinstance(given, dict) and isinstance(values.get(name), dict)
        values[name] = {**values[name], **given} if whole else given
    return Recipe.model_validate(values)


def train(job: TrainingJob) -> Any:
    """Check and train a job, as the command does."""
    from asrdq.training import RunWriter
    from asrdq.training.qwen.backend import QwenBackend

    backend = QwenBackend()
    backend.check(job)
    with RunWriter(job) as writer:
        return backend.train(job, writer)
