"""A training run as it was handed off: its bundle, its recipe, where it writes."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asrdq.handoff.figures import Figures
    from asrdq.recipes import Recipe
    from asrdq.training.counts import LoaderCounts


@dataclass(frozen=True)
class TrainingJob:
    """What is trained, on what, how, and where to.

    Attributes:
        bundle: The folder of the bundle; nothing is written into it.
        bundle_id: SHA-256 of its provenance.
        backend: What trains: `nemo`, `qwen`, or a plug-in.
        recipe: How it is trained.
        figures: What the recipe leaves to the data and the machine: steps, warm-up, accumulation,
            passes between validations. `steps` is the length of the run in optimiser steps.
        train: The training manifest, in the format of the backend.
        validation: The validation manifest.
        expected_train: What the loader has to keep of the training manifest.
        expected_validation: What it has to keep of the validation manifest: all of it.
        run_dir: Where everything is written that the run makes.
        device: `auto`, `cpu`, `cuda`, `cuda:1`.
        base: The model that it starts from: that of the recipe, or another one that was asked for.
        allowed: Rules that a person has switched off for this run.
        loader_tolerance: The share of rows that the loader may lose or gain beyond what was
            handed off.
        name: Its name in the tables.
        manifest: The training manifest as the workspace calls it: `train@3`.
        rehearsal: Whether it only proves that everything runs, with a tiny model.
        rank: Which of several processes this is; only 0 writes.
    """

    bundle: Path
    bundle_id: str
    backend: str
    recipe: Recipe
    figures: Figures
    train: Path
    validation: Path
    expected_train: LoaderCounts
    expected_validation: LoaderCounts
    run_dir: Path
    device: str
    base: str
    name: str
    manifest: str
    allowed: frozenset[str] = field(default_factory=frozenset)
    loader_tolerance: float = 0.0
    rehearsal: bool = False
    rank: int = 0
