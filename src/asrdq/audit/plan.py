"""What an audit is asked to do."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from asrdq.alignment import AlignerOptions, build_aligner, parse_aligner
from asrdq.audit.collection import OnClip
from asrdq.audit.folds import Fold
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
        second: A second aligner to compare with, as `aligner`.
        hypotheses: A set of hypotheses to compare the transcripts with, or a file of them.
        folds: Speakers, each with the aligner that judges them instead: out of fold.
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
        return _options(self.aligner)

    def of_second(self) -> AuditPlan | None:
        """Return what to do with the second aligner; one that cannot be calibrated is not."""
        if self.second is None:
            return None
        if build_aligner(self.second).aligns_copies:
            return dataclasses.replace(self, aligner=self.second)
        return dataclasses.replace(self, aligner=self.second, calibrate=False, plant=False)


def _options(wanted: str | AlignerOptions) -> AlignerOptions:
    return parse_aligner(wanted) if isinstance(wanted, str) else wanted


def no_progress(_name: str, _clips: int) -> AbstractContextManager[OnClip]:
    """Show nothing."""
    return nullcontext(lambda _seconds: None)
