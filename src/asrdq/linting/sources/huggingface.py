"""TrainingArguments of Hugging Face, and dataclasses of scripts that say the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

import yaml

from asrdq.linting.config import Config, Dialect, Knob, Setting, Unknown
from asrdq.linting.findings import Edit
from asrdq.linting.sources.families import families_of_name
from asrdq.linting.sources.overrides import Override, faults_of
from asrdq.linting.sources.python_text import PythonText
from asrdq.linting.sources.training_arguments import (
    ADAPTERS,
    ARGUMENTS,
    FIELDS,
    KNOWN,
    PATHS,
    STRATEGIES,
)
from asrdq.linting.sources.tree import typed
from asrdq.linting.sources.yaml_text import YamlText

_OWN = ("per_device_train_batch_size", "num_train_epochs")
"""Names that a file has only where it is really one of TrainingArguments, with their defaults."""


class _Source(Protocol):
    """Text whose names know where they stand."""

    text: str

    def setting(self, key: str, value: object) -> Setting: ...

    def insertion(self, key: str, value: str) -> Edit | None: ...


def read_arguments(
    name: str, text: str, root: yaml.Node, values: Mapping[str, Any], overrides: Sequence[Override]
) -> Config:
    """Read TrainingArguments from JSON or YAML.

    Args:
        name: The file.
        text: Its text.
        root: Its nodes.
        values: What it says.
        overrides: What the command line says on top.
    """
    plain = {str(key): typed(value) for key, value in values.items()}
    return _Arguments(name, YamlText(name, text, root), plain, overrides, ()).config()


def read_source(name: str, text: str, overrides: Sequence[Override]) -> Config:
    """Read TrainingArguments from Python source, which is not run.

    Raises:
        UsageError: It is no Python, or says nothing about training.
    """
    source = PythonText(name, text)
    return _Arguments(name, source, source.values(), overrides, source.notes).config()


def looks_like_arguments(values: Mapping[str, Any]) -> bool:
    """Return whether the keys of a file are those of TrainingArguments."""
    return sum(str(key) in KNOWN for key in values) >= 2


class _Arguments:
    def __init__(
        self,
        name: str,
        source: _Source,
        values: Mapping[str, Any],
        overrides: Sequence[Override],
        notes: tuple[str, ...],
    ) -> None:
        self.name, self.source, self.notes = name, source, notes
        self.plain = dict(values)
        self.values = dict(values)
        self.given = {each.key: each for each in overrides if each.sign != "~"}
        self.faults = faults_of(overrides, dict.fromkeys([*values, *ARGUMENTS]))
        self.values |= {key: each.value for key, each in self.given.items()}
        self.own = any(key in self.values for key in _OWN)

    def config(self) -> Config:
        settings = {knob: self._first(knob) for knob in FIELDS}
        settings[Knob.PRECISION] = self._precision()
        settings[Knob.ADAPTERS] = self._adapters()
        settings |= self._evaluation(settings) | self._warmup(settings) | self._monitor()
        before = {
            knob: self.source.setting(found.key, self.plain.get(found.key))
            for knob, found in settings.items()
            if found.key in self.given and found.key in self.plain
        }
        base = settings[Knob.BASE_MODEL].value
        label = f"{self.values.get('run_name')} {self.name}".lower()
        return Config(
            name=self.name,
            dialect=Dialect.HUGGING_FACE,
            settings=settings,
            families=families_of_name(base) if isinstance(base, str) else frozenset(),
            trained=True if isinstance(base, str) else None,
            smoke="smoke" in label,
            rates=self._rates(settings),
            paths=tuple(self._paths()),
            before=before,
            faults=tuple(self.faults),
            notes=self._notes(settings),
            texts={self.name: self.source.text},
            insert=self.source.insertion,
        )

    def _first(self, knob: Knob) -> Setting:
        names, default = FIELDS[knob]
        for name in names:
            if name in self.values:
                return self._setting(name)
        return self.source.setting(names[0], default if self.own else None)

    def _setting(self, name: str) -> Setting:
        if name in self.given:
            return self.given[name].setting(self.given[name].value)
        return self.source.setting(name, self.values[name])

    def _precision(self) -> Setting:
        for name in ("fp16", "bf16"):
            if self.values.get(name) is True:
                found = self._setting(name)
                value = f"{name}-mixed"
                return Setting(name, value, found.file, found.line, found.written)
        said = any(name in self.values for name in ("fp16", "bf16"))
        return self.source.setting("bf16", "fp32" if self.own or said else None)

    def _adapters(self) -> Setting:
        for name in ADAPTERS:
            if self.values.get(name):
                return self._setting(name)
        return self.source.setting(ADAPTERS[0], None)

    def _evaluation(self, settings: Mapping[Knob, Setting]) -> dict[Knob, Setting]:
        """Return when it is validated: by steps, every epoch (1.0), or never (null)."""
        strategy = next((name for name in STRATEGIES if name in self.values), None)
        if strategy is None and not self.own:
            return {}
        says = "no" if strategy is None else str(self.values[strategy])
        found = settings[Knob.VAL_INTERVAL]
        at = self._setting(strategy) if strategy else self.source.setting(STRATEGIES[0], None)
        if says == "epoch":
            return {Knob.VAL_INTERVAL: _with(at, 1.0)}
        if says == "no":
            return {Knob.VAL_INTERVAL: Setting(at.key, None, at.file, at.line)}
        if not found.known:
            return {Knob.VAL_INTERVAL: _with(at, settings[Knob.LOG_INTERVAL].value)}
        return {}

    def _warmup(self, settings: Mapping[Knob, Setting]) -> dict[Knob, Setting]:
        """Return a share below 1 that stands in the place of steps as what it is."""
        at = settings[Knob.WARMUP_STEPS]
        if not isinstance(at.value, float) or not 0 < at.value < 1:
            return {}
        return {Knob.WARMUP_RATIO: at, Knob.WARMUP_STEPS: _with(at, 0)}

    def _monitor(self) -> dict[Knob, Setting]:
        """Return what the best model is chosen by where nobody says it."""
        name = FIELDS[Knob.MONITOR][0][0]
        if self.values.get("load_best_model_at_end") is not True or name in self.values:
            return {}
        return {Knob.MONITOR: self.source.setting(name, "loss")}

    def _rates(self, settings: Mapping[Knob, Setting]) -> tuple[Setting, ...]:
        base = settings[Knob.LEARNING_RATE]
        more = (key for key in self.values if key.endswith(("_lr", "_learning_rate")))
        return (base, *(self._setting(key) for key in more if not key.startswith("min")))

    def _paths(self) -> Iterator[Setting]:
        for name in PATHS:
            if isinstance(self.values.get(name), str):
                yield self._setting(name)

    def _notes(self, settings: Mapping[Knob, Setting]) -> tuple[str, ...]:
        open_ = [found for found in settings.values() if isinstance(found.value, Unknown)]
        told = tuple(f"{found.key}: {found.value.why}: not looked at" for found in open_)
        return (*self.notes, *told)


def _with(setting: Setting, value: object) -> Setting:
    return Setting(setting.key, value, setting.file, setting.line, setting.written)
