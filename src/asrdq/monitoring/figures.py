"""Figures of audit and gate in an experiment logger, beside the curves of the training."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from asrdq.errors import ToolError, UndecidedError, unknown
from asrdq.gates.evidence import UNUSABLE, gather
from asrdq.gates.measures import Measures, measure
from asrdq.gates.tables import DECISIONS
from asrdq.monitoring.readers.events import require_tensorboard
from asrdq.workspace.store import quote_text

if TYPE_CHECKING:
    from asrdq.workspace import ManifestVersion, Workspace

_CONFIDENCE: Final = 0.95


def audit_figures(workspace: Workspace, reference: str) -> dict[str, float]:
    """Return the figures of the audit of a manifest version, and of its gate, by name.

    `phase0/low_quality_percentage` is the share of low-quality clips of the sample in per cent,
    `phase0/population_low_quality_percentage` that of the whole manifest; for each stratum there
    are `phase0/<stratum>/mean_coverage`, `…/low_quality_percentage` and `…/clips_audited`.
    `phase0/gate_passed` is 1 for PROCEED and CAUTION, 0 for STOP and UNDECIDED.

    Raises:
        UsageError: There is no such manifest.
        UndecidedError: Its content was not audited, or the tables of the audit are broken.
    """
    manifest = workspace.manifest(reference)
    evidence = gather(workspace, manifest)
    broken = [fault for fault in evidence.faults if fault.code in UNUSABLE]
    if evidence.run is None or broken:
        why = "; ".join(fault.message for fault in broken or evidence.faults)
        raise UndecidedError(
            f"there are no figures of {manifest}: {why}", hint=f"asrdq audit {manifest.name}"
        )
    return {
        **_figures(measure(evidence, _CONFIDENCE)),
        **_gate(workspace, manifest, evidence.run["run_id"]),
    }


def _figures(found: Measures) -> dict[str, float]:
    named: dict[str, float | None] = {
        "clips_audited": found.audited,
        "clips_judged": found.judged,
        "low_quality_percentage": _percent(found.sample_rate.value),
        "population_low_quality_percentage": _percent(found.population_rate.value),
        "mean_coverage": found.coverage.get("mean"),
    }
    for stratum in found.strata:
        named[f"{stratum.name}/mean_coverage"] = stratum.mean_coverage
        named[f"{stratum.name}/low_quality_percentage"] = _percent(stratum.rate.value)
        named[f"{stratum.name}/clips_audited"] = stratum.audited
    return {f"phase0/{name}": float(v) for name, v in named.items() if v is not None and v == v}


def _percent(share: float | None) -> float | None:
    return None if share is None else 100.0 * share


def _gate(workspace: Workspace, manifest: ManifestVersion, audit: str) -> dict[str, float]:
    own = f"fingerprint = {quote_text(manifest.fingerprint)} AND audit_run_id = {quote_text(audit)}"
    rows = workspace.read("decisions", own, schema=DECISIONS).sort_by([("decided", "descending")])
    verdicts = rows["verdict"].to_pylist()
    return {"phase0/gate_passed": float(verdicts[0] in ("PROCEED", "CAUTION"))} if verdicts else {}


def log_figures(
    figures: Mapping[str, float], place: str | Path, *, to: str = "tensorboard", step: int = 0
) -> None:
    """Write figures into an experiment logger on this machine; nothing goes to the network.

    Args:
        figures: Values by name, such as those of `audit_figures`.
        place: The folder of the logger: the log folder of the training run for TensorBoard, the
            folder of the store for MLflow, and where `wandb/` is made for W&B offline.
        to: `tensorboard`, `mlflow` or `wandb`.
        step: The step that they stand at; they were there before the training began.

    Raises:
        UsageError: There is no such logger.
        ToolError: Its package is not installed, or the place cannot be written.

    Example:
        >>> figures = audit_figures(workspace, "train")                # doctest: +SKIP
        >>> log_figures(figures, "exp/run7", to="tensorboard")         # doctest: +SKIP
    """
    if to not in _WRITERS:
        raise unknown("experiment logger", to, _WRITERS)
    folder = Path(place).expanduser().resolve()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _WRITERS[to](figures, folder, step)
    except OSError as error:
        raise ToolError(
            f"cannot be written: {error.strerror or error}", where=str(folder)
        ) from error


def _to_tensorboard(figures: Mapping[str, float], folder: Path, step: int) -> None:
    require_tensorboard(str(folder))
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    writer = EventFileWriter(str(folder), filename_suffix=".asrdq")
    values = [Summary.Value(tag=name, simple_value=value) for name, value in figures.items()]
    writer.add_event(Event(wall_time=time.time(), step=step, summary=Summary(value=values)))
    writer.close()


def _to_mlflow(figures: Mapping[str, float], folder: Path, step: int) -> None:
    client = _package("mlflow").MlflowClient(tracking_uri=f"sqlite:///{folder / 'mlflow.db'}")
    found = client.get_experiment_by_name("asrdq")
    artifacts = (folder / "mlartifacts").as_uri()
    experiment = found.experiment_id if found else client.create_experiment("asrdq", artifacts)
    run = client.create_run(experiment)
    for name, value in figures.items():
        client.log_metric(run.info.run_id, name, value, step=step)
    client.set_terminated(run.info.run_id)


def _to_wandb(figures: Mapping[str, float], folder: Path, step: int) -> None:
    run = _package("wandb").init(project="asrdq", dir=str(folder), mode="offline")
    run.log(dict(figures), step=step)
    run.finish()


def _package(name: str) -> Any:
    from importlib import import_module

    if find_spec(name) is None:
        raise ToolError(f"the package {name} is not installed", hint=f"pip install {name}")
    return import_module(name)


_WRITERS: Final[dict[str, Callable[[Mapping[str, float], Path, int], None]]] = {
    "tensorboard": _to_tensorboard,
    "mlflow": _to_mlflow,
    "wandb": _to_wandb,
}
