"""The sections of a gate policy: what each rule may be told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Discriminator, Field, Tag, model_validator

from asrdq.sampling.estimators import Limit
from asrdq.scoring.rates import HIGHER_IS_BETTER
from asrdq.strict import Share, Strict

Name = Annotated[str, Field(min_length=1)]
Days = Annotated[float, Field(gt=0.0)]
Hours = Annotated[float, Field(ge=0.0)]


class Section(Strict):
    """A part of a policy; the text under each key is its description in the JSON Schema."""

    model_config = ConfigDict(use_attribute_docstrings=True)


class AuditRules(Section):
    """Limits on the rate of low quality."""

    rate: Literal["population", "sample", "corrected"] = "population"
    """Which rate decides."""
    caution_from: Share = 0.10
    """CAUTION from this rate on."""
    stop_above: Share = 0.15
    """STOP above this rate."""
    stratum_risk: Share = 0.20
    """A stratum with a larger share of low quality is named as a risk."""
    confidence: Annotated[float, Field(ge=0.5, lt=1.0)] | None = 0.95
    """An interval of this confidence that reaches over a limit is UNDECIDED; null: bare rate."""
    if_audio_absent: Literal["undecided", "note"] = "undecided"
    """What becomes of a verdict where not one audited file is there to be compared."""

    def limits(self) -> tuple[Limit, Limit]:
        """Return where CAUTION and STOP begin; both limits belong to CAUTION."""
        return Limit(self.caution_from), Limit(self.stop_above, belongs_below=True)

    @model_validator(mode="after")
    def _limits_in_order(self) -> AuditRules:
        if self.caution_from > self.stop_above:
            raise ValueError(
                f"caution_from {self.caution_from:g} lies above stop_above {self.stop_above:g}"
            )
        return self


class InstrumentRules(Section):
    """How far the audit itself must be proven."""

    maximum_failures: Share = 0.02
    """UNDECIDED if the aligner could not judge a larger share of the clips."""
    minimum_recall: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.80
    """Least share of each kind of planted gross fault that the audit must find."""
    if_unproven: Literal["undecided", "note"] = "undecided"
    """What an instrument that was not proven on this data gives."""


class SuiteRules(Section):
    """A suite that the manifest must have been checked against."""

    suite: Name
    """Name of a suite, or the path of its file in the workspace (`….json`)."""
    fail_on: Literal["critical", "warning"] = "critical"
    """The mildest severity whose failure is STOP; below it, a failure is CAUTION."""
    maximum_age_days: Days | None = None
    """In the place of `freshness.check_days`."""


_LEAK_KINDS = ("audio", "overlap", "transcript", "text", "near_text", "speaker", "term")


class LeakRules(Section):
    """How much evaluation manifests may share with this one: shares of their rows."""

    against: Annotated[tuple[Name, ...], Field(min_length=1)]
    """The evaluation manifests."""
    maximum_audio: Share | None = 0.0
    """The same audio; null: not asked."""
    maximum_overlap: Share | None = 0.0
    """Overlapping segments of one recording; null: not asked."""
    maximum_transcript: Share | None = 0.0
    """One transcript on several pieces of a recording; null: not asked."""
    maximum_text: Share | None = 0.0
    """The same text; null: not asked."""
    maximum_near_text: Share | None = None
    """Nearly the same text; null: not asked."""
    maximum_speaker: Share | None = None
    """The same speaker; null: not asked."""
    maximum_term: Share | None = None
    """The same term; null: not asked."""
    maximum_same: Mapping[str, Share] = Field(default_factory=dict)
    """Column to the largest share of rows with a value that is in training too."""
    near: Annotated[float, Field(ge=0.6, lt=1.0)] = 0.8
    """Texts as near as this must have been compared as near texts."""
    min_words: Annotated[int, Field(ge=1)] = 1
    """Texts of so many words must have been compared."""

    def limits(self) -> dict[str, float]:
        """Return the largest share of each kind that is asked for."""
        named = {kind: getattr(self, f"maximum_{kind}") for kind in _LEAK_KINDS}
        asked = {kind: share for kind, share in named.items() if share is not None}
        return {**asked, **self.maximum_same}

    @model_validator(mode="after")
    def _asks_for_something(self) -> LeakRules:
        if not self.limits():
            raise ValueError("every kind is null: nothing is asked")
        _once("against", self.against)
        return self


Paired = Literal["wer", "cer", "ser", "ker"]
Rated = Literal[
    "wer", "cer", "mer", "wil", "wip", "ser", "ker",
    "keyword_precision", "keyword_recall", "keyword_f1", "macro_wer",
]  # fmt: skip
_PAIRED = ("wer", "cer", "ser", "ker")
_MAY_PASS_1 = ("wer", "cer", "macro_wer")


class ScoreRules(Section):
    """A rate of a scored set of hypotheses, and how far it may be above that of another set."""

    manifest: Name
    """The evaluation manifest."""
    hyps: Name
    """The set of hypotheses."""
    metric: Rated = "wer"
    """The rate."""
    where: Mapping[str, Name] = Field(default_factory=dict)
    """Column to value: the group; by default all rows."""
    normaliser: Name | None = None
    """The normaliser that it must have been scored by; null: any."""
    maximum: Annotated[float, Field(ge=0.0)] | None = None
    """STOP above this rate."""
    minimum: Share | None = None
    """STOP below this rate, for rates that are better when higher."""
    baseline: Name | None = None
    """Another set, scored on the same manifest."""
    maximum_increase: Annotated[float, Field(ge=-1.0, le=1.0)] | None = None
    """How far the rate may rise since the baseline: 0.01 is one point; negative: it has to fall."""
    maximum_relative_increase: Annotated[float, Field(ge=-1.0)] | None = None
    """The same as a share of the rate of the baseline."""
    confidence: Annotated[float, Field(ge=0.95, le=0.95)] | None = 0.95
    """A 95 % interval that reaches over a limit is UNDECIDED; null: the bare rate decides."""

    @property
    def name(self) -> str:
        """What it is about, as rules are named: `test:r1:wer`, `test:r1:wer:domain=clean`."""
        return ":".join([self.manifest, self.hyps, self.metric, *self._scope()])

    @property
    def pair_name(self) -> str:
        """The same with the baseline: `test:r0..r1:wer`."""
        pair = f"{self.baseline}..{self.hyps}"
        return ":".join([self.manifest, pair, self.metric, *self._scope()])

    def names(self) -> list[str]:
        """Return what its rules are about: the rate, and the change since the baseline."""
        rated = self.maximum is not None or self.minimum is not None
        return [*([self.name] if rated else []), *([self.pair_name] if self.baseline else [])]

    def _scope(self) -> list[str]:
        return [f"{column}={value}" for column, value in sorted(self.where.items())]

    @model_validator(mode="after")
    def _possible(self) -> ScoreRules:
        changes = (self.maximum_increase, self.maximum_relative_increase)
        asks_for_change = any(limit is not None for limit in changes)
        higher = self.metric in HIGHER_IS_BETTER
        if self.maximum is None and self.minimum is None and not asks_for_change:
            raise ValueError("there is no limit: nothing is asked")
        if higher and self.maximum is not None:
            raise ValueError(f"{self.metric} is better when higher: write minimum")
        if not higher and self.minimum is not None:
            raise ValueError(f"{self.metric} is better when lower: write maximum")
        if self.maximum is not None and self.maximum >= 1 and self.metric not in _MAY_PASS_1:
            raise ValueError(f"{self.metric} is never above 1: the rule would always hold")
        if asks_for_change != (self.baseline is not None):
            raise ValueError("a baseline needs maximum_increase or maximum_relative_increase, "
                             "and they need a baseline")  # fmt: skip
        if asks_for_change and self.metric not in _PAIRED:
            raise ValueError(f"changes are of {', '.join(_PAIRED)}, not of {self.metric}")
        if self.baseline == self.hyps:
            raise ValueError(f"'{self.hyps}' would be compared with itself")
        return self


def _hours_kind(value: Any) -> str:
    return "values" if isinstance(value, dict) else "number"


HoursBy = Annotated[
    Annotated[Hours, Tag("number")] | Annotated[dict[str, Hours], Tag("values")],
    Discriminator(_hours_kind),
]


class AmountRules(Section):
    """How much data there must be; hours are those that the manifest states."""

    minimum_hours: Hours | None = None
    """STOP below so many hours."""
    maximum_hours: Annotated[float, Field(gt=0.0)] | None = None
    """STOP above so many hours."""
    minimum_rows: Annotated[int, Field(ge=1)] | None = None
    """STOP below so many rows."""
    minimum_hours_by: Mapping[str, HoursBy] = Field(default_factory=dict)
    """Column to the least hours of each of its values, or of each value that is named."""

    @model_validator(mode="after")
    def _possible(self) -> AmountRules:
        most = float("inf") if self.maximum_hours is None else self.maximum_hours
        if self.minimum_hours is not None and self.minimum_hours > most:
            raise ValueError(
                f"minimum_hours {self.minimum_hours:g} lies above maximum_hours {most:g}: "
                "no manifest has both"
            )
        for column, asked in self.minimum_hours_by.items():
            total = sum(asked.values()) if isinstance(asked, dict) else asked
            if total > most:
                raise ValueError(
                    f"minimum_hours_by {column} asks for {total:g} h in all, above "
                    f"maximum_hours {most:g}: no manifest has both"
                )
        return self


class FreshnessRules(Section):
    """How old evidence may be, in days since its run ended."""

    audit_days: Days | None = None
    """The audit."""
    faults_days: Days | None = None
    """The planted faults."""
    check_days: Days | None = None
    """The check by each suite of `suites`."""
    leaks_days: Days | None = None
    """The comparison with each manifest of `leaks`."""
    scores_days: Days | None = None
    """Each scoring that `scores` or `criteria` looks at."""


class CriteriaRules(Section):
    """Success criteria of a round, evaluated as `asrdq compare` does."""

    file: Name
    """The file of criteria, relative to the workspace."""
    before: Name
    """Hypotheses of the older round."""
    after: Name
    """Hypotheses of the newer round."""
    manifest: Name
    """The evaluation manifest."""
    held_out: bool = False
    """Whether only rows decide that the manifest of the gate does not hold."""

    @model_validator(mode="after")
    def _two_rounds(self) -> CriteriaRules:
        if self.before == self.after:
            raise ValueError(f"'{self.after}' would be compared with itself")
        return self


class HandoffRules(Section):
    """What data must have before it is handed to a trainer, besides a verdict that is green."""

    signoff: bool = False
    """Whether a person must have signed off; CAUTION and STOP ask for it in any case."""
    validation: bool = False
    """Whether the validation manifest needs a green verdict of its own too."""


def _once(key: str, names: tuple[str, ...]) -> None:
    """Refuse names that stand twice.

    Raises:
        ValueError: One does.
    """
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise ValueError(f"{key}: {', '.join(twice)} stands twice")
