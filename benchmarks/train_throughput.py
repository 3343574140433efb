"""How fast `asrdq train` goes through the data, against a bare loop of Lightning.

    python benchmarks/train_throughput.py [--steps N] [--recordings DIR]

Both sides train the same tiny CTC model with NeMo on the same digits, in one process on one core.
They take turns, five optimiser steps each, so that whatever else the machine does falls on both.
The bare side is a model of NeMo, its own loader, and a Lightning trainer that keeps nothing. asrdq
counts what its loader uses, logs, judges the rules that watch a run, and can be gone on with. A
hook of torch counts the steps. The ratio is the samples a second of asrdq to those of the bare
loop, after a warm-up.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import threading
import time
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from digit_rounds import RECORDINGS, SEED
from digit_training import Training, bases, bundle_of
from fsdd import RIGHT, VALIDATION, prepare

from asrdq.models.nemo import load_nemo, quiet_nemo
from asrdq.training import TrainPlan, train
from asrdq.workspace import Workspace

TAKES, BATCH, TURN, WARM_UP = 25, 32, 5, 4


class Turns:
    """Two threads that train in turn; each is measured while it has its turn.

    Args:
        turns: Turns of each that are measured; what comes after runs free.

    Attributes:
        wall: Seconds of each turn, by the name of the thread.
        cpu: Processor seconds of each.
    """

    def __init__(self, names: tuple[str, str], turns: int) -> None:
        self.wall: dict[str, list[float]] = {name: [] for name in names}
        self.cpu: dict[str, list[float]] = {name: [] for name in names}
        self._names, self._turns = names, turns
        self._steps = dict.fromkeys(names, 0)
        self._began = dict.fromkeys(names, (0.0, 0.0))
        self._meet = threading.Barrier(len(names))
        self._go = {name: threading.Event() for name in names}

    def step(self, *_: Any) -> None:
        """Count a step of the thread that makes it, and hand over after the last one of a turn."""
        name = threading.current_thread().name
        if len(self.wall[name]) == self._turns:
            return
        if self._steps[name] == 0:
            self._meet.wait()
            self._wait(name, first=name == self._names[0])
        elif self._steps[name] % TURN == 0:
            began_wall, began_cpu = self._began[name]
            self.wall[name].append(time.perf_counter() - began_wall)
            self.cpu[name].append(time.thread_time() - began_cpu)
            [other] = set(self._names) - {name}
            self._go[other].set()
            if len(self.wall[name]) == self._turns:
                self._meet.wait()
                return
            self._wait(name)
        self._steps[name] += 1

    def _wait(self, name: str, *, first: bool = False) -> None:
        if not first:
            self._go[name].wait()
        self._go[name].clear()
        self._began[name] = (time.perf_counter(), time.thread_time())


def bare(bundle: Path, base: Path, steps: int) -> None:
    """Train with Lightning alone, on the same files and with the same numbers."""
    import lightning.pytorch as pl
    import torch
    from omegaconf import OmegaConf

    pl.seed_everything(SEED, verbose=False)
    settings: Any = OmegaConf.load(bundle / "config" / "nemo.yaml").model
    loader = {"sample_rate": 16_000, "num_workers": 0, "pin_memory": False, "batch_size": BATCH}
    limits = {name: settings.train_ds[name] for name in ("min_duration", "max_duration")}
    files = {side: str(bundle / "data" / f"{side}.jsonl") for side in ("train", "validation")}
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
        train_data = {"manifest_filepath": files["train"], "shuffle": True, **loader, **limits}
        model.setup_training_data(OmegaConf.create(train_data))
        validation = {"manifest_filepath": files["validation"], "shuffle": False, **loader}
        model.setup_validation_data(OmegaConf.create(validation))
        optim = OmegaConf.to_container(settings.optim, resolve=False)
        optim["sched"]["max_steps"] = steps
        model.setup_optimization(OmegaConf.create(optim))
        model.spec_augmentation = model.from_config_dict(settings.spec_augment)
        trainer.fit(model)


def main() -> None:
    """Print the figures as a line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--recordings", type=Path, default=RECORDINGS)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as name:
        turns = compare(Path(name), given.recordings, given.steps)
    print(json.dumps(figures(turns)))


def compare(folder: Path, recordings: Path, steps: int) -> Turns:
    """Run both sides in turn."""
    import torch
    from torch.optim.optimizer import register_optimizer_step_post_hook

    torch.set_num_threads(1)
    Workspace.init(folder / "ws")
    workspace = Workspace.open(folder / "ws")
    prepare(workspace, recordings, TAKES, SEED)
    base = bases(folder / "bases", ("ctc",), SEED)["ctc"]
    longer = steps + 2 * TURN
    epochs = -(-longer * BATCH // workspace.manifest(RIGHT).rows) + 1
    training = Training("throughput", "ctc", RIGHT, VALIDATION, epochs, masks=True)
    bundle = bundle_of(workspace, training, base, SEED, validate_after=10 * longer)
    turns = Turns(("asrdq", "bare"), steps // TURN)
    register_optimizer_step_post_hook(turns.step)
    plan = TrainPlan(bundle, run_dir=folder / "run", device="cpu", max_steps=longer)
    sides = {
        "asrdq": lambda: train(plan, workspace),
        "bare": lambda: bare(bundle, base, longer),
    }
    threads = [threading.Thread(target=_side, args=(sides[name],), name=name) for name in sides]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return turns


def _side(side: Callable[[], object]) -> None:
    """Train one side; an error ends the process, for the other one would wait for ever."""
    try:
        side()
    except BaseException:
        traceback.print_exc()
        os._exit(1)


def figures(turns: Turns) -> dict[str, Any]:
    """Return ratio and samples a second over all turns after the warm-up."""
    wall, cpu = (
        {name: statistics.mean(each[WARM_UP:]) / TURN for name, each in found.items()}
        for found in (turns.wall, turns.cpu)
    )
    return {
        "ratio": round(wall["bare"] / wall["asrdq"], 3),
        "cpu_ratio": round(cpu["bare"] / cpu["asrdq"], 3),
        **{f"{name}_samples_per_s": round(BATCH / each, 1) for name, each in wall.items()},
        **{f"{name}_cpu_ms_a_step": round(1e3 * each, 1) for name, each in cpu.items()},
    }


if __name__ == "__main__":
    main()
