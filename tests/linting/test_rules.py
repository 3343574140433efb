"""Each rule fires on a configuration made wrong for it, and is silent on its sound twin."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.linting.conftest import ARGUMENTS, SOUND, Lint, changed, paths, rules_of
from tests.linting.test_data_rules import DATA_RULES

from asrdq.linting import Level, LintResult, every_rule
from asrdq.planning import parse_gpus, read_hardware


@dataclass(frozen=True)
class Twin:
    """What breaks a rule, and what keeps it.

    Attributes:
        rule: Its id.
        bad: Changes of the sound configuration that break it; those with `=` are overrides.
        good: Those of a twin that looks alike and is right.
        at: The key that the finding stands at; None for one on the command line.
        level: How bad it is.
        base: The sound configuration.
        gpus: The machine of both.
        effective_batch: What the bad one and the good one are meant for.
    """

    rule: str
    bad: tuple[str, ...]
    good: tuple[str, ...] = ()
    at: str | None = None
    level: Level = Level.ERROR
    base: str = SOUND
    gpus: str | None = None
    effective_batch: tuple[int | None, int | None] = (None, None)


WARNING, NOTE = Level.WARNING, Level.NOTE
CTC = "init_from_pretrained_model: nvidia/parakeet-ctc-0.6b"
LHOTSE = ("+train_ds.use_lhotse: true", "+train_ds.input_cfg: s3://speech/input_cfg.yaml")
NOAM = ("sched.name: NoamAnnealing", "+sched.d_model: 512")
STEPS = "trainer.max_steps: 5000"
SECONDS = (
    "train_ds.batch_size: null",
    "+train_ds.batch_duration: 100",
    "-validation_ds.batch_size",
)
TIMES = "+validation_ds.batch_duration: ${multiply:${model.train_ds.batch_duration},%d}"
NULL_EPOCHS = "check_val_every_n_epoch: null"
IGNORE = "# asrdq: ignore[lr-too-high]"

TWINS = (
    Twin("tdt-fp16", ("precision: 16-mixed",), (CTC, "precision: 16-mixed"), "trainer.precision"),
    Twin("tdt-fp16", ("precision: fp16",), (), "trainer.precision"),
    Twin("tdt-fp16", ("precision: '16'",), (), "trainer.precision"),
    Twin("fp32-precision", ("precision: 32",), (), "trainer.precision", WARNING),
    Twin("fp32-precision", ("-precision",), (), "trainer", WARNING),
    Twin("lr-too-high", ("lr: 2e-3",), ("lr: 1e-3",), "model.optim.lr"),
    Twin("lr-too-high", ("lr: 5.0", *NOAM), ("lr: 0.05", *NOAM), "model.optim.lr"),
    Twin(
        "no-gradient-clipping",
        ("gradient_clip_val: 0.0",),
        ("gradient_clip_val: 0.5",),
        "trainer.gradient_clip_val",
        WARNING,
    ),
    Twin("no-gradient-clipping", ("-gradient_clip_val",), (), "trainer", WARNING),
    Twin("no-gradient-clipping", ("+max_grad_norm: 0",), (), "max_grad_norm", WARNING, ARGUMENTS),
    Twin(
        "base-not-for-sft",
        ("init_from_pretrained_model: nvidia/nemotron-speech-streaming-en-0.6b",),
        ("init_from_pretrained_model: nvidia/parakeet-rnnt-0.6b",),
        "init_from_pretrained_model",
    ),
    Twin(
        "streaming-base",
        ("init_from_pretrained_model: nvidia/stt_en_fastconformer_hybrid_large_streaming_multi",),
        ("init_from_pretrained_model: nvidia/stt_en_fastconformer_hybrid_large_pc",),
        "init_from_pretrained_model",
    ),
    Twin(
        "adapters-on-transducer",
        ("+model.adapter: {name: a}",),
        ("+model.adapter: {name: a}", CTC),
        "model.adapter",
    ),
    Twin(
        "schedule-steps-mismatch",
        (STEPS, "sched.max_steps: 1000"),
        (STEPS,),
        "model.optim.sched.max_steps",
    ),
    Twin("schedule-steps-mismatch", ("trainer.max_steps=5", "model.optim.sched.max_steps=6")),
    Twin(
        "schedule-steps-literal",
        (STEPS, "sched.max_steps: 5000"),
        (STEPS,),
        "model.optim.sched.max_steps",
        WARNING,
    ),
    Twin(
        "smoke-epochs",
        ("max_epochs: 3",),
        ("max_epochs: 3", "name: smoke"),
        "trainer.max_epochs",
        WARNING,
    ),
    Twin("smoke-epochs", ("-num_train_epochs",), (), "output_dir", WARNING, ARGUMENTS),
    Twin(
        "too-many-epochs", ("max_epochs: 31",), ("max_epochs: 30",), "trainer.max_epochs", WARNING
    ),
    Twin(
        "warmup-too-long",
        (STEPS, "warmup_steps: 501"),
        (STEPS, "warmup_steps: 500"),
        "model.optim.sched.warmup_steps",
        WARNING,
    ),
    Twin(
        "warmup-too-long",
        ("warmup_steps: null", "+sched.warmup_ratio: 0.2"),
        ("warmup_steps: null", "+sched.warmup_ratio: 0.1"),
        "model.optim.sched.warmup_ratio",
        WARNING,
    ),
    Twin(
        "effective-batch-changed",
        ("trainer.devices=8",),
        ("trainer.devices=4", "trainer.accumulate_grad_batches=1"),
        "trainer.accumulate_grad_batches",
    ),
    Twin(
        "effective-batch-changed",
        (),
        (),
        "trainer.accumulate_grad_batches",
        gpus="2xa100-80",
        effective_batch=(65, 64),
    ),
    Twin(
        "effective-batch-changed",
        (*SECONDS, "trainer.devices=4"),
        SECONDS,
        "trainer.accumulate_grad_batches",
    ),
    Twin(
        "validation-batch-too-large",
        ("validation_ds.batch_size: 49",),
        ("validation_ds.batch_size: 48",),
        "model.validation_ds.batch_size",
        WARNING,
    ),
    Twin(
        "validation-batch-too-large",
        (*SECONDS, TIMES % 5),
        (*SECONDS, TIMES % 3),
        "model.validation_ds.batch_duration",
    ),
    Twin(
        "batch-size-beside-duration",
        ("+train_ds.batch_duration: 100",),
        SECONDS,
        "model.train_ds.batch_size",
        WARNING,
    ),
    Twin(
        "validation-never-runs",
        (*LHOTSE, "val_check_interval: 1.0"),
        (*LHOTSE, NULL_EPOCHS),
        "trainer.check_val_every_n_epoch",
    ),
    Twin("validation-never-runs", LHOTSE, LHOTSE[:1], "trainer.check_val_every_n_epoch", WARNING),
    Twin("val-check-interval-missing", ("-val_check_interval",), (), "trainer", WARNING),
    Twin(
        "val-check-interval-missing",
        ("-eval_strategy", "-eval_steps"),
        ("eval_strategy: epoch",),
        "output_dir",
        WARNING,
        ARGUMENTS,
    ),
    Twin(
        "val-check-interval-invalid",
        ("val_check_interval: 1.5",),
        ("val_check_interval: 0.25",),
        "trainer.val_check_interval",
    ),
    Twin(
        "val-check-interval-invalid",
        ("val_check_interval: 0.5", NULL_EPOCHS),
        ("val_check_interval: 1", NULL_EPOCHS),
        "trainer.val_check_interval",
    ),
    Twin(
        "log-interval",
        ("log_every_n_steps: 41",),
        ("log_every_n_steps: 40",),
        "trainer.log_every_n_steps",
        NOTE,
    ),
    Twin(
        "checkpoint-monitor-empty",
        ("monitor: null",),
        (),
        "exp_manager.checkpoint_callback_params.monitor",
    ),
    Twin(
        "checkpoint-monitor-empty",
        ("monitor: ''",),
        (),
        "exp_manager.checkpoint_callback_params.monitor",
    ),
    Twin(
        "checkpoint-monitor-loss",
        ("monitor: val_loss",),
        (),
        "exp_manager.checkpoint_callback_params.monitor",
        WARNING,
    ),
    Twin(
        "checkpoint-monitor-loss",
        ("metric_for_best_model: eval_loss",),
        (),
        "metric_for_best_model",
        WARNING,
        ARGUMENTS,
    ),
    Twin("unknown-override", ("trainer.max_step=5",), ("+trainer.max_step=5",)),
    Twin("unknown-override", ("~trainer.limit_val_batches=",), ("~trainer.num_nodes=",)),
    Twin("unknown-override", ("learning_rat=1e-5",), ("weight_decay=0.1",), base=ARGUMENTS),
    Twin("override-adds-what-is-there", ("+trainer.devices=2",), ("++trainer.devices=2",)),
    Twin(
        "broken-interpolation",
        ("sched.max_steps: ${trainer.steps}",),
        (),
        "model.optim.sched.max_steps",
    ),
    Twin("broken-interpolation", ("lr: ${model.optim.lr}",), (), "model.optim.lr"),
    Twin("section-without-settings", ("trainer=null",), ("model.validation_ds=null",)),
    Twin("section-without-settings", ("model=3",), ("exp_manager=null",)),
    Twin("section-without-settings", ("model.train_ds=null",), ("+model.train_ds.num_workers=4",)),
    Twin("no-training", ("max_epochs: 0",), (), "trainer.max_epochs"),
    Twin("no-training", ("trainer.max_steps=0",), ("trainer.max_steps=-1",)),
    Twin(
        "no-training",
        ("num_train_epochs: 0",),
        ("+max_steps: 0",),
        "num_train_epochs",
        base=ARGUMENTS,
    ),
    Twin("text-for-a-number", ("lr: fast",), ("lr: '2e-4'",), "model.optim.lr"),
    Twin("text-for-a-number", ("trainer.max_epochs=many",), ("trainer.devices=auto",)),
    Twin("text-for-a-number", ("train_ds.batch_size: true",), (), "model.train_ds.batch_size"),
    Twin("text-for-a-number", ("learning_rate: fast",), (), "learning_rate", base=ARGUMENTS),
    Twin("count-below-one", ("trainer.accumulate_grad_batches=0",)),
    Twin("count-below-one", ("train_ds.batch_size: 0",), (), "model.train_ds.batch_size"),
    Twin("non-finite-value", ("lr: .nan",), (), "model.optim.lr"),
    Twin("non-finite-value", ("learning_rate: .nan",), (), "learning_rate", base=ARGUMENTS),
    Twin("non-finite-value", ("trainer.max_epochs=inf",)),
    Twin("non-finite-value", ("model.train_ds.batch_size=inf",)),
    Twin("non-finite-value", ("trainer.val_check_interval=inf",)),
    Twin(
        "non-finite-value",
        ("train_ds.max_duration: .nan",),
        ("train_ds.max_duration: .inf",),
        "model.train_ds.max_duration",
    ),
    Twin(
        "value-to-be-given",
        ("train_ds.manifest_filepath: ???",),
        (),
        "model.train_ds.manifest_filepath",
        NOTE,
    ),
    Twin(
        "path-not-found",
        ("train_ds.manifest_filepath: /nowhere/train.jsonl",),
        (),
        "model.train_ds.manifest_filepath",
        WARNING,
    ),
    Twin(
        "batch-too-large-for-gpu",
        (),
        ("train_ds.batch_size: 4",),
        "model.train_ds.batch_size",
        gpus="a10g",
    ),
    Twin(
        "batch-too-large-for-gpu",
        ("train_ds.batch_size: 8",),
        ("train_ds.batch_size: 4",),
        "model.train_ds.batch_size",
        WARNING,
        gpus="a10g",
    ),
    Twin(
        "suppression-invalid",
        (f"lr: 2e-3  {IGNORE}",),
        (f"lr: 2e-3  {IGNORE} new",),
        "model.optim.lr",
    ),
    Twin(
        "suppression-invalid", ("lr: 2e-4  # asrdq: ignore[lr-to-high] new",), (), "model.optim.lr"
    ),
    Twin("suppression-invalid", ("lr: 2e-4  # asrdq: ignore everything",), (), "model.optim.lr"),
    Twin(
        "suppression-unused",
        (f"lr: 2e-4  {IGNORE} new",),
        (f"lr: 2e-3  {IGNORE} new",),
        "model.optim.lr",
        WARNING,
    ),
)


@pytest.mark.parametrize("twin", TWINS, ids=lambda twin: twin.rule)
def test_a_rule_fires_on_the_bad_one_and_is_silent_on_its_twin(twin: Twin, lint: Lint) -> None:
    gpus = parse_gpus(twin.gpus, read_hardware()) if twin.gpus else None

    def linted(changes: tuple[str, ...], effective_batch: int | None) -> LintResult:
        overrides = tuple(change for change in changes if "=" in change)
        text = changed(twin.base, *(change for change in changes if change not in overrides))
        return lint(text, overrides=overrides, gpus=gpus, effective_batch=effective_batch)

    bad = linted(twin.bad, twin.effective_batch[0])
    found = [each for each in bad.standing if each.rule == twin.rule]
    assert [(bad_at(twin, each.line), each.level) for each in found] == [(twin.at, twin.level)]
    good = linted(twin.good, twin.effective_batch[1])
    assert twin.rule not in rules_of(good)


def bad_at(twin: Twin, line: int | None) -> str | None:
    """Return the key on a line of the bad configuration."""
    text = changed(twin.base, *(change for change in twin.bad if "=" not in change))
    return None if line is None else paths(text.splitlines())[line - 1]


def test_nothing_is_wrong_with_the_sound_ones(lint: Lint) -> None:
    assert lint(SOUND).found == ()
    assert lint(ARGUMENTS).found == ()


def test_every_rule_has_a_bad_example_and_a_good_twin() -> None:
    assert {twin.rule for twin in TWINS} | set(DATA_RULES) == set(every_rule())


def test_every_shipped_recipe_is_without_findings(project_root: Path) -> None:
    from asrdq.linting import lint_config, read_config

    recipes = sorted((project_root / "recipes").glob("*.yaml"))
    assert len(recipes) >= 6
    assert {file.name: rules_of(lint_config(read_config(file))) for file in recipes} == {
        file.name: set() for file in recipes
    }


SECONDS_CANARY = """\
init_from_pretrained_model: nvidia/canary-1b
model:
  train_ds: {batch_duration: 2200, max_duration: 40}
trainer: {precision: bf16-mixed}
"""


@pytest.mark.parametrize(("gpus", "level"), [("4xb200", None), ("4xa100-80", Level.WARNING)])
def test_batches_in_seconds_are_held_against_the_estimate(
    gpus: str, level: Level | None, lint: Lint
) -> None:
    """2,200 s a batch ran on 192 GB; an estimate is no proof, and no error."""
    result = lint(SECONDS_CANARY, gpus=parse_gpus(gpus, read_hardware()))
    found = [each.level for each in result.found if each.rule == "batch-too-large-for-gpu"]
    assert found == ([] if level is None else [level])
