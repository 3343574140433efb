"""Audited data, an evaluation with audio, and a trainer that learns by heart."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from tests.gates.conftest import Audited, audited  # noqa: F401 a fixture
from tests.handoff.conftest import Ready, ready, ungated  # noqa: F401 fixtures

from asrdq.cycles import CyclePlan, CycleResult, run_cycle
from asrdq.handoff import Asked
from asrdq.manifests import ingest_manifest
from asrdq.recipes import read_recipe_file
from asrdq.rounds import ComparePlan
from asrdq.scoring.plan import ScorePlan
from asrdq.workspace import Workspace

PLUGINS = Path(__file__).parent / "plugins"
METADATA = "Metadata-Version: 2.1\nName: memory-backend\nVersion: 1.0\n"
ENTRY_POINTS = """[asrdq.backends]
memory = memory_backend:MemoryBackend
[asrdq.transcribers]
memory = memory_backend:MemoryTranscriber
"""
QUICK = ScorePlan(replicates=100)
RIGHT, OTHER = 20, 10
"""Clips of the evaluation of 2.0 s, as those of the training data are, and of 2.5 s."""


@dataclass
class Trial:
    """A workspace that is ready for a round."""

    ready: Ready
    folder: Path
    path: str

    @property
    def workspace(self) -> Workspace:
        return self.ready.audited.workspace

    @property
    def base(self) -> Path:
        return self.folder / "base.json"

    @property
    def place(self) -> Path:
        return Path(str(self.workspace.root)) / "cycles" / "train-tiny"

    def plan(self, **more: Any) -> CyclePlan:
        workspace = self.workspace
        file = self.folder / "tiny.yaml"
        file.write_text("name: tiny\nextends: smoke\nhandoff: {requires_signoff: false}\n")
        asked = Asked(
            workspace=workspace,
            train=workspace.manifest("train"),
            validation=workspace.manifest("val"),
            recipe=read_recipe_file(str(file), workspace),
            backend="nemo",
            out=Path(),
        )
        plan = CyclePlan(
            asked=asked,
            evaluation=workspace.manifest("eval"),
            trainer="memory",
            base=str(self.base),
            score=QUICK,
            compare=ComparePlan(metric="wer", replicates=1_000),
            workers=1,
        )
        return dataclasses.replace(plan, **more)

    def run(self, **more: Any) -> CycleResult:
        return run_cycle(self.workspace, self.plan(**more))


def states(result: CycleResult) -> dict[str, str]:
    """Return the state of each stage."""
    return {row["stage"]: row["state"] for row in result.stages.to_pylist()}


@pytest.fixture
def trial(ready: Ready, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Trial]:  # noqa: F811
    info = tmp_path / "site" / "memory_backend-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(METADATA)
    (info / "entry_points.txt").write_text(ENTRY_POINTS)
    monkeypatch.syspath_prepend(str(PLUGINS))
    monkeypatch.syspath_prepend(str(info.parent))
    for name in ("RANK", "LOCAL_RANK", "WORLD_SIZE", "ASRDQ_RUN_DIR", "ASRDQ_BUNDLE_ID"):
        monkeypatch.delenv(name, raising=False)
    found = Trial(ready, tmp_path, f"{info.parent}:{PLUGINS}")
    found.base.write_text("{}", encoding="utf-8")
    rows = []
    for number in range(RIGHT + OTHER):
        seconds, text = (2.0, "a sentence") if number < RIGHT else (2.5, "blue whales sing")
        file = tmp_path / f"eval-{number}.wav"
        tone = 0.1 * np.sin(np.arange(round(8_000 * seconds)) * (0.01 + number / 500))
        soundfile.write(file, tone, 8_000)
        row = {"id": file.stem, "audio_filepath": str(file), "duration": seconds, "text": text}
        rows.append(row)
    manifest = tmp_path / "eval.jsonl"
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    ingest_manifest(found.workspace, [manifest], "eval")
    yield found
    sys.modules.pop("memory_backend", None)
