"""One run: model, loaders, Lightning, and what is left of it.

Importing this module imports torch, Lightning and NeMo.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import EarlyStopping

from asrdq.models.nemo import quiet_nemo
from asrdq.training.nemo.base import build_model, check_languages
from asrdq.training.nemo.callbacks import NoSecondValidation, StopRun, Teller, needed_memory
from asrdq.training.nemo.checkpoints import (
    Last,
    Position,
    SafeFiles,
    best_of,
    position_of,
    read_checkpoint,
)
from asrdq.training.nemo.feeding import Feeds, Ranks, feeds_of
from asrdq.training.nemo.gathering import Gathered
from asrdq.training.nemo.loggers import loggers_of
from asrdq.training.nemo.settings import processes, trainer_settings, validation_interval
from asrdq.training.protocol import Trained
from asrdq.training.stops import EARLY, SIGNAL, STOPPED_BY_FILE

if TYPE_CHECKING:
    from asrdq.training.job import TrainingJob
    from asrdq.training.run_writer import RunWriter

MODEL = "adapted_model.nemo"


def run(job: TrainingJob, log: RunWriter, gathered: Gathered) -> Trained:
    """Train a job; `NemoBackend.train` tells what it does."""
    on_cpu = gathered.device.type == "cpu"
    pl.seed_everything(job.recipe.trainer.seed, verbose=False)
    with quiet_nemo():
        model = build_model(job, gathered.settings, on_cpu=on_cpu)
        check_languages(model, (gathered.train, gathered.validation))
        best = best_of(job)
        last = Last(job, log, best)
        position = position_of(last.path) if last.path.exists() else None
        said = trainer_settings(gathered.settings, job, gathered.device)
        ranks = Ranks(job.rank, processes())
        feeds = feeds_of(
            job,
            model,
            gathered.settings,
            (gathered.train, gathered.validation),
            ranks,
            skip=position.passes if position else 0,
            pin=not on_cpu,
        )
        log.used(feeds.used_train, feeds.used_validation)
        teller = Teller(job, log, feeds, last)
        early = _early(job)
        callbacks = [NoSecondValidation(), teller, *early, *([best] if best else []), last]
        said["val_check_interval"] = validation_interval(job, feeds.per_epoch)
        with loggers_of(job) as loggers:
            said |= {"logger": loggers or False, "enable_checkpointing": True}
            trainer = pl.Trainer(**said, callbacks=callbacks, plugins=[SafeFiles()])
            model.set_trainer(trainer)
            log.begin(job.figures.steps, position.step if position else None)
            _fit(job, trainer, model, feeds, last, resumed=position is not None)
        ended = trainer.global_step == job.figures.steps
        if teller.stopped_by is None and early and early[0].has_stopped and not ended:
            teller.stopped_by = EARLY
        return _trained(job, trainer, model, teller, best, last, feeds, position, said)


def _fit(
    job: TrainingJob, trainer: Any, model: Any, feeds: Feeds, last: Last, *, resumed: bool
) -> None:
    if not resumed:
        pl.seed_everything(job.recipe.trainer.seed + job.rank, verbose=False)
    try:
        trainer.fit(
            model, feeds.train, feeds.validation, ckpt_path=str(last.path) if resumed else None
        )
    except StopRun:
        pass
    except torch.OutOfMemoryError as error:
        raise needed_memory(error) from error


class _EarlyStop(EarlyStopping):  # type: ignore[misc]
    """Early stopping that stays stopped: a run that was killed just then does not train on."""

    @property
    def has_stopped(self) -> bool:
        """Whether there were validations enough without a better one."""
        return bool(self.wait_count >= self.patience)

    def on_train_start(self, trainer: Any, *_: Any) -> None:
        """Stop at once where it had stopped before."""
        trainer.should_stop |= self.has_stopped


def _early(job: TrainingJob) -> list[_EarlyStop]:
    patience, kept = job.recipe.evaluation.patience, job.recipe.checkpoints
    if patience is None:
        return []
    stop = _EarlyStop(
        monitor=kept.monitor, mode=kept.mode, patience=patience, check_on_train_epoch_end=False
    )
    return [stop]


def _trained(
    job: TrainingJob,
    trainer: Any,
    model: Any,
    teller: Teller,
    best: Any,
    last: Last,
    feeds: Feeds,
    position: Position | None,
    said: dict[str, Any],
) -> Trained:
    best_path = Path(best.best_model_path) if best and best.best_model_path else None
    unfinished = teller.stopped_by in (SIGNAL, STOPPED_BY_FILE) or job.rehearsal
    parameters = sum(each.numel() for each in model.parameters())
    path = None
    if not unfinished:
        path = job.run_dir / MODEL
        if job.rank == 0:
            save_model(model, best_path, path)
        trainer.strategy.barrier("the model is whole")
    return Trained(
        model=path,
        best=best_path,
        last=last.path if last.path.exists() else None,
        steps=trainer.global_step,
        epochs=last.passes / feeds.per_epoch,
        resumed_from=position.step if position else None,
        stopped_by=teller.stopped_by,
        parameters=parameters,
        trainable=sum(each.numel() for each in model.parameters() if each.requires_grad),
        facts={"precision": said["precision"]},
    )


def save_model(model: Any, checkpoint: Path | None, path: Path) -> None:
    """Save a model with the weights of a checkpoint, without the paths of its manifests.

    Args:
        model: The model that was trained.
        checkpoint: The one to take its weights from; None: as it is.
        path: Where it goes; it is whole there, or not at all.
    """
    from omegaconf import open_dict

    if checkpoint is not None:
        model.load_state_dict(read_checkpoint(checkpoint)["state_dict"])
    with open_dict(model.cfg):
        for name in ("train_ds", "validation_ds", "test_ds"):
            if model.cfg.get(name) is not None:
                model.cfg[name].manifest_filepath = None
    part = path.with_name(f"part-{path.name}")
    model.save_to(str(part))
    part.replace(path)
