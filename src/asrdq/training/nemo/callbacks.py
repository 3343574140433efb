"""What Lightning tells while it trains, told on; and what asks it to stop.

Importing this module imports torch and Lightning.
"""

from __future__ import annotations

import signal
import threading
import time
from typing import TYPE_CHECKING, Any

import lightning.pytorch as pl
import torch

from asrdq.errors import ToolError
from asrdq.training.nemo.loaders import clips_of

if TYPE_CHECKING:
    from asrdq.training.job import TrainingJob
    from asrdq.training.nemo.checkpoints import Last
    from asrdq.training.nemo.feeding import Feeds
    from asrdq.training.run_writer import RunWriter


class StopRun(Exception):
    """Leaves Lightning's loop in the middle; the reason is told by `Teller.stopped_by`."""


class Teller(pl.Callback):  # type: ignore[misc]
    """Tells the log of each step and validation, and stops the run where the log says so.

    Args:
        job: The run.
        log: Takes the values.
        feeds: Knows how long was waited for data.
        last: Keeps the checkpoint that a stopped run goes on from.

    Attributes:
        stopped_by: Why the run was stopped; None: it was not.
    """

    def __init__(self, job: TrainingJob, log: RunWriter, feeds: Feeds, last: Last) -> None:
        self.stopped_by: str | None = None
        self._every = job.recipe.trainer.log_every_n_steps
        self._log, self._feeds, self._last = log, feeds, last
        self._loss: Any = 0.0
        self._losses, self._clips, self._step = 0, 0, 0
        self._validated_s = 0.0
        self._handlers = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)}

    def on_train_start(self, trainer: Any, *_: Any) -> None:
        """Begin to measure, with the signals as they were: Lightning takes SIGTERM for itself."""
        if threading.current_thread() is threading.main_thread():
            for each, handler in self._handlers.items():
                signal.signal(each, handler)
        self._step = trainer.global_step
        self._measure_anew()

    def _measure_anew(self) -> None:
        self._began, self._validated_s = time.perf_counter(), 0.0
        self._waited = self._feeds.train.waited_s
        self._loss, self._losses, self._clips = 0.0, 0, 0

    def on_before_optimizer_step(self, trainer: Any, module: Any, *_: Any) -> None:
        """Measure the gradients of steps that are logged, before they are clipped."""
        self._norm = None
        if (trainer.global_step + 1) % self._every == 0:
            gradients = [p.grad for p in module.parameters() if p.grad is not None]
            self._norm = torch.nn.utils.get_total_norm(gradients)

    def on_train_batch_end(
        self, trainer: Any, module: Any, outputs: Any, batch: Any, *_: Any
    ) -> None:
        """Log a step, and ask whether the run goes on."""
        self._loss = self._loss + outputs["loss"].detach()
        self._losses, self._clips = self._losses + 1, self._clips + clips_of(batch)
        if trainer.global_step == self._step:
            return
        self._step = trainer.global_step
        if self._step % self._every == 0:
            self._log.log(self._step, self._values(trainer), epoch=self._epoch(trainer))
            self._measure_anew()
        self._ask(trainer)

    def _values(self, trainer: Any) -> dict[str, float]:
        rates = [group["lr"] for group in trainer.optimizers[0].param_groups]
        values = {"train_loss": float(self._loss) / self._losses, "learning_rate": rates[0]}
        if len(rates) > 1:
            values |= {f"learning_rate_{index}": rate for index, rate in enumerate(rates)}
        if self._norm is not None:
            values["grad_norm"] = float(self._norm)
        seconds = max(time.perf_counter() - self._began - self._validated_s, 1e-9)
        values["samples_per_second"] = self._clips * trainer.world_size / seconds
        waited = self._feeds.train.waited_s - self._waited
        values["data_share"] = min(1.0, waited / seconds)
        return values

    def _epoch(self, trainer: Any) -> float:
        passes: int = trainer.fit_loop.total_batch_idx + 1
        return passes / self._feeds.per_epoch

    def _ask(self, trainer: Any) -> None:
        reason = self._log.stop_reason()
        if trainer.world_size > 1:
            reason = next(filter(None, _of_all(reason, trainer.world_size)), None)
        if reason is None or (self._step == trainer.max_steps and not reason.startswith("watch:")):
            return  # at its end a run is not stopped any more
        self.stopped_by = reason
        if reason.startswith("watch:"):
            raise StopRun

    def on_train_batch_start(self, trainer: Any, *_: Any) -> None:
        """Stop between two passes, where a checkpoint can be gone on from."""
        if self.stopped_by is not None:
            self._last.save(trainer)
            raise StopRun

    def on_validation_start(self, *_: Any) -> None:
        """Take the time that a validation takes out of the samples a second."""
        self._validation_began = time.perf_counter()

    def on_validation_end(self, trainer: Any, *_: Any) -> None:
        """Log a validation."""
        self._validated_s += time.perf_counter() - self._validation_began
        found = {
            name: float(value)
            for name, value in trainer.callback_metrics.items()
            if name.startswith("val_")
        }
        self._log.log(trainer.global_step, found, epoch=self._epoch(trainer))


def _of_all(reason: str | None, world: int) -> list[str | None]:
    """Return what each rank says; any of them may have got a signal."""
    reasons: list[str | None] = [None] * world
    torch.distributed.all_gather_object(reasons, reason)
    return reasons


class NoSecondValidation(pl.Callback):  # type: ignore[misc]
    """Goes on after the validation that a checkpoint was written after.

    Lightning would validate once more on its first pass, and count that for early stopping.
    """

    def __init__(self) -> None:
        self._limit: Any = None

    def on_train_epoch_start(self, trainer: Any, *_: Any) -> None:
        """Hold validation back until the first pass."""
        if trainer.global_step and self._limit is None:
            self._limit, trainer.limit_val_batches = trainer.limit_val_batches, 0

    def on_train_batch_start(self, trainer: Any, *_: Any) -> None:
        """Let it come again."""
        if self._limit is not None:
            trainer.limit_val_batches = self._limit


def needed_memory(error: torch.OutOfMemoryError) -> ToolError:
    """Return the error for a GPU whose memory is too small for a batch."""
    told = str(error).split(". ", 1)[0]
    return ToolError(
        f"the batches do not fit into the memory of the GPU: {told}",
        hint="asrdq train BUNDLE --preflight finds the largest that do",
    )
