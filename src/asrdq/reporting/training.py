"""Training runs on a page: curves, findings, the best steps."""

from __future__ import annotations

import datetime as dt
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import asrdq
from asrdq.errors import unknown
from asrdq.monitoring.findings import Level, Outcome
from asrdq.monitoring.result import RunReport
from asrdq.monitoring.series import Curve
from asrdq.monitoring.storing import read_run, runs_on
from asrdq.monitoring.tables import RUNS_TABLE, TRAIN_RUNS
from asrdq.monitoring.watching import report_on
from asrdq.places import Place
from asrdq.reporting.curves import CurvePlot, curve_plots
from asrdq.reporting.templating import fill
from asrdq.workspace.files import whole_file

if TYPE_CHECKING:
    from asrdq.workspace import ManifestVersion, Workspace

MOST_RUNS = 4
"""Runs of a manifest that its report shows, the newest first."""


@dataclass(frozen=True)
class BestStep:
    """The best evaluation by a metric."""

    metric: str
    step: int
    value: float


@dataclass(frozen=True)
class RunPanel:
    """A training run as a page shows it.

    Attributes:
        report: The run and its findings.
        plots: Its curves.
        best: Its best evaluations, by the reported metric and by loss.
        not_judged: Rules for which nothing is logged.
    """

    report: RunReport
    plots: tuple[CurvePlot, ...]
    best: tuple[BestStep, ...]
    not_judged: tuple[str, ...]


def run_panel(workspace: Workspace, run: str) -> RunPanel:
    """Return what a page shows of a run of the tables.

    Raises:
        UsageError: There is no such run.
    """
    stored = read_run(workspace, run)
    if stored is None:
        known = workspace.read(RUNS_TABLE, schema=TRAIN_RUNS)["run"].to_pylist()
        raise unknown("training run", run, known)
    report, curves = report_on(stored, workspace.settings.watch), stored.curves()
    judged = [curves.judged(report.judged_by)] if report.judged_by else []
    best = _best([*judged, curves.get("validation", "loss")])
    marks = [(item.step, f"best {item.metric}") for item in best]
    marks += [(item.step, item.rule) for item in report.findings if item.level is not Level.NOTE]
    return RunPanel(
        report=report,
        plots=tuple(curve_plots(curves, report.judged_by, marks)),
        best=best,
        not_judged=tuple(r.rule for r in report.rules if r.outcome is Outcome.NO_DATA),
    )


def _best(curves: Sequence[Curve | None]) -> tuple[BestStep, ...]:
    found = {}
    for curve in curves:
        place = curve.best() if curve is not None else None
        if curve is not None and place is not None:
            step, value = int(curve.steps[place]), float(curve.values[place])
            found[curve.metric] = BestStep(curve.metric, step, value)
    return tuple(found.values())


def find_training(workspace: Workspace, manifest: ManifestVersion) -> tuple[RunPanel, ...]:
    """Return the newest runs that train on a manifest, as `asrdq watch --manifest` told."""
    return tuple(run_panel(workspace, run) for run in runs_on(workspace, manifest.name)[:MOST_RUNS])


def write_runs_page(workspace: Workspace, runs: Sequence[str], path: Place) -> Place:
    """Write one HTML page with the curves and findings of runs; it needs nothing but itself.

    Raises:
        UsageError: There is no such run.
        ToolError: The file cannot be written.
    """
    context = {
        "training": [run_panel(workspace, run) for run in runs],
        "written": dt.datetime.now(dt.UTC),
        "versions": {
            "asrdq (report)": asrdq.__version__,
            "Python (report)": platform.python_version(),
        },
    }
    html = fill("training_page.html.j2", context)
    with whole_file(path) as file:
        file.write(html.encode("utf-8", "replace"))
    return path
