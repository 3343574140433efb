"""Everything a card says, as the tables have it, bound to the weights by their content."""

from __future__ import annotations

import enum
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asrdq.errors import DataError, UsageError
from asrdq.gates.tables import DECISIONS
from asrdq.handoff.tables import HANDOFFS
from asrdq.handoff.tables import TABLE as HANDOFFS_TABLE
from asrdq.hypotheses import TABLE as HYPOTHESES_TABLE
from asrdq.models.content import content_hash
from asrdq.rounds.exposure import EXPOSURE, HELD_OUT, TRAINED_ON
from asrdq.rounds.schema import COMPARISONS, GROUPS_TABLE
from asrdq.rounds.schema import GROUPS as CHANGES
from asrdq.rounds.schema import TABLE as COMPARISONS_TABLE
from asrdq.scoring.scorings import Scoring, read_groups, scorings
from asrdq.training.run_info import RunInfo, model_path, read_info, same_files
from asrdq.training.tables import manifest_of
from asrdq.workspace.store import quote_text

if TYPE_CHECKING:
    from asrdq.workspace import ManifestVersion, Workspace

METRICS = ("wer", "cer")


class Standing(enum.StrEnum):
    """What the model has to do with the rows that it was scored on."""

    HELD_OUT = "held out"
    PARTLY = "partly trained on"
    TRAINED_ON = "trained on"
    UNKNOWN = "not known"


@dataclass(frozen=True)
class Compared:
    """A comparison that led to this model.

    Attributes:
        row: Its row of `comparisons`.
        plan: What it was compared by, from `runs`.
        groups: Its rows of `comparison_groups` for WER and CER.
    """

    row: dict[str, Any]
    plan: dict[str, Any]
    groups: tuple[dict[str, Any], ...]

    def exposure(self, metric: str, which: str) -> dict[str, Any] | None:
        """Return the change of the held-out rows, or of those that were trained on."""
        wanted = (metric, EXPOSURE, which)
        for row in self.groups:
            if (row["metric"], row["by"], row["group"]) == wanted:
                return row
        return None


@dataclass(frozen=True)
class Measured:
    """The model on one evaluation.

    Attributes:
        scoring: How it was scored.
        search: Transcriber and its version.
        manifest: The evaluation.
        rates: Rows of `score_groups` for WER and CER.
        standing: What the model has to do with its rows.
        judged: Newest verdict of the gate on the evaluation; None where there is none.
        compared: The newest comparison that led to it; None where there is none.
    """

    scoring: Scoring
    search: str
    manifest: ManifestVersion
    rates: tuple[dict[str, Any], ...]
    standing: Standing
    judged: str | None
    compared: Compared | None

    def rate(self, metric: str) -> dict[str, Any]:
        """Return the row of a rate over all utterances."""
        wanted = (metric, "")
        return next(row for row in self.rates if (row["metric"], row["grouped_by"]) == wanted)


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

    Scores count only where the set of hypotheses was made by exactly these weights: the version of
    its transcriber holds the hash of the files.

    Raises:
        UsageError: There is no run in the folder.
        DataError: The run has not come to its end, was a rehearsal, or its model is not as it was
            when the run ended.
    """
    run = read_info(run_dir)
    if run is None:
        raise UsageError("no run of asrdq train", where=str(run_dir), hint="asrdq train BUNDLE")
    model = _model(run, run_dir)
    digest = content_hash(model)
    handoff = _newest(workspace, HANDOFFS_TABLE, HANDOFFS, "handed_off", bundle_id=run.bundle_id)
    decisions = _rows(
        workspace, "decisions", DECISIONS, "decided", fingerprint=run.train.fingerprint
    )
    stood_on = [row for row in decisions if handoff and row["decided"] <= handoff["handed_off"]]
    train = manifest_of(workspace, run.train.manifest, run.train.fingerprint)
    return Evidence(
        run=run,
        model=model,
        model_hash=digest,
        handoff=handoff,
        decision=next(iter(stood_on), None),
        present=decisions[0]["verdict"] if decisions else None,
        signoffs=_signoffs(workspace, run.train.fingerprint),
        train=train,
        languages=_languages(workspace, train),
        curves=_curves(workspace, run),
        measured=tuple(_measured(workspace, run, digest)),
    )


def _model(run: RunInfo, run_dir: Path) -> Path:
    again = f"asrdq train {run.bundle} --run-dir {run_dir}"
    if run.rehearsal or run.state != "finished" or run.model is None:
        told = "a rehearsal" if run.rehearsal else run.state
        raise DataError(f"the run is {told}: there is no model", where=str(run_dir), hint=again)
    model = model_path(run_dir, run.model)
    if not same_files(model, run.model):
        raise DataError(
            "the model is not as it was when the run ended", where=str(model), hint=again
        )
    return model


def _rows(
    workspace: Workspace, table: str, schema: Any, newest: str, **where: str
) -> list[dict[str, Any]]:
    """Return the rows with some values, the newest first."""
    clause = " AND ".join(f"{name} = {quote_text(value)}" for name, value in where.items())
    rows = workspace.read(table, clause, schema=schema).sort_by([(newest, "descending")])
    found: list[dict[str, Any]] = rows.to_pylist()
    return found


def _newest(
    workspace: Workspace, table: str, schema: Any, newest: str, **where: str
) -> dict[str, Any] | None:
    return next(iter(_rows(workspace, table, schema, newest, **where)), None)


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


def _measured(workspace: Workspace, run: RunInfo, digest: str) -> list[Measured]:
    if not workspace.table_exists(HYPOTHESES_TABLE):
        return []
    sets = workspace.query(
        f"SELECT h.hyps, h.manifest, any_value(h.transcriber || ' ' || h.transcriber_version) AS "
        f"search, max(r.ended) AS made FROM {HYPOTHESES_TABLE} h JOIN runs r USING (run_id) "
        "GROUP BY ALL HAVING bool_and(split_part(h.transcriber_version, ' ', 1) = $model)",
        {"model": digest},
    ).to_pylist()
    made = {(row["hyps"], row["manifest"]): row for row in sets}
    found: dict[tuple[str, str], Measured] = {}
    for scoring in scorings(workspace):
        key = (scoring.hyps, scoring.manifest_name)
        if key not in made or key in found or scoring.started < made[key]["made"]:
            continue
        found[key] = _one(workspace, run, scoring, made[key]["search"])
    return [found[key] for key in sorted(found)]


def _one(workspace: Workspace, run: RunInfo, scoring: Scoring, search: str) -> Measured:
    manifest = workspace.manifest(scoring.manifest)
    rates = [r for r in read_groups(workspace, scoring).to_pylist() if r["metric"] in METRICS]
    compared = _compared(workspace, scoring)
    judged = _newest(workspace, "decisions", DECISIONS, "decided", fingerprint=manifest.fingerprint)
    return Measured(
        scoring=scoring,
        search=search,
        manifest=manifest,
        rates=tuple(rates),
        standing=_standing(run, manifest, compared),
        judged=judged["verdict"] if judged else None,
        compared=compared,
    )


def _compared(workspace: Workspace, scoring: Scoring) -> Compared | None:
    row = _newest(
        workspace, COMPARISONS_TABLE, COMPARISONS, "compared", after_run_id=scoring.run_id
    )
    if row is None:
        return None
    told = workspace.query(
        "SELECT parameters FROM runs WHERE run_id = $run", {"run": row["run_id"]}
    )
    groups = workspace.read(
        GROUPS_TABLE, f"run_id = {quote_text(row['run_id'])}", schema=CHANGES
    ).to_pylist()
    return Compared(
        row,
        json.loads(told["parameters"][0].as_py()),
        tuple(one for one in groups if one["metric"] in METRICS),
    )


def _standing(run: RunInfo, manifest: ManifestVersion, compared: Compared | None) -> Standing:
    """Return what the training knew of an evaluation.

    The hand-off has shown that its validation shares nothing with the training data; of another
    evaluation a comparison that names the training manifest has.
    """
    if manifest.fingerprint == run.train.fingerprint:
        return Standing.TRAINED_ON
    if manifest.fingerprint == run.validation.fingerprint:
        return Standing.HELD_OUT
    if compared is None or compared.plan.get("train_fingerprint") != run.train.fingerprint:
        return Standing.UNKNOWN
    if compared.exposure("wer", TRAINED_ON) is None:
        return Standing.HELD_OUT
    return Standing.PARTLY if compared.exposure("wer", HELD_OUT) else Standing.TRAINED_ON
