"""The rules of `asrdq watch`, held against a run from inside while it trains."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from asrdq import console
from asrdq.monitoring.findings import Finding, Level
from asrdq.monitoring.judging import judge
from asrdq.monitoring.lineage import KEY
from asrdq.monitoring.logs import Point, frame
from asrdq.monitoring.names import VALIDATION
from asrdq.monitoring.result import MetricSummary, summarise
from asrdq.monitoring.series import Curves, curves_of
from asrdq.training.pace import Pace

if TYPE_CHECKING:
    import polars as pl

    from asrdq.training.job import TrainingJob
    from asrdq.watch_settings import WatchSettings

_EVERY_S, _SHARE = 5.0, 0.005


class LiveJudge:
    """The values of a run as far as it has come, and what the rules say of them.

    Attributes:
        findings: What the rules found at the last look.
    """

    def __init__(self, job: TrainingJob, settings: WatchSettings, total_steps: int) -> None:
        self._job, self._settings, self._total = job, settings, total_steps
        self._rows = frame(())
        self._new: list[Point] = []
        self._pace = Pace(_EVERY_S, _SHARE)
        self._told: set[str] = set()
        self.findings: tuple[Finding, ...] = ()

    def go_on_from(self, rows: pl.DataFrame) -> None:
        """Take what was logged before the run was resumed."""
        self._rows = rows

    def add(self, point_step: int, values: Mapping[str, float], epoch: float | None) -> None:
        """Take values of a step."""
        now = time.time()
        self._new += [(point_step, name, value, epoch, now) for name, value in values.items()]

    def look(self, *, at_once: bool = False) -> str | None:
        """Judge where that is due; return the rule that stops the run, None where none does."""
        if not at_once and not self._pace.due():
            return None
        started = time.monotonic()
        curves = self.curves()
        findings, _ = judge(curves, self._settings_for(curves))
        self.findings = tuple(findings)
        self._tell()
        self._pace.took(time.monotonic() - started)
        stops = [each for each in findings if each.level is Level.STOP]
        return next((each.rule for each in stops if each.rule not in self._job.allowed), None)

    def rows(self) -> pl.DataFrame:
        """Return one row a split, metric and step, the last value of each."""
        import polars as pl

        if self._new:
            joined = pl.concat([self._rows, frame(self._new)])
            self._rows = joined.unique(KEY, keep="last", maintain_order=True)
            self._new = []
        return self._rows

    def curves(self) -> Curves:
        """Return the run as curves."""
        return curves_of(self.rows(), self._job.name, max_steps=self._total)

    def summary(self) -> tuple[MetricSummary, ...]:
        """Return its metrics, the telling ones first."""
        return summarise(self.curves())

    def _settings_for(self, curves: Curves) -> WatchSettings:
        """Return the limits, with the metric of the recipe where it is logged and none is set."""
        own = self._job.recipe.evaluation.metric
        if self._settings.metric != "auto" or curves.get(VALIDATION, own) is None:
            return self._settings
        return self._settings.model_copy(update={"metric": own})

    def _tell(self) -> None:
        for each in self.findings:
            if each.rule not in self._told:
                self._told.add(each.rule)
                show = console.say if each.level is Level.NOTE else console.warn
                show(f"{each.rule}, step {each.step:,}: {each.message}. {each.advice}")
