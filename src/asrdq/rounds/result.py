"""What a comparison of two rounds found."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from asrdq.errors import ExitCode
from asrdq.results import Result, plain
from asrdq.rounds.change import Change
from asrdq.rounds.changed_rows import examples
from asrdq.rounds.criteria import Outcome
from asrdq.rounds.decision import Decision
from asrdq.rounds.guards import Guard
from asrdq.rounds.mapsswe import SegmentTest
from asrdq.rounds.mcnemar import UtteranceTest
from asrdq.rounds.ruler import RulerChange
from asrdq.rounds.speakers import SpeakerTest

EXAMPLES_IN_JSON = 20


@dataclass(frozen=True)
class Comparison(Result):
    """Two rounds compared, and what to do.

    Attributes:
        run_id: The run.
        manifest: The evaluation manifest version that the newer round was scored on.
        before: Name of the older round's hypotheses.
        after: Name of the newer round's.
        rows: Utterances compared.
        blocks: What was resampled, in words.
        decision: Verdict, reasons, exit code.
        target: The change that decides.
        guards: Guard sets.
        outcome: Go or no-go by the criteria file, where there is one.
        ruler: What the change of normaliser or references did, where there was one.
        mapsswe: The matched-pairs test of NIST on word errors.
        mcnemar: The test on utterances.
        speakers: Tests on the rates of speakers, where there are two or more.
        notes: What a person should know.
        deltas: One row a metric and group, schema `DELTAS`.
        changed: One row an utterance whose word errors changed, schema `CHANGED`.
    """

    main_table: ClassVar[str] = "deltas"

    run_id: str
    manifest: str
    before: str
    after: str
    rows: int
    blocks: str
    decision: Decision
    target: Change
    guards: tuple[Guard, ...]
    outcome: Outcome | None
    ruler: RulerChange | None
    mapsswe: SegmentTest
    mcnemar: UtteranceTest
    speakers: SpeakerTest | None
    notes: tuple[str, ...]
    deltas: pa.Table = field(repr=False)
    changed: pa.Table = field(repr=False)

    @property
    def exit_code(self) -> ExitCode:
        """1 where the verdict or a must failed, 4 where either is undecided, else 0."""
        codes = {self.decision.exit_code}
        if self.outcome is not None:
            codes.add(self.outcome.go.exit_code())
        for code in (ExitCode.FAILED, ExitCode.UNDECIDED):
            if code in codes:
                return code
        return ExitCode.OK

    def counts(self) -> dict[str, int]:
        """Return how many utterances were fixed, broken, better and worse."""
        counted = pc.value_counts(self.changed["kind"]).to_pylist()
        return {item["values"]: item["counts"] for item in counted}

    def changed_of(self, kind: str | None) -> pa.Table:
        """Return the utterances of one kind of change; all of them without a kind."""
        return self.changed if kind is None else self.changed.filter(pc.field("kind") == kind)

    def summary(self) -> str:
        """Return the verdict, its reasons, and what was measured."""
        lines = [
            f"{self.before} → {self.after} on {self.manifest}, {self.rows:,} utterances "
            f"({self.blocks})",
            self.decision.summary(),
        ]
        lines += [str(self.ruler)] if self.ruler else []
        lines += [self.outcome.summary()] if self.outcome else []
        moved = ", ".join(f"{count:,} {kind}" for kind, count in self.counts().items())
        lines += [
            f"MAPSSWE {_p(self.mapsswe.p)} over {self.mapsswe.segments:,} segments; "
            f"McNemar {_p(self.mcnemar.p)}",
            f"utterances: {moved or 'none changed'}",
            *([str(self.speakers)] if self.speakers else []),
            *self.notes,
        ]
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Return the result as JSON types; of the changed utterances the first 20 of a kind."""
        body = plain(replace(self, changed=examples(self.changed, EXAMPLES_IN_JSON)))
        return {
            "schema_version": self.schema_version,
            **body,
            "counts": self.counts(),
            "exit_code": int(self.exit_code),
        }


def _p(value: float | None) -> str:
    if value is None:
        return "not known"
    return "p < 0.001" if value < 0.001 else f"p = {value:.3f}"
