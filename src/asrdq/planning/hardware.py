"""GPUs, speeds and prices: settings with dates, shipped and laid over by those of a workspace."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, TypeVar

from pydantic import BaseModel, Field, model_validator

from asrdq.errors import UsageError, unknown
from asrdq.recipes.layers import read_layer, read_layers
from asrdq.recipes.model import Family
from asrdq.shipped import shipped_file
from asrdq.strict import Share, Strict

if TYPE_CHECKING:
    from asrdq.workspace import Workspace

FOLDER, HARDWARE_FILE, PRICES_FILE = "hardware", "hardware.yaml", "prices.yaml"

Positive = Annotated[float, Field(gt=0.0)]
Count = Annotated[int, Field(ge=1)]

ModelT = TypeVar("ModelT", bound=BaseModel)


class Gpu(Strict):
    """A GPU: its memory in GB, and its dense bf16 arithmetic, null where it has none."""

    memory_gb: Positive
    bf16_tflops: Positive | None


class MemorySettings(Strict):
    """The constants of the estimate of memory; `hardware/hardware.yaml` explains each."""

    context_gb: Annotated[float, Field(ge=0.0)]
    fragmentation: Share
    alarm: Share
    activations: Mapping[Family, Positive]
    checkpointing: Share
    uncertainty: Share
    lora: Share


class SeenBatch(Strict):
    """A batch that was seen to run on a GPU of some memory."""

    family: Family
    parameters_up_to: Count
    memory_gb: Positive
    batch_size: Count


class Choice(Strict):
    """What people take for models of some families and sizes, and for what use."""

    families: tuple[Family, ...]
    parameters_from: Count = 1
    parameters_up_to: Count
    gpus: str
    use: str


class Speed(Strict):
    """How fast a run was, for each GPU; in clips, in seconds of audio, or in both by their mean."""

    family: Family
    gpu: str
    parameters: Count
    clips_per_second: Positive | None = None
    audio_s_per_second: Positive | None = None
    mean_clip_s: Positive | None = None

    @model_validator(mode="after")
    def _one_unit(self) -> Speed:
        if (self.clips_per_second is None) == (self.audio_s_per_second is None):
            raise ValueError("a speed is either clips_per_second or audio_s_per_second")
        return self


class Hardware(Strict):
    """Everything `hardware.yaml` may say. An entry of `null` takes a shipped one away."""

    entered: dt.date
    gpus: Mapping[str, Gpu | None]
    memory: MemorySettings
    batches: Mapping[str, SeenBatch | None]
    choices: Mapping[str, Choice | None]
    speeds: Mapping[str, Speed | None]
    audio_bytes_per_second: Count

    def gpu(self, name: str) -> Gpu:
        """Return a GPU by name.

        Raises:
            UsageError: It is not known; the nearest one is named.
        """
        found = self.gpus.get(name)
        if found is None:
            known = [key for key, item in self.gpus.items() if item is not None]
            kinds = [key for key in known if key.startswith(f"{name}-")]
            if kinds:
                raise UsageError(f"which {name}?", hint=f"there is {' and '.join(kinds)}")
            raise unknown("GPU", name, [*known, f"(or add it to {HARDWARE_FILE})"])
        return found

    def usual(self, family: Family, parameters: int) -> tuple[Choice, ...]:
        """Return what people take for a model."""
        return tuple(
            choice
            for choice in self.choices.values()
            if choice
            and family in choice.families
            and choice.parameters_from <= parameters <= choice.parameters_up_to
        )


class Machine(Strict):
    """What a machine with so many GPUs costs, and when that was seen."""

    gpu: str
    gpus: Count
    usd_per_hour: Positive
    entered: dt.date


class Prices(Strict):
    """Everything `prices.yaml` may say. An entry of `null` takes a shipped one away."""

    idle_hours: Positive
    old_after_days: Count
    disk_usd_per_gb_month: Annotated[float, Field(ge=0.0)]
    machines: Mapping[str, Machine | None]


def read_hardware(workspace: Workspace | None = None) -> Hardware:
    """Return what is known of GPUs, with what the workspace says laid over it.

    Raises:
        UsageError: The file of the workspace has problems; all are listed with their lines.
    """
    return _read(HARDWARE_FILE, Hardware, workspace)


def read_prices(workspace: Workspace | None = None) -> Prices:
    """Return what machines cost, with what the workspace says laid over it.

    Raises:
        UsageError: As for `read_hardware`.
    """
    return _read(PRICES_FILE, Prices, workspace)


def _read(name: str, model: type[ModelT], workspace: Workspace | None) -> ModelT:
    layers = [read_layer(shipped_file(FOLDER, name))]
    if workspace is not None and (own := workspace.root / name).is_file():
        layers.append(read_layer(own))
    return read_layers(layers, model)


@dataclass(frozen=True, slots=True)
class Gpus:
    """GPUs of one kind, on all nodes together.

    Attributes:
        count: How many.
        name: Their name in `hardware.yaml`.
        memory_gb: Memory of each.
        bf16_tflops: Arithmetic of each; None: no bf16.
    """

    count: int
    name: str
    memory_gb: float
    bf16_tflops: float | None

    def __str__(self) -> str:
        return f"{self.count}x{self.name}"


_GPUS = re.compile(r"(?:(?P<count>[1-9]\d*)\s*[x×*])?\s*(?P<name>[A-Za-z][\w-]*)")


def parse_gpus(text: str, hardware: Hardware) -> Gpus:
    """Read `2xA100-40`, `8×h100` or `l40s`.

    Raises:
        UsageError: It is not written so, or there is no such GPU.
    """
    match = _GPUS.fullmatch(text.strip())
    if match is None:
        raise UsageError(f"'{text}' is no number of GPUs", hint="write 2xA100-40, or l40s for one")
    name = match["name"].lower()
    gpu = hardware.gpu(name)
    return Gpus(int(match["count"] or 1), name, gpu.memory_gb, gpu.bf16_tflops)


def check_machines(prices: Prices, hardware: Hardware, gpus: Gpus, machine: str | None) -> None:
    """Check that machines have GPUs that there are, and that the one asked for has these.

    Raises:
        UsageError: One does not.
    """
    for name, item in prices.machines.items():
        if item is not None and item.gpu not in hardware.gpus:
            where = f"{PRICES_FILE}, machines.{name}"
            raise unknown("GPU", item.gpu, hardware.gpus, where=where)
    if machine is None:
        return
    asked = prices.machines.get(machine)
    if asked is None:
        raise unknown("machine", machine, prices.machines, where=PRICES_FILE)
    if (asked.gpu, asked.gpus) != (gpus.name, gpus.count):
        raise UsageError(
            f"{machine} has {asked.gpus}x{asked.gpu}, not {gpus}",
            hint=f"--gpus {asked.gpus}x{asked.gpu}, or leave --machine away",
        )
