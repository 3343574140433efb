"""The settings of a workspace: `asrdq.yaml`, read strictly."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, field_validator, model_validator

from asrdq.calibration_settings import CalibrationEntry
from asrdq.errors import UsageError
from asrdq.places import Place
from asrdq.strict import Share, Strict
from asrdq.strict_yaml import read_yaml_model
from asrdq.watch_settings import WatchSettings

__all__ = [
    "SETTINGS_FILE",
    "AuditSettings",
    "CalibrationEntry",
    "IngestSettings",
    "RaySettings",
    "SamplingSettings",
    "Settings",
    "Strata",
    "StratumRule",
    "WatchSettings",
    "read_settings",
]

SETTINGS_FILE = "asrdq.yaml"

Engine = Literal["local", "ray"]


class IngestSettings(Strict):
    """What counts as a bad manifest line, and how many of them fail the command."""

    max_reject_share: Share = 0.01
    max_duration_s: Annotated[float, Field(gt=0)] = 36_000.0


class StratumRule(Strict):
    """One stratum: the rows for which `where` is the first condition that holds."""

    name: Annotated[str, Field(min_length=1)]
    where: str | None = None
    share: Share | None = None


def _strata_kind(value: Any) -> str:
    if isinstance(value, list):
        return "columns" if all(isinstance(item, str) for item in value) else "rules"
    return "column"


Strata = Annotated[
    Annotated[str, Tag("column")]
    | Annotated[list[str], Tag("columns")]
    | Annotated[list[StratumRule], Tag("rules")],
    Discriminator(_strata_kind),
]


class SamplingSettings(Strict):
    """How an audit sample is drawn unless the command says otherwise."""

    seed: int = 42
    fraction: Annotated[float, Field(gt=0.0, le=1.0)] = 0.10
    allocation: Literal["shares", "proportional", "equal"] = "proportional"
    strata: Strata | None = None

    @model_validator(mode="after")
    def _shares_add_up(self) -> SamplingSettings:
        if self.allocation == "shares":
            rules = [rule for rule in self.strata or [] if isinstance(rule, StratumRule)]
            if not rules or any(rule.share is None for rule in rules):
                raise ValueError("allocation 'shares' needs strata rules with a share each")
            total = sum(rule.share or 0.0 for rule in rules)
            if abs(total - 1.0) > 1e-6:
                raise ValueError(f"the shares of the strata add up to {total:g}, not to 1")
        return self


def _rates_kind(value: Any) -> str:
    if isinstance(value, dict):
        return "languages"
    return "word" if isinstance(value, str) else "number"


SpeakingRate = Annotated[float, Field(gt=0.0)]
"""Letters and digits a second."""
SpeakingRates = Annotated[
    Annotated[Literal["auto"], Tag("word")]
    | Annotated[SpeakingRate, Tag("number")]
    | Annotated[dict[str, SpeakingRate], Tag("languages")],
    Discriminator(_rates_kind),
]


class AuditSettings(Strict):
    """Thresholds of the alignment audit (the definitions are in docs/definitions.md)."""

    aligner: str = "pocketsphinx"
    device: Annotated[str, Field(pattern=r"^(auto|cpu|cuda(:\d+)?)$")] = "auto"
    batch_size: Annotated[int, Field(ge=1)] = 8
    batch_seconds: Annotated[float, Field(gt=0.0)] | None = None
    coverage_minimum: Share = 0.6
    confidence_minimum: Share = 0.5
    characters_per_second: SpeakingRates = 10.0
    false_alarm_budget: Annotated[float, Field(gt=0.0, lt=0.5)] = 0.02
    calibration_clips: Annotated[int, Field(ge=20)] = 150
    minimum_auc: Annotated[float, Field(ge=0.5, le=1.0)] = 0.9
    maximum_strained: Share = 0.5
    hypothesis_cer_maximum: Annotated[float, Field(gt=0.0)] = 0.3
    hypothesis_edge_cer_maximum: Annotated[float, Field(gt=0.0)] = 0.6
    hypothesis_length_difference_maximum: Annotated[float, Field(gt=0.0)] = 0.3

    def speaking_rate(self, language: str) -> float | None:
        """Return the usual characters per second of a language code; None for `auto`.

        Raises:
            UsageError: There is a rate for each language, and none for this one.
        """
        rates = self.characters_per_second
        if rates == "auto":
            return None
        if not isinstance(rates, dict):
            return float(rates)
        if language not in rates:
            raise UsageError(
                f"audit.characters_per_second has no rate for the language '{language}'",
                where=SETTINGS_FILE,
                hint=f"it has: {', '.join(sorted(rates)) or 'none'}; add `{language}: 10`",
            )
        return rates[language]


class RaySettings(Strict):
    """How work is spread over a Ray cluster; docs/scale.md explains each.

    Attributes:
        address: `auto`, or host:port of the head node; None starts Ray on this machine.
        cpus_per_worker: CPUs that a worker takes.
        gpus_per_worker: GPUs that a worker takes, a fraction too; 0: it sees none.
        in_flight_mb: Megabytes of work handed out and of answers not yet taken, at most.
        patience_s: How long to wait while no worker at all is running.
    """

    address: Annotated[str, Field(min_length=1)] | None = None
    cpus_per_worker: Annotated[float, Field(gt=0.0)] = 1.0
    gpus_per_worker: Annotated[float, Field(ge=0.0)] = 0.0
    in_flight_mb: Annotated[float, Field(gt=0.0)] = 256.0
    patience_s: Annotated[float, Field(gt=0.0)] = 300.0

    @field_validator("cpus_per_worker", "gpus_per_worker")
    @classmethod
    def _as_ray_counts(cls, share: float) -> float:
        if share > 1.0 and not share.is_integer():
            raise ValueError("above 1 it has to be a whole number")
        return share


class Settings(Strict):
    """Everything `asrdq.yaml` may say."""

    project: str = "speech-data"
    language: str = "en"
    audio_root: str | None = None
    workers: Annotated[int, Field(ge=0)] = 0
    engine: Engine = "local"
    ray: RaySettings = RaySettings()
    policy: str = "policies/default.yaml"
    ingest: IngestSettings = IngestSettings()
    sampling: SamplingSettings = SamplingSettings()
    audit: AuditSettings = AuditSettings()
    watch: WatchSettings = WatchSettings()
    calibrations: tuple[CalibrationEntry, ...] = ()


def read_settings(path: Place) -> Settings:
    """Read and check `asrdq.yaml`.

    Raises:
        UsageError: The file is missing or not YAML, or some keys or values are wrong; all of
            them are listed with their lines.
    """
    return read_yaml_model(path, Settings)
