"""What a trainer finds out about the machine at hand before a run, without training."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol, runtime_checkable

from asrdq.console import Stage, silent
from asrdq.errors import UsageError
from asrdq.results import plain
from asrdq.training.backends import load_backend
from asrdq.training.handed import read_bundle
from asrdq.training.plan import make_job

if TYPE_CHECKING:
    from asrdq.training.job import TrainingJob
    from asrdq.training.plan import TrainPlan

WAITING: Final = 1.1
"""A loader has to give so many times the clips that the steps take, or they wait for it."""


@dataclass(frozen=True, slots=True)
class BatchFound:
    """The largest batch of the longest clip that trains here.

    Attributes:
        clips: Clips of it; 0: not even one fits.
        longest_s: Seconds of the longest clip that is trained on.
        asked: Clips of the recipe in a batch of such clips.
        bound: Where the search ended, if it did not end at a batch that is too large.
        tried: Each size that was tried, and whether it fits.
    """

    clips: int
    longest_s: float
    asked: int
    bound: int
    tried: tuple[tuple[int, bool], ...]

    @property
    def fits(self) -> bool:
        """Whether the batches of the recipe fit."""
        return self.asked <= self.clips


@dataclass(frozen=True, slots=True)
class Rates:
    """How fast data comes, and how fast it is trained on, one without the other.

    Attributes:
        loader: Clips a second that the loader gives.
        steps: Clips a second that forward, backward and optimiser take.
        workers: Processes of the loader.
    """

    loader: float
    steps: float
    workers: int

    @property
    def waits(self) -> bool:
        """Whether the steps would wait for the loader."""
        return self.loader < WAITING * self.steps


@dataclass(frozen=True, slots=True)
class PreflightReport:
    """What was found.

    Attributes:
        device: Where it was tried.
        batch: The largest batch.
        bins: Seconds at which buckets of clips of like length begin, each with as much audio; none
            where the recipe has no buckets.
        rates: How fast data comes and is used; None where the batches of the recipe do not fit.
    """

    device: str
    batch: BatchFound
    bins: tuple[float, ...]
    rates: Rates | None

    @property
    def ready(self) -> bool:
        """Whether the run would begin, and not wait for its data."""
        return self.batch.fits and self.rates is not None and not self.rates.waits

    def summary(self) -> str:
        """Return it in words."""
        return "\n".join(self._told())

    def _told(self) -> Iterator[str]:
        batch, rates = self.batch, self.rates
        found = f"{batch.clips} clips of {batch.longest_s:.3g} s"
        more = " or more" if batch.clips == batch.bound else ""
        yield f"on {self.device} a batch of {found}{more} fits; the recipe asks for {batch.asked}"
        if not batch.fits:
            yield "the batches of the recipe do not fit: make them smaller, and accumulate"
        if self.bins:
            yield f"buckets begin at {', '.join(f'{each:.3g}' for each in self.bins)} s"
        if rates is not None:
            yield (
                f"the loader gives {rates.loader:.3g} clips/s with {rates.workers} workers, and "
                f"training takes {rates.steps:.3g}"
            )
            if rates.waits:
                yield "training would wait for its data: more data.workers, or faster storage"

    def to_json(self) -> str:
        """Return it as a JSON document."""
        body = {"schema_version": 1, "ready": self.ready, **plain(self)}
        return json.dumps(body, ensure_ascii=False, allow_nan=False)


@runtime_checkable
class Preflights(Protocol):
    """A trainer that can look before a run."""

    def preflight(self, job: TrainingJob) -> PreflightReport:
        """Find out what fits and what is slow; nothing is trained, nothing is kept.

        Raises:
            DataError: Nothing of the manifest can be used.
            ToolError: The base is not there.
        """


def look_before(plan: TrainPlan, *, stage: Stage = silent) -> PreflightReport:
    """Verify a bundle, and find out what this machine makes of its training; nothing is kept.

    Raises:
        DataError: The bundle was changed, or nothing of a manifest can be used.
        UsageError: The backend cannot do what the recipe asks, or has no preflight.
        ToolError: A package, the base model or the device is missing.
    """
    with stage("look at audio", None, "files") as bar:
        handed = read_bundle(plan.bundle, expected_id=plan.bundle_id, advance=bar.advance)
    job = make_job(plan, handed)
    backend = load_backend(job.backend)
    if not isinstance(backend, Preflights):
        raise UsageError(
            f"the backend {job.backend} has no preflight", hint="asrdq train --rehearse"
        )
    backend.check(job)
    with tempfile.TemporaryDirectory(prefix="asrdq-preflight-") as folder:
        return backend.preflight(replace(job, run_dir=Path(folder)))
