"""What a training gives back."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from asrdq.results import Result
from asrdq.training.run_info import RunInfo
from asrdq.training.stops import EARLY, SIGNAL

if TYPE_CHECKING:
    import pyarrow as pa

_TIMES = ((3600.0, "h"), (60.0, "min"), (1.0, "s"))


@dataclass(frozen=True)
class TrainingResult(Result):
    """A run that has come to an end, or was stopped.

    Attributes:
        run_dir: Where everything lies that it made.
        info: What is kept beside it, as `training_run_info.json`.
        received: The signal that stopped it, None where none did.
        already: Whether it had been finished before, so that nothing was done.
    """

    main_table: ClassVar[str] = "metrics"

    run_dir: str
    info: RunInfo
    received: int | None = None
    already: bool = False

    @property
    def finished(self) -> bool:
        """Whether it needs no going on: it went to its end, or stopped early by the recipe."""
        return self.info.state == "finished"

    @property
    def exit_code(self) -> int:
        """0 for a finished run, 1 for one that a rule or a stop file ended, 128 + a signal."""
        if self.finished:
            return 0
        return 128 + (self.received or signal.SIGTERM) if self.info.stopped_by == SIGNAL else 1

    def summary(self) -> str:
        """Return how it ended, its model, and its metrics, in lines."""
        info = self.info
        lines = [f"{info.name}: {self._state()}, {info.steps or 0:,} of {info.total_steps:,} steps"]
        if info.epochs is not None:
            lines[0] += f", {info.epochs:.4g} epochs, {_time(info.wall_s)}"
        used = info.train.used
        if used is not None:
            dropped = ", ".join(f"{n:,} {reason}" for reason, n in sorted(used.dropped.items()))
            told = f"; dropped as handed off: {dropped}" if dropped else ""
            lines.append(f"  trained on {used.rows:,} rows, {used.hours:,.4g} h{told}")
        for each in info.metrics:
            if each.best is not None and each.last is not None:
                told = f"best {each.best:.4g} at step {each.best_step:,}, last {each.last:.4g}"
                lines.append(f"  {each.split} {each.metric}: {told}")
        lines += [f"  let pass: {each.rule}: {each.message}" for each in info.allowed]
        lines += [f"  {finding}" for finding in info.findings]
        if info.model is not None:
            lines.append(f"  model {info.model.path}, {info.model.bytes / 1e6:,.1f} MB")
        return "\n".join(lines)

    def _state(self) -> str:
        if self.already:
            return "was finished before, nothing to do"
        if self.info.rehearsal and self.finished:
            return "the rehearsal went through"
        if self.info.stopped_by == EARLY:
            return "stopped early, as the recipe says"
        return self.info.state if self.finished else f"stopped by {self.info.stopped_by}"

    def arrow(self) -> pa.Table:
        """Return one row a metric."""
        import pyarrow as pa

        schema = pa.schema(
            [
                *((name, pa.string()) for name in ("split", "metric")),
                ("points", pa.int64()),
                *((name, pa.float64()) for name in ("first", "last", "best")),
                ("best_step", pa.int64()),
            ]
        )
        rows = [each.model_dump() for each in self.info.metrics]
        return pa.Table.from_pylist(rows, schema=schema)


def _time(seconds: float) -> str:
    size, unit = next((pair for pair in _TIMES if seconds >= pair[0]), _TIMES[-1])
    return f"{seconds / size:.3g} {unit}"
