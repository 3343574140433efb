"""The decision after a round: keep, grow the manifest, overfit, or stop."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from asrdq.errors import ExitCode
from asrdq.rounds.change import Change
from asrdq.rounds.detectable import detectable_change, rows_to_detect
from asrdq.rounds.guards import Guard, GuardState

_ROUNDING = 1e-9
"""0.5 → 0.4 is a drop of 20 %, whatever the last digit of 0.4 ÷ 0.5 − 1 is."""


class Verdict(enum.StrEnum):
    """What to do after a round."""

    KEEP = "KEEP"
    GROW = "GROW"
    OVERFIT = "OVERFIT"
    STOP = "STOP"
    UNDECIDED = "UNDECIDED"

    def meaning(self) -> str:
        """Return the verdict in words."""
        return {
            Verdict.KEEP: "keep the round",
            Verdict.GROW: "grow the manifest",
            Verdict.OVERFIT: "overfit: grow the manifest, do not tune harder",
            Verdict.STOP: "stop tuning",
            Verdict.UNDECIDED: "there is nothing to decide with",
        }[self]


class Code(enum.StrEnum):
    """Why; each reason has one."""

    TARGET_REACHED = "target_reached"
    SHORT_OF_TARGET = "short_of_target"
    CANNOT_TELL = "cannot_tell"
    WORSE = "worse"
    GUARD_BROKEN = "guard_broken"
    GUARD_UNKNOWN = "guard_unknown"
    GUARD_HOLDS = "guard_holds"
    FLOOR = "floor"
    NOT_MEASURED = "not_measured"
    FEW_ROWS = "few_rows"


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason with its code."""

    code: Code
    message: str


@dataclass(frozen=True, slots=True)
class Rules:
    """Limits of the decision.

    Attributes:
        keep: Least relative drop of the target to keep a round.
        stop: Two consecutive rounds with a smaller relative drop end the tuning.
        least_rows: Fewer rows with the target metric are told to be few.
    """

    keep: float = 0.20
    stop: float = 0.05
    least_rows: int = 100


@dataclass(frozen=True, slots=True)
class Decision:
    """A verdict, its reasons and its exit code."""

    verdict: Verdict
    reasons: tuple[Reason, ...]
    exit_code: ExitCode

    def summary(self) -> str:
        """Return the verdict with a line a reason."""
        return "\n".join(
            [f"{self.verdict}: {self.verdict.meaning()}", *(f"  {r.message}" for r in self.reasons)]
        )


def decide(
    target: Change,
    guards: Sequence[Guard] = (),
    former_relative: float | None = None,
    rules: Rules | None = None,
) -> Decision:
    """Return what to do after a round.

    | the data say | verdict | exit code |
    | --- | --- | --- |
    | nothing of the target metric | UNDECIDED | 4 |
    | the target rose, or a guard set is worse by more than its margin | OVERFIT | 1 |
    | under 5 % relative drop, in the round before too | STOP | 1 |
    | a change that cannot be told from 0 | GROW | 4 |
    | a drop of less than 20 % | GROW | 1 |
    | a drop of 20 % or more, but a guard set could be worse by more than its margin | GROW | 4 |
    | a drop of 20 % or more, and every guard set holds | KEEP | 0 |

    "Rose", "drop" and "cannot be told" go by the 95 % interval of the change.

    Args:
        target: The change of the metric that the round was for.
        guards: Guard sets.
        former_relative: Relative change of the target in the round before; None where there
            was none.
        rules: Limits.
    """
    rules = rules or Rules()
    about_guards = [_of_guard(guard) for guard in guards]
    states = {guard.state for guard in guards}
    verdict, first, code = _by_target(target, former_relative, rules)
    if verdict is not Verdict.UNDECIDED and GuardState.BROKEN in states:
        verdict, code = Verdict.OVERFIT, ExitCode.FAILED
    elif verdict is Verdict.KEEP and GuardState.UNKNOWN in states:
        verdict, code = Verdict.GROW, ExitCode.UNDECIDED
    return Decision(verdict, (first, *about_guards, *_few(target, rules)), code)


def _by_target(
    target: Change, former_relative: float | None, rules: Rules
) -> tuple[Verdict, Reason, ExitCode]:
    if target.change is None or target.low is None or target.before is None:
        hint = "; no row has a term: --metric wer decides by words" if _no_terms(target) else ""
        reason = Reason(Code.NOT_MEASURED, f"{target}{hint}")
        return Verdict.UNDECIDED, reason, ExitCode.UNDECIDED
    if target.worse:
        return Verdict.OVERFIT, Reason(Code.WORSE, f"{target}: worse"), ExitCode.FAILED
    drop = -target.relative if target.relative is not None else 0.0
    if former_relative is not None and max(drop, -former_relative) < rules.stop - _ROUNDING:
        return Verdict.STOP, _floor(target, drop, -former_relative, rules), ExitCode.FAILED
    if not target.better:
        message = f"{target}: cannot be told from 0{_more_rows(target)}"
        return Verdict.GROW, Reason(Code.CANNOT_TELL, message), ExitCode.UNDECIDED
    if drop < rules.keep - _ROUNDING:
        message = f"{target}: {_lower(drop, 0)}, less than {rules.keep:.0%}"
        return Verdict.GROW, Reason(Code.SHORT_OF_TARGET, message), ExitCode.FAILED
    reason = Reason(Code.TARGET_REACHED, f"{target}: {drop:.0%} lower")
    return Verdict.KEEP, reason, ExitCode.OK


def _no_terms(target: Change) -> bool:
    return target.metric == "ker" and target.rows == 0


def _floor(target: Change, drop: float, former_drop: float, rules: Rules) -> Reason:
    message = (
        f"{target}: {_lower(drop, 1)}, and {_lower(former_drop, 1)} in the round before; "
        f"two rounds under {rules.stop:.0%}"
    )
    lowest = target.relative_low
    if lowest is not None and -lowest >= rules.stop:
        message += f" (the interval of this one reaches to {-lowest:.0%})"
    return Reason(Code.FLOOR, message)


def _lower(drop: float, digits: int) -> str:
    """Return a relative drop in words; a rise is a drop below 0."""
    return f"{abs(drop):.{digits}%} {'lower' if drop >= 0 else 'higher'}"


def _more_rows(target: Change) -> str:
    """Return how many rows would tell a change of the size that was seen."""
    import numpy as np

    if target.error is None or not target.change:
        return ""
    least = float(detectable_change(np.array([target.error]), np.array([target.blocks]))[0])
    rows = rows_to_detect(target.rows, least, target.change)
    if rows is None:
        return ""
    return (
        f"; {target.rows:,} rows show a change of {least:.3f} four times in five, "
        f"this one would take about {rows:,}"
    )


def _of_guard(guard: Guard) -> Reason:
    code = {
        GuardState.HOLDS: Code.GUARD_HOLDS,
        GuardState.BROKEN: Code.GUARD_BROKEN,
        GuardState.UNKNOWN: Code.GUARD_UNKNOWN,
    }[guard.state]
    return Reason(code, f"guard {guard}")


def _few(target: Change, rules: Rules) -> list[Reason]:
    if not 0 < target.rows < rules.least_rows:
        return []
    message = f"{target.rows} rows are fewer than {rules.least_rows}"
    if target.low is not None and target.high is not None:
        width = target.high - target.low
        message += f": the interval of the change is {width:.3f} wide"
    return [Reason(Code.FEW_ROWS, message)]
