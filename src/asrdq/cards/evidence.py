"""Everything a card says, as the tables have it, bound to the weights by their content."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asrdq.cards.measured import Measured, Standing, measured
from asrdq.cards.rows import newest, newest_first
from asrdq.errors import DataError, UsageError
from asrdq.gates.tables import DECISIONS
from asrdq.handoff.tables import HANDOFFS
from asrdq.handoff.tables import TABLE as HANDOFFS_TABLE
from asrdq.models.content import content_hash, file_digests
from asrdq.training.run_info import RunInfo, model_path, read_info, same_files
from asrdq.training.tables import manifest_of

if TYPE_CHECKING:
    from asrdq.workspace import ManifestVersion, Workspace


@dataclass(frozen=True)
class Evidence:
    """What a card is written from.

    Attributes:
        run: What is kept beside the run.
        model: The adapted model.
        model_hash: Hash of its files, as transcribers name it.
        handoff: Row of `handoffs` with the bundle; None where this workspace did not hand it off.
        decision: Row of `decisions` that the hand-off stood on; None where there is none.
        present: The newest verdict on the training content.
        signoffs: Rows of `signoffs` on the training content.
        train: The training manifest; None where this workspace lacks it.
        languages: Of the training rows, as their column says.
        curves: Rows of `train_metrics`: the last training loss, and the best of each validation.
        measured: The model on each evaluation, newest scoring of each.
    """

    run: RunInfo
    model: Path
    model_hash: str
    handoff: dict[str, Any] | None
    decision: dict[str, Any] | None
    present: str | None
    signoffs: tuple[dict[str, Any], ...]
    train: ManifestVersion | None
    languages: tuple[str, ...]
    curves: tuple[dict[str, Any], ...] = field(repr=False)
    measured: tuple[Measured, ...] = field(repr=False)

    def of(self, *standings: Standing) -> list[Measured]:
        """Return the evaluations of some standings."""
        return [one for one in self.measured if one.standing in standings]


def gather(workspace: Workspace, run_dir: Path) -> Evidence:
    """Return what the tables say of the model of a run.

    Raises:
        UsageError: There is no run in the folder.
        DataError: The run has not come to its end, was a rehearsal, or its model is not as it was
            when the run ended.
    """
    run = read_info(run_dir)
    if run is None:
        raise UsageError("no run of asrdq train", where=str(run_dir), hint="asrdq train BUNDLE")
    model, model_hash = _model(run, run_dir)
    handoff = newest(workspace, HANDOFFS_TABLE, HANDOFFS, "handed_off", bundle_id=run.bundle_id)
    decisions = newest_first(
        workspace, "decisions", DECISIONS, "decided", fingerprint=run.train.fingerprint
    )
    stood_on = [row for row in decisions if handoff and row["decided"] <= handoff["handed_off"]]
    train = manifest_of(workspace, run.train.manifest, run.train.fingerprint)
    return Evidence(
        run=run,
        model=model,
        model_hash=model_hash,
        handoff=handoff,
        decision=next(iter(stood_on), None),
        present=decisions[0]["verdict"] if decisions else None,
        signoffs=_signoffs(workspace, run.train.fingerprint),
        train=train,
        languages=_languages(workspace, train),
        curves=_curves(workspace, run),
        measured=tuple(measured(workspace, run, model_hash)),
    )


def _model(run: RunInfo, run_dir: Path) -> tuple[Path, str]:
    """Return the model of a run and the hash of its files, which are read once."""
    again = f"asrdq train {run.bundle} --run-dir {run_dir}"
    if run.rehearsal or run.state != "finished" or run.model is None:
        told = "a rehearsal" if run.rehearsal else run.state
        raise DataError(f"the run is {told}: there is no model", where=str(run_dir), hint=again)
    model = model_path(run_dir, run.model)
    digests = file_digests(model)
    if not same_files(digests, run.model):
        raise DataError(
            "the model is not as it was when the run ended", where=str(model), hint=again
        )
    return model, content_hash(model, digests)


def _signoffs(workspace: Workspace, fingerprint: str) -> tuple[dict[str, Any], ...]:
    if not workspace.table_exists("signoffs"):
        return ()
    rows = workspace.query(
        "SELECT recorded, verdict, signed_by, note, reason, public_key FROM signoffs "
        "WHERE fingerprint = $it ORDER BY recorded",
        {"it": fingerprint},
    )
    return tuple(rows.to_pylist())


def _languages(workspace: Workspace, train: ManifestVersion | None) -> tuple[str, ...]:
    if train is None or "language" not in train.columns:
        return ()
    found = workspace.scan(train, ["language"])["language"].unique().to_pylist()
    return tuple(sorted(each for each in found if each))


def _curves(workspace: Workspace, run: RunInfo) -> tuple[dict[str, Any], ...]:
    """Return the last training loss, and the best of each rate and loss of the validation."""
    if not workspace.table_exists("train_metrics"):
        return ()
    rows = workspace.query(
        "SELECT split, metric, arg_min(step, value) AS step, min(value) AS value "
        "FROM train_metrics WHERE run = $run AND split = 'validation' "
        "AND (metric LIKE 'wer%' OR metric LIKE 'cer%' OR metric = 'loss') AND isfinite(value) "
        "GROUP BY split, metric UNION ALL "
        "SELECT split, metric, max(step), arg_max(value, step) FROM train_metrics "
        "WHERE run = $run AND split = 'train' AND metric = 'loss' GROUP BY split, metric "
        "ORDER BY split, metric",
        {"run": run.name},
    )
    return tuple(rows.to_pylist())
