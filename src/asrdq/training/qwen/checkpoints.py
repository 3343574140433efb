"""What a run keeps on disk: states to go on from, and the best weights."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from asrdq.errors import ToolError

FOLDER, BEST = "checkpoints", "best"
_MARK: Final = "asrdq.json"
_NAME: Final = re.compile(r"checkpoint-(\d+)")
_BEST_NAME: Final = re.compile(r"step=(\d+)-([a-z_]+)=(-?\d+\.\d+)")


@dataclass(frozen=True, slots=True)
class RunState:
    """What a run knows beyond model, optimiser and schedule.

    Attributes:
        best: The best value of the monitored metric; None before the first evaluation.
        best_step: The step of it.
        waited: Evaluations since then.
        pieces: Parts that a pass is cut into, for a whole one did not fit into memory.
        stopped_by: Why the run ended before its last step.
    """

    best: float | None = None
    best_step: int | None = None
    waited: int = 0
    pieces: int = 1
    stopped_by: str | None = None

    def judged(self, value: float, step: int, *, highest: bool) -> RunState:
        """Return the state after an evaluation."""
        better = self.best is None or (value > self.best if highest else value < self.best)
        if better:
            return replace(self, best=value, best_step=step, waited=0)
        return replace(self, waited=self.waited + 1)


def seal(folder: Path, state: RunState) -> None:
    """Say that a checkpoint is whole: what it holds, with sizes, and the state of the run."""
    sizes = {item.name: item.stat().st_size for item in folder.iterdir() if item.is_file()}
    sizes.pop(_MARK, None)
    told = {"files": sizes, "state": asdict(state)}
    part = folder / f"{_MARK}.part"
    part.write_text(json.dumps(told, indent=1), encoding="utf-8")
    part.replace(folder / _MARK)


def newest(run_dir: Path) -> tuple[Path, RunState] | None:
    """Return the newest checkpoint that is whole, with its state; None where there is none.

    A checkpoint that a kill left half written has no seal, and is passed over.

    Raises:
        ToolError: One that was whole has lost files since.
    """
    for folder in reversed(_folders(run_dir)):
        mark = folder / _MARK
        if not mark.is_file():
            continue
        told = json.loads(mark.read_text(encoding="utf-8"))
        for name, size in told["files"].items():
            item = folder / name
            if not item.is_file() or item.stat().st_size != size:
                raise ToolError(
                    f"the checkpoint was changed: {name}",
                    where=str(folder),
                    hint="remove this folder to go on from the one before, or to begin anew",
                )
        return folder, RunState(**told["state"])
    return None


def step_of(folder: Path) -> int:
    """Return the step of a checkpoint.

    >>> step_of(Path("run/checkpoints/checkpoint-500"))
    500
    """
    found = _NAME.fullmatch(folder.name)
    assert found is not None
    return int(found[1])


def _folders(run_dir: Path) -> list[Path]:
    below = run_dir / FOLDER
    found = below.iterdir() if below.is_dir() else ()
    return sorted((item for item in found if _NAME.fullmatch(item.name)), key=step_of)


def prune(run_dir: Path, kept: frozenset[int]) -> None:
    """Remove checkpoints but the newest whole one and those of the given steps."""
    found = newest(run_dir)
    if found is None:
        return
    last = step_of(found[0])
    for folder in _folders(run_dir):
        if step_of(folder) < last and step_of(folder) not in kept:
            shutil.rmtree(folder)


@dataclass(frozen=True, slots=True)
class BestWeights:
    """Weights that were kept for their value of the monitored metric."""

    folder: Path
    step: int
    value: float


def keep_best(
    run_dir: Path, network: Any, monitor: str, step: int, value: float, *, most: int, highest: bool
) -> BestWeights | None:
    """Write the weights if they are among the best `most`, and remove the worst beyond.

    Args:
        run_dir: Of the run.
        network: What `save_pretrained` is called of: the network, or its adapters.
        monitor: Name of the metric.
        step: Steps that were made.
        value: Its value.
        most: How many are kept.
        highest: Whether the highest value is the best.
    """
    others = [each for each in best_weights(run_dir, highest=highest) if each.step != step]
    order = [_order(each.value, each.step, highest) for each in others]
    if most == 0 or sum(each < _order(value, step, highest) for each in order) >= most:
        return None
    folder = run_dir / BEST / f"step={step}-{monitor}={value:.6f}"
    part = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)
    network.save_pretrained(part, safe_serialization=True)
    part.rename(folder)
    for each in best_weights(run_dir, highest=highest)[most:]:
        shutil.rmtree(each.folder)
    return BestWeights(folder, step, value)


def best_weights(run_dir: Path, *, highest: bool) -> list[BestWeights]:
    """Return the weights that were kept, the best first, of equal ones the earlier."""
    return sorted(_kept(run_dir), key=lambda each: _order(each.value, each.step, highest))


def _order(value: float, step: int, highest: bool) -> tuple[float, int]:
    return (-value if highest else value), step


def _kept(run_dir: Path) -> Iterator[BestWeights]:
    below = run_dir / BEST
    for folder in below.iterdir() if below.is_dir() else ():
        named = _BEST_NAME.fullmatch(folder.name)
        if named:
            yield BestWeights(folder, int(named[1]), float(named[3]))
