"""What happens after a step: logging, evaluating, saving, and the end of a stage or a run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch
from transformers import TrainerCallback
from transformers.trainer import TRAINING_ARGS_NAME

from asrdq import console
from asrdq.training.qwen.checkpoints import FOLDER, prune, seal
from asrdq.training.stops import EARLY, WATCH

if TYPE_CHECKING:
    from asrdq.training.qwen.setup import Run


class Conductor(TrainerCallback):  # type: ignore[misc]
    """Decides for one stage; Hugging Face's own flow is switched off."""

    def __init__(self, run: Run, stage: int) -> None:
        self._run, self._stage = run, stage

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> Any:
        """Decide what follows a step."""
        setup, step = self._run.setup, state.global_step
        end, total = setup.plan.end(self._stage), setup.plan.total
        control.should_log = step % setup.job.recipe.trainer.log_every_n_steps == 0 or step == total
        control.should_evaluate = step % setup.evaluate_every == 0 or step == total
        control.should_save = step % setup.save_every == 0 or step == end
        control.should_training_stop = step >= end
        reason = self._agreed(self._run.log.stop_reason())
        if reason is not None and step < total:
            self._run.state = replace(self._run.state, stopped_by=reason)
            control.should_training_stop = True
            control.should_save = not reason.startswith(WATCH)
            control.should_evaluate = False
        return control

    def _agreed(self, reason: str | None) -> str | None:
        """Return the reason of rank 0 on every process."""
        if self._run.setup.sharing.world == 1:
            return reason
        told = [reason]
        torch.distributed.broadcast_object_list(told, src=0)
        return told[0]

    def on_evaluate(self, args: Any, state: Any, control: Any, **_: Any) -> Any:
        """Stop where the patience is used up."""
        patience = self._run.setup.job.recipe.evaluation.patience
        known, step = self._run.state, state.global_step
        if patience is not None and known.waited >= patience and step < self._run.setup.plan.total:
            self._run.state = replace(known, stopped_by=EARLY)
            control.should_training_stop = control.should_save = True
            monitor = self._run.setup.job.recipe.checkpoints.monitor
            console.say(
                f"stopped at step {step:,}: {known.waited} evaluations without a better {monitor} "
                f"than {known.best:.4g} at step {known.best_step:,}"
            )
        return control

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> Any:
        """Say that a checkpoint is whole, and remove older ones; those before a switch stay."""
        setup, step = self._run.setup, state.global_step
        if setup.sharing.world > 1:
            torch.distributed.barrier()
        if setup.job.rank == 0:
            folder = setup.run_dir / FOLDER / f"checkpoint-{step}"
            (folder / TRAINING_ARGS_NAME).unlink(missing_ok=True)  # a pickle that nobody reads
            seal(folder, self._run.state)
            prune(setup.run_dir, frozenset(setup.plan.starts))
            self._run.log.saved(folder, step)
        return control
