"""Rules about how long a run is: steps, epochs, warm-up, schedule."""

from __future__ import annotations

from collections.abc import Iterator

from asrdq.linting.case import Case
from asrdq.linting.config import Dialect, Family, Knob, Setting
from asrdq.linting.registry import MANIFEST, Found, rule
from asrdq.linting.rules.numbers import replaced
from asrdq.planning.arithmetic import LARGEST_WARMUP_SHARE, MIDDLING_ROWS, warmup_for
from asrdq.planning.findings import Level

SMOKE_EPOCHS = 3
MANY_EPOCHS = 30
MANY_ROWS = 5_000
_MISMATCH = 0.05
"""Share of the steps by which a schedule may miss them: rounding, and a batch that is not full."""
_POINTER = "${trainer.max_steps}"


def _schedule_steps(case: Case) -> tuple[Setting | None, float | None]:
    at = case.config.get(Knob.SCHEDULE_MAX_STEPS)
    return at, None if at is None else case.config.number(Knob.SCHEDULE_MAX_STEPS)


@rule(
    "schedule-steps-mismatch",
    Level.ERROR,
    reason="A schedule that ends before the run trains the rest at the smallest learning rate; one "
    "that ends after it never gets there.",
    mend="sched.max_steps: ${trainer.max_steps}",
    fixes=True,
    helps=(MANIFEST,),
)
def schedule_steps_mismatch(case: Case) -> Iterator[Found]:
    """Hold the steps of the schedule against those of the trainer."""
    at, planned = _schedule_steps(case)
    if at is None or planned is None or planned <= 0:
        return
    if case.max_steps is not None:
        if planned != case.max_steps:
            told = f"{at.key} is {planned:,.0f} and the trainer makes {case.max_steps:,.0f} steps"
            yield Found(told, at, edit=replaced(at, _POINTER))
    elif case.steps is not None and abs(planned - case.steps) > _MISMATCH * case.steps:
        yield Found(
            f"{at.key} is {planned:,.0f}, and {case.max_epochs:g} epochs of {case.data_name} are "
            f"{case.steps:,.0f} steps",
            at,
            mend="leave it out, and NeMo counts the steps; or write the number above",
        )


@rule(
    "schedule-steps-literal",
    Level.WARNING,
    reason="Two numbers that have to be the same drift apart with the next change of one.",
    mend="sched.max_steps: ${trainer.max_steps}",
    fixes=True,
)
def schedule_steps_literal(case: Case) -> Iterator[Found]:
    """Look for a number that repeats the steps of the trainer."""
    at, planned = _schedule_steps(case)
    if case.config.dialect is not Dialect.NEMO or at is None or at.interpolated:
        return
    if planned is not None and planned == case.max_steps:
        yield Found(f"{at.key} repeats {planned:,.0f}", at, edit=replaced(at, _POINTER))


@rule(
    "steps-against-epochs",
    Level.ERROR,
    reason="Steps and epochs of one configuration contradict each other: the run ends long before "
    "the epochs that were meant, or after.",
    mend="leave one of the two out, or count again: ceil(rows ÷ effective batch) × epochs",
    needs=(MANIFEST,),
)
def steps_against_epochs(case: Case) -> Iterator[Found]:
    """Hold the steps that are named against the epochs that are named."""
    per_epoch, steps, epochs = case.steps_per_epoch, case.max_steps, case.max_epochs
    at = case.config.get(Knob.MAX_STEPS)
    said = case.config.get(Knob.MAX_EPOCHS)
    if None in (per_epoch, steps, epochs, at, said) or (said and said.written is None):
        return
    assert per_epoch is not None and steps is not None and epochs is not None
    meant = per_epoch * epochs
    hugging_face = case.config.dialect is Dialect.HUGGING_FACE
    short, long = steps < meant * (1 - _MISMATCH), steps > meant * (1 + _MISMATCH)
    if short or (long and hugging_face):
        yield Found(
            f"{steps:,.0f} steps are {steps / per_epoch:.2g} epochs of {case.data_name} "
            f"({per_epoch:,} steps each), and {epochs:g} epochs are {meant:,.0f} steps",
            at,
        )


@rule(
    "no-training",
    Level.ERROR,
    reason="A run of no steps ends where it begins, and what it saves is the model it began with.",
    mend="steps or epochs from 1 on, or -1 for the one that the other decides",
)
def no_training(case: Case) -> Iterator[Found]:
    """Look for a run of 0 epochs or 0 steps."""
    for knob in (Knob.MAX_EPOCHS, Knob.MAX_STEPS):
        at = case.config.get(knob)
        by_epochs = knob is Knob.MAX_STEPS and case.config.dialect is Dialect.HUGGING_FACE
        if at is not None and case.config.number(knob) == 0 and not by_epochs:
            yield Found(f"{at.key} is 0", at)


@rule(
    "smoke-epochs",
    Level.WARNING,
    reason="Three epochs show that everything runs, not what the data can do. (Qwen3-ASR is left "
    "out: one epoch is its own recipe.)",
    mend="10 to 30 epochs and early stopping on validation WER (patience 3); for a smoke run say "
    "so in its name",
    helps=(MANIFEST,),
)
def smoke_epochs(case: Case) -> Iterator[Found]:
    """Look for a run that is as short as a smoke run and is none."""
    at = case.config.get(Knob.MAX_EPOCHS)
    short_by_design = Family.QWEN3_ASR in case.config.families
    if at is None or case.config.smoke or case.config.trained is False or short_by_design:
        return
    enough = case.max_steps is not None or (case.data and case.data.kept_rows >= MANY_ROWS)
    if case.max_epochs is not None and case.max_epochs <= SMOKE_EPOCHS and not enough:
        default = " by default" if at.written is None else ""
        yield Found(f"{at.key} is {case.max_epochs:g}{default}", at)


@rule(
    "too-many-epochs",
    Level.WARNING,
    reason="Fine-tuning levels off by about 30 epochs on fewer than 5,000 rows; what follows is "
    "paid for and overfits.",
    mend="30 epochs at most, and early stopping",
    helps=(MANIFEST,),
)
def too_many_epochs(case: Case) -> Iterator[Found]:
    """Look for more epochs than fine-tuning gains from, also where steps stand for them."""
    if case.config.trained is False:
        return
    if case.max_steps is not None:
        if case.steps_per_epoch is None or case.steps is None:
            return
        epochs, at = case.steps / case.steps_per_epoch, case.config.get(Knob.MAX_STEPS)
        told = f"{case.steps:,.0f} steps are {epochs:.0f} epochs of {case.data_name}"
    else:
        epochs, at = case.max_epochs or 0, case.config.get(Knob.MAX_EPOCHS)
        told = f"{epochs:g} epochs"
        if case.data is not None and case.data.kept_rows >= MANY_ROWS:
            return
    if epochs > MANY_EPOCHS:
        yield Found(told, at)


@rule(
    "warmup-too-long",
    Level.WARNING,
    reason="A warm-up over a tenth of the run keeps the learning rate low while it should work.",
    mend="at most 10 % of the steps",
    helps=(MANIFEST,),
)
def warmup_too_long(case: Case) -> Iterator[Found]:
    """Hold the warm-up against the steps of the run."""
    at, steps = case.config.get(Knob.WARMUP_STEPS), case.config.number(Knob.WARMUP_STEPS)
    ratio = case.config.number(Knob.WARMUP_RATIO)
    if steps and case.steps is not None and steps > LARGEST_WARMUP_SHARE * case.steps:
        yield Found(f"{steps:,.0f} warm-up steps of {case.steps:,.0f}", at)
    elif not steps and ratio is not None and ratio > LARGEST_WARMUP_SHARE:
        yield Found(f"{ratio:.0%} of the run is warm-up", case.config.get(Knob.WARMUP_RATIO))


@rule(
    "warmup-too-short",
    Level.WARNING,
    reason="The first steps of a large run at the full learning rate push the weights where they "
    "do not come back from; 5 steps are for fewer than 100 rows.",
    mend="about 500 steps from 1,000 rows on and 2,500 for 2,000 h, at most 10 % of the run",
    needs=(MANIFEST,),
)
def warmup_too_short(case: Case) -> Iterator[Found]:
    """Hold the warm-up against the size of the data."""
    data, at = case.data, case.config.settings.get(Knob.WARMUP_STEPS)
    if data is None or at is None or case.steps is None or case.config.number(Knob.WARMUP_RATIO):
        return
    if at.value is None and case.config.dialect is Dialect.RECIPE:
        return  # the plan chooses
    if at.value is not None and not at.known:
        return
    steps = case.config.number(Knob.WARMUP_STEPS) or 0
    wanted = warmup_for(data.kept_rows, data.kept_hours, int(case.steps))
    if data.kept_rows >= MIDDLING_ROWS and steps < wanted / 2:
        yield Found(f"{steps:,.0f} warm-up steps for {data.kept_rows:,} rows", at)
