"""The files of a bundle."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import yaml

from asrdq.handoff import standalone
from asrdq.handoff.asked import FORMATS
from asrdq.handoff.audio import looked_up_there, write_listing
from asrdq.handoff.deployment import deployment_text
from asrdq.handoff.environment import environment_text
from asrdq.handoff.figures import Figures, figures_of, machine_of
from asrdq.handoff.nemo_config import TRAIN_FILE, VALIDATION_FILE, nemo_config
from asrdq.handoff.provenance import provenance_body, seal
from asrdq.handoff.providers import provisioning_text, read_providers, stop_script
from asrdq.handoff.readme import readme_text
from asrdq.handoff.result import FILES
from asrdq.manifests import Rewriting, export_manifest

if TYPE_CHECKING:
    from asrdq.console import Stage
    from asrdq.handoff.asked import Asked
    from asrdq.handoff.conditions import Conditions
    from asrdq.recipes import Recipe

LAUNCH = ("common.sh", "local.sh", "torchrun.sh", "multinode.sh", "docker.sh", "slurm.sh")
IMAGES = {"nemo": "nvcr.io/nvidia/nemo:25.11.01", "qwen": "qwenllm/qwen3-asr:latest"}
"""The container of each backend; `ASRDQ_IMAGE`, set before a launch script runs, names another."""
_DEFAULT_TIME = "24:00:00"


@dataclass(frozen=True)
class Bundle:
    """A bundle that was written.

    Attributes:
        bundle_id: SHA-256 of its provenance.
        recipe_hash: SHA-256 of the resolved recipe.
        script: The launch script for this plan.
        notes: What a person should know.
        files: One row a file, schema `FILES`.
    """

    bundle_id: str
    recipe_hash: str
    script: str
    notes: tuple[str, ...]
    files: pa.Table


def write_bundle(asked: Asked, conditions: Conditions, folder: Path, stage: Stage) -> Bundle:
    """Fill an empty folder.

    Args:
        asked: What is handed off.
        conditions: What was found; nothing stands against it.
        folder: The folder, which takes its place afterwards.
        stage: Shows progress.

    Raises:
        UsageError: Settings have mistakes.
        DataError: A row cannot stand in the format of the backend.
    """
    recipe = asked.recipe.recipe
    figures = figures_of(asked)
    notes = _write_data(asked, conditions, folder, stage)
    recipe_hash, beyond = _write_config(asked, figures, folder)
    script = _script(figures)
    _write_launch(asked, conditions, figures, folder, plain=not beyond)
    texts = {
        "README.md": readme_text(asked, conditions, figures, script, beyond),
        "DEPLOYMENT.md": deployment_text(recipe),
        "PROVISIONING.md": provisioning_text(
            read_providers(asked.workspace),
            machine_of(asked, figures, conditions.audio.mounts(asked.path_map.prefixes)),
            asked.out.name,
            IMAGES[asked.backend],
            script,
        ),
    }
    for name, text in texts.items():
        _write(folder / name, text)
    shutil.copyfile(standalone.__file__, folder / "verify.py")
    bundle_id, rows = seal(folder, provenance_body(asked, conditions, figures, recipe_hash))
    files = pa.Table.from_pylist(rows, schema=FILES)
    return Bundle(bundle_id, recipe_hash, script, tuple(notes), files)


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text.encode())


def _write_data(asked: Asked, conditions: Conditions, folder: Path, stage: Stage) -> list[str]:
    """Write both manifests and the list of audio; return what a person should know."""
    mapped = bool(asked.path_map.prefixes)
    rewriting = Rewriting(asked.path_map, check=looked_up_there) if mapped else None
    notes: list[str] = []
    for manifest, file in ((asked.train, TRAIN_FILE), (asked.validation, VALIDATION_FILE)):
        written = export_manifest(
            asked.workspace,
            manifest,
            FORMATS[asked.backend],
            folder / file,
            rewriting=rewriting,
            stage=stage,
        )
        lost = [f"{manifest}: no place for {', '.join(written.lost)}"] if written.lost else []
        notes += [*lost, *(f"{manifest}: {note}" for note in written.notes)]
    listing = folder / standalone.AUDIO
    write_listing(conditions.audio, listing, hash_all=asked.hash_audio, stage=stage)
    return notes


def _write_config(asked: Asked, figures: Figures, folder: Path) -> tuple[str, tuple[str, ...]]:
    """Write the configuration; return the hash of the recipe, and what only `asrdq train` does."""
    recipe = asked.recipe.recipe
    said = {**recipe.model_dump(mode="json"), "extends": None}
    text = yaml.safe_dump(said, sort_keys=False, allow_unicode=True, width=100)
    _write(folder / "config" / "recipe.yaml", text)
    beyond: tuple[str, ...] = ()
    if asked.backend == "nemo":
        config = nemo_config(recipe, figures)
        beyond = config.beyond
        _write(folder / "config" / "nemo.yaml", config.text)
    return hashlib.sha256(text.encode()).hexdigest(), beyond


def _script(figures: Figures) -> str:
    if figures.nodes > 1:
        return "multinode.sh"
    return "torchrun.sh" if figures.devices > 1 else "local.sh"


def _write_launch(
    asked: Asked, conditions: Conditions, figures: Figures, folder: Path, *, plain: bool
) -> None:
    recipe = asked.recipe.recipe
    shipped = resources.files("asrdq.handoff") / "launch"
    for name in LAUNCH:
        text = (shipped / name).read_text(encoding="utf-8")
        _write(folder / "launch" / name, _filled_in(text, recipe, figures))
    _write(folder / "launch" / "stop.sh", stop_script(read_providers(asked.workspace)))
    own = {
        "ASRDQ_BACKEND": asked.backend,
        "ASRDQ_DEVICES": str(figures.devices),
        "ASRDQ_NODES": str(figures.nodes),
        "ASRDQ_IMAGE": IMAGES[asked.backend],
        "ASRDQ_PLAIN_NEMO": "yes" if plain else "no",
        "PYTHONUNBUFFERED": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }
    _write(folder / "environment.env", environment_text(own, recipe.trainer.environment))
    mounts = conditions.audio.mounts(asked.path_map.prefixes)
    _write(folder / "mounts.tsv", "".join(f"{here}\t{there}\n" for here, there in mounts))


def _filled_in(text: str, recipe: Recipe, figures: Figures) -> str:
    """Return a launch script with its numbers; a recipe's name is letters, digits and hyphens."""
    hours = figures.hours
    words = {
        "@NAME@": recipe.name,
        "@NODES@": str(figures.nodes),
        "@DEVICES@": str(figures.devices),
        "@CPUS@": str(max(1, figures.devices * (recipe.data.workers + 1))),
        "@TIME@": _DEFAULT_TIME if hours is None else f"{int(hours * 1.5) + 1}:00:00",
    }
    for word, value in words.items():
        text = text.replace(word, value)
    return text
