"""Hugging Face's trainer with stages, honest error rates, and passes that shrink to the memory."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import torch
from torch.optim.lr_scheduler import LambdaLR
from transformers import PrinterCallback, Trainer, TrainingArguments
from transformers.trainer import OPTIMIZER_NAME, SCHEDULER_NAME

from asrdq import console
from asrdq.errors import DataError, ToolError
from asrdq.training.qwen.conductor import Conductor
from asrdq.training.qwen.dataset import Collate, EpochLoader
from asrdq.training.qwen.groups import set_training
from asrdq.training.qwen.judging import evaluated
from asrdq.training.qwen.loss import answer_loss

if TYPE_CHECKING:
    from asrdq.training.qwen.setup import Run

_MOST_FAILED: Final = 0.01
_FEW: Final = 10


class QwenTrainer(Trainer):  # type: ignore[misc]
    """Trains one stage, from its first step or from a checkpoint, to its end."""

    control: Any

    def __init__(self, run: Run, arguments: TrainingArguments, stage: int) -> None:
        self.run = run
        self._stage = stage
        self._done: list[dict[str, Any]] = []
        self._waited_s, self._since, self._clips = 0.0, time.monotonic(), 0
        conductor = Conductor(run, stage)
        super().__init__(
            model=run.qwen.network,
            args=arguments,
            train_dataset=run.loader.dataset,
            data_collator=Collate(run.qwen.processor),
            callbacks=[conductor],
            compute_loss_func=answer_loss,
        )
        self.remove_callback(PrinterCallback)

    def get_train_dataloader(self) -> EpochLoader:
        """Return the loader of the run: it knows of ranks itself."""
        return self.run.loader

    def create_optimizer(self) -> Any:
        """Let the stage begin, and return an optimiser that knows the groups of all stages.

        A parameter that rests has no gradient, so the optimiser does not touch it, nor what it
        remembers of it; one that joins begins with a clean memory.
        """
        plan, recipe = self.run.setup.plan, self.run.setup.job.recipe
        counts = set_training(self.model, self.run.members, plan.rates[self._stage])
        self._tell(counts)
        kind = torch.optim.AdamW if recipe.optimiser.name == "adamw" else torch.optim.Adam
        groups = list(self._parameter_groups())
        self.optimizer = kind(groups, lr=1.0, betas=recipe.optimiser.betas)
        return self.optimizer

    def _parameter_groups(self) -> Iterator[dict[str, Any]]:
        """Give parameters that always have one learning rate; vectors have no weight decay."""
        optimiser = self.run.setup.job.recipe.optimiser
        decay = optimiser.layer_decay or 1.0
        together: dict[tuple[Any, ...], list[Any]] = {}
        for member in self.run.members:
            below = member.below if decay != 1.0 else 0
            key = (member.groups, below, member.parameter.ndim > 1)
            together.setdefault(key, []).append(member.parameter)
        for (groups, below, decays), parameters in sorted(together.items(), key=lambda i: i[0]):
            yield {
                "params": parameters,
                "weight_decay": optimiser.weight_decay if decays else 0.0,
                "groups": groups,
                "scale": decay**below,
            }

    def create_scheduler(self, num_training_steps: int, optimizer: Any = None) -> Any:
        """Return the schedule of the whole run: rates are a function of the step alone."""
        plan = self.run.setup.plan
        groups = (optimizer or self.optimizer).param_groups

        def rate(groups: tuple[str, ...], scale: float) -> Any:
            return lambda step: scale * max(plan.rate(group, step) for group in groups)

        rates = [rate(group["groups"], group["scale"]) for group in groups]
        self.lr_scheduler = LambdaLR(optimizer or self.optimizer, rates)
        self._created_lr_scheduler = True
        return self.lr_scheduler

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        """Go on with the optimiser of a checkpoint; nothing in it is run.

        transformers 4.57 asks torch to put it on the device `cpu:0` where several processes train
        on the CPU, which torch does not know.
        """
        if checkpoint is None or self.is_fsdp_enabled:
            super()._load_optimizer_and_scheduler(checkpoint)
            return
        for part, file in ((self.optimizer, OPTIMIZER_NAME), (self.lr_scheduler, SCHEDULER_NAME)):
            saved = torch.load(Path(checkpoint) / file, map_location="cpu", weights_only=True)
            part.load_state_dict(saved)

    def get_batch_samples(self, epoch_iterator: Any, num_batches: int, device: Any) -> Any:
        """Fetch the passes of a step, and measure how long they were waited for."""
        begun = time.monotonic()
        self._done.clear()
        found = super().get_batch_samples(epoch_iterator, num_batches, device)
        self._waited_s += time.monotonic() - begun
        return found

    def training_step(
        self, model: Any, inputs: dict[str, Any], num_items_in_batch: Any = None
    ) -> Any:
        """Make a pass; one that does not fit into memory is cut in halves, as often as needed."""
        self._note_failed(inputs.pop("failed", []))
        self._clips += len(inputs["labels"])
        self._done.append(inputs)
        try:
            return self._in_pieces(model, inputs, num_items_in_batch)
        except torch.OutOfMemoryError as error:
            self._halve(error)
        return self._anew(model, num_items_in_batch)

    def _anew(self, model: Any, items: Any) -> Any:
        """Make the passes of this step once more: a failed one leaves some gradients behind."""
        while True:
            model.zero_grad()
            try:
                return [self._in_pieces(model, each, items) for each in self._done][-1]
            except torch.OutOfMemoryError as error:
                self._halve(error)

    def _in_pieces(self, model: Any, inputs: dict[str, Any], items: Any) -> Any:
        clips = len(inputs["labels"])
        size = -(-clips // self.run.state.pieces)
        losses = [
            super(QwenTrainer, self).training_step(
                model, {name: value[begin : begin + size] for name, value in inputs.items()}, items
            )
            for begin in range(0, clips, size)
        ]
        return torch.stack(losses).sum()

    def _halve(self, error: BaseException) -> None:
        """Cut passes in halves from now on.

        Raises:
            ToolError: They are single clips already, or there are several GPUs.
        """
        setup, state = self.run.setup, self.run.state
        if setup.sharing.world > 1:
            raise ToolError(
                "a GPU ran out of memory, and the others cannot be told in the middle of a pass",
                hint="hand off again with half the data.batch_size: the effective batch stays",
            ) from error
        if state.pieces >= setup.sharing.batch:
            raise ToolError(
                "a single clip does not fit into memory",
                hint="a smaller data.max_duration_s, gradient_checkpointing, or fewer groups",
            ) from error
        self.run.state = state = replace(state, pieces=state.pieces * 2)
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        size = -(-setup.sharing.batch // state.pieces)
        console.warn(
            f"out of memory: passes of {size} clips, {setup.sharing.passes * state.pieces} a step; "
            f"the effective batch stays {setup.sharing.effective}"
        )

    def _note_failed(self, rows: list[int]) -> None:
        """Tell of clips without audio.

        Raises:
            DataError: They are more than one in a hundred, and more than ten.
        """
        new = set(rows) - self.run.failed
        if not new:
            return
        kept = self.run.setup.train.kept
        self.run.failed |= new
        for index in sorted(new)[:_FEW]:
            console.warn(f"{kept[index].place}: cannot be decoded, and nothing is learnt from it")
        if len(self.run.failed) > max(_FEW, _MOST_FAILED * len(kept)):
            raise DataError(
                f"{len(self.run.failed):,} clips cannot be decoded", hint="asrdq probe tells which"
            )

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Tell what the trainer logs, by our names."""
        super().log(logs, start_time)
        if "loss" not in logs:
            return
        plan, step = self.run.setup.plan, self.state.global_step
        gone = max(1e-9, time.monotonic() - self._since)
        values = {
            "train_loss": float(logs["loss"]),
            "grad_norm": float(logs.get("grad_norm", 0.0)),
            "samples_per_second": self._clips * self.run.setup.sharing.world / gone,
            "data_share": self._waited_s / gone,
        }
        for group in sorted(plan.groups):
            values[f"learning_rate_{group}"] = plan.rate(group, step - 1)
        if torch.cuda.is_available() and not self.args.use_cpu:
            values["gpu_memory_gb"] = torch.cuda.max_memory_allocated() / 2**30
        if self.run.failed:
            values["unreadable_clips"] = float(len(self.run.failed))
        self.run.log.log(step, values, epoch=self.state.epoch)
        self._waited_s, self._since, self._clips = 0.0, time.monotonic(), 0

    def evaluate(self, *_: Any, **__: Any) -> dict[str, float]:
        """Transcribe and score the held-out clips, and keep the weights if they are the best."""
        begun = time.monotonic()
        values = evaluated(self, self.run)
        self._since += time.monotonic() - begun
        self.run.log.log(self.state.global_step, values, epoch=self.state.epoch)
        self.control = self.callback_handler.on_evaluate(
            self.args, self.state, self.control, values
        )
        return values

    def _tell(self, counts: dict[str, int]) -> None:
        plan = self.run.setup.plan
        rates, note = plan.rates[self._stage], plan.notes[self._stage]
        total = sum(each.numel() for each in self.model.parameters())
        trains = sum(each.numel() for each in self.model.parameters() if each.requires_grad)
        console.say(
            f"stage {self._stage + 1} of {len(plan.rates)}, from step {plan.starts[self._stage]:,}"
            f"{': ' + note if note else ''}: {trains:,} of {total:,} parameters train"
        )
        for group, count in counts.items():
            console.say(f"  {group}: {count:,} at {rates[group]:g}")
