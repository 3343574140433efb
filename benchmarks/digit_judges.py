"""Two judges of labels that may be swapped: the audit, and a model that is trained on them itself.

Both are asked about the manifest `swapped`, whose truth stands in its column `right_text`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile as sf
from digit_training import Training, model_of
from digits import WORDS
from fsdd import SWAPPED, VALIDATION

from asrdq.audit import AuditPlan, audit
from asrdq.gates import evaluate_gate
from asrdq.models.nemo import load_nemo
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

    def most(self, share: float) -> np.ndarray:
        """Return the share of the clips that it doubts most: that needs no truth."""
        return self.above(float(np.quantile(self.degree, 1.0 - share)))

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


@dataclass(frozen=True)
class Fold:
    """Speakers that a model has not heard, and judges.

    Attributes:
        training: The model.
        clips: The manifest with the clips of these speakers.
    """

    training: Training
    clips: str


def make_folds(workspace: Workspace, speakers: Sequence[str], size: int, epochs: int) -> list[Fold]:
    """Derive the manifests of models that judge so many speakers each, without hearing them."""
    found = []
    for start in range(0, len(speakers), size):
        group = speakers[start : start + size]
        label, those = "_".join(group), ", ".join(f"'{name}'" for name in group)
        names = [f"{SWAPPED}_without_{label}", f"{VALIDATION}_without_{label}", f"of_{label}"]
        for name, source, rule in zip(
            names, (SWAPPED, VALIDATION, SWAPPED), ("NOT IN", "NOT IN", "IN"), strict=True
        ):
            query = f"SELECT * FROM {source} WHERE speaker {rule} ({those})"
            derive_manifest(workspace, name, query)
        training = Training(f"judge-{'-'.join(group)}", "ctc", *names[:2], epochs, masks=True)
        found.append(Fold(training, names[2]))
    return found


def by_models(workspace: Workspace, folds: Sequence[Fold]) -> Doubt:
    """Return how much likelier another digit is than the label, by a model of other speakers.

    The degree is the difference of the two logarithms of their probabilities, CTC's losses.
    """
    import torch

    utt_ids, swapped, degree = [], [], []
    for fold in folds:
        model_file = model_of(Path(workspace.root), fold.training)
        model = load_nemo(str(model_file), torch.device("cpu")).eval()
        rows = workspace.query(
            "SELECT utt_id, audio_path, text, text <> right_text AS swapped "
            f"FROM {fold.clips} ORDER BY utt_id"
        )
        utt_ids += rows["utt_id"].to_pylist()
        swapped += rows["swapped"].to_pylist()
        tokens = [model.tokenizer.text_to_ids(word) for word in WORDS]
        for row in rows.to_pylist():
            losses = _losses(model, row["audio_path"], tokens)
            label = WORDS.index(row["text"])
            degree.append(losses[label] - np.delete(losses, label).min())
    return _doubt(utt_ids, swapped, np.asarray(degree))


def _losses(model: Any, audio: str, texts: Sequence[list[int]]) -> np.ndarray:
    """Return the loss of each text, (texts,)."""
    import torch

    samples, _ = sf.read(audio, dtype="float32")
    with torch.inference_mode():
        logs, frames, _ = model(
            input_signal=torch.from_numpy(samples)[None],
            input_signal_length=torch.tensor([len(samples)]),
        )
        losses = torch.nn.functional.ctc_loss(
            logs.transpose(0, 1).expand(-1, len(texts), -1),
            torch.tensor([token for text in texts for token in text]),
            frames.expand(len(texts)),
            torch.tensor([len(text) for text in texts]),
            blank=logs.shape[-1] - 1,
            reduction="none",
        )
    return np.asarray(losses, dtype=np.float64)


def _doubt(utt_ids: object, swapped: object, degree: np.ndarray) -> Doubt:
    return Doubt(np.asarray(utt_ids), np.asarray(swapped, dtype=bool), degree)
