"""The settings of a workspace: `asrdq.yaml`, read strictly.

Every problem of the file is collected and reported once, with its line; an unknown key is an
error that names the nearest valid one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any, Literal, TypeVar, get_args

import yaml
from pydantic import (
    BaseModel,
    Discriminator,
    Field,
    Tag,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails

from asrdq.calibration_settings import CalibrationEntry
from asrdq.errors import Problem, UsageError, counted, nearest
from asrdq.places import Place
from asrdq.strict import Share, Strict
from asrdq.watch_settings import WatchSettings

__all__ = [
    "SETTINGS_FILE",
    "AuditSettings",
    "CalibrationEntry",
    "IngestSettings",
    "RaySettings",
    "SamplingSettings",
    "Settings",
    "Share",
    "Strata",
    "StratumRule",
    "Strict",
    "WatchSettings",
    "compose_yaml",
    "read_settings",
    "read_yaml_model",
    "repeated_keys",
]

SETTINGS_FILE = "asrdq.yaml"

Engine = Literal["local", "ray"]

ModelT = TypeVar("ModelT", bound=BaseModel)


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


def read_yaml_model(path: Place, model: type[ModelT]) -> ModelT:
    """Read a YAML file into a strict model, collecting every problem with its line.

    Raises:
        UsageError: As for `read_settings`.
    """
    text, root = compose_yaml(path, empty_hint="`asrdq init` writes one that is not")
    with _telling_of(path):
        data = yaml.safe_load(text)
    problems = list(repeated_keys(path, root))
    try:
        read = model.model_validate(data)
    except ValidationError as error:
        problems += (problem_at(path, root, model, item) for item in error.errors())
    if problems:
        problems.sort(key=lambda problem: problem.line or 0)
        raise UsageError(
            f"{counted(len(problems), 'problem')} in {path.name}",
            problems=problems,
        )
    return read


def compose_yaml(path: Place, *, empty_hint: str) -> tuple[str, yaml.Node]:
    """Return the text of a YAML file and its nodes, which know their lines.

    Raises:
        UsageError: The file is missing, empty, or no UTF-8 or YAML.
    """
    with _telling_of(path):
        text = path.read_text(encoding="utf-8")
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    if root is None:
        raise UsageError("is empty", where=str(path), hint=empty_hint)
    return text, root


@contextmanager
def _telling_of(path: Place) -> Iterator[None]:
    """Turn what reading a YAML file raises into an error that names the file."""
    try:
        yield
    except FileNotFoundError as error:
        raise UsageError("no such file", where=str(path)) from error
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", where=str(path)) from error
    except UnicodeDecodeError as error:
        raise UsageError("is not valid UTF-8", where=str(path)) from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{path}:{mark.line + 1}" if mark else str(path)
        reason = getattr(error, "problem", None) or error
        raise UsageError(f"is not valid YAML: {reason}", where=place) from error
    except RecursionError as error:
        raise UsageError("is nested too deeply, or in itself", where=str(path)) from error


def repeated_keys(path: Place, root: yaml.Node) -> Iterator[Problem]:
    """Give the keys that stand twice in a mapping: YAML itself would take the last."""
    waiting, seen = [root], set[int]()
    while waiting:
        node = waiting.pop()
        if id(node) in seen:  # named by an alias
            continue
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            waiting += node.value
        if isinstance(node, yaml.MappingNode):
            lines: dict[str, int] = {}
            for key, value in node.value:
                line = key.start_mark.line + 1
                if key.value in lines:
                    first = lines[key.value]
                    yield Problem(f"key '{key.value}' stands on line {first} too", path.name, line)
                lines.setdefault(key.value, line)
                waiting.append(value)


def problem_at(
    path: Place, root: yaml.Node | None, model: type[BaseModel], item: ErrorDetails
) -> Problem:
    """Return what is wrong with one value of a file, in words, with its line."""
    line = line_of(root, item["loc"])
    if item["type"] == "extra_forbidden":
        key = str(item["loc"][-1])
        fields = _valid_keys(model, item["loc"])
        guess = nearest(key, fields)
        advice = f"did you mean '{guess}'?" if guess else f"valid: {', '.join(fields)}"
        return Problem(f"unknown key '{key}': {advice}", path.name, line)
    key = ".".join(str(part) for part in item["loc"] if part not in _UNION_TAGS)
    message = item["msg"].removeprefix("Value error, ")
    return Problem(f"{key}: {message}" if key else message, path.name, line)


_UNION_TAGS = ("column", "columns", "rules", "word", "number", "languages", "values")


def line_of(root: yaml.Node | None, location: Sequence[int | str]) -> int | None:
    """Return the line of a location such as `("scores", 0, "hyps")`, or of what is nearest to it.

    Args:
        root: The nodes of the file, from `compose_yaml`.
        location: Keys and numbers of items, from the root on.
    """
    node, line = root, None if root is None else root.start_mark.line + 1
    for part in location:
        if isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            node = node.value[part]
            line = node.start_mark.line + 1
        elif isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if key.value == str(part):
                    node, line = value, key.start_mark.line + 1
                    break
    return line


def _valid_keys(model: type[BaseModel], location: Sequence[int | str]) -> list[str]:
    """Return the keys that are valid in the mapping of a location."""
    fields, inner = list(model.model_fields), model
    for part in location:
        found = inner.model_fields.get(str(part))
        inner = _model_in(found.annotation) or inner if found else inner
        if found and inner.model_fields:
            fields = list(inner.model_fields)
    return fields


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for part in get_args(annotation):
        model = _model_in(part)
        if model is not None:
            return model
    return None
