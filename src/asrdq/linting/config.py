"""A training configuration as the rules see it, whatever framework it is written for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from asrdq.linting.findings import Edit
from asrdq.recipes import Recipe


class Dialect(StrEnum):
    """What a configuration is written for."""

    RECIPE = "recipe"
    NEMO = "nemo"
    HUGGING_FACE = "hf"


class Knob(StrEnum):
    """What a configuration decides, under whatever name its framework has for it."""

    BASE_MODEL = "base model"
    ADAPTERS = "adapters"
    PRECISION = "precision"
    LEARNING_RATE = "learning rate"
    SCHEDULE = "schedule"
    SCHEDULE_MAX_STEPS = "steps of the schedule"
    WARMUP_STEPS = "warm-up steps"
    WARMUP_RATIO = "warm-up ratio"
    MAX_STEPS = "steps"
    MAX_EPOCHS = "epochs"
    GRADIENT_CLIP = "gradient clipping"
    ACCUMULATION = "accumulation"
    DEVICES = "devices"
    NODES = "nodes"
    VAL_INTERVAL = "validation interval"
    VAL_EVERY_EPOCHS = "epochs between validations"
    LIMIT_VAL_BATCHES = "limit of validation batches"
    LOG_INTERVAL = "logging interval"
    BATCH_SIZE = "batch size"
    BATCH_DURATION = "batch duration"
    VAL_BATCH_SIZE = "validation batch size"
    VAL_BATCH_DURATION = "validation batch duration"
    MIN_DURATION = "shortest clip"
    MAX_DURATION = "longest clip"
    MONITOR = "checkpoint monitor"
    METRIC = "reported metric"
    EFFECTIVE_BATCH = "effective batch"
    MODEL_WIDTH = "width of the model"
    LABELS = "labels"
    TOKENIZER = "tokenizer"


class Family(StrEnum):
    """How a model gets from audio to text."""

    CTC = "ctc"
    RNNT = "rnnt"
    TDT = "tdt"
    AED = "aed"
    QWEN3_ASR = "qwen3-asr"
    WHISPER = "whisper"


TRANSDUCERS = frozenset({Family.TDT, Family.RNNT})


class Unknown:
    """A value that is decided only where the job runs."""

    def __init__(self, why: str) -> None:
        self.why = why

    def __repr__(self) -> str:
        return f"Unknown({self.why!r})"


@dataclass(frozen=True, slots=True)
class Setting:
    """One value of a configuration.

    Attributes:
        key: What the file calls it, such as `trainer.precision`.
        value: Its value, interpolations resolved; `Unknown` where it cannot be known here.
        file: The file, or `--override`.
        line: Its line; of the section that lacks it where it is a default of the framework.
        written: What the file says; None where it says nothing.
        span: Where that stands in the text of the file; None where it cannot be edited.
    """

    key: str
    value: Any
    file: str
    line: int | None = None
    written: str | None = None
    span: tuple[int, int] | None = None

    @property
    def known(self) -> bool:
        """Whether the value is known and not null."""
        return self.value is not None and not isinstance(self.value, Unknown)

    @property
    def interpolated(self) -> bool:
        """Whether it takes its value from another key."""
        return self.written is not None and "${" in self.written


@dataclass(frozen=True, slots=True)
class Fault:
    """A mistake that the reader of a configuration found itself.

    Attributes:
        rule: Id of the rule that it breaks.
        message: What is wrong.
        setting: Where.
    """

    rule: str
    message: str
    setting: Setting


@dataclass(frozen=True)
class Config:
    """A training configuration.

    Attributes:
        name: The file, or the name of a recipe.
        dialect: What it is written for.
        settings: What it decides, and the defaults of the framework where it says nothing.
        families: How the model gets to text; several where it is a hybrid, none where unknown.
        trained: Whether it starts from a trained model; None where that is not said.
        endless: Why the training data never end; None where they do, or where it is not said.
        maybe_endless: Why they may have no end, where it is not known which data they are.
        smoke: Whether it is meant as a smoke run.
        rates: Every learning rate that it names.
        both_sizes: `batch_size` keys that stand beside a `batch_duration`.
        paths: Paths that the job opens.
        before: Settings that command-line overrides took the place of.
        faults: What its reader found.
        notes: What a person should know of how it was read.
        recipe: The recipe, where it is one.
        texts: The text of each file that says a part of it, for comments.
        insert: Makes the edit that adds a key which the file lacks, None where that is unsafe.
    """

    name: str
    dialect: Dialect
    settings: Mapping[Knob, Setting]
    families: frozenset[Family] = frozenset()
    trained: bool | None = None
    endless: str | None = None
    maybe_endless: str | None = None
    smoke: bool = False
    rates: tuple[Setting, ...] = ()
    both_sizes: tuple[Setting, ...] = ()
    paths: tuple[Setting, ...] = ()
    before: Mapping[Knob, Setting] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()
    notes: tuple[str, ...] = ()
    recipe: Recipe | None = None
    texts: Mapping[str, str] = field(default_factory=dict)
    insert: Callable[[str, str], Edit | None] = lambda key, value: None

    def get(self, knob: Knob) -> Setting | None:
        """Return a setting that is known and not null, else None."""
        found = self.settings.get(knob)
        return found if found is not None and found.known else None

    def number(self, knob: Knob) -> float | None:
        """Return the number of a setting, None where there is none."""
        found = self.get(knob)
        if found is None or isinstance(found.value, bool):
            return None
        return float(found.value) if isinstance(found.value, (int, float)) else None

    def word(self, knob: Knob) -> str | None:
        """Return the text of a setting, None where there is none."""
        found = self.get(knob)
        return found.value if found is not None and isinstance(found.value, str) else None

    @property
    def model(self) -> str:
        """The base model in lower case without its owner; empty where it is not said."""
        return (self.word(Knob.BASE_MODEL) or "").lower().rpartition("/")[2]
