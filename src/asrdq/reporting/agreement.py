"""The panel of a second aligner: how far both agree, and the clips where they do not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from asrdq.audit.tables import AGREEMENTS, INSTRUMENT_AGREEMENT

if TYPE_CHECKING:
    from asrdq.workspace import Workspace

SHOWN: Final = 20


@dataclass(frozen=True)
class Agreement:
    """What two aligners said of the same clips.

    Attributes:
        overall: The row of all strata (schema `INSTRUMENT_AGREEMENT`).
        strata: The rows of single strata.
        differing: Clips judged differently (schema `AGREEMENTS`), at most 20.
        differing_count: How many there are.
    """

    overall: dict[str, Any]
    strata: list[dict[str, Any]]
    differing: list[dict[str, Any]]
    differing_count: int


def find_agreement(workspace: Workspace, run_id: str) -> Agreement | None:
    """Return what an audit's second aligner said; None where it had none."""
    where = f"run_id = '{run_id}'"
    found = workspace.read("instrument_agreement", where, schema=INSTRUMENT_AGREEMENT).to_pylist()
    overall = [row for row in found if row["stratum"] is None]
    if not overall:
        return None
    clips = workspace.read("agreements", where, schema=AGREEMENTS).to_pylist()
    differing = sorted(
        (row for row in clips if row["agree"] is False), key=lambda row: str(row["utt_id"])
    )
    return Agreement(
        overall=overall[0],
        strata=[row for row in found if row["stratum"] is not None],
        differing=differing[:SHOWN],
        differing_count=len(differing),
    )
