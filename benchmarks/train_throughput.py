"""How fast `asrdq train` goes through the data, against a bare loop of Lightning.

    python benchmarks/train_throughput.py [--steps N] [--rounds N] [--recordings DIR]

Both sides train the same tiny CTC model with NeMo on the same digits, in one process, in turn, each
first as often as the other. The bare side is a model of NeMo, its own loader, and a Lightning
trainer that keeps nothing. asrdq counts what its loader uses, logs, judges the rules that watch a
run, can be gone on with, and writes its checkpoint. A hook of torch notes when each optimiser step
of either side is done; the steps of a warm-up at the beginning are left out. The ratio is the
samples a second of asrdq to those of the bare loop, the median of the rounds.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from digit_rounds import RECORDINGS, SEED
from digit_training import Training, bases, bundle_of
from fsdd import RIGHT, VALIDATION, prepare

from asrdq.models.nemo import load_nemo, quiet_nemo
from asrdq.training import TrainPlan, train
from asrdq.workspace import Workspace

WARM_UP = 20
TAKES = 25


@dataclass
class Clock:
    """When each optimiser step was done: wall time, and processor time of this process."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def tick(self, *_: Any) -> None:
        """Note a step."""
        self.wall.append(time.perf_counter())
        self.cpu.append(time.process_time())

    def measure(self, side: Callable[[], None]) -> tuple[float, float]:
        """Return the seconds a step that a side takes: wall time, processor time."""
        self.wall.clear()
        self.cpu.clear()
        side()
        steps = len(self.wall) - 1 - WARM_UP
        return tuple((times[-1] - times[WARM_UP]) / steps for times in (self.wall, self.cpu))  # type: ignore[return-value]


def bare(bundle: Path, base: Path, steps: int) -> None:
    """Train with Lightning alone, on the same files and with the same numbers."""
    import lightning.pytorch as pl
    import torch
    from omegaconf import OmegaConf

    pl.seed_everything(SEED, verbose=False)
    settings: Any = OmegaConf.load(bundle / "config" / "nemo.yaml").model
    data = {"sample_rate": 16_000, "num_workers": 0, "pin_memory": False}
    train_data = {
        "manifest_filepath": str(bundle / "data" / "train.jsonl"),
        "shuffle": True,
        **data,
    }
    trainer = pl.Trainer(
        accelerator="cpu",
        devices=1,
        max_steps=steps,
        gradient_clip_val=1.0,
        log_every_n_steps=10,
        limit_val_batches=0,
        num_sanity_val_steps=0,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    with quiet_nemo():
        model = load_nemo(str(base), torch.device("cpu"), trainer=trainer)
        sizes = {
            name: settings.train_ds[name] for name in ("batch_size", "min_duration", "max_duration")
        }
        model.setup_training_data(OmegaConf.create({**train_data, **sizes}))
        optim = OmegaConf.to_container(settings.optim, resolve=False)
        optim["sched"]["max_steps"] = steps
        model.setup_optimization(OmegaConf.create(optim))
        model.spec_augmentation = model.from_config_dict(settings.spec_augment)
        trainer.fit(model)


def main() -> None:
    """Print the figures as a line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--recordings", type=Path, default=RECORDINGS)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as name:
        print(json.dumps(compare(Path(name), given)))


def compare(folder: Path, given: argparse.Namespace) -> dict[str, Any]:
    """Run both sides in turn and return the figures."""
    import torch
    from torch.optim.optimizer import register_optimizer_step_post_hook

    torch.set_num_threads(1)
    Workspace.init(folder / "ws")
    workspace = Workspace.open(folder / "ws")
    prepare(workspace, given.recordings, TAKES, SEED)
    models = bases(folder / "bases", ("ctc",), SEED)
    rows = workspace.manifest(RIGHT).rows
    epochs = -(-given.steps * 32 // rows) + 1
    training = Training("throughput", "ctc", RIGHT, VALIDATION, RIGHT, epochs)
    bundle = bundle_of(workspace, training, models["ctc"], SEED, validate_after=10 * given.steps)
    clock = Clock()
    register_optimizer_step_post_hook(clock.tick)

    def ours(number: int) -> None:
        run_dir = folder / "runs" / str(number)
        train(TrainPlan(bundle, run_dir=run_dir, device="cpu", max_steps=given.steps), workspace)

    found: dict[str, list[tuple[float, float]]] = {"asrdq": [], "bare": []}
    for number in range(given.rounds):
        sides = {
            "bare": lambda: bare(bundle, models["ctc"], given.steps),
            "asrdq": lambda number=number: ours(number),
        }
        for side in sorted(sides, reverse=bool(number % 2)):
            found[side].append(clock.measure(sides[side]))
            wall, cpu = found[side][-1]
            print(
                f"{side:6} {1e3 * wall:7.1f} ms a step, processor {1e3 * cpu:7.1f}", file=sys.stderr
            )
    return figures(found, 32)


def figures(found: dict[str, list[tuple[float, float]]], batch: int) -> dict[str, Any]:
    """Return the medians of the ratios round by round, and the samples a second."""
    wall, cpu = (
        [
            bare[index] / ours[index]
            for bare, ours in zip(found["bare"], found["asrdq"], strict=True)
        ]
        for index in (0, 1)
    )
    seconds = {side: statistics.median(each[0] for each in times) for side, times in found.items()}
    return {
        "ratio": round(statistics.median(wall), 3),
        "cpu_ratio": round(statistics.median(cpu), 3),
        "rounds": [round(each, 3) for each in wall],
        **{f"{side}_samples_per_s": round(batch / each, 1) for side, each in seconds.items()},
    }


if __name__ == "__main__":
    main()
