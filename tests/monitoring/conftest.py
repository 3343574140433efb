"""Made-up runs: curves for the rules, trainer states and logs on disk."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from asrdq.monitoring.series import Curve, Curves

MakeCurves = Callable[..., Curves]
WriteState = Callable[..., Path]


@pytest.fixture
def make_curves() -> MakeCurves:
    """Make a run: `make_curves({"validation wer": {100: 0.3, 200: 0.2}}, max_steps=500)`."""

    def make(
        values: Mapping[str, Mapping[int, float]],
        *,
        epochs: Mapping[int, float] | None = None,
        times: Mapping[int, float] | None = None,
        **known: Any,
    ) -> Curves:
        found = {}
        for name, points in values.items():
            split, _, metric = name.partition(" ")
            steps = sorted(points)
            found[split, metric] = Curve(
                split,
                metric,
                np.array(steps, dtype=np.int64),
                np.array([points[step] for step in steps]),
                np.array([(epochs or {}).get(step, np.nan) for step in steps]),
                np.array([(times or {}).get(step, np.nan) for step in steps]),
            )
        return Curves("made", found, **known)

    return make


@pytest.fixture
def write_state(tmp_path: Path) -> WriteState:
    """Write a trainer state: `write_state([{"step": 1, "loss": 2.0}], folder, max_steps=10)`."""

    def write(
        history: Sequence[Mapping[str, Any]], folder: Path | None = None, **state: Any
    ) -> Path:
        folder = tmp_path / "run" if folder is None else folder
        folder.mkdir(parents=True, exist_ok=True)
        steps = [entry["step"] for entry in history]
        body = {"global_step": max(steps, default=0), "log_history": list(history), **state}
        (folder / "trainer_state.json").write_text(json.dumps(body), encoding="utf-8")
        return folder

    return write
