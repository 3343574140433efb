"""Our own recipes as the rules see them, each value with the file and line it comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import yaml

from asrdq.linting.config import Config, Dialect, Family, Knob, Setting
from asrdq.linting.sources.families import families_of_name
from asrdq.linting.sources.overrides import ON_THE_COMMAND_LINE, Override, faults_of
from asrdq.linting.sources.yaml_text import YamlText
from asrdq.places import Place, place
from asrdq.recipes import Recipe, RecipeFile, read_recipe_file
from asrdq.recipes.layers import Layer, joined, read_layers

if TYPE_CHECKING:
    from asrdq.workspace import Workspace

KEYS: Mapping[Knob, str] = {
    Knob.BASE_MODEL: "model.base",
    Knob.ADAPTERS: "model.lora",
    Knob.PRECISION: "trainer.precision",
    Knob.LEARNING_RATE: "optimiser.lr",
    Knob.SCHEDULE: "schedule.name",
    Knob.WARMUP_STEPS: "schedule.warmup_steps",
    Knob.WARMUP_RATIO: "schedule.warmup_share",
    Knob.MAX_STEPS: "schedule.max_steps",
    Knob.MAX_EPOCHS: "schedule.epochs",
    Knob.GRADIENT_CLIP: "trainer.gradient_clip",
    Knob.ACCUMULATION: "trainer.accumulation",
    Knob.EFFECTIVE_BATCH: "trainer.effective_batch",
    Knob.DEVICES: "trainer.devices",
    Knob.NODES: "trainer.nodes",
    Knob.VAL_INTERVAL: "trainer.val_check_interval",
    Knob.LIMIT_VAL_BATCHES: "trainer.limit_val_batches",
    Knob.LOG_INTERVAL: "trainer.log_every_n_steps",
    Knob.BATCH_SIZE: "data.batch_size",
    Knob.BATCH_DURATION: "data.batch_duration_s",
    Knob.MIN_DURATION: "data.min_duration_s",
    Knob.MAX_DURATION: "data.max_duration_s",
    Knob.MONITOR: "checkpoints.monitor",
    Knob.METRIC: "evaluation.metric",
    Knob.TOKENIZER: "model.tokenizer",
}


def read_recipe_config(
    name: str | Place, overrides: Sequence[Override], workspace: Workspace | None = None
) -> Config:
    """Read a recipe by name or path.

    Raises:
        UsageError: As `read_recipe_file`.
    """
    read = read_recipe_file(name, workspace)
    keys = {value.key: value.value for value in read.resolved()}
    keys |= {above: None for key in list(keys) for above in _above(key)}
    faults = faults_of(overrides, keys)
    refused = {fault.setting.key for fault in faults}
    sound = [each for each in overrides if each.key not in refused]
    changed = _changed(read, sound)
    return _Reading(changed, read.recipe, {each.key: each for each in sound}).config(tuple(faults))


def _above(key: str) -> list[str]:
    parts = key.split(".")
    return [".".join(parts[:end]) for end in range(1, len(parts))]


def _changed(read: RecipeFile, overrides: Sequence[Override]) -> RecipeFile:
    """Return a recipe with overrides as its last layer, checked as a file is."""
    if not overrides:
        return read
    data: dict[str, Any] = {}
    for each in overrides:
        value: Any = None if each.sign == "~" else each.value
        for part in reversed(each.key.split(".")):
            value = {part: value}
        data = joined([data, value])
    root = yaml.compose(yaml.safe_dump(data))
    assert root is not None
    layer = Layer(place(ON_THE_COMMAND_LINE), root, data)
    layers = (*read.layers, layer)
    return RecipeFile(read_layers(layers, Recipe), layers)


class _Reading:
    def __init__(self, read: RecipeFile, plain: Recipe, given: Mapping[str, Override]) -> None:
        self.read, self.plain, self.given = read, plain, given
        files = [layer for layer in read.layers if str(layer.file) != ON_THE_COMMAND_LINE]
        self.texts = {
            str(layer.file): YamlText(
                str(layer.file), layer.file.read_text(encoding="utf-8"), layer.root
            )
            for layer in files
        }
        self.own = self.texts[str(files[-1].file)]

    def config(self, faults: tuple[Any, ...]) -> Config:
        recipe = self.read.recipe
        settings = {knob: self._setting(key, recipe) for knob, key in KEYS.items()}
        settings |= self._derived(settings, recipe)
        rates = [settings[Knob.LEARNING_RATE]]
        for index, stage in enumerate(recipe.stages):
            rates += [
                self._at(f"stages.{index}.lr.{group}", rate) for group, rate in stage.lr.items()
            ]
        return Config(
            name=self.own.file,
            dialect=Dialect.RECIPE,
            settings=settings,
            families=_families(recipe),
            trained=True,
            smoke="smoke" in recipe.name,
            rates=tuple(rates),
            paths=tuple(
                settings[knob]
                for knob in (Knob.BASE_MODEL, Knob.TOKENIZER)
                if str(settings[knob].value or "").startswith(("/", "./"))
            ),
            before={
                knob: self._setting(key, self.plain)
                for knob, key in KEYS.items()
                if key in self.given
            },
            faults=faults,
            recipe=recipe,
            texts={name: text.text for name, text in self.texts.items()},
            insert=self.own.insertion,
        )

    def _setting(self, key: str, recipe: Recipe) -> Setting:
        section, _, name = key.partition(".")
        return self._at(key, getattr(getattr(recipe, section), name))

    def _at(self, key: str, value: Any) -> Setting:
        if key in self.given:
            return self.given[key].setting(value)
        origin = self.read.origin(*(int(p) if p.isdigit() else p for p in key.split(".")))
        if origin is None:
            return self.own.setting(key, value)
        if str(origin.file) == self.own.file:
            found = self.own.setting(key, value)
            return (
                found
                if found.written is not None
                else Setting(key, value, self.own.file, origin.line, "")
            )
        return Setting(key, value, str(origin.file), origin.line, "")

    def _derived(self, settings: Mapping[Knob, Setting], recipe: Recipe) -> dict[Knob, Setting]:
        factor = self._setting("data.validation_batch_factor", recipe)
        found = {}
        pairs = (
            (Knob.BATCH_SIZE, Knob.VAL_BATCH_SIZE),
            (Knob.BATCH_DURATION, Knob.VAL_BATCH_DURATION),
        )
        for train, validation in pairs:
            size = settings[train].value
            times = None if size is None else size * factor.value
            found[validation] = Setting(factor.key, times, factor.file, factor.line, factor.written)
        if settings[Knob.VAL_INTERVAL].value is None:
            at = self._setting("evaluation.per_epoch", recipe)
            share = 1.0 / float(at.value)
            found[Knob.VAL_INTERVAL] = Setting(at.key, share, at.file, at.line, at.written or "")
        return found


def _families(recipe: Recipe) -> frozenset[Family]:
    if recipe.model.family != "hybrid":
        return frozenset({Family(recipe.model.family)})
    return frozenset({Family.CTC}) | (families_of_name(recipe.model.base) or {Family.RNNT})
