"""A verdict rule by rule, the way CI systems count: what held, what failed, what was waived."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import pyarrow as pa

from asrdq.gates.audit_facts import audit_facts, audit_source
from asrdq.gates.decision import Decision, Verdict, band
from asrdq.gates.demands.judged import Judged, Source, Standing
from asrdq.gates.evidence import Finding
from asrdq.gates.ledgers.waivers import Waived
from asrdq.gates.rules import RULES
from asrdq.gates.tables import OUTCOMES


class State(StrEnum):
    """How a rule came out."""

    HOLDS = "holds"
    WARNS = "warns"
    FAILED = "failed"
    UNDECIDED = "undecided"
    WAIVED = "waived"
    NOT_REACHED = "not reached"


BAD = frozenset({State.FAILED, State.UNDECIDED})
"""States of which there is one exactly where the exit code of the gate is not 0."""

_STATES = {
    Standing.HOLDS: State.HOLDS,
    Standing.WARNS: State.WARNS,
    Standing.BREACHED: State.FAILED,
    Standing.OPEN: State.UNDECIDED,
    Standing.UNKNOWN: State.UNDECIDED,
    Standing.NOT_REACHED: State.NOT_REACHED,
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """One rule of the gate and how it came out.

    Attributes:
        rule: Its name.
        demand: What it demands, in words.
        state: How it came out.
        findings: What was found, each with what to do.
        waived: What was found and is waived.
        value: The figure, in words; None where there is none.
        limit: What it is held against, in words; None where there is no figure.
        evidence: The tables and runs behind it.
    """

    rule: str
    demand: str
    state: State
    findings: tuple[Finding, ...] = ()
    waived: tuple[Waived, ...] = ()
    value: str | None = None
    limit: str | None = None
    evidence: tuple[Source, ...] = ()

    def messages(self) -> list[str]:
        """Return what was found, a sentence each."""
        return [*map(str, self.findings), *map(str, self.waived)]

    def figures(self) -> str:
        """Return value, limit and evidence in words, as far as they are known."""
        parts = {"value": self.value, "limit": self.limit}
        told = [f"{name} {text}" for name, text in parts.items() if text is not None]
        return "; ".join([*told, *(f"evidence {source}" for source in self.evidence)])


def outcomes(result: Decision, *, fail_on_caution: bool = False) -> list[Outcome]:
    """Return every rule of the gate, those about the audit first, with what a verdict says of it.

    Args:
        result: The verdict.
        fail_on_caution: Whether CAUTION, and so a rule that warns or is waived, counts as failed.
    """
    found = [*_of_audit(result), *(_of_demand(result, one) for one in result.judged)]
    if not fail_on_caution or result.verdict is not Verdict.CAUTION:
        return found
    return [_strict(outcome) for outcome in found]


def _strict(outcome: Outcome) -> Outcome:
    mild = outcome.state in (State.WARNS, State.WAIVED)
    return replace(outcome, state=State.FAILED) if mild else outcome


def _of_audit(result: Decision) -> Iterator[Outcome]:
    demanded = {one.rule for one in result.judged}
    findings = [*result.reasons, *(waived.finding for waived in result.waived)]
    others = [one.code for one in findings if one.code not in RULES and one.code not in demanded]
    facts = audit_facts(result)
    for rule in dict.fromkeys([*RULES, *others]):
        source = audit_source(result, rule)
        value, limit = facts.get(rule, (None, None))
        yield Outcome(
            rule,
            RULES.get(rule, "nothing else stands against a verdict"),
            _state(result, rule),
            tuple(finding for finding in result.reasons if finding.code == rule),
            tuple(waived for waived in result.waived if waived.finding.code == rule),
            value,
            limit,
            () if source is None or rule == "empty_manifest" else (source,),
        )


def _state(result: Decision, rule: str) -> State:
    """Return how a rule about the audit came out: by the verdict of the audit alone."""
    broken = {reason.code for reason in result.reasons}
    if result.of_audit is Verdict.UNDECIDED and rule in broken:
        return State.UNDECIDED
    if rule == "rate" and result.of_audit is Verdict.STOP:
        return State.FAILED
    if any(waived.finding.code == rule for waived in result.waived):
        return State.WAIVED
    if rule == "rate" and result.of_audit is Verdict.CAUTION and _is_high(result):
        return State.WARNS
    return State.HOLDS if _reached(result, rule) else State.NOT_REACHED


def _is_high(result: Decision) -> bool:
    """Return whether the rate itself, and not a waiver, asks for caution."""
    rate = result.rate.value
    return rate is not None and band(rate, result.policy.audit) is Verdict.CAUTION


def _reached(result: Decision, rule: str) -> bool:
    """Return whether a rule was looked at: after a breach, those behind it are not."""
    if result.of_audit is not Verdict.UNDECIDED:
        return True
    if result.measures is None or rule in ("rate", "straddles"):
        return False
    return rule not in _OF_ABLE or bool(result.measures.able)


_OF_ABLE = frozenset({"unproven", "low_recall", "instrument_failed"})
"""Rules about what an instrument does where it can judge at all."""


def _of_demand(result: Decision, one: Judged) -> Outcome:
    waived = tuple(waived for waived in result.waived if waived.finding.code == one.rule)
    state = State.WAIVED if waived else _STATES[one.answer.standing]
    told = state in (State.FAILED, State.WARNS, State.UNDECIDED)
    return Outcome(
        one.rule,
        one.demand,
        state,
        (one.finding,) if told else (),
        waived,
        one.answer.value,
        one.limit,
        one.answer.sources,
    )


def outcome_rows(found: list[Outcome], *, every: bool = True) -> pa.Table:
    """Return rules as rows; schema `OUTCOMES`.

    Args:
        found: The rules.
        every: Whether rules that hold and have no figure are there too.
    """
    quiet = (State.HOLDS, State.NOT_REACHED)
    rows = [
        {
            "rule": one.rule,
            "state": str(one.state),
            "value": one.value,
            "limit": one.limit,
            "evidence": "; ".join(map(str, one.evidence)) or None,
            "found": "; ".join(one.messages()) or None,
        }
        for one in found
        if every or one.value is not None or one.state not in quiet
    ]
    return pa.Table.from_pylist(rows, schema=OUTCOMES)


def worst_clips(result: Decision, most: int) -> list[dict[str, Any]]:
    """Return the clips of low quality, those of the least coverage first."""
    low = [clip for clip in result.evidence.clips if clip["low_quality"]]
    low.sort(key=lambda clip: (clip["coverage"] or 0.0, clip["utt_id"]))
    return low[:most]
