"""Tiny models of digits: trained, and asked what they hear, each by `asrdq` in its processes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from digits import WORDS
from unjudged import unjudged_bundle

from asrdq.workspace import Workspace

AT_ONCE = 2
_RECIPE = """\
name: digits-{family}
backend: nemo
model: {{base: {base}, family: {family}, parameters: 200000}}
data: {{min_duration_s: 0.1, max_duration_s: 20.0, batch_size: 32, workers: 0}}
optimiser:
  lr: 3.0e-3  # asrdq: ignore[lr-too-high] the model starts from random weights
  weight_decay: 1.0e-3
  betas: [0.9, 0.98]
schedule: {{name: CosineAnnealing, warmup_share: 0.1, min_lr: 1.0e-5, epochs: {epochs}}}
trainer: {{precision: fp32, log_every_n_steps: 10, seed: {seed}, val_check_interval: {interval}}}
augmentation: {{spec_augment: {masks}}}
evaluation: {{per_epoch: 1}}
checkpoints: {{monitor: val_wer, top_k: 1}}
loggers: []
"""
_MASKS = "{frequency_masks: 2, frequency_width: 20, time_masks: 2, time_width: 0.1}"


@dataclass(frozen=True)
class Training:
    """A model, and what it is asked about.

    Attributes:
        name: Its name, and that of its hypotheses.
        family: `ctc` or `tdt`.
        train: The manifest that it is trained on.
        validation: The manifest whose WER is told each epoch.
        epochs: Passes over the data.
        hears: The manifest that it transcribes afterwards, if there is one.
        masks: Whether parts of the spectrogram are masked: on these few clips that helps with
            speakers who were not heard, and takes longer.
    """

    name: str
    family: str
    train: str
    validation: str
    epochs: int
    hears: str | None = None
    masks: bool = False


def bases(folder: Path, families: Sequence[str], seed: int) -> dict[str, Path]:
    """Build the random models that the trainings start from, one a family."""
    from asrdq.training.nemo.tiny import tiny_model

    return {family: tiny_model(family, WORDS, folder / family, seed) for family in families}


def bundle_of(
    workspace: Workspace, each: Training, base: Path, seed: int, validate_after: int | None = None
) -> Path:
    """Write the bundle of a training.

    Args:
        workspace: Where its manifests are.
        each: The training.
        base: The model that it starts from.
        seed: Of its batches.
        validate_after: Steps between validations; None: an epoch.
    """
    root = Path(workspace.root)
    recipe = root / "recipes" / f"{each.name}.yaml"
    recipe.parent.mkdir(exist_ok=True)
    interval = "null" if validate_after is None else validate_after
    values = {
        "family": each.family,
        "base": base,
        "epochs": each.epochs,
        "interval": interval,
        "masks": _MASKS if each.masks else "null",
        "seed": seed,
    }
    recipe.write_text(_RECIPE.format(**values), encoding="utf-8")
    bundle = root / "bundles" / each.name
    return unjudged_bundle(workspace, each.train, each.validation, recipe, bundle)


def run_all(
    workspace: Workspace, trainings: Sequence[Training], models: dict[str, Path], seed: int
) -> None:
    """Train and transcribe, two at a time on one core each.

    Raises:
        SystemExit: A command failed.
    """
    root = Path(workspace.root)
    for each in trainings:
        bundle_of(workspace, each, models[each.family], seed)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for line in pool.map(lambda each: _run(root, each), trainings):
            print(line, file=sys.stderr, flush=True)


def model_of(root: Path, each: Training) -> Path:
    """Return the model that a training has made."""
    return root / "runs" / each.name / "adapted_model.nemo"


def _run(root: Path, each: Training) -> str:
    began = time.monotonic()
    model = model_of(root, each)
    train = ["train", root / "bundles" / each.name, "--run-dir", model.parent, "--device", "cpu"]
    _asrdq(root, *train, "--name", each.name)
    trained_s = time.monotonic() - began
    if each.hears is not None:
        hear = ["transcribe", each.hears, "--with", f"nemo:{model}", "--name", each.name]
        _asrdq(root, *hear, "--device", "cpu", "--workers", "1")
    return f"{each.name}: {trained_s:.0f} s training, {time.monotonic() - began:.0f} s in all"


def _asrdq(root: Path, *arguments: object) -> None:
    """Run a command on one core."""
    done = subprocess.run(
        [sys.executable, "-m", "asrdq", *map(str, arguments), "--workspace", str(root)],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"asrdq {arguments[0]} ended with {done.returncode}:\n{done.stdout}")
