"""The loggers that a recipe asks for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asrdq.errors import ToolError

if TYPE_CHECKING:
    from asrdq.training.job import TrainingJob


@contextmanager
def loggers_of(job: TrainingJob) -> Iterator[list[Any]]:
    """Open the loggers of the recipe; without a server of their own they write below the run.

    W&B knows one run a process: it is over when this one is, well or not.

    Raises:
        ToolError: The package of one is missing, or it cannot write where it is told to.
    """
    from lightning.pytorch.loggers import WandbLogger

    opened = [_opened(name, job) for name in job.recipe.loggers]
    code = 1
    try:
        yield opened
        code = 0
    finally:
        for each in opened:
            if isinstance(each, WandbLogger):
                each.experiment.finish(exit_code=code)


def _opened(name: str, job: TrainingJob) -> Any:
    from lightning.pytorch import loggers

    folder, run = job.run_dir.resolve(), job.recipe.name
    made = {
        "tensorboard": lambda: loggers.TensorBoardLogger(str(folder), "tensorboard", version=""),
        "wandb": lambda: _begun(
            loggers.WandbLogger(
                name=run,
                project="asrdq",
                save_dir=str(folder),
                mode=os.environ.get("WANDB_MODE"),  # W&B itself reads it once a process
            )
        ),
        "mlflow": lambda: loggers.MLFlowLogger("asrdq", run_name=run, **_mlflow_store(folder)),
    }
    try:
        return made[name]()
    except Exception as error:
        raise ToolError(
            f"the logger {name} cannot be used: {str(error).splitlines()[0]}",
            hint="mend that, or take it out of `loggers`",
        ) from error


def _begun(logger: Any) -> Any:
    """Begin the run of a logger now: what it lacks is told before the first step."""
    _ = logger.experiment
    return logger


def _mlflow_store(folder: Path) -> dict[str, str]:
    """Return where MLflow keeps its runs: its server, or a database below the run."""
    if server := os.environ.get("MLFLOW_TRACKING_URI"):
        return {"tracking_uri": server}
    place = folder / "mlflow"
    place.mkdir(parents=True, exist_ok=True)
    return {
        "tracking_uri": f"sqlite:///{place}/mlflow.db",
        "artifact_location": str(place / "artifacts"),
    }
