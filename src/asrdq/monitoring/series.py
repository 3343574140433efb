"""A run as curves: steps and values of each metric, in the order of steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from asrdq.monitoring.names import (
    GPU_MEMORY_GB,
    GPU_USE,
    LEARNING_RATE,
    LOSS,
    TRAIN,
    VALIDATION,
)

if TYPE_CHECKING:
    import polars as pl

Floats = npt.NDArray[np.float64]

REPORTED: Final = ("wer", "ker", "cer", LOSS)
"""Metrics that a run may be judged by, the most telling first; less is better in all of them."""


@dataclass(frozen=True)
class Curve:
    """A metric over the steps.

    Attributes:
        split: train, validation, test or system.
        metric: Its name.
        steps: In rising order, each once.
        values: One a step; may be NaN or infinite.
        epochs: One a step, NaN where not known.
        times: Seconds since 1970, NaN where not known.
    """

    split: str
    metric: str
    steps: npt.NDArray[np.int64]
    values: Floats
    epochs: Floats
    times: Floats

    def __len__(self) -> int:
        return len(self.steps)

    @property
    def name(self) -> str:
        """Split and metric, as `validation wer`."""
        return f"{self.split} {self.metric}"

    def finite(self) -> Curve:
        """Return the curve without what is NaN or infinite."""
        return self.where(np.isfinite(self.values))

    def where(self, chosen: npt.NDArray[np.bool_]) -> Curve:
        """Return the chosen places of the curve."""
        parts = (self.steps[chosen], self.values[chosen], self.epochs[chosen], self.times[chosen])
        return Curve(self.split, self.metric, *parts)

    def best(self) -> int | None:
        """Return the place of the lowest finite value, the first of equal ones; None without."""
        finite = np.where(np.isfinite(self.values), self.values, np.inf)
        return int(np.argmin(finite)) if len(finite) and np.isfinite(finite).any() else None


@dataclass(frozen=True)
class Curves:
    """All curves of a run, with what is known of it.

    Attributes:
        run: Its name.
        by_name: Curves by split and metric.
        max_steps: How many steps it is to have.
        unfreezes: Steps at which layers were unfrozen.
    """

    run: str
    by_name: Mapping[tuple[str, str], Curve] = field(default_factory=dict)
    max_steps: int | None = None
    unfreezes: Sequence[int] = ()

    def get(self, split: str, metric: str) -> Curve | None:
        """Return a curve, None where it was not logged."""
        return self.by_name.get((split, metric))

    def having(self, split: str, metric: str) -> list[Curve]:
        """Return the curves of a metric and of its parts, as `learning_rate/audio`."""
        return [
            curve
            for (own, name), curve in self.by_name.items()
            if own == split and (name == metric or name.startswith(f"{metric}/"))
        ]

    @property
    def rates(self) -> list[Curve]:
        """The learning rates."""
        return self.having(TRAIN, LEARNING_RATE)

    @property
    def gpu(self) -> list[Curve]:
        """Memory and use of the GPUs."""
        return [c for metric in (GPU_MEMORY_GB, GPU_USE) for c in self.having("system", metric)]

    def judged(self, metric: str = "auto") -> Curve | None:
        """Return the validation curve that the run is judged by, None where there is none."""
        for name in REPORTED if metric == "auto" else (metric,):
            curve = self.get(VALIDATION, name)
            if curve is not None and len(curve):
                return curve
        return None

    @property
    def last_step(self) -> int:
        """The last step of which anything was logged, -1 without any."""
        return max((int(c.steps[-1]) for c in self.by_name.values() if len(c)), default=-1)

    @property
    def last_epoch(self) -> float | None:
        """The highest epoch that was logged."""
        found = [np.nanmax(c.epochs) for c in self.by_name.values() if np.isfinite(c.epochs).any()]
        return float(max(found)) if found else None

    def until(self, step: int) -> Curves:
        """Return the curves as they were at a step."""
        return Curves(
            self.run,
            {key: curve.where(curve.steps <= step) for key, curve in self.by_name.items()},
            self.max_steps,
            [at for at in self.unfreezes if at <= step],
        )


def curves_of(
    rows: pl.DataFrame, run: str, *, max_steps: int | None = None, unfreezes: Sequence[int] = ()
) -> Curves:
    """Return the curves of the rows of a run, one row a split, metric and step."""
    import polars as pl

    found = {}
    for (split, metric), group in rows.group_by("split", "metric", maintain_order=True):
        key, part = (str(split), str(metric)), group.sort("step")
        value, epoch, time = (
            part[name].cast(pl.Float64).to_numpy() for name in ("value", "epoch", "wall_time")
        )
        steps = part["step"].to_numpy().astype(np.int64)
        found[key] = Curve(*key, steps, value, epoch, time)
    return Curves(run, found, max_steps, tuple(unfreezes))
