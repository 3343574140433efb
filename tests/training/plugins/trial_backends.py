"""A trainer of a line: how many characters has a clip of so many seconds? It learns, for real.

Stochastic gradient descent with momentum on (duration, characters), in an order that is drawn anew
each epoch. What it is and where it stands lies in its checkpoints; nothing else is kept.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from asrdq.errors import ToolError
from asrdq.training import LoaderCounts, RunWriter, Trained, TrainingJob


def lengths(rows: list[dict[str, Any]]) -> np.ndarray:
    return np.array([[row["duration"], len(row["text"])] for row in rows], np.float64)


def read(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


@dataclass
class State:
    step: int
    weights: np.ndarray
    momentum: np.ndarray

    def save(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".part")
        with draft.open("wb") as file:
            np.savez(file, step=self.step, weights=self.weights, momentum=self.momentum)
        draft.replace(path)

    @classmethod
    def load(cls, path: Path) -> State:
        with np.load(path) as found:
            return cls(int(found["step"]), found["weights"], found["momentum"])


class LineBackend:
    name = "line"

    def check(self, job: TrainingJob) -> None:
        if job.device not in ("auto", "cpu"):
            raise ToolError("a line is drawn on the CPU", hint="--device cpu")

    def stand_in(self, job: TrainingJob, folder: Path) -> Path:
        base = folder / "tiny.npz"
        State(0, np.zeros(2), np.zeros(2)).save(base)
        return base

    def train(self, job: TrainingJob, log: RunWriter) -> Trained:
        train, dropped = self._kept(job)
        validation = read(job.validation)
        log.used(_counts(train, dropped), _counts(validation, {}))
        last = job.run_dir / "checkpoints" / "last.npz"
        base = Path(job.base)
        state = State(0, np.zeros(2), np.zeros(2))
        resumed = None
        if last.exists():
            state = State.load(last)
            resumed = state.step
        elif base.exists():
            state = State.load(base)
        log.begin(job.figures.steps, resumed)
        stopped = self._loop(job, log, state, lengths(train), lengths(validation), last)
        model = None
        if stopped is None and not job.rehearsal:
            model = job.run_dir / "adapted_model.npz"
            state.save(model)
        epochs = state.step / job.figures.steps_per_epoch
        return Trained(
            model, None, last, state.step, epochs, resumed, stopped, 2, 2, {"device": "cpu"}
        )

    def _kept(self, job: TrainingJob) -> tuple[list[dict[str, Any]], dict[str, int]]:
        longest = float(os.environ.get("TRIAL_LONGEST_S", job.recipe.data.max_duration_s))
        rows = read(job.train)
        kept = [row for row in rows if row["duration"] <= longest]
        return kept, {"too_long": len(rows) - len(kept)} if len(kept) < len(rows) else {}

    def _loop(
        self,
        job: TrainingJob,
        log: RunWriter,
        state: State,
        train: np.ndarray,
        validation: np.ndarray,
        last: Path,
    ) -> str | None:
        size, per_epoch = job.recipe.data.batch_size or 1, job.figures.steps_per_epoch
        rate = job.recipe.optimiser.lr * 10
        while state.step < job.figures.steps:
            epoch, place = divmod(state.step, per_epoch)
            order = np.random.default_rng([job.recipe.trainer.seed, epoch]).permutation(len(train))
            batch = train[order[place * size : (place + 1) * size]]
            loss, slope = _loss(state.weights, batch)
            with np.errstate(all="ignore"):
                state.momentum = 0.5 * state.momentum - rate * slope
                state.weights = state.weights + state.momentum
            state.step += 1
            told = {"train_loss": loss, "learning_rate": rate, "samples_per_second": 400.0}
            log.log(state.step, told, epoch=state.step / per_epoch)
            if state.step % per_epoch == 0:
                missed = _loss(state.weights, validation)[0]
                log.log(state.step, {"val_loss": missed}, epoch=state.step / per_epoch)
            if state.step == int(os.environ.get("TRIAL_TERM_AT", "0")):
                os.kill(os.getpid(), signal.SIGTERM)
            stop = log.stop_reason()
            if state.step % 5 == 0 or stop in ("signal", "stop_file"):
                state.save(last)
                log.saved(last, state.step)
            if state.step == int(os.environ.get("TRIAL_KILL_AT", "0")):
                os.kill(os.getpid(), signal.SIGKILL)
            if state.step == int(os.environ.get("TRIAL_FAIL_AT", "0")):
                raise ToolError("the machine has no memory left")
            if stop is not None:
                return stop
            time.sleep(float(os.environ.get("TRIAL_STEP_S", "0")))
        return None


def _loss(weights: np.ndarray, rows: np.ndarray) -> tuple[float, np.ndarray]:
    with np.errstate(all="ignore"):
        missed = weights[0] + weights[1] * rows[:, 0] - rows[:, 1]
        slope = np.array([missed.mean(), (missed * rows[:, 0]).mean()])
        return float((missed**2).mean()), slope


def _counts(rows: list[dict[str, Any]], dropped: Mapping[str, int]) -> LoaderCounts:
    return LoaderCounts(len(rows), sum(row["duration"] for row in rows) / 3600, dropped)


class NoBackend:
    name = "none"


class BrokenBackend:
    def __init__(self) -> None:
        raise OSError("libcuda.so.1: cannot open shared object file")
