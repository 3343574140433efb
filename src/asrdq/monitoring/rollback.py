"""What to go back to where a run fails, and what to preserve before anything is removed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from asrdq.monitoring.findings import Level
from asrdq.monitoring.result import RunReport
from asrdq.monitoring.saved import SavedState
from asrdq.scoring.scorings import read_groups, scorings

if TYPE_CHECKING:
    from asrdq.workspace import Workspace

_SETTINGS: Final = ("*.yaml", "*.yml", "config.json", "training_args.bin", "*tokenizer*")


@dataclass(frozen=True, slots=True)
class PreviousScore:
    """A rate of the previous model.

    Attributes:
        manifest: What it was scored on.
        metric: The rate.
        rate: Its value.
        low: Lower end of its 95 % interval; None without one.
        high: Upper end.
    """

    manifest: str
    metric: str
    rate: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class RollbackPlan:
    """What to go back to, in this order, and what to preserve before.

    Attributes:
        reasons: Findings that speak for going back; empty where nothing does.
        previous: The model that is deployed now; None where it was not named.
        scores: Its rates over all utterances, from the newest scoring on each manifest.
        remark: What is missing of the previous model.
        candidate: The saved state of this run that is the best, where one is here.
        preserve: Files and folders to copy away first.
    """

    reasons: tuple[str, ...]
    previous: str | None
    scores: tuple[PreviousScore, ...]
    remark: str | None
    candidate: str | None
    preserve: tuple[str, ...]

    def steps(self) -> list[str]:
        """Return the plan as sentences, in the order of doing."""
        told = [f"copy {path}" for path in self.preserve]
        if self.candidate:
            told.append(f"try the best saved state of this run: {self.candidate}")
        if self.previous:
            rates = ", ".join(
                f"{s.metric.upper()} {100 * s.rate:.2f} % on {s.manifest}" for s in self.scores
            )
            told.append(f"go back to {self.previous}: {rates or 'no score of it is here'}")
        told.append("run again from the last sound state: lower learning rate, fewer epochs")
        return told


def plan_rollback(
    workspace: Workspace, report: RunReport, ranked: Sequence[SavedState], previous: str | None
) -> RollbackPlan:
    """Return the plan for a run.

    Args:
        workspace: Where scores are.
        report: The run and what was found.
        ranked: Its saved states, the best first.
        previous: Name of the previous model's set of hypotheses; None where it is not known.
    """
    serious = [item for item in report.findings if item.level is not Level.NOTE]
    scores, remark = _previous(workspace, previous)
    candidate = str(ranked[0].path) if ranked else None
    return RollbackPlan(
        reasons=tuple(f"{item.rule}: {item.message}" for item in serious),
        previous=previous,
        scores=tuple(scores),
        remark=remark,
        candidate=candidate,
        preserve=tuple(_preserve(workspace, report, candidate)),
    )


def _previous(workspace: Workspace, previous: str | None) -> tuple[list[PreviousScore], str | None]:
    if previous is None:
        return [], "the previous model is not named: --previous NAME"
    found = scorings(workspace)
    mine = [scoring for scoring in found if scoring.hyps == previous]
    if not mine:
        names = ", ".join(sorted({scoring.hyps for scoring in found})) or "none"
        return [], f"'{previous}' was not scored; scored sets of hypotheses: {names}"
    newest = {scoring.manifest_name: scoring for scoring in reversed(mine)}
    scores = []
    for scoring in newest.values():
        for row in read_groups(workspace, scoring).to_pylist():
            if not row["grouped_by"] and row["rate"] is not None:
                scores.append(_score(scoring.manifest, row))
    return scores, None


def _score(manifest: str, row: dict[str, Any]) -> PreviousScore:
    return PreviousScore(manifest, row["metric"], row["rate"], row["low"], row["high"])


def _preserve(workspace: Workspace, report: RunReport, candidate: str | None) -> list[str]:
    place = Path(report.place)
    folder = place if place.is_dir() else place.parent
    settings = sorted({str(path) for name in _SETTINGS for path in folder.glob(name)})
    logs = sorted({str(path) for name in _LOGS for path in folder.glob(name)})
    audit = workspace.root / "reports" / "alignment_report.json"
    evidence = [str(audit)] if audit.is_file() else []
    return [*([candidate] if candidate else []), *settings, *logs, *evidence]


_LOGS: Final = ("trainer_state.json", "*.tfevents.*", "metrics*.csv", "*.log", "*.out", "nemo_log*")
