"""Saved states of a run on disk: where they are, of which step, and what they are good for."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from asrdq.errors import ToolError
from asrdq.monitoring.names import (
    SAMPLES_PER_SECOND,
    STEPS_PER_SECOND,
    VALIDATION,
    classify,
)
from asrdq.monitoring.series import Curves
from asrdq.monitoring.sources import DEEPEST

_STEP: Final = re.compile(r"(?:global_)?step[=_-]?(\d+)|^checkpoint[-_](\d+)", re.I)
_EPOCH: Final = re.compile(r"epoch[=_-](\d+)")
_VALUE: Final = re.compile(r"((?:val|eval|valid)[A-Za-z_]*)[=_](\d+\.\d+)")
_LAST: Final = re.compile(r"(?:^|-)last(?:-v\d+)?$")
_WEIGHTS: Final = re.compile(
    r"(?:model|adapter_model|pytorch_model|diffusion_pytorch_model).*\.(?:safetensors|bin)$|\.nemo$"
)
_OF_THE_MACHINE: Final = ("runtime", SAMPLES_PER_SECOND, STEPS_PER_SECOND)
_OPTIMISER: Final = re.compile(r"^optimizer\.(?:pt|bin)$|^global_step\d+$")


@dataclass(frozen=True)
class SavedState:
    """A saved state of a run.

    Attributes:
        path: Its folder or file.
        step: The step it was saved at; None where nothing says so.
        bytes: Its size on disk.
        weights: Whether it holds the model.
        resumable: Whether training can go on from it: it holds the optimiser too.
        values: Validation metrics at its step, by name.
        written: When it was written, for files that are called the last; 0 for others.
    """

    path: Path
    step: int | None
    bytes: int
    weights: bool
    resumable: bool
    values: dict[str, float] = field(default_factory=dict)
    written: float = 0.0


def find_saved(run: Path, curves: Curves) -> list[SavedState]:
    """Return the saved states below a folder, by step.

    Folders of Hugging Face's Trainer (`checkpoint-500`), files of Lightning and NeMo (`*.ckpt`,
    `*.nemo`), and trainer states that were kept without their weights.

    Raises:
        ToolError: A folder or file cannot be read, or went away meanwhile.
    """
    try:
        found = list(_below(run, curves, DEEPEST)) if run.is_dir() else []
    except OSError as error:
        raise ToolError(f"cannot be read: {error.strerror}", where=str(error.filename)) from error
    return sorted(found, key=lambda state: (-1 if state.step is None else state.step, state.path))


def _below(folder: Path, curves: Curves, depth: int) -> Iterator[SavedState]:
    items = sorted(folder.iterdir())
    for item in items:
        if item.is_symlink():
            continue
        if item.is_dir():
            if _is_checkpoint(item):
                yield _folder(item, curves)
            elif depth:
                yield from _below(item, curves, depth - 1)
        elif item.suffix in (".ckpt", ".nemo"):
            yield _file(item, curves)
        elif "trainer_state" in item.name and item.suffix == ".json":
            yield _state(item, curves)


def _is_checkpoint(folder: Path) -> bool:
    return bool(_STEP.search(folder.name)) or any(
        (folder / name).exists() for name in ("optimizer.pt", "optimizer.bin", "trainer_state.json")
    )


def _folder(folder: Path, curves: Curves) -> SavedState:
    names = [item.name for item in folder.iterdir()]
    step = _step_of_state(folder / "trainer_state.json")
    if step is None:
        step = _named_step(folder.name)
    return SavedState(
        path=folder,
        step=step,
        bytes=_size(folder),
        weights=any(_WEIGHTS.search(name) for name in names),
        resumable=any(_OPTIMISER.search(name) for name in names),
        values=_values_at(curves, step),
    )


def _file(file: Path, curves: Curves) -> SavedState:
    named = {}
    for name, value in _VALUE.findall(file.stem):
        split, metric = classify(name)
        if split == VALIDATION:
            named[metric] = float(value)
    step = _named_step(file.stem)
    if step is None:
        step = _step_of(file.stem, named, curves)
    return SavedState(
        path=file,
        step=step,
        bytes=file.stat().st_size,
        weights=True,
        resumable=file.suffix == ".ckpt",
        values={**named, **_values_at(curves, step)},
        written=file.stat().st_mtime if _LAST.search(file.stem) else 0.0,
    )


def _state(file: Path, curves: Curves) -> SavedState:
    step = _step_of_state(file)
    return SavedState(file, step, file.stat().st_size, False, False, _values_at(curves, step))


def _named_step(name: str) -> int | None:
    found = _STEP.search(name)
    return int(found[1] or found[2]) if found else None


def _step_of(name: str, values: dict[str, float], curves: Curves) -> int | None:
    """Return the step of the evaluation that a file name tells of: by its values and its epoch."""
    epoch = _EPOCH.search(name)
    for metric, value in values.items():
        curve = curves.get(VALIDATION, metric)
        if curve is None:
            continue
        near = curve.where(abs(curve.values - value) <= _rounding(name, value))
        if epoch and (near.epochs == float(epoch[1])).any():
            near = near.where(near.epochs == float(epoch[1]))
        if len(near):
            return int(near.steps[0])
    return None


def _rounding(name: str, value: float) -> float:
    digits = max((len(text.partition(".")[2]) for _, text in _VALUE.findall(name)), default=0)
    return float(0.5 * 10.0**-digits + 1e-12)


def _values_at(curves: Curves, step: int | None) -> dict[str, float]:
    values = {}
    for (split, metric), curve in curves.by_name.items():
        if split == VALIDATION and step is not None and metric not in _OF_THE_MACHINE:
            at = curve.where(curve.steps == step)
            if len(at):
                values[metric] = float(at.values[0])
    return values


def _step_of_state(file: Path) -> int | None:
    try:
        state: Any = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    step = state.get("global_step") if isinstance(state, dict) else None
    return step if isinstance(step, int) and step >= 0 else None


def _size(folder: Path) -> int:
    return sum(item.lstat().st_size for item in folder.rglob("*") if item.is_file())
