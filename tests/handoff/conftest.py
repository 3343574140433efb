"""A training manifest that the gate lets through, and what it takes to hand it off."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.gates.conftest import Audited, audited  # noqa: F401 a fixture

from asrdq.handoff import Asked, HandoffResult, RefusedError, hand_off
from asrdq.manifests import ingest_manifest
from asrdq.recipes import read_recipe_file

if TYPE_CHECKING:
    from asrdq.recipes import RecipeFile
    from asrdq.workspace import ManifestVersion

RECIPE = """\
name: tiny
extends: smoke
handoff: {requires_signoff: %s}
trainer: {environment: {NCCL_DEBUG: "WARN"}}
"""


@dataclass
class Ready:
    """A workspace with an audited `train` and a `val` that shares nothing with it."""

    audited: Audited
    out: Path

    @property
    def validation(self) -> ManifestVersion:
        return self.audited.workspace.manifest("val")

    def recipe(self, name: str, trainer: str) -> RecipeFile:
        """A recipe like `smoke` with another trainer."""
        file = Path(str(self.audited.workspace.root)) / f"{name}.yaml"
        file.write_text(f"name: {name}\nextends: smoke\ntrainer: {trainer}\n", encoding="utf-8")
        return read_recipe_file(str(file), self.audited.workspace)

    def asked(self, *, signoff: bool = False, **more: Any) -> Asked:
        workspace = self.audited.workspace
        file = Path(str(workspace.root)) / "tiny.yaml"
        file.write_text(RECIPE % str(signoff).lower(), encoding="utf-8")
        asked = Asked(
            workspace=workspace,
            train=workspace.manifest("train"),
            validation=self.validation,
            recipe=read_recipe_file(str(file), workspace),
            backend="nemo",
            out=self.out,
        )
        return replace(asked, **more)

    def hand_off(self, **more: Any) -> HandoffResult:
        return hand_off(self.asked(**more))

    def refused(self, **more: Any) -> dict[str, str]:
        """Hand off, and return what stands against it: reason to message."""
        with pytest.raises(RefusedError) as caught:
            self.hand_off(**more)
        assert not self.out.exists()
        assert list(self.out.parent.glob(".*.part")) == []
        return {refusal.reason: refusal.message for refusal in caught.value.refusals}

    def ingest_val(self, rows: list[dict[str, Any]]) -> None:
        file = self.audited.folder / "val.jsonl"
        file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        ingest_manifest(self.audited.workspace, [file], "val")

    def val_rows(self) -> list[dict[str, Any]]:
        """Five clips with audio of their own."""
        rows = []
        for number, text in enumerate(["one fish", "two cats", "red hen", "blue sky", "old oak"]):
            audio = self.audited.folder / f"val-{number}.wav"
            audio.write_bytes(b"validation audio " + str(number).encode())
            row = {"id": audio.stem, "audio_filepath": str(audio), "duration": 2.5, "text": text}
            rows.append(row)
        return rows


@pytest.fixture
def ungated(audited: Audited, tmp_path: Path) -> Ready:  # noqa: F811
    """Both manifests, and a gate that was not asked yet."""
    made = Ready(audited, tmp_path / "bundles" / "one")
    made.out.parent.mkdir()
    made.ingest_val(made.val_rows())
    return made


@pytest.fixture
def ready(ungated: Ready) -> Ready:
    """Everything is in order: PROCEED for `train`."""
    ungated.audited.write_audit()
    ungated.audited.ask()
    return ungated
