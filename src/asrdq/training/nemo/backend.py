"""The trainer `nemo`: Lightning around a model of NeMo, on what a bundle holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from asrdq.errors import ToolError, UsageError
from asrdq.models import device_of
from asrdq.models.nemo import needs_nemo
from asrdq.training.nemo.gathering import gather
from asrdq.training.nemo.material import texts_of
from asrdq.training.nemo.refusals import refuse_what_is_not_done
from asrdq.training.nemo.settings import processes_here
from asrdq.training.protocol import Trained

if TYPE_CHECKING:
    import torch

    from asrdq.training.job import TrainingJob
    from asrdq.training.preflight import PreflightReport
    from asrdq.training.run_writer import RunWriter


class NemoBackend:
    """Trains CTC, RNNT, TDT, hybrid and Canary models of NeMo."""

    name = "nemo"

    def check(self, job: TrainingJob) -> None:
        """Refuse what cannot run, before a model is built.

        Raises:
            ToolError: NeMo is not installed, or the base or the device is not there.
            UsageError: The recipe asks for what this backend cannot do.
        """
        refuse_what_is_not_done(job)
        device = device_of(job.device)
        _check_gpus(device)
        _check_files(job)
        needs_nemo("the backend nemo")

    def stand_in(self, job: TrainingJob, folder: Path) -> Path:
        """Build a tiny random model of the recipe's family, for a rehearsal."""
        from asrdq.training.nemo.tiny import tiny_model

        family: Any = job.recipe.model.family
        return tiny_model(family, texts_of(job.train), folder, job.recipe.trainer.seed)

    def train(self, job: TrainingJob, log: RunWriter) -> Trained:
        """Train to the end, or until something stops it; see the protocol.

        A run that was killed and is gone on with makes the same steps on the same batches with
        the same random numbers as one that was not, on one device.

        Raises:
            DataError: The loader uses other rows than were handed off.
            ToolError: Something that training needs failed.
        """
        from asrdq.training.nemo.running import run

        return run(job, log, gather(job))

    def preflight(self, job: TrainingJob) -> PreflightReport:
        """Search the largest batch, estimate buckets, and time loader and steps.

        The batches are of the longest clip, and two steps are made on each; a batch that does not
        fit costs no more than that. Larger ones than the recipe's are tried up to 1,024 clips on a
        GPU, twice its own on a CPU, and no longer than five minutes.
        """
        from asrdq.training.nemo.looking import look

        return look(job, gather(job))


def _check_gpus(device: torch.device) -> None:
    if device.type != "cuda" or device.index is not None:
        return
    import torch

    started, there = processes_here(), torch.cuda.device_count()
    if started > there:
        raise ToolError(
            f"{started} processes were started here, and there are {there} GPUs",
            hint="one process a GPU: torchrun --nproc-per-node",
        )


def _check_files(job: TrainingJob) -> None:
    base, tokenizer = Path(job.base).expanduser(), job.recipe.model.tokenizer
    if job.base.endswith(".nemo") and not base.is_file():
        raise ToolError("there is no such base", where=job.base)
    files = ("tokenizer.model", "vocab.txt")
    if tokenizer is not None and not any((Path(tokenizer) / each).is_file() for each in files):
        raise UsageError(
            f"model.tokenizer {tokenizer} has no {' and no '.join(files)}",
            hint="it is a folder as NeMo's process_asr_text_tokenizer.py writes it",
        )
