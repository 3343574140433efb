"""`training_run_info.json`: what a run is, on what it trained, how it came to its end."""

from __future__ import annotations

import datetime as dt
import json
import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from asrdq.errors import ToolError
from asrdq.models.content import file_digests
from asrdq.monitoring.readers.run_info import RUN_INFO
from asrdq.results import plain
from asrdq.training.counts import LoaderCounts
from asrdq.training.guards import Allowed
from asrdq.training.run_writer import Saved
from asrdq.workspace.files import whole_file

State = Literal["running", "stopped", "failed", "finished"]
_PACKAGES: Final = (
    *("asrdq", "torch", "nemo_toolkit", "lightning", "lhotse"),
    *("transformers", "peft", "qwen-asr", "accelerate", "numpy"),
)


class _Kept(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Attempt(_Kept):
    """One process that trained; one without an end was killed."""

    started: dt.datetime
    ended: dt.datetime | None = None
    wall_s: float | None = None
    resumed_from: int | None = None
    steps: int | None = None
    stopped_by: str | None = None
    error: str | None = None


class SideInfo(_Kept):
    """A manifest: what was handed off, and what the loader used."""

    manifest: str
    fingerprint: str
    expected: LoaderCounts
    used: LoaderCounts | None = None


class ModelInfo(_Kept):
    """The adapted model, with the SHA-256 of each of its files, relative to the model."""

    path: str
    bytes: int
    sha256: dict[str, str]


class MetricInfo(_Kept):
    """A metric in a line; a value that is no number is null."""

    split: str
    metric: str
    points: int
    first: float | None
    last: float | None
    best: float | None
    best_step: int | None


class RunInfo(_Kept):
    """Everything that is kept beside a run; what has not happened yet is null.

    Attributes:
        state: `running` is also what a process leaves that was killed.
        asked: Rules that a person has switched off.
        allowed: What that has let pass.
        max_steps: Where the run was asked to end early; null: where the recipe ends it.
        attempts: The processes that trained, the first one first.
        findings: What the watch rules said at the end.
        facts: What the backend has told besides.
    """

    schema_version: int = 1
    state: State
    name: str
    bundle: str
    bundle_id: str
    backend: str
    recipe: str
    recipe_sha256: str
    base: str
    max_steps: int | None
    rehearsal: bool
    device: str
    seed: int
    loader_tolerance: float
    asked: tuple[str, ...]
    allowed: tuple[Allowed, ...]
    train: SideInfo
    validation: SideInfo
    versions: dict[str, str]
    platform: str
    attempts: tuple[Attempt, ...]
    total_steps: int
    steps: int | None = None
    epochs: float | None = None
    resumed_from: int | None = None
    stopped_by: str | None = None
    parameters: int | None = None
    trainable: int | None = None
    best: str | None = None
    last: str | None = None
    model: ModelInfo | None = None
    checkpoints: tuple[Saved, ...] = ()
    metrics: tuple[MetricInfo, ...] = ()
    findings: tuple[str, ...] = ()
    facts: dict[str, Any] = Field(default_factory=dict)

    @property
    def wall_s(self) -> float:
        """Seconds of all attempts that ended."""
        return sum(one.wall_s or 0.0 for one in self.attempts)


def read_info(run_dir: Path) -> RunInfo | None:
    """Return what is kept beside a run, None where nothing is.

    Raises:
        ToolError: It cannot be understood.
    """
    file = run_dir / RUN_INFO
    if not file.exists():
        return None
    try:
        return RunInfo.model_validate_json(file.read_bytes())
    except (OSError, ValidationError) as error:
        raise ToolError(
            f"cannot be understood: {' '.join(str(error).split())[:200]}",
            where=str(file),
            hint="name another folder with --run-dir, or move this one away",
        ) from error


def write_info(run_dir: Path, info: RunInfo) -> None:
    """Write what is kept beside a run; the file is whole at any moment.

    Raises:
        ToolError: It cannot be written.
    """
    body = {**plain(info.model_dump(mode="json")), "wall_s": info.wall_s}
    text = json.dumps(body, indent=2, ensure_ascii=False, allow_nan=False)
    with whole_file(run_dir / RUN_INFO) as file:
        file.write(text.encode() + b"\n")


def package_versions() -> dict[str, str]:
    """Return the versions of what takes part in a training, where it is installed."""
    found: dict[str, str] = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def model_info(model: Path) -> ModelInfo:
    """Return a model with the digests of its files.

    Raises:
        ToolError: It is not there.
    """
    digests = file_digests(model)
    folder = model if model.is_dir() else model.parent
    size = sum((folder / name).stat().st_size for name in digests)
    return ModelInfo(path=str(model), bytes=size, sha256=digests)


def model_path(run_dir: Path, made: ModelInfo) -> Path:
    """Return where the model of a run lies: in its folder, otherwise where it was made.

    So the folder of a run that was copied is judged by the model in it.
    """
    beside = run_dir / Path(made.path).name
    return beside if beside.exists() else Path(made.path)


def same_files(digests: Mapping[str, str], made: ModelInfo) -> bool:
    """Return whether the files of a model are those that a run has made.

    A model that is one file may have another name.
    """
    if len(digests) == 1:
        return [*digests.values()] == [*made.sha256.values()]
    return digests == made.sha256
