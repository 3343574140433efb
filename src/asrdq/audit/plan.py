"""What an audit is asked to do."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace

from asrdq.alignment import AlignerOptions, parse_aligner
from asrdq.audit.collection import OnClip
from asrdq.audit.folds import Fold
from asrdq.models.devices import workers_on
from asrdq.settings import RaySettings

Stage = Callable[[str, int], AbstractContextManager[OnClip]]
"""Opens a progress display: given a name and a number of clips, to be called after each."""


@dataclass(frozen=True, slots=True)
class AuditPlan:
    """What an audit does beyond its settings.

    Attributes:
        aligner: What the aligner is built from, or its name and address as settings have them.
        calibrate: True: fit thresholds on faults planted on this data. None: take those of
            `asrdq calibrate` where they are for this aligner, version and language, otherwise fit.
            False: fit nothing; without those of `asrdq calibrate` the shipped values are used, and
            the verdict says so.
        plant: Whether to plant faults and measure what is found, also where nothing is fitted.
        seed: Seed of the planted faults.
        folds: Speakers, each with the aligner that judges them instead: out of fold.
        second: A second aligner to compare with, as `aligner`.
        hypotheses: A set of hypotheses to compare the transcripts with, or a file of them.
        cluster: The Ray cluster that reads and aligns; None: processes of this machine.
    """

    aligner: str | AlignerOptions
    calibrate: bool | None = None
    plant: bool = True
    seed: int = 42
    folds: tuple[Fold, ...] = ()
    second: str | AlignerOptions | None = None
    hypotheses: str | None = None
    cluster: RaySettings | None = None

    @property
    def plants(self) -> bool:
        """Whether faults are planted."""
        return self.plant or self.calibrate is not False

    @property
    def options(self) -> AlignerOptions:
        """What the aligner is built from."""
        wanted = self.aligner
        options = parse_aligner(wanted) if isinstance(wanted, str) else wanted
        return replace(options, workers_on=workers_on(self.cluster))


def no_progress(_name: str, _clips: int) -> AbstractContextManager[OnClip]:
    """Show nothing."""
    return nullcontext(lambda _seconds: None)
