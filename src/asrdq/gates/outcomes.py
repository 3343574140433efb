"""A verdict rule by rule, the way CI systems count: what held, what failed, what was waived."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from asrdq.gates.decision import Decision, Verdict
from asrdq.gates.evidence import Finding
from asrdq.gates.rules import RULES
from asrdq.gates.waivers import Waived


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


@dataclass(frozen=True, slots=True)
class Outcome:
    """One rule of the gate and how it came out.

    Attributes:
        rule: Its name.
        demand: What it demands, in words.
        state: How it came out.
        findings: What was found, each with what to do.
        waived: What was found and is waived.
    """

    rule: str
    demand: str
    state: State
    findings: tuple[Finding, ...] = ()
    waived: tuple[Waived, ...] = ()

    def messages(self) -> list[str]:
        """Return what was found, a sentence each."""
        return [*map(str, self.findings), *map(str, self.waived)]


def outcomes(result: Decision, *, fail_on_caution: bool = False) -> list[Outcome]:
    """Return every rule of the gate, in their order, with what a verdict says of it.

    Args:
        result: The verdict.
        fail_on_caution: Whether CAUTION counts as failed.
    """
    codes = [*result.reasons, *(waived.finding for waived in result.waived)]
    others = [finding.code for finding in codes if finding.code not in RULES]
    return [
        Outcome(
            rule,
            RULES.get(rule, "nothing else stands against a verdict"),
            _state(result, rule, fail_on_caution),
            tuple(finding for finding in result.reasons if finding.code == rule),
            tuple(waived for waived in result.waived if waived.finding.code == rule),
        )
        for rule in dict.fromkeys([*RULES, *others])
    ]


def _state(result: Decision, rule: str, fail_on_caution: bool) -> State:
    broken = {reason.code for reason in result.reasons}
    if result.verdict is Verdict.UNDECIDED and rule in broken:
        return State.UNDECIDED
    caution = result.verdict is Verdict.CAUTION
    if rule == "rate" and (result.verdict is Verdict.STOP or (caution and fail_on_caution)):
        return State.FAILED
    if any(waived.finding.code == rule for waived in result.waived):
        return State.WAIVED
    if rule == "rate" and caution:
        return State.WARNS
    return State.HOLDS if _reached(result, rule) else State.NOT_REACHED


def _reached(result: Decision, rule: str) -> bool:
    """Return whether a rule was looked at: after a breach, those behind it are not."""
    if result.verdict is not Verdict.UNDECIDED:
        return True
    return result.measures is not None and rule not in ("rate", "straddles")


def worst_clips(result: Decision, most: int) -> list[dict[str, Any]]:
    """Return the clips of low quality, those of the least coverage first."""
    low = [clip for clip in result.evidence.clips if clip["low_quality"]]
    low.sort(key=lambda clip: (clip["coverage"] or 0.0, clip["utt_id"]))
    return low[:most]
