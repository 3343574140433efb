"""Watch training runs: read their logs, keep them, hold the rules against them; once or live."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asrdq.errors import UndecidedError, UsageError, unknown
from asrdq.monitoring.findings import Level
from asrdq.monitoring.judging import judge
from asrdq.monitoring.names import VALIDATION
from asrdq.monitoring.result import RunReport, WatchResult, summarise
from asrdq.monitoring.run_log import LogReader, RunLog
from asrdq.monitoring.sources import NoLogError
from asrdq.monitoring.storing import ENDED, StoredRun, check_name, store_run
from asrdq.workspace.files import whole_file

if TYPE_CHECKING:
    from asrdq.monitoring.series import Curves
    from asrdq.watch_settings import WatchSettings
    from asrdq.workspace import Workspace


@dataclass(frozen=True)
class WatchPlan:
    """What is watched, and how.

    Attributes:
        runs: Folders or files of training runs.
        name: Name of the run in the tables, where there is one run; its folder's by default.
        manifest: The manifest that the runs train on: `train` or `train@3`.
        max_steps: How many steps they are to have, where their logs do not say so.
        unfreezes: Steps at which layers are unfrozen, where their logs do not say so.
        settings: Limits of the rules; those of the workspace by default.
    """

    runs: Sequence[Path]
    name: str | None = None
    manifest: str | None = None
    max_steps: int | None = None
    unfreezes: Sequence[int] = ()
    settings: WatchSettings | None = None


class Watcher:
    """Reads the logs of runs as often as it is asked, and only what has changed of them."""

    def __init__(self, workspace: Workspace, plan: WatchPlan) -> None:
        if not plan.runs:
            raise UsageError("no run is named", hint="asrdq watch RUN…")
        if plan.name and len(plan.runs) > 1:
            raise UsageError("one name is given for several runs", hint="watch them one by one")
        self._workspace = workspace
        self._settings = plan.settings or workspace.settings.watch
        self._rows = [_row(workspace, plan, run) for run in plan.runs]
        names = [row["run"] for row in self._rows]
        for row in self._rows:
            if names.count(row["run"]) > 1:
                raise UsageError(
                    f"several runs are called '{row['run']}'", hint="watch them one by one: --name"
                )
            check_name(workspace, row["run"], row["place"])
        self._readers = [LogReader(Path(row["place"])) for row in self._rows]
        self._stored: dict[str, StoredRun] = {}

    def look(self, advance: Callable[[int], None] = lambda _files: None) -> WatchResult:
        """Read the logs, store what is new, and judge.

        Raises:
            UsageError: A run is not there, has no log, or its name is taken.
            ToolError: A log or a table cannot be read or written.
        """
        pairs = zip(self._rows, self._readers, strict=True)
        return WatchResult(tuple(self._report(row, reader.read(advance)) for row, reader in pairs))

    def _report(self, row: dict[str, Any], log: RunLog) -> RunReport:
        stored = self._stored[row["run"]] = store_run(self._workspace, row, log)
        return report_on(stored, self._settings, log)

    def curves(self, run: str) -> Curves:
        """Return the curves of a run as they were at the last look."""
        return self._stored[run].curves()


def watch(workspace: Workspace, plan: WatchPlan, **reading: Any) -> WatchResult:
    """Read the logs of runs once: into `train_runs` and `train_metrics`, and judge them.

    Raises:
        UsageError: A run is not there, has no log, or its name is taken; a wrong setting.
        ToolError: A log or a table cannot be read or written.
    """
    return Watcher(workspace, plan).look(**reading)


def follow(
    workspace: Workspace,
    plan: WatchPlan,
    *,
    every_s: float = 30.0,
    idle_s: float = 3600.0,
    pause: Callable[[float], None] = time.sleep,
) -> Iterator[WatchResult]:
    """Watch runs until all have ended, a rule stops one, or their logs grow no more.

    The first look is given, and each one after it that brought something new; the last one is
    given again where the logs grew no more, with `quiet`. Runs may begin later.

    Raises:
        UndecidedError: No log appeared within `idle_s`.
    """
    watcher = Watcher(workspace, plan)
    last: WatchResult | None = None
    waited = 0.0
    while True:
        try:
            found = watcher.look()
        except NoLogError as error:
            if last is not None or waited >= idle_s:
                raise UndecidedError(error.message, where=error.where, hint=error.hint) from error
            found = None
        if found is not None and (last is None or _is_news(last, found)):
            last, waited = found, 0.0
            yield found
            ended = all(run.state == ENDED for run in found.runs)
            if ended or any(finding.level is Level.STOP for finding in found.findings):
                return
        elif last is not None and waited >= idle_s:
            yield WatchResult(last.runs, quiet=True)
            return
        pause(every_s)
        waited += every_s


def _is_news(before: WatchResult, now: WatchResult) -> bool:
    states = [[(run.state, run.unreadable) for run in result.runs] for result in (before, now)]
    return any(run.added for run in now.runs) or states[0] != states[1]


def report_on(stored: StoredRun, settings: WatchSettings, log: RunLog | None = None) -> RunReport:
    """Return what the rules say of a run of the tables.

    Raises:
        UsageError: The metric or the rules of the settings are not there.
    """
    curves = stored.curves()
    judged = curves.judged(settings.metric)
    validated = [metric for split, metric in curves.by_name if split == VALIDATION]
    if judged is None and validated and settings.metric != "auto":
        raise unknown("validation metric", settings.metric, validated, where=stored.row["run"])
    findings, outcomes = judge(curves, settings)
    kept = ("run", "place", "manifest", "state", "last_step", "max_steps", "last_epoch", "resumes")
    return RunReport(
        **{name: stored.row[name] for name in kept},
        judged_by=judged.metric if judged is not None else None,
        added=stored.added,
        metrics=summarise(curves),
        findings=tuple(findings),
        rules=tuple(outcomes),
        problems=log.problems if log else (),
        unreadable=stored.row["problems"],
    )


def write_stop_file(result: WatchResult, path: Path) -> bool:
    """Write why a run has to stop, a line a finding, where a rule stops one; tell whether it does.

    The file appears whole or not at all.

    Raises:
        ToolError: It cannot be written.
    """
    stops = [finding for finding in result.findings if finding.level is Level.STOP]
    if stops:
        lines = [f"{item.run}\t{item.rule}\tstep {item.step}\t{item.message}\n" for item in stops]
        with whole_file(path) as file:
            file.write("".join(lines).encode("utf-8", "replace"))
    return bool(stops)


def _row(workspace: Workspace, plan: WatchPlan, run: Path) -> dict[str, Any]:
    place = run.expanduser().resolve()
    manifest = str(workspace.manifest(plan.manifest)) if plan.manifest else None
    return {
        "run": plan.name or (place.stem if place.is_file() else place.name),
        "place": str(place),
        "manifest": manifest,
        "max_steps": plan.max_steps,
        "unfreezes": list(plan.unfreezes),
    }
