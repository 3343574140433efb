"""Which saved state to resume, to deploy, to go back to, and which only take room."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from asrdq.errors import ExitCode
from asrdq.monitoring.names import LOSS, VALIDATION
from asrdq.monitoring.result import RunReport
from asrdq.monitoring.rollback import RollbackPlan, plan_rollback
from asrdq.monitoring.saved import SavedState, find_saved
from asrdq.monitoring.series import Curves
from asrdq.monitoring.watching import Watcher, WatchPlan
from asrdq.results import Result

if TYPE_CHECKING:
    import pyarrow as pa

    from asrdq.workspace import Workspace

KEEP = 3
"""Checkpoints that are kept of the best by the reported metric."""


@dataclass(frozen=True)
class Best:
    """The best evaluation of a run by a metric.

    Attributes:
        metric: The metric.
        step: Where it was evaluated.
        value: What came out.
        path: The saved state of that step, weights first; None where it was not saved.
    """

    metric: str
    step: int
    value: float
    path: str | None


@dataclass(frozen=True)
class CheckpointsResult(Result):
    """The saved states of a run, and what to do with each.

    Attributes:
        run: Its name.
        metric: The reported metric; None where nothing was validated.
        best: The best evaluation by it.
        best_by_loss: The best evaluation by validation loss.
        disagree: Whether these are different steps.
        resume: Where training goes on from; None where no state holds the optimiser.
        deploy: What to deploy: of the states with weights, the best by the metric.
        saved: All saved states, by step.
        keep: Paths that are kept, each with the reasons.
        freed: Paths that only take room; nothing is deleted.
        freed_bytes: Their size.
        rollback: What to go back to, and what to preserve before.
    """

    main_table: ClassVar[str] = "saved"

    run: str
    metric: str | None
    best: Best | None
    best_by_loss: Best | None
    disagree: bool
    resume: str | None
    deploy: str | None
    saved: tuple[SavedState, ...]
    keep: dict[str, tuple[str, ...]]
    freed: tuple[str, ...]
    freed_bytes: int
    rollback: RollbackPlan

    @property
    def exit_code(self) -> ExitCode:
        """UNDECIDED where nothing was validated, so that no state is the best."""
        return ExitCode.OK if self.best else ExitCode.UNDECIDED

    def summary(self) -> str:
        """Return best, resume, deploy and disk, a line each."""
        lines = [f"{self.run}: {len(self.saved)} saved states"]
        for name, best in ((self.metric, self.best), (LOSS, self.best_by_loss)):
            if best is not None:
                where = best.path or "not saved, or removed"
                lines.append(f"best {name}: {best.value:.4g} at step {best.step:,} ({where})")
        if self.disagree:
            lines.append(f"{self.metric} and loss disagree: deploy by {self.metric}")
        lines.append(f"resume: {self.resume or 'no state with its optimiser is here'}")
        lines.append(f"deploy: {self.deploy or 'no state with weights and a metric is here'}")
        lines.append(f"to be freed: {self.freed_bytes / 1e9:.2f} GB in {len(self.freed)} states")
        return "\n".join(lines)

    def arrow(self) -> pa.Table:
        """Return one row a saved state."""
        import pyarrow as pa

        metrics = sorted({metric for state in self.saved for metric in state.values})
        rows = [
            {
                "step": state.step,
                **{metric: state.values.get(metric) for metric in metrics},
                "gigabytes": state.bytes / 1e9,
                "weights": state.weights,
                "resumable": state.resumable,
                "keep": ", ".join(self.keep.get(str(state.path), ())),
                "path": str(state.path),
            }
            for state in self.saved
        ]
        schema = pa.schema(
            [
                ("step", pa.int64()),
                *((metric, pa.float64()) for metric in metrics),
                ("gigabytes", pa.float64()),
                ("weights", pa.bool_()),
                ("resumable", pa.bool_()),
                ("keep", pa.string()),
                ("path", pa.string()),
            ]
        )
        return pa.Table.from_pylist(rows, schema=schema)


def choose_checkpoints(
    workspace: Workspace, plan: WatchPlan, *, keep: int = KEEP, previous: str | None = None
) -> CheckpointsResult:
    """Read the logs of one run and say which of its saved states is good for what.

    Nothing is deleted or moved.

    Args:
        workspace: Where the run is kept, and where scores of the previous model are.
        plan: The run, as for `watch`.
        keep: How many of the best by the metric are kept besides those that are needed.
        previous: The model that is deployed now: the name of its set of hypotheses.

    Raises:
        UsageError: The run is not there, has no log, or its name is taken.
        ToolError: A log or a table cannot be read or written.
    """
    watcher = Watcher(workspace, plan)
    report = watcher.look().runs[0]
    curves = watcher.curves(report.run)
    saved = find_saved(Path(report.place), curves)
    return _choose(workspace, report, curves, saved, keep, previous)


def _choose(
    workspace: Workspace,
    report: RunReport,
    curves: Curves,
    saved: Sequence[SavedState],
    keep: int,
    previous: str | None,
) -> CheckpointsResult:
    metric = report.judged_by
    best = _best(curves, saved, metric) if metric else None
    by_loss = _best(curves, saved, LOSS)
    ranked = _ranked(saved, metric)
    resume = _to_resume(saved, report)
    reasons: dict[str, list[str]] = {}
    for place, state in enumerate(ranked[:keep], start=1):
        reasons.setdefault(str(state.path), []).append(f"{metric} number {place}")
    for name, chosen in (("best loss", by_loss.path if by_loss else None), ("resume", resume)):
        if chosen is not None:
            path = str(chosen.path) if isinstance(chosen, SavedState) else chosen
            reasons.setdefault(path, []).append(name)
    heavy = [state for state in saved if state.weights or state.resumable]
    freed = [s for s in heavy if str(s.path) not in reasons and s.step is not None and metric]
    return CheckpointsResult(
        run=report.run,
        metric=metric,
        best=best,
        best_by_loss=by_loss,
        disagree=bool(best and by_loss and best.step != by_loss.step),
        resume=str(resume.path) if resume else None,
        deploy=str(ranked[0].path) if ranked else None,
        saved=tuple(saved),
        keep={path: tuple(why) for path, why in reasons.items()},
        freed=tuple(str(state.path) for state in freed),
        freed_bytes=sum(state.bytes for state in freed),
        rollback=plan_rollback(workspace, report, ranked, previous),
    )


def _best(curves: Curves, saved: Sequence[SavedState], metric: str) -> Best | None:
    curve = curves.get(VALIDATION, metric)
    place = curve.best() if curve is not None else None
    if curve is None or place is None:
        return None
    step = int(curve.steps[place])
    there = sorted((s for s in saved if s.step == step), key=lambda s: (not s.weights, str(s.path)))
    path = str(there[0].path) if there else None
    return Best(metric, step, float(curve.values[place]), path)


def _ranked(saved: Sequence[SavedState], metric: str | None) -> list[SavedState]:
    """Return the states with weights and a finite metric, the best first."""
    known = [s for s in saved if s.weights and math.isfinite(s.values.get(metric or "", math.nan))]
    return sorted(known, key=lambda s: (s.values[metric or ""], s.step or 0))


def _to_resume(saved: Sequence[SavedState], report: RunReport) -> SavedState | None:
    """Return the last state with its optimiser, from before a loss was no number."""
    lost = [item.step for item in report.findings if item.rule == "non_finite_loss"]
    resumable = [state for state in saved if state.resumable]
    called_last = [state for state in resumable if state.written]
    if called_last and not lost:
        return max(called_last, key=lambda state: state.written)
    known = [state for state in resumable if state.step is not None]
    sound = [state for state in known if not lost or (state.step or 0) < min(lost)]
    return max(sound, key=lambda state: state.step or 0, default=None)
