"""Samples a second of the backend `qwen`, against a bare Hugging Face trainer.

    python benchmarks/qwen_training.py [STEPS]

Both train the same tiny random model on the same made-up clips, decoded by the same reader, in
batches of the same size, one after the other in one process and on one thread. The bare trainer has
a collator as in Qwen's own fine-tuning script, and neither stages nor counts. Seconds are those of
the processor, from the end of the second step to the end of the last, the least of three rounds.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import soundfile
import torch
from transformers import PrinterCallback, Trainer, TrainerCallback, TrainingArguments

from asrdq import console
from asrdq.audio import decode
from asrdq.handoff.figures import Figures
from asrdq.models.qwen import load_qwen, prompt, quiet_transformers
from asrdq.planning.kept import Kept
from asrdq.recipes import Recipe
from asrdq.training import LoaderCounts, RunWriter, TrainingJob
from asrdq.training.qwen.running import run_training
from asrdq.training.qwen.tiny import tiny_qwen

STEPS, BATCH, CLIPS, ROUNDS = 14, 8, 48, 3
_FIRST = 2


def made_up(folder: Path) -> list[dict[str, Any]]:
    """Write clips of 2 to 5 s, and return their rows."""
    rng = np.random.default_rng(1)
    rows = []
    for number in range(CLIPS):
        file = folder / f"{number}.wav"
        seconds = 2.0 + 3.0 * (number * 7 % CLIPS) / CLIPS
        soundfile.write(file, rng.normal(0, 0.1, round(16_000 * seconds)), 16_000)
        text = f"language English<asr_text>clip number {number} of {CLIPS} in a row of words"
        rows.append({"audio": str(file), "text": text, "duration": seconds})
    return rows


def ours(folder: Path, base: Path, rows: list[dict[str, Any]], steps: int) -> float:
    """Return the seconds of the backend."""
    folder.mkdir()
    for name in ("train", "validation"):
        lines = [json.dumps(row) + "\n" for row in (rows if name == "train" else [])]
        (folder / f"{name}.jsonl").write_text("".join(lines), encoding="utf-8")
    hours = sum(row["duration"] for row in rows) / 3600
    job = TrainingJob(
        bundle=folder,
        bundle_id="0" * 64,
        backend="qwen",
        recipe=Recipe.model_validate(recipe(steps)),
        figures=Figures(
            kept=Kept(CLIPS, hours, 5.0, hours, ()),
            devices=1,
            nodes=1,
            gpu=None,
            steps_per_epoch=CLIPS // BATCH,
            steps=steps,
            max_steps=steps,
            warmup_steps=0,
            accumulation=1,
            val_check_interval=10 * steps,
            hours=None,
            usd=None,
            disk_gb=1,
        ),
        train=folder / "train.jsonl",
        validation=folder / "validation.jsonl",
        expected_train=LoaderCounts(CLIPS, hours),
        expected_validation=LoaderCounts(0, 0.0),
        run_dir=folder / "run",
        device="cpu",
        base=str(base),
        name="run",
        manifest="train@0",
    )
    job.run_dir.mkdir()
    with Clock(job) as writer:
        run_training(job, writer)
    return writer.at[steps] - writer.at[_FIRST]


def recipe(steps: int) -> dict[str, Any]:
    """Return the recipe of both."""
    return {
        "name": "benchmark",
        "backend": "qwen",
        "model": {"base": "tiny", "family": "qwen3-asr", "parameters": 10_000_000},
        "data": {"max_duration_s": 30.0, "batch_size": BATCH, "workers": 0},
        "optimiser": {"lr": 1e-4},
        "schedule": {"name": "constant_with_warmup", "max_steps": steps},
        "trainer": {"precision": "fp32", "log_every_n_steps": 1},
        "checkpoints": {"monitor": "val_wer"},
        "loggers": [],
    }


class Clock(RunWriter):
    """Notes the time of the processor at the end of each step."""

    def __init__(self, job: TrainingJob) -> None:
        super().__init__(job)
        self.at: dict[int, float] = {}

    def log(self, step: int, values: Any, *, epoch: float | None = None) -> None:
        """Note the time, then log as ever."""
        super().log(step, values, epoch=epoch)
        self.at[step] = time.process_time()


class BareClock(TrainerCallback):  # type: ignore[misc]
    """The same for the bare trainer."""

    def __init__(self) -> None:
        self.at: dict[int, float] = {}

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Note the time."""
        self.at[state.global_step] = time.process_time()


class BareTrainer(Trainer):  # type: ignore[misc]
    """A trainer whose loss is that of the network."""

    def compute_loss(self, model: Any, inputs: Any, *_: Any, **__: Any) -> Any:
        """Return the loss of a batch."""
        return model(**inputs).loss


def bare(folder: Path, base: Path, rows: list[dict[str, Any]], steps: int) -> float:
    """Return the seconds of a bare trainer."""
    qwen = load_qwen(str(base), torch.device("cpu"), torch.float32)
    processor, begun = qwen.processor, prompt(qwen.processor)

    def collate(given: list[dict[str, Any]]) -> dict[str, Any]:
        audio = [decode(row["audio"]).samples for row in given]
        end = processor.tokenizer.eos_token
        texts = [begun + row["text"] + end for row in given]
        batch = processor(text=texts, audio=audio, return_tensors="pt", padding=True)
        labels = batch["input_ids"].clone()
        for place, row in enumerate(given):
            answer = len(processor.tokenizer(row["text"] + end)["input_ids"])
            labels[place, :-answer] = -100
        return {**batch, "labels": labels}

    clock = BareClock()
    trainer = BareTrainer(
        model=qwen.network,
        args=TrainingArguments(
            output_dir=str(folder),
            max_steps=steps,
            per_device_train_batch_size=BATCH,
            learning_rate=1e-4,
            lr_scheduler_type="constant_with_warmup",
            logging_steps=1,
            save_strategy="no",
            report_to="none",
            use_cpu=True,
            remove_unused_columns=False,
            disable_tqdm=True,
            log_level="error",
        ),
        train_dataset=rows,
        data_collator=collate,
        callbacks=[clock],
    )
    trainer.remove_callback(PrinterCallback)
    with quiet_transformers():
        trainer.train()
    return clock.at[steps] - clock.at[_FIRST]


def main() -> None:
    """Print the share of the bare trainer's speed that is kept."""
    steps = int(sys.argv[1]) if len(sys.argv) > 1 else STEPS
    torch.set_num_threads(1)
    console.set_quiet(True)
    warnings.simplefilter("ignore")
    best: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = made_up(folder)
        base = tiny_qwen([row["text"] for row in rows], folder / "base", width=128, layers=4)
        for round_ in range(ROUNDS):
            for kind, run in (("bare", bare), ("ours", ours)):
                seconds = run(folder / f"{kind}{round_}", base, rows, steps)
                best[kind] = min(seconds, best.get(kind, seconds))
    clips = BATCH * (steps - _FIRST)
    figures = {
        "ratio": round(best["bare"] / best["ours"], 3),
        "asrdq_clips_per_cpu_second": round(clips / best["ours"], 2),
        "bare_clips_per_cpu_second": round(clips / best["bare"], 2),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
