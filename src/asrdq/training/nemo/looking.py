"""What fits this machine and what is slow on it, found with the model and the data of a job.

Importing this module imports torch, Lightning and NeMo.
"""

from __future__ import annotations

import math
import time
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import lightning.pytorch as pl
from torch.utils.data import DataLoader

from asrdq.console import progress
from asrdq.models.nemo import quiet_nemo
from asrdq.training.nemo.base import build_model
from asrdq.training.nemo.batch_finder import largest_batch
from asrdq.training.nemo.feeding import Feeds, Ranks, feeds_of
from asrdq.training.nemo.loaders import clips_of
from asrdq.training.nemo.settings import trainer_settings
from asrdq.training.preflight import BatchFound, PreflightReport, Rates

if TYPE_CHECKING:
    from asrdq.recipes.recipe import DataSection
    from asrdq.training.job import TrainingJob
    from asrdq.training.nemo.gathering import Gathered
    from asrdq.training.nemo.material import Material

BOUND_ON_GPU: Final = 1024
_STEPS: Final = 4
_LOADED: Final = 24
_LOADING_S: Final = 20.0


def look(job: TrainingJob, gathered: Gathered) -> PreflightReport:
    """Look; `NemoBackend.preflight` tells what at."""
    on_cpu = gathered.device.type == "cpu"
    with quiet_nemo():
        model = build_model(job, gathered.settings, on_cpu=on_cpu)
        materials = (gathered.train, gathered.validation)
        feeds = feeds_of(
            job, model, gathered.settings, materials, Ranks(0, 1), skip=0, pin=not on_cpu
        )
        said = trainer_settings(gathered.settings, job, gathered.device)
        said |= {
            "devices": 1,
            "num_nodes": 1,
            "strategy": "auto",
            "val_check_interval": None,
            "logger": False,
            "enable_checkpointing": False,
        }
        with progress("search the largest batch", None, "batches") as bar:
            batch = _search(job, model, feeds, gathered.train, said, on_cpu, bar.advance)
        rates = _rates(job, model, feeds, said) if batch.fits else None
    device = _name(gathered.device)
    return PreflightReport(device, batch, _bins(gathered.train, job.recipe.data), rates)


def _search(
    job: TrainingJob,
    model: Any,
    feeds: Feeds,
    material: Material,
    said: dict[str, Any],
    on_cpu: bool,
    advance: Any,
) -> BatchFound:
    one, longest = _longest(feeds, job.recipe.data)
    asked = _asked(job.recipe.data, longest)

    def attempt(clips: int) -> None:
        _train(model, [one(clips)] * 2, said)
        advance(1)

    bound = 2 * asked if on_cpu else max(BOUND_ON_GPU, asked)
    return largest_batch(attempt, asked=asked, bound=bound, longest_s=longest)


def _longest(feeds: Feeds, data: DataSection) -> tuple[Any, float]:
    """Return what makes a batch of copies of the longest clip, and its seconds."""
    dataset, collate = feeds.train.loader.dataset, feeds.train.loader.collate_fn
    if data.batch_duration_s is None:
        clip = dataset[feeds.longest]
        return lambda clips: collate([clip] * clips), feeds.longest_s
    from lhotse import CutSet

    def of_cuts(clips: int) -> Any:
        return dataset[CutSet.from_cuts(feeds.longest.with_id(str(i)) for i in range(clips))]

    return of_cuts, feeds.longest_s


def _asked(data: DataSection, longest_s: float) -> int:
    """Return how many of the longest clips a batch of the recipe holds."""
    if data.batch_size is not None:
        return data.batch_size
    assert data.batch_duration_s is not None
    quadratic = longest_s**2 / data.quadratic_duration_s if data.quadratic_duration_s else 0.0
    return max(1, math.floor(data.batch_duration_s / (longest_s + quadratic)))


def _train(model: Any, batches: list[Any], said: dict[str, Any]) -> float:
    """Train on batches that are there already; return the seconds of all but the first."""
    clock = _Clock()
    only = {"max_steps": len(batches), "accumulate_grad_batches": 1, "limit_val_batches": 0}
    trainer = pl.Trainer(**{**said, **only}, callbacks=[clock])
    model.set_trainer(trainer)
    trainer.fit(model, DataLoader(batches, batch_size=None, collate_fn=_as_it_is))
    return clock.seconds


def _as_it_is(batch: Any) -> Any:
    return batch


class _Clock(pl.Callback):  # type: ignore[misc]
    """Measures the time from the end of the first step to the end of the last."""

    def __init__(self) -> None:
        self._ends: list[float] = []

    def on_train_batch_end(self, trainer: Any, module: Any, outputs: Any, *_: Any) -> None:
        float(outputs["loss"])  # waits for the GPU
        self._ends.append(time.perf_counter())

    @property
    def seconds(self) -> float:
        return self._ends[-1] - self._ends[0]


def _rates(job: TrainingJob, model: Any, feeds: Feeds, said: dict[str, Any]) -> Rates:
    kept, clips = [], 0
    batches = iter(feeds.train)
    kept.append(next(batches))  # processes start before the first one
    began = time.perf_counter()
    for batch in islice(batches, _LOADED):
        clips += clips_of(batch)
        if len(kept) <= _STEPS:
            kept.append(batch)
        if time.perf_counter() - began > _LOADING_S:
            break
    loader = clips / (time.perf_counter() - began)
    seconds = _train(model, kept, said)
    return Rates(loader, sum(map(clips_of, kept[1:])) / seconds, job.recipe.data.workers)


def _bins(material: Material, data: DataSection) -> tuple[float, ...]:
    """Return the borders of buckets by Lhotse, of the clips that the loader keeps."""
    if data.buckets is None or data.buckets < 2:
        return ()
    from lhotse.dataset.sampling.dynamic_bucketing import estimate_duration_buckets

    kept = [
        each for each in material.durations if data.min_duration_s <= each <= data.max_duration_s
    ]
    count = min(data.buckets, len(kept))
    return tuple(estimate_duration_buckets(kept, count, _Seconds())) if count > 1 else ()


class _Seconds:
    """Tells Lhotse that a number of seconds is as long as it is."""

    def measure_length(self, seconds: float) -> float:
        return seconds


def _name(device: Any) -> str:
    import torch

    return str(torch.cuda.get_device_name(device)) if device.type == "cuda" else "the CPU"
