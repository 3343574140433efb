"""What the rules are asked about: a configuration, its data, and where it is to run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from asrdq.linting.config import Config, Dialect, Knob
from asrdq.planning.arithmetic import steps_of_rows, steps_of_seconds

if TYPE_CHECKING:
    from asrdq.leakage import LeakResult
    from asrdq.linting.data import DataFacts
    from asrdq.linting.reachable import PathFacts
    from asrdq.linting.tokenizers import TokenizerFacts
    from asrdq.planning.hardware import Gpus, Hardware


@dataclass(frozen=True)
class Case:
    """A configuration and what is known around it.

    Attributes:
        config: The configuration.
        data: The training manifest.
        validation: The validation manifest.
        leaks: What the two share.
        gpus: The machine.
        hardware: What is known of machines.
        effective_batch: The effective batch that the run is meant to have.
        paths: What became of the paths.
        tokenizer: What the tokenizer makes of the transcripts.
    """

    config: Config
    data: DataFacts | None = None
    validation: DataFacts | None = None
    leaks: LeakResult | None = None
    gpus: Gpus | None = None
    hardware: Hardware | None = None
    effective_batch: int | None = None
    paths: PathFacts | None = None
    tokenizer: TokenizerFacts | None = None

    @property
    def data_name(self) -> str:
        """Name of the training manifest."""
        return self.data.manifest if self.data is not None else "the data"

    @property
    def devices(self) -> int | None:
        """GPUs of the job: the machine's, else what the configuration says, else None."""
        if self.gpus is not None:
            return self.gpus.count
        said, nodes = self.config.number(Knob.DEVICES), self.config.number(Knob.NODES)
        return int(said * (nodes or 1)) if said and said > 0 else None

    @property
    def accumulation(self) -> int:
        """Batches a step."""
        return int(self.config.number(Knob.ACCUMULATION) or 1)

    @property
    def effective(self) -> int | None:
        """Clips a step on all GPUs; None where that is not known, or seconds are counted."""
        if target := self.config.number(Knob.EFFECTIVE_BATCH):
            return int(target)
        size = self.config.number(Knob.BATCH_SIZE)
        if size is None or self.config.number(Knob.BATCH_DURATION) is not None:
            return None
        if self.devices is None:
            return self.effective_batch
        return int(size) * self.accumulation * self.devices

    @property
    def steps_per_epoch(self) -> int | None:
        """Steps that one pass over the kept rows takes; None without a manifest."""
        if self.data is None or not self.data.kept_rows:
            return None
        if self.effective is not None:
            return steps_of_rows(self.data.kept_rows, self.effective)
        seconds = self.config.number(Knob.BATCH_DURATION)
        if seconds is None or self.devices is None:
            return None
        return steps_of_seconds(self.data.kept_hours, seconds * self.accumulation, self.devices)

    @property
    def max_steps(self) -> float | None:
        """Steps that the configuration names itself; None where epochs decide."""
        steps = self.config.number(Knob.MAX_STEPS)
        return steps if steps is not None and steps > 0 else None

    @property
    def max_epochs(self) -> float | None:
        """Epochs that the configuration names; None where steps decide."""
        epochs = self.config.number(Knob.MAX_EPOCHS)
        return epochs if epochs is not None and epochs > 0 else None

    @property
    def steps(self) -> float | None:
        """Steps of the run; None where that takes a manifest and there is none."""
        if self.max_steps is not None and self.config.dialect is Dialect.HUGGING_FACE:
            return self.max_steps  # it takes the place of epochs there
        by_epochs = None
        if self.max_epochs is not None and self.steps_per_epoch is not None:
            by_epochs = self.max_epochs * self.steps_per_epoch
        known = [one for one in (self.max_steps, by_epochs) if one is not None]
        return min(known) if known else None
