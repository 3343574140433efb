"""An evaluation in the middle of a run, on one process or on several."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

import torch

from asrdq.manifests.formats.qwen_languages import qwen_language
from asrdq.models.qwen import Qwen
from asrdq.text.normalisers import normaliser
from asrdq.training.qwen.batches import Draw
from asrdq.training.qwen.checkpoints import keep_best
from asrdq.training.qwen.dataset import Collate, SpeechClips
from asrdq.training.qwen.evaluation import Judged, scored, transcribed
from asrdq.training.qwen.labels import IGNORED
from asrdq.training.qwen.loss import answer_loss

if TYPE_CHECKING:
    from collections.abc import Sequence

    from transformers import Trainer

    from asrdq.training.qwen.rows import Row
    from asrdq.training.qwen.setup import Run


def evaluated(trainer: Trainer, run: Run) -> dict[str, float]:
    """Return rates and loss on the held-out clips; the weights are kept if they are among the best.

    Every process takes its share of the clips, and gets the values of all.
    """
    setup = run.setup
    network = trainer.accelerator.unwrap_model(trainer.model_wrapped)
    network.eval()
    own = setup.judged[setup.sharing.rank :: setup.sharing.world]
    with _whole(trainer), _mixed(setup.job.recipe.trainer.precision, network):
        loss, tokens = _loss(network, run.qwen.processor, own, setup.evaluation_batch)
        judged = transcribed(
            Qwen(network, run.qwen.processor),
            own,
            setup.evaluation_batch,
            lambda language: qwen_language(language) is not None,
            lambda _: None,
        )
    network.train()
    parts = _gathered((judged, loss, tokens), setup.sharing.world)
    everything = [each for part in parts for each in part[0]]
    values = scored(_in_order(everything), normaliser(setup.job.recipe.evaluation.normaliser))
    values["val_loss"] = sum(part[1] for part in parts) / max(1, sum(part[2] for part in parts))
    _keep(trainer, run, values)
    return values


def _keep(trainer: Trainer, run: Run, values: dict[str, float]) -> None:
    setup, checkpoints = run.setup, run.setup.job.recipe.checkpoints
    value = values.get(checkpoints.monitor)
    if value is None:
        return
    step = trainer.state.global_step
    run.state = run.state.judged(value, step, highest=setup.highest)
    with _whole(trainer):
        if setup.job.rank:
            return
        kept = keep_best(
            setup.run_dir,
            trainer.accelerator.unwrap_model(trainer.model_wrapped),
            checkpoints.monitor,
            step,
            value,
            most=max(1, checkpoints.top_k),
            highest=setup.highest,
        )
    if kept is not None:
        run.log.saved(kept.folder, step, value)


def _loss(network: Any, processor: Any, rows: Sequence[Row], batch: int) -> tuple[float, int]:
    """Return the summed cross-entropy of the right answers and how many tokens they have."""
    clips, collate = SpeechClips(rows, processor, None, 0), Collate(processor)
    device = next(network.parameters()).device
    total, tokens = 0.0, 0
    for begin in range(0, len(rows), batch):
        draws = [Draw(index, 0) for index in range(begin, min(begin + batch, len(rows)))]
        inputs = collate([clips[draw] for draw in draws])
        labels = inputs.pop("labels").to(device)
        inputs.pop("failed")
        with torch.no_grad():
            outputs = network(**{name: value.to(device) for name, value in inputs.items()})
        total += float(answer_loss(outputs, labels, 1))
        tokens += int((labels != IGNORED).sum())
    return total, tokens


def _whole(trainer: Trainer) -> AbstractContextManager[Any]:
    """Return a context in which all weights of a sharded network are on every process."""
    if not trainer.is_fsdp_enabled:
        return nullcontext()
    from torch.distributed.fsdp import FullyShardedDataParallel

    whole: AbstractContextManager[Any] = FullyShardedDataParallel.summon_full_params(
        trainer.model_wrapped, writeback=False
    )
    return whole


def _mixed(precision: str, network: Any) -> Any:
    kinds = {"bf16-mixed": torch.bfloat16, "fp16-mixed": torch.float16}
    device = next(network.parameters()).device.type
    return torch.autocast(device, kinds.get(precision), enabled=precision in kinds)


def _gathered(own: Any, world: int) -> list[Any]:
    if world == 1:
        return [own]
    parts: list[Any] = [None] * world
    torch.distributed.all_gather_object(parts, own)
    return parts


def _in_order(judged: list[Judged]) -> list[Judged]:
    return sorted(judged, key=lambda each: each.row.place)
