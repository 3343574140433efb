"""What watching runs returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final, Literal

from asrdq.errors import ExitCode, Problem
from asrdq.monitoring.findings import Finding, Level, Outcome, RuleOutcome
from asrdq.monitoring.names import GPU_USE, TRAIN, VALIDATION
from asrdq.monitoring.series import REPORTED, Curve, Curves
from asrdq.monitoring.sparks import sparkline
from asrdq.results import Result

if TYPE_CHECKING:
    import pyarrow as pa

FailOn = Literal["stop", "warning"]

_SHOWN_FIRST: Final = (
    *((VALIDATION, metric) for metric in REPORTED),
    (TRAIN, "loss"),
    (TRAIN, "grad_norm"),
    (TRAIN, "learning_rate"),
)
_RISING_IS_GOOD: Final = ("samples_per_second", "steps_per_second", GPU_USE)


@dataclass(frozen=True, slots=True)
class MetricSummary:
    """A metric of a run in a line.

    Attributes:
        split: train, validation, test or system.
        metric: Its name.
        points: How many values were logged.
        first: The first value.
        last: The last one.
        best: The lowest finite error rate or loss, the highest throughput or use; None of others.
        best_step: Where that was.
        sparkline: The curve.
    """

    split: str
    metric: str
    points: int
    first: float
    last: float
    best: float | None
    best_step: int | None
    sparkline: str


@dataclass(frozen=True)
class RunReport:
    """A run and what the rules say of it.

    Attributes:
        run: Its name.
        place: Its folder or file.
        manifest: What it trains on, where that was said.
        state: running or ended.
        last_step: The last step that was logged.
        max_steps: How many there are to be.
        last_epoch: The last epoch.
        judged_by: The validation metric that it is judged by; None where nothing was validated.
        added: Values that are new since the logs were read before.
        resumes: How often it was resumed from an earlier step.
        metrics: Its metrics, the telling ones first.
        findings: What the rules found, what stops the run first.
        rules: What became of each rule.
        problems: Records that could not be read, the first of each file.
        unreadable: How many these are in all.
    """

    run: str
    place: str
    manifest: str | None
    state: str
    last_step: int | None
    max_steps: int | None
    last_epoch: float | None
    judged_by: str | None
    added: int
    resumes: int
    metrics: tuple[MetricSummary, ...]
    findings: tuple[Finding, ...]
    rules: tuple[RuleOutcome, ...]
    problems: tuple[Problem, ...]
    unreadable: int

    def fired(self, level: Level) -> list[Finding]:
        """Return the findings of a level."""
        return [finding for finding in self.findings if finding.level is level]

    def summary(self) -> str:
        """Return state and findings in a line."""
        of_all = f" of {self.max_steps:,}" if self.max_steps else ""
        step = "no step" if self.last_step is None else f"step {self.last_step:,}{of_all}"
        counts = [f"{len(self.fired(level))} {level}" for level in Level if self.fired(level)]
        return f"{self.run}: {self.state}, {step}, {', '.join(counts) or 'nothing found'}"


@dataclass(frozen=True)
class WatchResult(Result):
    """Runs and what the rules say of them.

    Attributes:
        runs: One report a run.
        quiet: Whether following ended because the logs did not grow any more.
    """

    main_table: ClassVar[str] = "runs"

    runs: tuple[RunReport, ...]
    quiet: bool = False

    def summary(self) -> str:
        """Return a line a run."""
        return "\n".join(run.summary() for run in self.runs)

    @property
    def findings(self) -> list[Finding]:
        """All findings, run by run."""
        return [finding for run in self.runs for finding in run.findings]

    def arrow(self) -> pa.Table:
        """Return one row a finding."""
        import pyarrow as pa

        text = pa.string()
        schema = pa.schema(
            [
                *((name, text) for name in ("run", "rule", "level")),
                ("step", pa.int64()),
                *((name, text) for name in ("message", "reason", "advice")),
                ("evidence", pa.list_(text)),
            ]
        )
        rows = [
            {
                **{name: getattr(item, name) for name in schema.names[:-1]},
                "evidence": [str(value) for value in item.evidence],
            }
            for item in self.findings
        ]
        return pa.Table.from_pylist(rows, schema=schema)

    def exit_code(self, fail_on: FailOn = "stop") -> ExitCode:
        """Return FAILED where a finding of that level is there, UNDECIDED where nothing was judged.

        A run whose logs have stopped growing before its end is undecided too.
        """
        levels = {Level.STOP} if fail_on == "stop" else {Level.STOP, Level.WARNING}
        if any(finding.level in levels for finding in self.findings):
            return ExitCode.FAILED
        unjudged = any(all(r.outcome is Outcome.NO_DATA for r in run.rules) for run in self.runs)
        return ExitCode.UNDECIDED if unjudged or self.quiet else ExitCode.OK


def summarise(curves: Curves) -> tuple[MetricSummary, ...]:
    """Return the metrics of a run, the telling ones first."""
    order = {key: place for place, key in enumerate(_SHOWN_FIRST)}
    keys = sorted(curves.by_name, key=lambda key: (order.get(key, len(order)), key))
    return tuple(_summary(curves.by_name[key]) for key in keys if len(curves.by_name[key]))


def _summary(curve: Curve) -> MetricSummary:
    family = curve.metric.partition("/")[0]
    rising, ranked = family in _RISING_IS_GOOD, family in (*_RISING_IS_GOOD, *REPORTED)
    turned = Curve(curve.split, curve.metric, curve.steps, -curve.values, curve.epochs, curve.times)
    best = (turned if rising else curve).best() if ranked else None
    return MetricSummary(
        split=curve.split,
        metric=curve.metric,
        points=len(curve),
        first=float(curve.values[0]),
        last=float(curve.values[-1]),
        best=None if best is None else float(curve.values[best]),
        best_step=None if best is None else int(curve.steps[best]),
        sparkline=sparkline(curve.values),
    )
