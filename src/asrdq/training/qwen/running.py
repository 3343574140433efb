"""A run of Qwen3-ASR, from the hand-off to a folder with a model."""

from __future__ import annotations

import os
import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from transformers import TrainingArguments

from asrdq import console
from asrdq.models.qwen import Qwen, load_qwen, quiet_transformers
from asrdq.models.qwen_network import Qwen3ASRForConditionalGeneration
from asrdq.training.protocol import Trained
from asrdq.training.qwen.adapters import merged, with_adapters
from asrdq.training.qwen.checkpoints import FOLDER, RunState, best_weights, newest, step_of
from asrdq.training.qwen.dataset import SpeechClips, train_loader
from asrdq.training.qwen.groups import Anatomy, members, set_training
from asrdq.training.qwen.labels import check_labels
from asrdq.training.qwen.rows import new_languages
from asrdq.training.qwen.setup import Run, Setup
from asrdq.training.qwen.trainer import QwenTrainer
from asrdq.training.stops import EARLY

if TYPE_CHECKING:
    from asrdq.training.job import TrainingJob
    from asrdq.training.run_writer import RunWriter

MODEL = "model"
_BLOCKS = ("Qwen3ASRAudioEncoderLayer", "Qwen3ASRThinkerTextDecoderLayer")
_NCCL_TIMEOUT_S = 1800


def run_training(job: TrainingJob, log: RunWriter) -> Trained:
    """Train a job to its end, or until something stops it; see `TrainingBackend.train`.

    Each stage is a trainer of its own, which begins with the checkpoint that ended the one before:
    so a switch is nothing else than going on after a kill, on one GPU and on several.
    """
    if job.rank:
        console.set_quiet(True)
    setup = Setup.of(job)
    log.used(setup.train.counts, setup.validation.counts)
    with quiet_transformers(), warnings.catch_warnings(), _own_environment():
        warnings.simplefilter("ignore")
        run, found = _prepared(setup, log)
        begun = None if found is None else step_of(found)
        log.begin(setup.plan.total, begun)
        step = begun or 0
        while step < setup.plan.total and run.state.stopped_by is None:
            stage = setup.plan.stage(step)
            trainer = QwenTrainer(run, arguments(setup), stage)
            trainer.train(resume_from_checkpoint=None if found is None else str(found))
            step = trainer.state.global_step
            found = _found(setup)[0]
        return _ended(run, step, begun)


@contextmanager
def _own_environment() -> Iterator[None]:
    """Hide the variables that accelerate goes by, and that transformers sets, inside.

    `ACCELERATE_MIXED_PRECISION`, left behind by another run, would win over the recipe.
    """
    hidden = {name: os.environ.pop(name) for name in _of_accelerate()}
    try:
        yield
    finally:
        for name in _of_accelerate():
            del os.environ[name]
        os.environ.update(hidden)


def _of_accelerate() -> list[str]:
    return [name for name in os.environ if name.startswith(("ACCELERATE_", "FSDP_"))]


def _prepared(setup: Setup, log: RunWriter) -> tuple[Run, Path | None]:
    """Load and look at everything, so that what is wrong shows before the first step."""
    job = setup.job
    recipe = job.recipe
    dtype = torch.bfloat16 if recipe.trainer.precision == "bf16-true" else torch.float32
    qwen = load_qwen(job.base, torch.device("cpu"), dtype)
    sides = (setup.train.kept, setup.validation.kept)
    checked = sum(check_labels(qwen.processor, rows) for rows in sides)
    console.say(
        f"labels say what the transcripts say ({checked:,} compared), such as "
        f"{setup.train.kept[0].target}"
    )
    for language, count in new_languages(setup.train.kept).items():
        console.say(
            f"{count:,} clips are in {language}, which released models have no name for: this one "
            f"learns to answer 'language {language}', and names it itself when it transcribes"
        )
    anatomy, groups = Anatomy.of(qwen.network), recipe.model.groups
    if recipe.stages:
        anatomy.check(groups)
    if anatomy.tied:
        console.say("the head shares its weights with the embeddings: they train as one")
    torch.manual_seed(recipe.trainer.seed)
    if recipe.model.lora is not None:
        network = with_adapters(qwen.network, recipe.model.lora, setup.plan, groups)
        qwen = replace(qwen, network=network)
    found, state = _found(setup)
    clips = SpeechClips(setup.train.kept, qwen.processor, recipe.augmentation, recipe.trainer.seed)
    run = Run(
        setup=setup,
        qwen=qwen,
        members=members(qwen.network, anatomy, setup.plan, groups),
        loader=train_loader(clips, setup.batches, recipe.data),
        log=log,
        state=state,
        failed=set(),
    )
    return run, found


def _found(setup: Setup) -> tuple[Path | None, RunState]:
    """Return the checkpoint to go on from; a run that was asked to stop goes on, too."""
    found = newest(setup.run_dir)
    if found is None:
        return None, RunState()
    folder, state = found
    asked = state.stopped_by != EARLY
    return folder, replace(state, stopped_by=None) if asked else state


def arguments(setup: Setup) -> TrainingArguments:
    """Return the arguments of Hugging Face's trainer; what happens when is decided elsewhere."""
    recipe = setup.job.recipe
    trainer, precision = recipe.trainer, recipe.trainer.precision
    several = setup.sharing.world > 1
    made = TrainingArguments(
        output_dir=str(setup.run_dir / FOLDER),
        max_steps=setup.plan.total,
        per_device_train_batch_size=setup.sharing.batch,
        gradient_accumulation_steps=setup.sharing.passes,
        max_grad_norm=trainer.gradient_clip,
        gradient_checkpointing=trainer.gradient_checkpointing,
        gradient_checkpointing_kwargs={"use_reentrant": False},
        bf16=precision.startswith("bf16"),
        fp16=precision.startswith("fp16"),
        seed=trainer.seed,
        use_cpu=not _on_gpu(setup.job.device),
        ddp_backend="gloo" if several and not _on_gpu(setup.job.device) else None,
        ddp_find_unused_parameters=False,
        ddp_timeout=int(trainer.environment.get("NCCL_TIMEOUT", _NCCL_TIMEOUT_S)),
        fsdp="full_shard auto_wrap" if trainer.strategy == "fsdp" else "",
        fsdp_config={
            "transformer_layer_cls_to_wrap": list(_BLOCKS),
            "use_orig_params": True,
        }
        if trainer.strategy == "fsdp"
        else None,
        eval_strategy="no",
        save_strategy="no",
        logging_strategy="no",
        logging_nan_inf_filter=False,
        report_to=list(recipe.loggers) or "none",
        logging_dir=str(setup.run_dir / "tensorboard"),
        remove_unused_columns=False,
        disable_tqdm=True,
        save_safetensors=True,
        log_level="error",
        log_level_replica="error",
    )
    made._n_gpu = min(1, made.n_gpu)  # several GPUs are several processes, never threads of one
    return made


def _on_gpu(device: str) -> bool:
    return device.startswith("cuda") or (device == "auto" and torch.cuda.is_available())


def _ended(run: Run, step: int, begun: int | None) -> Trained:
    """Export the model, of the best weights where there are any, and say what came out."""
    setup = run.setup
    plan, job = setup.plan, setup.job
    per_epoch = len(run.loader) / setup.sharing.passes
    set_training(run.qwen.network, run.members, plan.rates[plan.stage(max(0, step - 1))])
    trains = [each.numel() for each in run.qwen.network.parameters() if each.requires_grad]
    every = [each.numel() for each in run.qwen.network.parameters()]
    last = newest(setup.run_dir)
    best = next(iter(best_weights(setup.run_dir, highest=setup.highest)), None)
    finished = run.state.stopped_by in (None, EARLY) and not job.rehearsal
    model = None
    if finished and job.rank == 0:
        model = _export(run, best.folder if best else None)
    return Trained(
        model=model,
        best=best.folder if best else None,
        last=last[0] if last else None,
        steps=step,
        epochs=step / max(1e-9, per_epoch),
        resumed_from=begun,
        stopped_by=run.state.stopped_by,
        parameters=sum(every),
        trainable=sum(trains),
    )


def _export(run: Run, best: Path | None) -> Path:
    """Write the model with its processor; adapters become part of its weights."""
    setup = run.setup
    folder = setup.run_dir / MODEL
    part = folder.with_name(f"{MODEL}.part")
    shutil.rmtree(part, ignore_errors=True)
    network = _loaded(run.qwen, best, setup)
    network.save_pretrained(part, safe_serialization=True)
    run.qwen.processor.save_pretrained(part)
    shutil.rmtree(folder, ignore_errors=True)
    part.rename(folder)
    return folder


def _loaded(qwen: Qwen, best: Path | None, setup: Setup) -> Any:
    """Return the network to export: the best weights, read back, or those of the last step."""
    dtype = next(qwen.network.parameters()).dtype
    source = best or _found(setup)[0]
    if source is None:
        return merged(qwen.network)
    if setup.job.recipe.model.lora is None:
        return Qwen3ASRForConditionalGeneration.from_pretrained(
            source, dtype=dtype, use_safetensors=True
        )
    from peft import PeftModel

    base = load_qwen(setup.job.base, torch.device("cpu"), dtype).network
    return merged(PeftModel.from_pretrained(base, source))
