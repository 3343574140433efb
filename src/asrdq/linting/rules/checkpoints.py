"""Rules about which checkpoint is kept as the best."""

from __future__ import annotations

from collections.abc import Iterator

from asrdq.linting.case import Case
from asrdq.linting.config import Dialect, Knob
from asrdq.linting.registry import Found, rule
from asrdq.planning.findings import Level


@rule(
    "checkpoint-monitor-empty",
    Level.ERROR,
    reason="Without a metric to watch, the best checkpoint is the last one, whatever it is worth.",
    mend="watch what is reported: val_wer, mode min",
)
def checkpoint_monitor_empty(case: Case) -> Iterator[Found]:
    """Look for a monitor that is there and empty."""
    at = case.config.settings.get(Knob.MONITOR)
    if at is not None and at.written is not None and at.value in (None, ""):
        yield Found(f"{at.key} is empty", at)


@rule(
    "checkpoint-monitor-loss",
    Level.WARNING,
    reason="Loss and WER part ways late in a run: the checkpoint with the least loss is seldom the "
    "one with the least WER, and WER is what is reported.",
    mend="val_wer for NeMo; metric_for_best_model: wer, greater_is_better: false",
)
def checkpoint_monitor_loss(case: Case) -> Iterator[Found]:
    """Look for a monitor that watches a loss where another metric is reported."""
    at, metric = case.config.get(Knob.MONITOR), case.config.word(Knob.METRIC)
    if at is None or "loss" not in str(at.value).lower() or metric == "loss":
        return
    if case.config.dialect is Dialect.RECIPE or metric is None or metric:
        by_default = " by default" if at.written is None else ""
        yield Found(f"{at.key} is {at.value}{by_default}", at)
