"""One demand of a policy, the evidence it is judged on, and how it came out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from asrdq.errors import AsrdqError
from asrdq.gates.evidence import Evidence, Finding
from asrdq.gates.ledgers.reading import BROKEN, first_line
from asrdq.gates.measures import Measures
from asrdq.gates.policy import Policy
from asrdq.s3_errors import S3Error

if TYPE_CHECKING:
    from asrdq.workspace import ManifestVersion, Workspace


class Standing(StrEnum):
    """How a demand came out.

    `OPEN`: there is evidence, and it does not tell (an interval reaches over a limit, or the
    evidence is old): UNDECIDED, and a person can answer for it. `UNKNOWN`: there is none that can
    be believed: UNDECIDED, and nobody can.
    """

    HOLDS = "holds"
    WARNS = "warns"
    BREACHED = "breached"
    OPEN = "open"
    UNKNOWN = "unknown"
    NOT_REACHED = "not reached"


@dataclass(frozen=True, slots=True)
class Source:
    """Where a piece of evidence stands.

    Attributes:
        table: The table that holds it.
        query: SQL that shows it, for `asrdq sql`.
        name: What its run is called in a sign-off: `check asr_manifest`; empty without a run.
        run_id: The run that made it; None where it is the manifest itself.
        recorded: When that run ended (UTC).
        manifests: Manifest versions that it is about besides the one of the gate.
    """

    table: str
    query: str
    name: str = ""
    run_id: str | None = None
    recorded: dt.datetime | None = None
    manifests: tuple[ManifestVersion, ...] = ()

    def __str__(self) -> str:
        return f"{self.table}, run {self.run_id}" if self.run_id else self.table


@dataclass(frozen=True, slots=True)
class Answer:
    """What looking at the evidence of a demand gave.

    Attributes:
        standing: How it came out.
        message: What was found, in a sentence.
        value: The figure, in words.
        sources: The evidence.
        hint: What to do about it; None for what makes the evidence again.
    """

    standing: Standing
    message: str
    value: str | None = None
    sources: tuple[Source, ...] = ()
    hint: str | None = None


class NoEvidenceError(Exception):
    """Evidence that is missing, broken, partial or of other content.

    Args:
        message: What is wrong with it.
        sources: Evidence that was found before.
        hint: What to do; None for what makes the evidence again.
    """

    def __init__(
        self, message: str, sources: tuple[Source, ...] = (), hint: str | None = None
    ) -> None:
        super().__init__(message)
        self.answer = Answer(Standing.UNKNOWN, message, sources=sources, hint=hint)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a gate is asked about.

    Attributes:
        workspace: Where the evidence is.
        manifest: The version asked about.
        policy: What it must keep.
        evidence: The audit.
        measures: Its figures; None where it cannot be used.
        known: What demands that share evidence have read of it.
    """

    workspace: Workspace
    manifest: ManifestVersion
    policy: Policy
    evidence: Evidence
    measures: Measures | None
    known: dict[tuple[str | None, ...], Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Demand:
    """One demand of a policy.

    Attributes:
        rule: Its name: `suite:asr_manifest`.
        text: What it demands, in words.
        limit: The limit, in words.
        again: The command that makes its evidence.
        look: Looks at the evidence.
    """

    rule: str
    text: str
    limit: str
    again: str
    look: Callable[[], Answer]


@dataclass(frozen=True, slots=True)
class Judged:
    """A demand with its answer.

    Attributes:
        rule: Its name.
        demand: What it demands, in words.
        limit: The limit, in words.
        answer: How it came out.
        again: The command that makes its evidence.
    """

    rule: str
    demand: str
    limit: str
    answer: Answer
    again: str

    @property
    def finding(self) -> Finding:
        """What was found, under the name of the rule, with what to do."""
        hint = self.again if self.answer.hint is None else self.answer.hint
        holds = self.answer.standing is Standing.HOLDS
        return Finding(self.rule, f"{self.rule}: {self.answer.message}", "" if holds else hint)


def judge(demand: Demand) -> Judged:
    """Look at the evidence of a demand; whatever goes wrong on the way is no evidence.

    Raises:
        S3Error: The server cannot be reached: nobody knows what the evidence says.
    """
    try:
        answer = demand.look()
    except NoEvidenceError as error:
        answer = error.answer
    except S3Error:
        raise
    except AsrdqError as error:
        told = "; ".join([error.message, *map(str, error.problems)])
        answer = Answer(Standing.UNKNOWN, told, hint=error.hint)
    except BROKEN as error:
        answer = Answer(Standing.UNKNOWN, f"its evidence cannot be read: {first_line(error)}")
    return Judged(demand.rule, demand.text, demand.limit, answer, demand.again)
