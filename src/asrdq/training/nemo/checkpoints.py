"""Checkpoints of a run: whole on the disk or not there, read without running anything in them.

Importing this module imports torch and Lightning.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from lightning.pytorch.callbacks import Checkpoint, ModelCheckpoint
from lightning.pytorch.plugins.io import TorchCheckpointIO

from asrdq.errors import ToolError

if TYPE_CHECKING:
    from asrdq.training.job import TrainingJob
    from asrdq.training.run_writer import RunWriter

FOLDER, LAST = "checkpoints", "last.ckpt"
SAVE_EVERY_S: Final = 1800.0
"""Seconds after which a checkpoint to go on from is written, if no validation brought one."""
_TIE: Final = 1e-9
"""What the loss adds to a WER at most: less than one word in a validation of a hundred million."""
_UNSAFE: Final = ("hyper_parameters", "hparams_name", "hparams_type")
"""NeMo puts its whole configuration here, as objects; a run is built from its bundle again."""


class SafeFiles(TorchCheckpointIO):  # type: ignore[misc]
    """Writes a checkpoint beside its place and moves it there; reads tensors and plain values."""

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: Any, storage_options: Any | None = None
    ) -> None:
        """Write a checkpoint; a process that dies meanwhile leaves the one before."""
        place = Path(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        part = place.with_name(f"{place.name}.part")
        kept = {key: value for key, value in checkpoint.items() if key not in _UNSAFE}
        with part.open("wb") as file:
            torch.save(kept, file)
            file.flush()
            os.fsync(file.fileno())
        part.replace(place)

    def load_checkpoint(self, path: Any, map_location: Any | None = None) -> dict[str, Any]:
        """Read a checkpoint.

        Raises:
            ToolError: It is broken, or holds other objects than tensors and plain values.
        """
        return read_checkpoint(Path(path), map_location)


def read_checkpoint(path: Path, map_location: Any | None = "cpu") -> dict[str, Any]:
    """Return what a checkpoint holds, its tensors where they lie on the disk until they are used.

    Raises:
        ToolError: It is broken, or holds other objects than tensors and plain values.
    """
    try:
        found = torch.load(path, map_location=map_location, weights_only=True, mmap=True)
    except Exception as error:
        raise ToolError(
            f"this checkpoint cannot be gone on from: {str(error).splitlines()[0]}",
            where=str(path),
            hint="take it away, and the run begins anew, or goes on from another one named last",
        ) from error
    return dict(found)


@dataclass(frozen=True, slots=True)
class Position:
    """Where a run was when a checkpoint was written.

    Attributes:
        step: Optimiser steps that were made.
        passes: Batches of each rank that were trained on.
    """

    step: int
    passes: int


def position_of(path: Path) -> Position:
    """Return where the run was that wrote a checkpoint.

    Raises:
        ToolError: It is broken, or none of these.
    """
    found = read_checkpoint(path)
    state = found.get("callbacks", {}).get("Last")
    if state is None:
        raise ToolError("this checkpoint is none of asrdq", where=str(path))
    return Position(found["global_step"], state["passes"])


class Last(Checkpoint):  # type: ignore[misc]
    """Keeps the checkpoint that training goes on from, with the state of all random numbers.

    It is written between two passes: after a validation, every so many steps, after half an hour,
    when the run is asked to stop, and at its end.

    Args:
        job: The run.
        log: Told of each checkpoint.
        best: Keeps the best ones.

    Attributes:
        passes: Batches of this rank that were trained on.
    """

    def __init__(self, job: TrainingJob, log: RunWriter, best: Best | None) -> None:
        self.path = job.run_dir / FOLDER / LAST
        self.passes = 0
        self._every, self._log, self._best = job.recipe.checkpoints.every_n_steps, log, best
        self._told: set[str] = set()
        self._due, self._saved_at, self._step = False, time.monotonic(), 0
        self._resumed: Mapping[str, Any] | None = None

    @property
    def state_key(self) -> str:
        """Its name in a checkpoint."""
        return "Last"

    def state_dict(self) -> dict[str, Any]:
        """Return the position and the random numbers."""
        return {"passes": self.passes, "random": _random_state()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take both up again; the random numbers when the first pass begins."""
        self.passes, self._resumed = state_dict["passes"], state_dict["random"]

    def on_save_checkpoint(self, trainer: Any, module: Any, checkpoint: dict[str, Any]) -> None:
        """Take back the pass that Lightning has counted as begun, and that is begun again."""
        progress = checkpoint["loops"]["fit_loop"]["epoch_loop.batch_progress"]
        for counts in (progress["total"], progress["current"]):
            counts["ready"] = counts["completed"]

    def on_train_batch_start(self, trainer: Any, *_: Any) -> None:
        """Write what is due, or take the random numbers up again."""
        if self._resumed is not None:
            _set_random_state(self._resumed)
            self._resumed, self._step = None, trainer.global_step
        elif self._due:
            self.save(trainer)

    def on_train_batch_end(self, trainer: Any, *_: Any) -> None:
        """Count the pass."""
        self.passes += 1
        if trainer.global_step == self._step:
            return  # a step has several passes, and its gradients are not kept
        self._step = trainer.global_step
        by_steps = self._every is not None and self._step % self._every == 0
        self._due |= by_steps or time.monotonic() - self._saved_at > SAVE_EVERY_S

    def on_validation_end(self, trainer: Any, *_: Any) -> None:
        """Note the best ones, and keep this state too."""
        if trainer.sanity_checking:
            return
        for path, metric in (self._best.told() if self._best else {}).items():
            if path not in self._told:
                self._told.add(path)
                self._log.saved(Path(path), trainer.global_step, metric)
        self._due = True

    def on_train_end(self, trainer: Any, *_: Any) -> None:
        """Keep the end."""
        self.save(trainer)

    def save(self, trainer: Any) -> None:
        """Write the checkpoint now."""
        trainer.save_checkpoint(self.path)
        self._due, self._saved_at = False, time.monotonic()
        self._log.saved(self.path, trainer.global_step)


class Best(ModelCheckpoint):  # type: ignore[misc]
    """Keeps the best checkpoints; of two with the same WER, the one with the lower loss."""

    def _monitor_candidates(self, trainer: Any) -> dict[str, torch.Tensor]:
        found: dict[str, torch.Tensor] = super()._monitor_candidates(trainer)
        if self.monitor == "val_wer" and {"val_wer", "val_loss"} <= found.keys():
            by_loss = 0.5 + torch.atan(found["val_loss"].double()) / torch.pi
            found["val_wer"] = found["val_wer"].double() + _TIE * by_loss.nan_to_num(1.0)
        return found

    def told(self) -> dict[str, float]:
        """Return the metric of each checkpoint that is kept."""
        return {path: round(float(score), 7) for path, score in self.best_k_models.items()}


def best_of(job: TrainingJob) -> Best | None:
    """Return what keeps the best checkpoints, None where the recipe wants none."""
    kept = job.recipe.checkpoints
    if kept.top_k == 0:
        return None
    best = Best(
        dirpath=job.run_dir / FOLDER,
        filename=f"{{step}}-{{{kept.monitor}:.4f}}",
        monitor=kept.monitor,
        mode=kept.mode,
        save_top_k=kept.top_k,
        enable_version_counter=False,
        save_on_train_epoch_end=False,
    )
    return best


def _random_state() -> dict[str, Any]:
    kind, keys, *rest = np.random.get_state()
    return {
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        "python": random.getstate(),
        "numpy": (kind, [int(key) for key in keys], *rest),
    }


def _set_random_state(state: Mapping[str, Any]) -> None:
    torch.set_rng_state(state["torch"].cpu())
    if state["cuda"] and torch.cuda.is_available():
        torch.cuda.set_rng_state_all([each.cpu() for each in state["cuda"]])
    random.setstate(state["python"])
    kind, keys, *rest = state["numpy"]
    np.random.set_state((kind, np.asarray(keys, dtype=np.uint32), *rest))
