"""The loaders of a run, and what they really use of a bundle.

Importing this module imports torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from torch.utils.data import BatchSampler, DataLoader, DistributedSampler

from asrdq.models.nemo import quiet_nemo
from asrdq.planning.kept import Dropped
from asrdq.training.counts import LoaderCounts
from asrdq.training.nemo.loaders import ClipPasses, CutPasses, Feed, FiniteFeed, loader_of

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from asrdq.recipes.recipe import DataSection
    from asrdq.training.job import TrainingJob
    from asrdq.training.nemo.material import Material

OTHER = "other"
"""Why NeMo dropped rows that neither their length nor their text explains."""


@dataclass(frozen=True)
class Feeds:
    """What a run trains on and validates on.

    Attributes:
        train: Endless batches of this rank.
        validation: The validation batches of this rank.
        used_train: What one pass over all ranks uses.
        used_validation: The same of the validation manifest.
        per_epoch: Passes of an epoch of each rank; a mean where batches are counted in seconds.
        longest: The longest clip of a pass, as its data set takes it: an index, or a cut of Lhotse.
        longest_s: Its seconds.
    """

    train: Feed
    validation: FiniteFeed
    used_train: LoaderCounts
    used_validation: LoaderCounts
    per_epoch: float
    longest: Any
    longest_s: float


@dataclass(frozen=True)
class Ranks:
    """Which of how many processes this is."""

    rank: int
    world: int


def feeds_of(
    job: TrainingJob,
    model: Any,
    settings: DictConfig,
    materials: tuple[Material, Material],
    ranks: Ranks,
    *,
    skip: int,
    pin: bool,
) -> Feeds:
    """Build the loaders with NeMo, and count what they use.

    Args:
        job: The run.
        model: The model; its tokenizer and its preprocessor make the batches.
        settings: The configuration with the manifests in it.
        materials: What the manifests for training and validation hold.
        ranks: Which process this is.
        skip: Passes of each rank that a run before had already trained on.
        pin: Whether memory is pinned, for a GPU.

    Raises:
        DataError: The loader keeps nothing.
    """
    data, seed = job.recipe.data, job.recipe.trainer.seed
    with quiet_nemo():
        model.setup_training_data(settings.model.train_ds)
        model.setup_validation_data(settings.model.validation_ds)
        make = _of_lhotse if data.batch_duration_s is not None else _of_clips
        train, validation = make(model, settings, ranks, seed, skip)
    ways = {"workers": data.workers, "prefetch": data.prefetch}
    endless = loader_of(
        train.dataset, train.sampler, collate=train.collate, seed=seed, pin=pin, **ways
    )
    finite = loader_of(
        validation.dataset,
        validation.sampler,
        collate=validation.collate,
        seed=seed,
        pin=pin,
        **ways,
    )
    model._validation_dl = finite
    return Feeds(
        train=Feed(endless),
        validation=FiniteFeed(finite, validation.batches),
        used_train=_counts(train.durations, materials[0], data),
        used_validation=_counts(validation.durations, materials[1], None),
        per_epoch=train.batches,
        longest=train.longest,
        longest_s=max(train.durations),
    )


@dataclass(frozen=True)
class _Source:
    """A data set of NeMo, an order of its batches, and what a pass over it uses."""

    dataset: Any
    sampler: Any
    collate: Any
    durations: Sequence[float]
    batches: int
    longest: Any


def _of_clips(
    model: Any, settings: DictConfig, ranks: Ranks, seed: int, skip: int
) -> tuple[_Source, _Source]:
    found = []
    for loader, said in (
        (model._train_dl, settings.model.train_ds),
        (_only(model._validation_dl), settings.model.validation_ds),
    ):
        dataset = loader.dataset
        durations = [entry.duration for entry in dataset.manifest_processor.collection]
        clips = DistributedSampler(
            dataset, ranks.world, ranks.rank, shuffle=bool(said.shuffle), seed=seed
        )
        sampler: Any = (
            ClipPasses(clips, said.batch_size, skip)
            if said.shuffle
            else BatchSampler(clips, said.batch_size, drop_last=False)
        )
        batches = sampler.per_epoch if said.shuffle else len(sampler)
        longest = max(range(len(durations)), key=durations.__getitem__)
        found.append(_Source(dataset, sampler, loader.collate_fn, durations, batches, longest))
    return found[0], found[1]


def _of_lhotse(
    model: Any, settings: DictConfig, ranks: Ranks, seed: int, skip: int
) -> tuple[_Source, _Source]:
    found = []
    for loader, said in (
        (model._train_dl, settings.model.train_ds),
        (_only(model._validation_dl), settings.model.validation_ds),
    ):
        durations, batches, longest = _one_pass(said)
        endless = bool(said.shuffle)
        sampler = CutPasses(loader.sampler, endless=endless, skip=skip if endless else 0)
        each = max(1, -(-batches // ranks.world))
        found.append(_Source(loader.dataset, sampler, None, durations, each, longest))
    return found[0], found[1]


def _one_pass(said: DictConfig) -> tuple[list[float], int, Any]:
    """Return what one pass of Lhotse's sampler gives: seconds, batches, the longest cut."""
    from nemo.collections.common.data.lhotse.dataloader import (
        get_lhotse_sampler_from_config,
        make_structured_with_schema_warnings,
    )
    from omegaconf import OmegaConf

    finite = OmegaConf.merge(said, {"force_finite": True, "shuffle": False})
    config = make_structured_with_schema_warnings(finite)
    sampler, _ = get_lhotse_sampler_from_config(config, global_rank=0, world_size=1)
    durations, batches, longest = [], 0, None
    for cuts in sampler:
        durations += [cut.duration for cut in cuts]
        batches += 1
        longest = max((longest, *cuts) if longest else cuts, key=lambda cut: float(cut.duration))
    return durations, batches, longest


def _only(loaders: Any) -> DataLoader:
    """Return the loader of the one validation manifest, which NeMo may keep in a list."""
    return loaders[0] if isinstance(loaders, list) else loaders


def _counts(
    durations: Sequence[float], material: Material, data: DataSection | None
) -> LoaderCounts:
    """Return what a loader uses of a manifest, and why it drops the rest."""
    dropped = dict(material.dropped)
    if data is not None:
        dropped |= material.counted(lambda seconds: _reason(seconds, data))
    missing = material.rows - len(durations)
    unexplained = missing - (sum(dropped.values()) - sum(material.dropped.values()))
    if unexplained:
        dropped[OTHER] = unexplained
    return LoaderCounts(len(durations), sum(durations) / 3600, dropped)


def _reason(seconds: float, data: DataSection) -> str | None:
    if seconds < data.min_duration_s:
        return str(Dropped.TOO_SHORT)
    return str(Dropped.TOO_LONG) if seconds > data.max_duration_s else None
