"""Clips of four speakers, and training runs that say what they were handed."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from asrdq.folds import FoldModel
from asrdq.manifests import ingest_manifest
from asrdq.training.counts import LoaderCounts
from asrdq.training.run_info import Attempt, RunInfo, SideInfo, model_info, write_info
from asrdq.versions import derive_manifest
from asrdq.workspace import ManifestVersion, Workspace

SPEAKERS = ("ann", "ben", "cal", "dan")
CLIPS = 4


@dataclass
class Runs:
    """A workspace with `train` and `val`, and a folder of runs."""

    workspace: Workspace
    folder: Path

    def derived(self, name: str, query: str) -> ManifestVersion:
        return derive_manifest(self.workspace, name, query).manifest

    def without(self, *speakers: str) -> ManifestVersion:
        own = ", ".join(f"'{name}'" for name in speakers)
        name = f"without_{'_'.join(speakers)}"
        return self.derived(name, f"SELECT * FROM train WHERE speaker NOT IN ({own})")

    def run(
        self,
        name: str,
        train: ManifestVersion,
        validation: ManifestVersion | None = None,
        **more: object,
    ) -> Path:
        """Write a finished run with its model, as `asrdq train` leaves it; return its folder."""
        run_dir = self.folder / name
        run_dir.mkdir()
        model = run_dir / "adapted_model.nemo"
        model.write_bytes(b"weights of " + name.encode())
        sides = [
            SideInfo(
                manifest=str(side),
                fingerprint=side.fingerprint,
                expected=LoaderCounts(side.rows, side.hours),
            )
            for side in (train, validation or self.workspace.manifest("val"))
        ]
        info = RunInfo(
            state="finished",
            name=name,
            bundle=str(self.folder / "bundle"),
            bundle_id="4f1c",
            backend="nemo",
            recipe="tiny",
            recipe_sha256="0" * 64,
            base="hub/base",
            max_steps=None,
            rehearsal=False,
            device="cpu",
            seed=1,
            loader_tolerance=0.0,
            asked=(),
            allowed=(),
            train=sides[0],
            validation=sides[1],
            versions={},
            platform="test",
            attempts=(Attempt(started=dt.datetime.now(dt.UTC)),),
            total_steps=10,
            model=model_info(model),
        ).model_copy(update=more)
        write_info(run_dir, info)
        return run_dir


def fold_of(model: Path, *speakers: str) -> FoldModel:
    return FoldModel("fold-1", speakers, model)


@pytest.fixture
def runs(workspace: Workspace, tmp_path: Path) -> Runs:
    """`train` has four clips of each of four speakers, `val` one of somebody else."""
    rows = [
        {
            "id": f"{speaker}-{number}",
            "audio_filepath": f"/audio/{speaker}-{number}.wav",
            "duration": 2.0 + number,
            "offset": 0.0,
            "text": f"words {number}",
            "speaker": speaker,
        }
        for speaker in SPEAKERS
        for number in range(CLIPS)
    ]
    other = {**rows[0], "id": "eve", "audio_filepath": "/audio/eve.wav", "speaker": "eve"}
    for name, some in (("train", rows), ("val", [other])):
        file = tmp_path / f"{name}.jsonl"
        file.write_text("".join(json.dumps(row) + "\n" for row in some), encoding="utf-8")
        ingest_manifest(workspace, [file], name)
    folder = tmp_path / "runs"
    folder.mkdir()
    return Runs(workspace, folder)
