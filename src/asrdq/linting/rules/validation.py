"""Rules about validation: whether it runs, how often, on how much, and what is logged between."""

from __future__ import annotations

from collections.abc import Iterator

from asrdq.linting.case import Case
from asrdq.linting.config import Dialect, Knob
from asrdq.linting.registry import MANIFEST, VALIDATION, Found, rule
from asrdq.linting.rules.numbers import replaced
from asrdq.planning.findings import Level

SMALL_HOURS, LARGE_HOURS = 10.0, 50.0
_LEAST_POINTS, _POINTS = 10, 20


@rule(
    "validation-never-runs",
    Level.ERROR,
    reason="Lhotse repeats the data without an end; Lightning sees one epoch that never ends, and "
    "validation after an epoch never comes. (With an interval in whole steps it does come, counted "
    "in batches of that epoch: a warning.)",
    mend="check_val_every_n_epoch: null, and val_check_interval in steps",
    fixes=True,
)
def validation_never_runs(case: Case) -> Iterator[Found]:
    """Look for validation by epochs on data that never end."""
    config = case.config
    at = config.settings.get(Knob.VAL_EVERY_EPOCHS)
    if config.dialect is not Dialect.NEMO or at is None or not at.known:
        return
    interval = config.get(Knob.VAL_INTERVAL)
    if config.endless is not None:
        steps = interval is not None and isinstance(interval.value, int)
        edit = replaced(at, "null") if at.written is not None else config.insert(at.key, "null")
        lucky = steps and at.value == 1
        yield Found(
            f"{at.key} is {at.value}: {config.endless}",
            at,
            mend="null, so that steps are counted and not batches of an epoch" if lucky else None,
            level=Level.WARNING if lucky else None,
            edit=edit if steps else None,
        )
    elif config.maybe_endless is not None:
        yield Found(f"{at.key} is {at.value}: {config.maybe_endless}", at, level=Level.WARNING)


@rule(
    "val-check-interval-missing",
    Level.WARNING,
    reason="Nothing says when validation runs: an epoch may take days, and then nothing tells "
    "overfitting from learning.",
    mend="val_check_interval for about two validations an epoch; eval_strategy: steps, eval_steps",
)
def val_check_interval_missing(case: Case) -> Iterator[Found]:
    """Look for a configuration that does not say when it is validated."""
    at = case.config.settings.get(Knob.VAL_INTERVAL)
    if at is not None and at.value is None and case.config.dialect is not Dialect.RECIPE:
        yield Found(f"{at.key} is not set", at)


@rule(
    "val-check-interval-invalid",
    Level.ERROR,
    reason="Lightning takes whole steps, or a share of an epoch from 0 to 1; a share of data that "
    "never end, or without epochs, stops the job.",
    mend="whole steps, such as 400",
)
def val_check_interval_invalid(case: Case) -> Iterator[Found]:
    """Look for an interval that Lightning refuses."""
    at = case.config.get(Knob.VAL_INTERVAL)
    if at is None or case.config.dialect is not Dialect.NEMO:
        return
    if not isinstance(at.value, float):
        return
    every = case.config.settings.get(Knob.VAL_EVERY_EPOCHS)
    if not 0.0 <= at.value <= 1.0:
        yield Found(f"{at.key} is {at.value:g}, a share of an epoch above 1", at)
    elif every is not None and every.value is None:
        yield Found(f"{at.key} is {at.value:g}, a share, with {every.key}: null", at)
    elif case.config.endless is not None and at.value != 1.0:
        yield Found(f"{at.key} is {at.value:g} of an epoch that never ends", at)


@rule(
    "validation-set-small",
    Level.WARNING,
    reason="Under 10 h of validation the WER moves by chance, and the best checkpoint is chosen "
    "by that.",
    mend="10 to 20 h, from the same sources as the test set",
    needs=(VALIDATION,),
)
def validation_set_small(case: Case) -> Iterator[Found]:
    """Look for a validation set under 10 h."""
    if case.validation is not None and case.validation.hours < SMALL_HOURS:
        data = case.validation
        yield Found(f"{data.manifest}: {data.hours:.2f} h, {data.rows:,} clips")


@rule(
    "validation-set-large",
    Level.WARNING,
    reason="Above 50 h each validation takes long, most of it decoding, and tells nothing more.",
    mend="limit_val_batches, or a sample of 10 to 20 h; the whole at the end",
    needs=(VALIDATION,),
)
def validation_set_large(case: Case) -> Iterator[Found]:
    """Look for a validation set over 50 h that nothing limits."""
    limit = case.config.number(Knob.LIMIT_VAL_BATCHES)
    limited = limit is not None and limit != 1.0
    if case.validation is not None and case.validation.hours > LARGE_HOURS and not limited:
        data = case.validation
        at = case.config.settings.get(Knob.LIMIT_VAL_BATCHES)
        yield Found(f"{data.manifest}: {data.hours:,.1f} h without a limit", at)


@rule(
    "log-interval",
    Level.NOTE,
    reason="Between two validations the training loss should have 10 to 20 points: fewer hide "
    "what happened.",
    mend="log_every_n_steps at a twentieth to a tenth of the validation interval",
    fixes=True,
    helps=(MANIFEST,),
)
def log_interval(case: Case) -> Iterator[Found]:
    """Hold the logging interval against the validation interval, in steps."""
    at, every = case.config.get(Knob.LOG_INTERVAL), case.config.number(Knob.LOG_INTERVAL)
    steps = _validation_steps(case)
    if at is None or not every or every < 1 or steps is None or steps / every >= _LEAST_POINTS:
        return
    better = max(1, steps // _POINTS)
    if better >= every:
        return
    edit = replaced(at, str(better))
    if at.written is None:
        edit = case.config.insert(at.key, str(better))
    yield Found(
        f"{at.key} {every:g} gives {steps / every:.2g} points between validations {steps:,} steps "
        "apart",
        at,
        mend=f"log every {better} to {max(better, steps // _LEAST_POINTS)} steps",
        edit=edit,
    )


def _validation_steps(case: Case) -> int | None:
    at = case.config.get(Knob.VAL_INTERVAL)
    value = at.value if at is not None else None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value <= 0:
        return None
    if isinstance(value, int) or value > 1:
        return int(value)
    if case.config.dialect is Dialect.HUGGING_FACE and value < 1:
        return None if case.steps is None else max(1, int(value * case.steps))
    return None if case.steps_per_epoch is None else max(1, int(value * case.steps_per_epoch))
