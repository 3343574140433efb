"""A run that is killed and gone on with ends where one ends that was not."""

from __future__ import annotations

import csv
import dataclasses
import multiprocessing
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from tests.training.nemo.conftest import Rows, make_job

from asrdq.errors import ToolError
from asrdq.training.job import TrainingJob
from asrdq.training.nemo.backend import NemoBackend
from asrdq.training.nemo.tiny import tiny_model
from asrdq.training.protocol import Trained
from asrdq.training.run_writer import RunWriter

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

STEPS = 14
LHOTSE = {"batch_size": None, "batch_duration_s": 6.0, "buckets": 2, "max_duration_s": 3.0}
MASKED = {"spec_augment": {"frequency_masks": 2, "time_masks": 2}}


def train(job: TrainingJob) -> Trained:
    with RunWriter(job) as log:
        return NemoBackend().train(job, log)


@pytest.fixture(scope="module")
def bases(digits: Rows, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder, texts = tmp_path_factory.mktemp("bases"), [row["text"] for row in digits]
    return {family: tiny_model(family, texts, folder / family) for family in ("ctc", "tdt")}


MIXED = {**LHOTSE, "mix_by": ["speaker"], "temperature": 0.5}


@pytest.fixture(params=["ctc on lhotse", "ctc on groups", "tdt on clips"])
def jobs(
    request: pytest.FixtureRequest, digits: Rows, bases: dict[str, Path], tmp_path: Path
) -> tuple[TrainingJob, TrainingJob]:
    """The same run twice: masks, dither and omega draw random numbers in it."""
    family, _, loader = request.param.split()
    made = [
        make_job(
            tmp_path / name,
            digits,
            bases[family],
            steps=STEPS,
            model={"family": family},
            data={"lhotse": LHOTSE, "groups": MIXED, "clips": {"batch_size": 3}}[loader],
            trainer={"accumulation": 2},
            checkpoints={"every_n_steps": 3, "top_k": 2},
            augmentation=MASKED,
            figures={"accumulation": 2, "val_check_interval": 2 * 4},
        )
        for name in ("undisturbed", "killed")
    ]
    return made[0], made[1]


def test_killed_in_the_middle_it_ends_as_if_it_had_not_been(
    jobs: tuple[TrainingJob, TrainingJob],
) -> None:
    """To the last bit on one CPU thread: weights, optimiser, schedule, metrics, best ones."""
    undisturbed, killed = jobs
    whole = train(undisturbed)
    _kill_after(killed, step=8)
    assert not (killed.run_dir / "adapted_model.nemo").exists()
    resumed = train(killed)
    assert resumed.resumed_from is not None
    assert 3 <= resumed.resumed_from < STEPS
    assert (resumed.steps, resumed.epochs) == (whole.steps, whole.epochs) == (STEPS, whole.epochs)
    assert _metrics(killed) == _metrics(undisturbed)
    assert whole.last is not None and resumed.last is not None
    _same(_checkpoint(whole.last), _checkpoint(resumed.last))
    names = [sorted(p.name for p in job.run_dir.glob("checkpoints/*")) for job in jobs]
    assert names[0] == names[1]
    assert len(names[0]) == 3


def test_a_signal_ends_it_with_a_checkpoint_and_it_goes_on(
    digits: Rows, bases: dict[str, Path], tmp_path: Path
) -> None:
    job = make_job(tmp_path, digits, bases["ctc"], steps=6)

    class Interrupted(RunWriter):
        def log(self, step: int, values: Any, *, epoch: float | None = None) -> None:
            super().log(step, values, epoch=epoch)
            if step == 3 and job.run_dir.joinpath("checkpoints").exists() is False:
                os.kill(os.getpid(), signal.SIGTERM)

    with Interrupted(job) as log:
        stopped = NemoBackend().train(job, log)
    assert (stopped.stopped_by, stopped.steps, stopped.model) == ("signal", 3, None)
    assert stopped.last is not None and stopped.last.exists()
    gone_on = train(job)
    assert (gone_on.stopped_by, gone_on.steps, gone_on.resumed_from) == (None, 6, 3)
    assert gone_on.model is not None


def test_a_rule_that_stops_leaves_no_checkpoint_of_a_broken_state(
    digits: Rows, bases: dict[str, Path], tmp_path: Path
) -> None:
    job = make_job(tmp_path, digits, bases["ctc"], steps=6, optimiser={"lr": 1e30})
    job = dataclasses.replace(
        job, figures=dataclasses.replace(job.figures, warmup_steps=0, val_check_interval=6)
    )
    stopped = train(job)
    assert stopped.stopped_by is not None and stopped.stopped_by.startswith("watch:")
    assert stopped.steps < 6
    assert stopped.last is None


def test_early_stopping_ends_it(digits: Rows, bases: dict[str, Path], tmp_path: Path) -> None:
    job = make_job(
        tmp_path,
        digits,
        bases["ctc"],
        steps=12,
        optimiser={"lr": 1.1e-9},
        schedule={"name": "CosineAnnealing", "min_lr": 1e-9},
        evaluation={"metric": "wer", "patience": 2},
        figures={"val_check_interval": 2},
    )
    stopped = train(job)
    assert (stopped.stopped_by, stopped.steps) == ("early_stopping", 6)
    assert stopped.model is not None
    again = train(job)  # as after a kill before its end was noted
    assert (again.stopped_by, again.steps) == ("early_stopping", 6)


def test_a_checkpoint_with_objects_in_it_is_not_loaded(
    digits: Rows, bases: dict[str, Path], tmp_path: Path
) -> None:
    import torch

    job = make_job(tmp_path, digits, bases["ctc"], steps=2)
    folder = job.run_dir / "checkpoints"
    folder.mkdir()
    torch.save({"callbacks": {}, "evil": _Evil(tmp_path / "ran")}, folder / "last.ckpt")
    with pytest.raises(ToolError, match=r"last\.ckpt: this checkpoint cannot be gone on from"):
        train(job)
    assert not (tmp_path / "ran").exists()


class _Evil:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return (Path.touch, (self.path,))


def _kill_after(job: TrainingJob, step: int) -> None:
    """Train in another process, and kill it when it has logged a step."""
    context = multiprocessing.get_context("forkserver")  # a fork after autograd would hang
    context.set_forkserver_preload(["nemo.collections.asr"])
    process = context.Process(target=train, args=(job,))
    process.start()
    while process.is_alive() and not any(row[0] >= step for row in _metrics(job)):
        time.sleep(0.01)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    assert process.exitcode == -signal.SIGKILL, "it ended before it was killed"


_OF_THE_MACHINE = ("wall_time", "samples_per_second", "data_share")


def _metrics(job: TrainingJob) -> list[tuple[Any, ...]]:
    """Return what was logged, but for what depends on how fast the machine is."""
    path = job.run_dir / "metrics.csv"
    if not path.exists():
        return []
    with path.open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if None not in row.values()]
    return [
        (int(row["step"]), *(v for k, v in row.items() if k not in ("step", *_OF_THE_MACHINE)))
        for row in rows
    ]


def _checkpoint(path: Path) -> dict[str, Any]:
    import torch

    found = torch.load(path, weights_only=True)
    return {
        key: found[key] for key in ("state_dict", "optimizer_states", "lr_schedulers", "callbacks")
    }


def _same(a: Any, b: Any, at: str = "") -> None:
    import torch

    if isinstance(a, dict):
        names = [str(key) for key in a]
        assert names == [str(key) for key in b] or "/callbacks/Best" in at, at
        for (key, x), y in zip(a.items(), b.values(), strict=True):
            _same(x, y, f"{at}/{key}")
    elif isinstance(a, list | tuple):
        assert len(a) == len(b), at
        for index, (x, y) in enumerate(zip(a, b, strict=True)):
            _same(x, y, f"{at}/{index}")
    elif isinstance(a, torch.Tensor):
        assert torch.equal(a, b), at
    elif not isinstance(a, str):  # paths of the two runs differ
        assert a == b, at
