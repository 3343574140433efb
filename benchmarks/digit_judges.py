"""Two judges of labels that may be swapped: the audit, and a model that is trained on them itself.

Both are asked about the manifest `swapped`, whose truth stands in its column `right_text`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from digit_training import Training, model_of
from digits import WORDS
from fsdd import SWAPPED, VALIDATION

from asrdq.audit import AuditPlan, audit
from asrdq.gates import evaluate_gate
from asrdq.models.nemo_ctc import NemoCtcModel
from asrdq.sampling import SamplingPlan, draw_sample
from asrdq.versions import derive_manifest
from asrdq.workspace import Workspace

FALSE_ALARMS = 0.03


@dataclass(frozen=True)
class Doubt:
    """How much a judge doubts each label.

    Attributes:
        utt_ids: The clips that it was asked about.
        swapped: Which labels are wrong.
        degree: How sure it is that a label is wrong; only the order counts.
    """

    utt_ids: np.ndarray
    swapped: np.ndarray
    degree: np.ndarray

    def above(self, least: float) -> np.ndarray:
        """Return which clips it calls wrong."""
        called: np.ndarray = self.degree > least
        return called

    def at_false_alarms(self, share: float = FALSE_ALARMS) -> np.ndarray:
        """Return which clips it calls wrong where so many right labels may be called wrong.

        The limit is one that only the truth can give: what the judge could do at best.
        """
        return self.above(float(np.quantile(self.degree[~self.swapped], 1.0 - share)))


@dataclass(frozen=True)
class Found:
    """What a judge found, against the truth."""

    recall: float
    false_alarms: float
    called: int


def against_truth(doubt: Doubt, called: np.ndarray) -> Found:
    """Return the shares of wrong and of right labels that were called wrong."""
    wrong, right = called[doubt.swapped], called[~doubt.swapped]
    return Found(float(wrong.mean()), float(right.mean()), int(called.sum()))


def without(workspace: Workspace, name: str, doubt: Doubt, called: np.ndarray) -> str:
    """Derive the manifest of the clips that a judge does not call wrong; return its name."""
    out = ", ".join(f"'{utt_id}'" for utt_id in doubt.utt_ids[called])
    derive_manifest(workspace, name, f"SELECT * FROM {SWAPPED} WHERE utt_id NOT IN ({out})")
    return name


def by_audit(workspace: Workspace) -> tuple[Doubt, list[str]]:
    """Audit every clip with PocketSphinx; return its doubt, and what audit and gate say."""
    manifest = workspace.manifest(SWAPPED)
    draw_sample(workspace, manifest, SamplingPlan(fraction=1.0))
    result = audit(workspace, manifest, AuditPlan("pocketsphinx"))
    verdict = evaluate_gate(workspace, manifest)
    said = [result.summary(), f"gate: {verdict.verdict}: {verdict.reasons[0].message}"]
    rows = workspace.query(
        "SELECT a.utt_id, s.text <> s.right_text AS swapped, coalesce(a.confidence, 0) AS sure "
        f"FROM audits a JOIN {SWAPPED} s USING (utt_id) WHERE a.run_id = $run ORDER BY utt_id",
        {"run": result.run_id},
    )
    return _doubt(rows["utt_id"], rows["swapped"], -rows["sure"].to_numpy()), said


def folds(speakers: Sequence[str], size: int, epochs: int) -> list[Training]:
    """Return the trainings of the judges: each hears speakers that it was not trained on."""
    groups = [tuple(speakers[start : start + size]) for start in range(0, len(speakers), size)]
    return [
        Training(
            name=f"judge-{'-'.join(group)}",
            family="ctc",
            train=f"{SWAPPED}_without_{'_'.join(group)}",
            validation=f"{VALIDATION}_without_{'_'.join(group)}",
            hears=f"{SWAPPED}_of_{'_'.join(group)}",
            epochs=epochs,
        )
        for group in groups
    ]


def make_folds(workspace: Workspace, trainings: Sequence[Training]) -> None:
    """Derive the manifests of the folds."""
    for each in trainings:
        names = each.hears.removeprefix(f"{SWAPPED}_of_").split("_")
        group = ", ".join(f"'{name}'" for name in names)
        for manifest, source, rule in (
            (each.train, SWAPPED, "NOT IN"),
            (each.validation, VALIDATION, "NOT IN"),
            (each.hears, SWAPPED, "IN"),
        ):
            query = f"SELECT * FROM {source} WHERE speaker {rule} ({group})"
            derive_manifest(workspace, manifest, query)


def by_models(workspace: Workspace, trainings: Sequence[Training]) -> Doubt:
    """Return the doubt of the models about the speakers that each had not heard.

    A label is doubted by how much likelier the likeliest of the other digits is, by the model's
    own CTC: under 0 where it hears the label.
    """
    found: list[dict[str, Any]] = []
    for each in trainings:
        rows = workspace.query(
            f"SELECT utt_id, audio_path, text, text <> right_text AS swapped FROM {each.hears}"
        ).to_pylist()
        likely = likelihoods(
            model_of(Path(workspace.root), each), [row["audio_path"] for row in rows]
        )
        for row, scores in zip(rows, likely, strict=True):
            label = WORDS.index(row["text"])
            found.append({**row, "degree": np.delete(scores, label).max() - scores[label]})
    found.sort(key=lambda row: str(row["utt_id"]))
    columns = {name: np.array([row[name] for row in found]) for name in found[0]}
    return _doubt(columns["utt_id"], columns["swapped"], columns["degree"])


def likelihoods(file: Path, clips: Sequence[str]) -> np.ndarray:
    """Return the log-likelihood of each digit in each clip of 16 kHz, shape (clips, 10)."""
    import torch

    model = NemoCtcModel(file, torch.device("cpu"))
    tokens = [torch.tensor(model.tokens(word)) for word in WORDS]
    labels = torch.nn.utils.rnn.pad_sequence(tokens, batch_first=True)
    lengths = torch.tensor([len(each) for each in tokens])
    scores = []
    for path in clips:
        samples, _ = soundfile.read(path, dtype="float32")
        (frames,) = model.log_posteriors([samples])
        spread = torch.from_numpy(frames)[:, None, :].expand(-1, len(WORDS), -1)
        counts = torch.full((len(WORDS),), len(frames))
        lost = torch.nn.functional.ctc_loss(
            spread, labels, counts, lengths, blank=model.blank, reduction="none"
        )
        scores.append(-lost.numpy())
    return np.stack(scores)


def _doubt(utt_ids: object, swapped: object, degree: np.ndarray) -> Doubt:
    return Doubt(np.asarray(utt_ids), np.asarray(swapped, dtype=bool), degree)
