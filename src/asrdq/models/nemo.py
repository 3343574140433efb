"""Models of NeMo: a `.nemo` file, or a name on a hub."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asrdq.errors import ToolError
from asrdq.models.nemo_file import missing_parts
from asrdq.models.requirements import needs

if TYPE_CHECKING:
    import torch


def needs_nemo(what: str) -> None:
    """Import NeMo's ASR models, without what the telemetry that comes along says of being off.

    Args:
        what: Who needs them, for the message: "a NeMo model".

    Raises:
        ToolError: NeMo is not installed, or cannot be loaded.
    """
    logging.getLogger("nv_one_logger").setLevel(logging.ERROR)
    needs("nemo.collections.asr", what)


@contextmanager
def quiet_nemo() -> Iterator[None]:
    """Keep NeMo, Lightning and their warnings off the screen inside; errors still come through."""
    needs_nemo("a NeMo model")
    from nemo.utils import logging as nemo_logging

    level = nemo_logging.get_verbosity()
    loggers = [logging.getLogger(name) for name in ("lightning", "pytorch_lightning", "lhotse")]
    levels = [logger.level for logger in loggers]
    nemo_logging.set_verbosity(logging.ERROR)
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    hydra, hydra_level = logging.getLogger("hydra"), logging.getLogger("hydra").level
    hydra.setLevel(logging.CRITICAL)  # NeMo tries a name as a class first and lets it report that
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        nemo_logging.set_verbosity(level)
        for logger, before in zip(loggers, levels, strict=True):
            logger.setLevel(before)
        hydra.setLevel(hydra_level)


def load_nemo(model: str, device: torch.device, *, trainer: Any = None) -> Any:
    """Return a NeMo ASR model, ready for inference or training.

    Args:
        model: A `.nemo` file, or the name of a pretrained model.
        device: Where its weights go.
        trainer: The Lightning trainer that will train it.

    Raises:
        ToolError: NeMo is not installed, or there is no such model, or it is broken.
    """
    needs_nemo("a NeMo model")
    from nemo.collections.asr.models import ASRModel

    file = Path(model).expanduser()
    is_file = model.endswith(".nemo") or file.exists()
    try:
        with quiet_nemo():
            if is_file:
                found = ASRModel.restore_from(str(file), map_location=device, trainer=trainer)
            else:
                found = ASRModel.from_pretrained(model, map_location=device, trainer=trainer)
    except Exception as error:
        reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        if is_file and (missing := missing_parts(file)):
            reason = f"it holds no {', '.join(missing)}, which its configuration names"
        raise ToolError(
            f"NeMo cannot load this model: {reason.splitlines()[0]}",
            where=model,
            hint="is it a whole .nemo file?"
            if is_file
            else "is the name right, and the hub reached?",
        ) from error
    return found.to(device)
