"""What a run of NeMo needs before its model is built: manifests, configuration, device."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from asrdq.console import progress
from asrdq.models import device_of
from asrdq.training.nemo.material import Material, prepare
from asrdq.training.nemo.mixing import mixed, mixes
from asrdq.training.nemo.settings import settings_of

if TYPE_CHECKING:
    import torch
    from omegaconf import DictConfig

    from asrdq.training.job import TrainingJob


@dataclass(frozen=True)
class Gathered:
    """What a run needs before its model is built.

    Attributes:
        device: Where it trains.
        settings: Its configuration.
        train: The training manifest as NeMo takes it.
        validation: The validation manifest.
    """

    device: torch.device
    settings: DictConfig
    train: Material
    validation: Material


def gather(job: TrainingJob) -> Gathered:
    """Prepare the manifests and the configuration of a run.

    Raises:
        DataError: Nothing of a manifest can be used.
    """
    data = job.recipe.data
    prompts = job.recipe.model.family == "aed"
    found = []
    for manifest, keep_empty in ((job.train, data.keep_empty_text), (job.validation, True)):
        with progress(f"look at {manifest.stem}", None, "clips") as bar:
            out = job.run_dir / "data" / manifest.name
            found.append(
                prepare(
                    manifest,
                    out,
                    keep_empty_text=keep_empty,
                    prompts=prompts,
                    advance=bar.advance,
                )
            )
    train, validation = found
    groups = mixed(train.path, job.run_dir / "data" / "groups", data) if mixes(data) else ()
    settings = settings_of(job, train.path, validation.path, groups)
    return Gathered(device_of(job.device), settings, train, validation)
