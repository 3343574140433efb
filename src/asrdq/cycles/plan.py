"""What a round of a cycle is asked to be."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from asrdq.errors import UsageError
from asrdq.rounds import ComparePlan
from asrdq.scoring.plan import ScorePlan

if TYPE_CHECKING:
    from asrdq.handoff import Asked
    from asrdq.workspace import ManifestVersion, Workspace

FOLDER = "cycles"


@dataclass(frozen=True)
class CyclePlan:
    """A round: what is handed off, how it is trained, and what it is measured on.

    Attributes:
        asked: The hand-off; where its bundle goes is decided by the round.
        name: Name of the cycle, whose rounds are numbered; None: that of training manifest and
            recipe.
        evaluation: What both models are measured on; None: the validation manifest.
        folder: Where the rounds lie; None: `cycles/` in the workspace.
        trainer: A plug-in that trains in the place of the backend; None: the backend.
        transcriber: What runs the models afterwards; None: the transcriber of the trainer's name.
        base: Another model to start from than that of the recipe.
        device: `auto`, `cpu`, `cuda`, `cuda:1`.
        allow: Rules of the lint that are switched off for the training.
        max_steps: Optimiser steps after which the training ends.
        score: How hypotheses are scored.
        compare: How the rounds are compared, and what decides.
        new_round: Whether to begin another round though one of exactly this content is there.
        workers: Processes; 0 is one a core.
    """

    asked: Asked
    name: str | None = None
    evaluation: ManifestVersion | None = None
    folder: Path | None = None
    trainer: str | None = None
    transcriber: str | None = None
    base: str | None = None
    device: str = "auto"
    allow: frozenset[str] = frozenset()
    max_steps: int | None = None
    score: ScorePlan = field(default_factory=ScorePlan)
    compare: ComparePlan = field(default_factory=lambda: ComparePlan(metric="wer"))
    new_round: bool = False
    workers: int = 0

    @property
    def cycle(self) -> str:
        """Name of the cycle.

        Raises:
            UsageError: It cannot be a folder.
        """
        name = self.name or f"{self.asked.train.name}-{self.asked.recipe.recipe.name}"
        if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,47}", name):
            raise UsageError(
                f"'{name}' cannot name a cycle",
                hint="--name NAME: up to 48 letters, digits, dots, hyphens and underscores",
            )
        return name

    @property
    def measured_on(self) -> ManifestVersion:
        """What both models are measured on."""
        return self.evaluation or self.asked.validation

    @property
    def trained_by(self) -> str:
        """The backend, or the plug-in in its place."""
        return self.trainer or self.asked.backend

    @property
    def transcribed_by(self) -> str:
        """The transcriber of both models."""
        return self.transcriber or self.trained_by

    @property
    def base_model(self) -> str:
        """The model that training starts from."""
        return self.base or self.asked.recipe.recipe.model.base

    def identity(self) -> str:
        """Return a digest of what makes the model: one round is about one of it."""
        asked = self.asked
        parts = {
            "train": asked.train.fingerprint,
            "validation": asked.validation.fingerprint,
            "recipe": asked.recipe.recipe.model_dump(mode="json"),
            "trainer": self.trained_by,
            "base": self.base_model,
            "max_steps": self.max_steps,
            "map": dict(asked.path_map.prefixes),
            "gpus": asked.gpus,
        }
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    def place(self, workspace: Workspace) -> Path:
        """Return the folder of the cycle.

        Raises:
            UsageError: The workspace is not on a disk, and no folder was named.
        """
        if self.folder is not None:
            return self.folder.absolute() / self.cycle
        if not isinstance(workspace.root, Path):
            raise UsageError(
                "bundles and models lie on a disk, and the workspace does not",
                hint="--folder DIR says where they go",
            )
        return workspace.root.absolute() / FOLDER / self.cycle
