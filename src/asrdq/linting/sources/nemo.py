"""NeMo configurations: YAML for Hydra, interpolations resolved, overrides on top."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from asrdq.errors import UsageError
from asrdq.linting.config import Config, Dialect, Family, Fault, Knob, Setting, Unknown
from asrdq.linting.registry import reader_rule
from asrdq.linting.sources.families import families_of_name
from asrdq.linting.sources.overrides import Override, faults_of
from asrdq.linting.sources.tree import (
    NOTHING,
    environment_unknown,
    first_line,
    flat,
    plain,
    read_tree,
    register_resolvers,
    select,
    texts_in,
)
from asrdq.linting.sources.yaml_text import YamlText
from asrdq.planning.findings import Level

KEYS: Mapping[Knob, tuple[tuple[str, ...], Any]] = {
    Knob.BASE_MODEL: (
        ("init_from_pretrained_model", "init_from_nemo_model", "init_from_ptl_ckpt"),
        None,
    ),
    Knob.ADAPTERS: (("model.adapter",), None),
    Knob.PRECISION: (("trainer.precision",), 32),
    Knob.LEARNING_RATE: (("model.optim.lr",), None),
    Knob.SCHEDULE: (("model.optim.sched.name",), None),
    Knob.SCHEDULE_MAX_STEPS: (("model.optim.sched.max_steps",), None),
    Knob.WARMUP_STEPS: (("model.optim.sched.warmup_steps",), None),
    Knob.WARMUP_RATIO: (("model.optim.sched.warmup_ratio",), None),
    Knob.MAX_STEPS: (("trainer.max_steps",), -1),
    Knob.MAX_EPOCHS: (("trainer.max_epochs",), None),
    Knob.GRADIENT_CLIP: (("trainer.gradient_clip_val",), 0.0),
    Knob.ACCUMULATION: (("trainer.accumulate_grad_batches",), 1),
    Knob.DEVICES: (("trainer.devices",), None),
    Knob.NODES: (("trainer.num_nodes",), 1),
    Knob.VAL_INTERVAL: (("trainer.val_check_interval",), None),
    Knob.VAL_EVERY_EPOCHS: (("trainer.check_val_every_n_epoch",), 1),
    Knob.LIMIT_VAL_BATCHES: (("trainer.limit_val_batches",), None),
    Knob.LOG_INTERVAL: (("trainer.log_every_n_steps",), 50),
    Knob.BATCH_SIZE: (("model.train_ds.batch_size",), None),
    Knob.BATCH_DURATION: (("model.train_ds.batch_duration",), None),
    Knob.VAL_BATCH_SIZE: (("model.validation_ds.batch_size",), None),
    Knob.VAL_BATCH_DURATION: (("model.validation_ds.batch_duration",), None),
    Knob.MIN_DURATION: (("model.train_ds.min_duration",), None),
    Knob.MAX_DURATION: (("model.train_ds.max_duration",), None),
    Knob.MONITOR: (("exp_manager.checkpoint_callback_params.monitor",), "val_loss"),
    Knob.MODEL_WIDTH: (("model.optim.sched.d_model",), None),
    Knob.LABELS: (("model.labels", "model.train_ds.labels", "model.char_labels.labels"), None),
    Knob.TOKENIZER: (("model.tokenizer.dir",), None),
}
"""The keys of each knob, the one that counts first, and what NeMo and Lightning take without."""

_DATASETS = ("train_ds", "validation_ds", "test_ds")
_SECTIONS = ("trainer", "model", "model.train_ds")
_PATHS = ("manifest_filepath", "tarred_audio_filepaths", "input_cfg", "shar_path")

_FAILING = ("Interpolation key", "Recursive interpolation")
"""How the reasons begin that an interpolation fails for wherever it runs."""

reader_rule(
    "broken-interpolation",
    Level.ERROR,
    reason="The job stops when it reads a value that points at a key which is not there, or at "
    "itself.",
    mend="correct the key between ${ and }",
)
reader_rule(
    "section-without-settings",
    Level.ERROR,
    reason="NeMo builds the trainer, the model and the loader of its training data from these "
    "sections and stops without them.",
    mend="give the settings of the section, and leave out an override that clears it",
)
reader_rule(
    "value-to-be-given",
    Level.NOTE,
    reason="A value `???` has to be given at launch; the job stops without it.",
    mend="give it with --override KEY=VALUE to have it checked too",
)


def read_nemo(name: str, text: str, root: yaml.Node, overrides: Sequence[Override]) -> Config:
    """Read a NeMo configuration.

    Args:
        name: The file.
        text: Its text.
        root: Its nodes.
        overrides: What the command line says on top.

    Raises:
        UsageError: It cannot be read.
    """
    with environment_unknown():
        return _Reading(name, text, root, overrides).config()


class _Reading:
    def __init__(
        self, name: str, text: str, root: yaml.Node, overrides: Sequence[Override]
    ) -> None:
        self.yaml = YamlText(name, text, root)
        self.name = name
        register_resolvers()
        self.plain, self.tree = read_tree(name, text), read_tree(name, text)
        self.faults = faults_of(overrides, dict(flat(self.raw(self.plain))))
        self.given: dict[str, Override] = {}
        for each in overrides:
            self._apply(each)

    @staticmethod
    def raw(tree: DictConfig) -> dict[str, Any]:
        found = OmegaConf.to_container(tree, resolve=False)
        assert isinstance(found, dict)
        return {str(key): value for key, value in found.items()}

    def _apply(self, override: Override) -> None:
        try:
            value = None if override.sign == "~" else override.value
            OmegaConf.update(self.tree, override.key, value, force_add=True)
        except (OmegaConfBaseException, AssertionError, TypeError) as error:
            raise UsageError(
                f"--override {override.text} cannot be applied: {first_line(error)}"
            ) from error
        self.given[override.key] = override

    def config(self) -> Config:
        settings = {knob: self._first(knob, self.tree) for knob in KEYS}
        before = {
            knob: self._first(knob, self.plain)
            for knob, found in settings.items()
            if found.key in self.given
        }
        raw = self.raw(self.tree)
        self.faults += self._values_that_fail(raw)
        if "exp_manager" not in raw:
            settings[Knob.MONITOR] = self.yaml.setting(KEYS[Knob.MONITOR][0][0], None)
        families = self._families(settings)
        endless, maybe = self._endless()
        label = f"{self.value('name')} {self.name}".lower()
        return Config(
            name=self.name,
            dialect=Dialect.NEMO,
            settings=settings,
            families=families,
            trained=self._trained(raw),
            endless=endless,
            maybe_endless=maybe,
            smoke="smoke" in label or bool(self.value("trainer.fast_dev_run")),
            rates=(settings[Knob.LEARNING_RATE],),
            both_sizes=tuple(self._both_sizes()),
            paths=tuple(self._paths()),
            before=before,
            faults=tuple(self.faults),
            notes=self._notes(raw),
            texts={self.name: self.yaml.text},
            insert=self.yaml.insertion,
        )

    def _first(self, knob: Knob, tree: DictConfig) -> Setting:
        keys, default = KEYS[knob]
        for key in keys:
            value = select(tree, key)
            if value is not NOTHING and (value is not None or len(keys) == 1):
                return self._setting(key, value, tree)
        return self._setting(keys[0], default, tree)

    def _setting(self, key: str, value: Any, tree: DictConfig) -> Setting:
        value = plain(value)
        if tree is self.tree and key in self.given:
            return self.given[key].setting(value)
        return self.yaml.setting(key, value)

    def value(self, key: str) -> Any:
        """Return the value of a key, None where it is missing or not known."""
        found = select(self.tree, key)
        return None if found is NOTHING or isinstance(found, Unknown) else found

    def _values_that_fail(self, raw: dict[str, Any]) -> Iterator[Fault]:
        missing = [key for key, value in flat(raw) if value == "???"]
        if missing:
            at = self._setting(missing[0], None, self.tree)
            told = f"to be given at launch: {', '.join(missing)}"
            yield Fault("value-to-be-given", told, at)
        for section in _SECTIONS:
            found = select(self.tree, section)
            if found is not NOTHING and not isinstance(found, (DictConfig, Unknown)):
                at = self._setting(section, found, self.tree)
                yield Fault("section-without-settings", f"{section} has no settings", at)
        for key, written in flat(raw):
            if isinstance(written, str) and "${" in written:
                value = select(self.tree, key)
                if isinstance(value, Unknown) and value.why.startswith(_FAILING):
                    at = self._setting(key, value, self.tree)
                    yield Fault("broken-interpolation", f"{key}: {written}: {value.why}", at)

    def _families(self, settings: Mapping[Knob, Setting]) -> frozenset[Family]:
        base = settings[Knob.BASE_MODEL].value
        found = set(families_of_name(base)) if isinstance(base, str) else set()
        loss, decoding = self.value("model.loss.loss_name"), self.value("model.decoding.model_type")
        targets = [
            str(self.value(f"model.{part}._target_"))
            for part in ("decoder", "joint", "aux_ctc.decoder", "transf_decoder")
        ]
        if "tdt" in (loss, decoding):
            found.add(Family.TDT)
        elif any("RNNT" in target for target in targets):
            found.add(Family.RNNT)
        if any("ConvASRDecoder" in target for target in targets):
            found.add(Family.CTC)
        if "transformer" in targets[3]:
            found.add(Family.AED)
        return frozenset(found)

    def _trained(self, raw: dict[str, Any]) -> bool | None:
        keys = KEYS[Knob.BASE_MODEL][0]
        if any(raw.get(key) is not None for key in keys):
            return True
        if self.value("model.encoder._target_") is not None:
            return False
        return None

    def _endless(self) -> tuple[str | None, str | None]:
        """Return why the training data have no end, or why they may have none."""
        data = self.value("model.train_ds")
        if not isinstance(data, DictConfig):
            return None, None
        says = {str(key): select(data, str(key)) for key in data}
        if not (says.get("use_lhotse") is True or says.get("input_cfg") is not None):
            return None, None
        if says.get("force_finite") is True or says.get("force_map_dataset") is True:
            return None, None
        for key in ("input_cfg", "shar_path", "tarred_audio_filepaths", "is_tarred"):
            if says.get(key) not in (None, False):
                return f"model.train_ds.{key} makes Lhotse repeat the data without an end", None
        if isinstance(says.get("manifest_filepath"), Unknown):
            return None, "Lhotse repeats tar shards and several manifests without an end"
        return None, None

    def _both_sizes(self) -> Iterator[Setting]:
        for part in _DATASETS:
            size, duration = (f"model.{part}.batch_size", f"model.{part}.batch_duration")
            if self.value(size) is not None and self.value(duration) is not None:
                yield self._setting(size, self.value(size), self.tree)

    def _paths(self) -> Iterator[Setting]:
        for part in _DATASETS:
            if self.value(f"model.{part}.hf_data_cfg") is not None:
                continue  # the manifest is a word that nothing opens
            for name in _PATHS:
                key = f"model.{part}.{name}"
                for path in texts_in(self.value(key), _PATHS):
                    yield self._setting(key, path, self.tree)
        for key in ("model.tokenizer.dir", "init_from_nemo_model"):
            if isinstance(path := self.value(key), str):
                yield self._setting(key, path, self.tree)

    def _notes(self, raw: dict[str, Any]) -> tuple[str, ...]:
        if "defaults" not in raw:
            return ()
        return (
            f"{self.name} has `defaults`: what they bring in is not read; lint what Hydra makes "
            "of it, as `python train.py --cfg job > composed.yaml` writes it",
        )
