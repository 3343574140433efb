"""Where a model runs: on the CPU, or on a GPU that is really there."""

from __future__ import annotations

import gc
import re
import sys
from typing import TYPE_CHECKING, Final

from asrdq.errors import ToolError, UsageError
from asrdq.models.requirements import needs

if TYPE_CHECKING:
    import torch

    from asrdq.settings import RaySettings

DEVICES: Final = ("auto", "cpu", "cuda")


def check_device(wanted: str) -> None:
    """See that a device is named as one, whether it is there or not.

    Raises:
        UsageError: It is not.
    """
    if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", wanted):
        raise UsageError(f"'{wanted}' is no device", hint=f"one of {', '.join(DEVICES)}, cuda:1")


def device_of(wanted: str) -> torch.device:
    """Return the device that is meant.

    Args:
        wanted: `cpu`, `cuda`, `cuda:1`, or `auto`: the GPU where there is one, else the CPU.

    Raises:
        ToolError: torch is missing, or the GPU that was asked for is not there.
        UsageError: That is no device.
    """
    check_device(wanted)
    needs("torch", "a neural model")
    import torch

    if wanted == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    kind, _, index = wanted.partition(":")
    if kind == "cuda" and not torch.cuda.is_available():
        raise ToolError("a GPU is asked for, and torch finds none", hint="--device cpu, or auto")
    if kind == "cuda" and index and int(index) >= torch.cuda.device_count():
        raise ToolError(f"there is no GPU {index}: torch finds {torch.cuda.device_count()}")
    return torch.device(wanted)


def weights_dtype(device: torch.device) -> torch.dtype:
    """Return the type of Qwen's weights on a device: bfloat16 on a GPU, float32 on a CPU."""
    import torch

    return torch.bfloat16 if device.type == "cuda" else torch.float32


def weights_named(device: str, workers_on: str | None) -> str:
    """Return what the version of a model of Qwen says of its weights: ` bfloat16`, or nothing.

    What it answers differs a little from that of float32, so that the one is not taken for the
    other from a cache.

    Args:
        device: Where it runs on this machine, as for `device_of`.
        workers_on: Where the workers of a cluster run it instead, `cpu` or `cuda`.
    """
    import torch

    where = torch.device(workers_on) if workers_on else device_of(device)
    return " bfloat16" if weights_dtype(where) is torch.bfloat16 else ""


def workers_on(cluster: RaySettings | None) -> str | None:
    """Return what the workers of a cluster run a model on; None where they are of this machine."""
    if cluster is None:
        return None
    return "cuda" if cluster.gpus_per_worker else "cpu"


def free_memory() -> None:
    """Give back what this process holds of a GPU and no longer needs; without torch: nothing."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()
