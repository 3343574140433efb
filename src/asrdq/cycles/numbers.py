"""The rounds of a cycle: their numbers, what each is about, and what it came to."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

import asrdq
from asrdq.rounds.decision import Verdict
from asrdq.workspace.store import quote_text

if TYPE_CHECKING:
    from asrdq.cycles.plan import CyclePlan
    from asrdq.workspace import Workspace

TABLE: Final = "cycles"
BEGUN, DECIDED = "begun", "decided"
CYCLES: Final = pa.schema(
    [
        ("cycle", pa.string()),
        ("round", pa.int64()),
        ("event", pa.string()),
        ("at", pa.timestamp("us", "UTC")),
        ("identity", pa.string()),
        ("details", pa.string()),
        ("run_id", pa.string()),
        ("asrdq_version", pa.string()),
    ]
)
"""One row a round that was begun, and one each time it was decided; `details` is JSON."""


@dataclass(frozen=True)
class CycleRound:
    """A round of a cycle.

    Attributes:
        cycle: Name of the cycle.
        number: 1 for the first.
        folder: Where its bundle and its run lie.
        before: Number of the round it is compared with; 0 for the base model.
        before_model: The model of that round.
    """

    cycle: str
    number: int
    folder: Path
    before: int
    before_model: str

    @property
    def bundle(self) -> Path:
        """The bundle that is handed off."""
        return self.folder / "bundle"

    @property
    def run_dir(self) -> Path:
        """The folder of the training run."""
        return self.folder / "run"

    @property
    def hyps_before(self) -> str:
        """Name of the hypotheses of the model before."""
        return f"{self.cycle}-r{self.before}"

    @property
    def hyps_after(self) -> str:
        """Name of the hypotheses of the adapted model."""
        return f"{self.cycle}-r{self.number}"


def take_round(workspace: Workspace, plan: CyclePlan, run_id: str) -> CycleRound:
    """Return the newest round of exactly this content, or begin the next one.

    Two processes never get the same new number. The model before is that of the newest round that
    was decided and is not OVERFIT, whose model is still there; else the one that training starts
    from.
    """
    cycle, identity = plan.cycle, plan.identity()
    place = plan.place(workspace)
    taken: list[int] = []

    def begin(rows: list[dict[str, Any]]) -> pa.Table:
        begun = [row for row in rows if row["cycle"] == cycle and row["event"] == BEGUN]
        same = [row["round"] for row in begun if row["identity"] == identity]
        known = bool(same) and not plan.new_round
        number = max(same) if known else 1 + max((row["round"] for row in begun), default=0)
        taken[:] = [number]
        details = {
            "train": str(plan.asked.train),
            "validation": str(plan.asked.validation),
            "recipe": plan.asked.recipe.recipe.name,
            "base": plan.base_model,
        }
        row = _row(cycle, number, BEGUN, identity, details, run_id)
        return pa.Table.from_pylist([] if known else [row], schema=CYCLES)

    workspace.store.append_after(TABLE, begin)
    (number,) = taken
    before, model = _model_before(workspace, cycle, number) or (0, plan.base_model)
    return CycleRound(cycle, number, place / f"round-{number}", before, model)


def note_decision(
    workspace: Workspace, own: CycleRound, identity: str, details: dict[str, Any], run_id: str
) -> None:
    """Write down what a round came to."""
    row = _row(own.cycle, own.number, DECIDED, identity, details, run_id)
    workspace.append(TABLE, pa.Table.from_pylist([row], schema=CYCLES))


def decisions(workspace: Workspace, cycle: str) -> list[tuple[int, dict[str, Any]]]:
    """Return number and details of each decision of a cycle, the newest first."""
    where = f"cycle = {quote_text(cycle)} AND event = {quote_text(DECIDED)}"
    rows = workspace.read(TABLE, where, schema=CYCLES).sort_by([("at", "descending")])
    return [(row["round"], json.loads(row["details"])) for row in rows.to_pylist()]


def _model_before(workspace: Workspace, cycle: str, number: int) -> tuple[int, str] | None:
    told: dict[int, dict[str, Any]] = {}
    for earlier, details in decisions(workspace, cycle):
        told.setdefault(earlier, details)
    for earlier in sorted(told, reverse=True):
        model = told[earlier]["model"]
        sound = told[earlier]["verdict"] != Verdict.OVERFIT
        if earlier < number and sound and Path(model).exists():
            return earlier, model
    return None


def _row(
    cycle: str, number: int, event: str, identity: str, details: dict[str, Any], run_id: str
) -> dict[str, Any]:
    return {
        "cycle": cycle,
        "round": number,
        "event": event,
        "at": dt.datetime.now(dt.UTC),
        "identity": identity,
        "details": json.dumps(details, ensure_ascii=False),
        "run_id": run_id,
        "asrdq_version": asrdq.__version__,
    }
