"""What a hand-off is asked to be."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from asrdq.manifests.path_map import PathMap

if TYPE_CHECKING:
    from asrdq.places import Place
    from asrdq.recipes import RecipeFile
    from asrdq.workspace import ManifestVersion, Workspace

Backend = Literal["nemo", "qwen"]

FORMATS: Final[dict[Backend, str]] = {"nemo": "nemo", "qwen": "qwen"}
"""The manifest format that each trainer reads."""


@dataclass(frozen=True)
class Asked:
    """What is to be handed off, to what, and how far the rules may bend.

    Attributes:
        workspace: Where everything is.
        train: What is trained on.
        validation: What is validated on while it trains.
        recipe: How it is trained.
        backend: What trains.
        out: The folder of the bundle: new, or empty.
        path_map: How audio paths are rewritten for where they will be; no prefix: not at all.
        policy_file: The policy that the verdict must be by; None: the one of `asrdq.yaml`.
        public_key: The key, as hex, that sign-offs must be signed with; None: any, or none.
        allow_override: Whether a STOP that a person has overridden by a signed reason passes.
        hash_audio: Whether the bytes of every audio file are put on record, and not only of those
            that were audited.
        gpus: The machine it is planned for, as `asrdq plan` takes it; None: that of the recipe.
        judge: Whether the model is to judge other data of the same kind, and so is trained before
            there is a verdict: neither gate nor leaks are asked, and the bundle says so.
    """

    workspace: Workspace
    train: ManifestVersion
    validation: ManifestVersion
    recipe: RecipeFile
    backend: Backend
    out: Path
    path_map: PathMap = field(default_factory=lambda: PathMap({}))
    policy_file: Place | None = None
    public_key: str | None = None
    allow_override: bool = False
    hash_audio: bool = False
    gpus: str | None = None
    judge: bool = False
