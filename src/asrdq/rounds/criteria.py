"""Success criteria of a round: must, should and nice lines of a file, evaluated to go or no-go."""

from __future__ import annotations

import enum
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from asrdq.errors import ExitCode
from asrdq.places import Place
from asrdq.rounds.scope import scope_text
from asrdq.strict import Strict
from asrdq.strict_yaml import read_yaml_model

Comparison = Literal["<", "<=", ">", ">="]
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
Rated = Literal[
    "wer", "cer", "ser", "ker",
    "wer_change", "cer_change", "ser_change", "ker_change",
    "wer_relative", "cer_relative", "ser_relative", "ker_relative",
    "low_quality",
]  # fmt: skip
LOW_QUALITY = "low_quality"


class Go(enum.StrEnum):
    """What the criteria say."""

    GO = "GO"
    NO_GO = "NO_GO"
    UNDECIDED = "UNDECIDED"

    def exit_code(self) -> ExitCode:
        """Return the exit code of the outcome."""
        codes = {Go.GO: ExitCode.OK, Go.NO_GO: ExitCode.FAILED}
        return codes.get(self, ExitCode.UNDECIDED)


class Level(enum.StrEnum):
    """How much a criterion counts."""

    MUST = "must"
    SHOULD = "should"
    NICE = "nice"


def _share(value: Any) -> Any:
    """Turn `11.5 %` into 0.115; numbers stay."""
    if isinstance(value, str) and value.strip().endswith("%"):
        try:
            return float(value.strip()[:-1]) / 100
        except ValueError:
            return value
    return value


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


class Criterion(Strict):
    """One line: a metric of the newer round, a comparison, a value, and the rows it is about.

    Attributes:
        metric: A rate of the newer round (`wer`), its change since the older one (`wer_change`,
            negative is better), the relative change (`wer_relative`), or `low_quality`, the rate
            of the last gate on the training manifest.
        comparison: How the metric has to stand to the value.
        value: A share, or a text such as `11.5 %`.
        scope: Column to value, or to a list of values; all rows by default.
        macro: A column: the plain mean over its groups instead of the rate over all rows.
        each: A column: every one of its groups has to fulfil it; the worst is told.
        certain: Whether the whole 95 % interval has to fulfil it (changes only).
        note: What a person should know.
    """

    metric: Rated
    comparison: Comparison
    value: Annotated[float, BeforeValidator(_share), Field(ge=-1.0, le=1.0)]
    scope: Mapping[str, Annotated[tuple[str, ...], BeforeValidator(_listed)]] = Field(
        default_factory=dict
    )
    macro: str | None = None
    each: str | None = None
    certain: bool = False
    note: str | None = None

    @property
    def rate(self) -> str:
        """The rate that the metric is about: `wer` of `wer_change`."""
        return self.metric.partition("_")[0] if self.metric != LOW_QUALITY else self.metric

    @property
    def kind(self) -> str:
        """`after` for the rate of the newer round, `change` or `relative`."""
        return self.metric.partition("_")[2] or "after"

    @model_validator(mode="after")
    def _possible(self) -> Criterion:
        if self.metric == LOW_QUALITY and (self.scope or self.macro or self.each or self.certain):
            raise ValueError(
                "low_quality has no scope, macro, each or certain: it is the gate's rate"
            )
        if self.certain and (self.kind == "after" or self.macro):
            raise ValueError("certain needs a metric with an interval: …_change or …_relative")
        if self.macro and self.each:
            raise ValueError("macro is one mean, each is every group: one of them")
        if self.macro and self.kind == "relative":
            raise ValueError("macro is for rates and changes, not for relative changes")
        return self

    def __str__(self) -> str:
        where = f" of {scope_text(self.scope)}" if self.scope else ""
        mean = f" (mean over {self.macro})" if self.macro else ""
        every = f" in each {self.each}" if self.each else ""
        sure = " for certain" if self.certain else ""
        return f"{self.metric}{where}{mean}{every} {self.comparison} {self.value:g}{sure}"


class Criteria(Strict):
    """Everything a criteria file may say."""

    version: Literal[1] = 1
    must: tuple[Criterion, ...] = ()
    should: tuple[Criterion, ...] = ()
    nice: tuple[Criterion, ...] = ()

    @model_validator(mode="after")
    def _some_must(self) -> Criteria:
        if not self.must:
            raise ValueError("there is no `must` line: nothing could be a no-go")
        return self

    def lines(self) -> list[tuple[Level, Criterion]]:
        """Return all criteria with their level, must first."""
        return [(level, each) for level in Level for each in getattr(self, level)]


def read_criteria(path: Place) -> Criteria:
    """Read and check a criteria file.

    Raises:
        UsageError: The file is missing or not YAML, or keys or values are wrong; all problems
            are listed with their lines.
    """
    return read_yaml_model(path, Criteria)


@dataclass(frozen=True, slots=True)
class Measured:
    """What a criterion is held against; None is not known.

    `why` is the reason, or which group the value is of where every group counts.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    why: str | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """A criterion with what was measured; `met` is None where that is not known, with `why`."""

    level: Level
    criterion: str
    value: float | None
    met: bool | None
    note: str | None = None
    why: str | None = None

    def __str__(self) -> str:
        said = {True: "met", False: "missed", None: "not known"}[self.met]
        value = "" if self.value is None else f" ({self.value:.4g})"
        why = f": {self.why}" if self.why else ""
        return f"{self.level} {self.criterion}: {said}{value}{why}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """Go or no-go, with each criterion."""

    judged: tuple[Judged, ...]

    @property
    def go(self) -> Go:
        """A must that was missed is a no-go; one not known, and none missed, is undecided."""
        musts = {each.met for each in self.judged if each.level is Level.MUST}
        return Go.NO_GO if False in musts else Go.UNDECIDED if None in musts else Go.GO

    def with_musts(self, more: Sequence[Judged]) -> Outcome:
        """Return the outcome where more has to be met, told first."""
        return Outcome((*more, *self.judged))

    def summary(self) -> str:
        """Return the outcome with a line a criterion."""
        return "\n".join([str(self.go), *(f"  {each}" for each in self.judged)])


def evaluate(criteria: Criteria, measured: Sequence[Measured]) -> Outcome:
    """Return go or no-go: every must has to be met; should and nice are told.

    Args:
        criteria: The criteria.
        measured: What each of `criteria.lines()` is held against.
    """
    judged = tuple(
        Judged(level, str(each), found.value, _met(each, found), each.note, found.why)
        for (level, each), found in zip(criteria.lines(), measured, strict=True)
    )
    return Outcome(judged)


def _met(criterion: Criterion, found: Measured) -> bool | None:
    compare = _COMPARE[criterion.comparison]
    values = [found.low, found.high] if criterion.certain else [found.value]
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        return None
    return all(compare(value, criterion.value) for value in known)
