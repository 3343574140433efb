"""The model on an evaluation: its rates, what it knew of the rows, what it was compared with."""

from __future__ import annotations

import enum
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from asrdq.cards.rows import newest
from asrdq.gates.tables import DECISIONS
from asrdq.hypotheses import TABLE as HYPOTHESES_TABLE
from asrdq.rounds.exposure import EXPOSURE, HELD_OUT, TRAINED_ON
from asrdq.rounds.schema import COMPARISONS, GROUPS_TABLE
from asrdq.rounds.schema import GROUPS as CHANGES
from asrdq.rounds.schema import TABLE as COMPARISONS_TABLE
from asrdq.scoring.scorings import Scoring, read_groups, scorings
from asrdq.workspace.store import quote_text

if TYPE_CHECKING:
    from asrdq.training.run_info import RunInfo
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


def measured(workspace: Workspace, run: RunInfo, model_hash: str) -> list[Measured]:
    """Return the model of a run on each evaluation, by the newest scoring of each.

    Scores count only where the set of hypotheses was made by exactly these weights: the version of
    its transcriber holds the hash of the files.
    """
    if not workspace.table_exists(HYPOTHESES_TABLE):
        return []
    sets = workspace.query(
        f"SELECT h.hyps, h.manifest, any_value(h.transcriber || ' ' || h.transcriber_version) AS "
        f"search, max(r.ended) AS made FROM {HYPOTHESES_TABLE} h JOIN runs r USING (run_id) "
        "GROUP BY ALL HAVING bool_and(split_part(h.transcriber_version, ' ', 1) = $model)",
        {"model": model_hash},
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
    judged = newest(workspace, "decisions", DECISIONS, "decided", fingerprint=manifest.fingerprint)
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
    row = newest(workspace, COMPARISONS_TABLE, COMPARISONS, "compared", after_run_id=scoring.run_id)
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
