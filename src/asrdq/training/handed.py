"""A bundle as training takes it: verified first, then read."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from asrdq.errors import DataError, Problem, ToolError, counted
from asrdq.handoff.asked import Backend
from asrdq.handoff.figures import Figures
from asrdq.handoff.nemo_config import TRAIN_FILE, VALIDATION_FILE
from asrdq.handoff.standalone import PROVENANCE, NothingToVerifyError, verify_bundle
from asrdq.places import place
from asrdq.planning.findings import Level
from asrdq.recipes import Recipe, read_recipe
from asrdq.training.counts import LoaderCounts

RECIPE = Path("config", "recipe.yaml")
_SHOWN = 20


class _Said(BaseModel):
    """What is read of a provenance; it says more."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Side(_Said):
    """One manifest of a bundle, as the provenance tells it."""

    manifest: str
    fingerprint: str
    rows: int
    hours: float


class _RecipeSaid(_Said):
    name: str
    sha256: str


class _LintSaid(_Said):
    level: Level
    rule: str
    suppressed: str | None = None


class _Provenance(_Said):
    backend: Backend
    recipe: _RecipeSaid
    figures: Figures
    train: Side
    validation: Side
    lint: tuple[_LintSaid, ...] = ()


@dataclass(frozen=True)
class HandedOff:
    """A bundle that is what was handed off.

    Attributes:
        folder: Where it is.
        bundle_id: SHA-256 of its provenance.
        backend: What it was handed to.
        recipe: How it is trained.
        recipe_hash: SHA-256 of the recipe.
        figures: Steps and what else the data and the machine decide.
        train: The training manifest.
        validation: The validation manifest.
        answered: Lint rules that a person answered for when it was handed off.
    """

    folder: Path
    bundle_id: str
    backend: Backend
    recipe: Recipe
    recipe_hash: str
    figures: Figures
    train: Side
    validation: Side
    answered: frozenset[str]

    @property
    def recipe_file(self) -> Path:
        """The recipe in it."""
        return self.folder / RECIPE

    @property
    def train_file(self) -> Path:
        """The training manifest in it."""
        return self.folder / TRAIN_FILE

    @property
    def validation_file(self) -> Path:
        """The validation manifest in it."""
        return self.folder / VALIDATION_FILE

    def expected(self) -> tuple[LoaderCounts, LoaderCounts]:
        """Return what a loader has to keep for training, and for validation: all of that."""
        kept = self.figures.kept
        dropped = {str(item.reason): item.rows for item in kept.dropped}
        return (
            LoaderCounts(kept.rows, kept.hours, dropped),
            LoaderCounts(self.validation.rows, self.validation.hours),
        )


def read_bundle(
    folder: Path,
    *,
    expected_id: str | None = None,
    audio: bool = True,
    advance: Callable[[int], None] | None = None,
) -> HandedOff:
    """Verify a bundle, and read what training needs of it.

    Args:
        folder: The bundle.
        expected_id: What its id has to be, noted elsewhere.
        audio: Whether its audio is looked for too.
        advance: Told how many audio files were looked at.

    Raises:
        DataError: It is not what was handed off.
        ToolError: There is no bundle, or it was made by a version that wrote another one.
    """
    folder = folder.expanduser().resolve()
    try:
        found = verify_bundle(str(folder), audio=audio, expected_id=expected_id, advance=advance)
    except NothingToVerifyError as error:
        raise ToolError(str(error), hint="asrdq handoff train --val val … --out BUNDLE") from error
    if found.findings:
        told = [Problem(f"{f.kind} {f.subject}: {f.message}") for f in found.findings[:_SHOWN]]
        raise DataError(
            "this is not what was handed off: " + counted(len(found.findings), "difference"),
            where=str(folder),
            problems=told,
            hint=f"asrdq handoff verify {folder} names all; hand off again, or copy it again",
        )
    assert found.bundle_id is not None  # without one there are findings
    return _read(folder, found.bundle_id)


def _read(folder: Path, bundle_id: str) -> HandedOff:
    try:
        text = (folder / PROVENANCE).read_bytes()
        said = _Provenance.model_validate(json.loads(text))
    except (OSError, ValueError, ValidationError) as error:
        lines = str(error).splitlines()
        raise ToolError(
            f"cannot be understood: {' '.join(lines[:3])}",
            where=str(folder / PROVENANCE),
            hint="another version of asrdq wrote it: hand off again with this one",
        ) from error
    return HandedOff(
        folder=folder,
        bundle_id=bundle_id,
        backend=said.backend,
        recipe=read_recipe(place(str(folder / RECIPE))),
        recipe_hash=said.recipe.sha256,
        figures=said.figures,
        train=said.train,
        validation=said.validation,
        answered=frozenset(one.rule for one in said.lint if one.suppressed is not None),
    )
