"""Swapped labels of digits, found by the audit with PocketSphinx and by the model in training.

    python benchmarks/out_of_fold.py [--recordings DIR] [--rows] [--quick] [--folder DIR]

A fifth of the labels of the Free Spoken Digit Dataset is swapped. They are audited with
PocketSphinx, and with `--aligner ctc --out-of-fold speaker`: tiny CTC models trained on these very
labels, each of which judges the speakers that it has not heard. Then a round is trained on what
each audit leaves, and transcribes the test side. The ratio is the share of the swaps that the
second audit finds to that of the first, where each calls 3 % of the right labels wrong.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from digit_training import Training, bases, run_all
from fsdd import RIGHT, SWAPPED, TEST, VALIDATION, prepare

from asrdq.audit import AuditPlan, AuditResult, audit
from asrdq.console import progress
from asrdq.folds import FoldTraining, audit_out_of_fold
from asrdq.gates import evaluate_gate
from asrdq.recipes import read_recipe_file
from asrdq.sampling import SamplingPlan, draw_sample
from asrdq.scoring import ScorePlan, score_hypotheses
from asrdq.versions import derive_manifest
from asrdq.workspace import Workspace

SEED = 7
FALSE_ALARMS = 0.03
SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
RECORDINGS = Path(os.environ.get("ASRDQ_SHARED_DATA", SHARED)) / "fsdd" / "recordings"
_RECIPE = """\
name: judges
backend: nemo
model: {{base: {base}, family: ctc, parameters: 200000}}
data: {{min_duration_s: 0.1, max_duration_s: 20.0, batch_size: 32, workers: 0}}
optimiser:
  lr: 3.0e-3  # asrdq: ignore[lr-too-high] the model starts from random weights
  weight_decay: 1.0e-3
  betas: [0.9, 0.98]
schedule: {{name: CosineAnnealing, warmup_share: 0.1, min_lr: 1.0e-5, epochs: {epochs}}}
trainer: {{precision: fp32, log_every_n_steps: 10, seed: 7}}
augmentation:
  spec_augment: {{frequency_masks: 2, frequency_width: 20, time_masks: 2, time_width: 0.1}}
evaluation: {{per_epoch: 1}}
checkpoints: {{monitor: val_wer, top_k: 1}}
loggers: []
"""


@dataclass(frozen=True)
class Size:
    """How much is trained.

    Attributes:
        takes: Recordings of each digit and speaker.
        epochs: Passes over the data in a round.
        judge_epochs: Passes of a model that judges.
        folds: Models that judge.
    """

    takes: int
    epochs: int
    judge_epochs: int
    folds: int


WHOLE, QUICK, ROWS = Size(50, 10, 7, 6), Size(25, 12, 14, 3), Size(50, 30, 20, 6)


def main() -> None:
    """Print what was measured as text, then one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recordings", type=Path, default=RECORDINGS)
    parser.add_argument("--quick", action="store_true", help="half of the recordings, three folds")
    parser.add_argument("--rows", action="store_true", help="rows of three or four digits")
    parser.add_argument("--folder", type=Path, help="keep the workspace here, gone on with")
    given = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = given.folder or Path(name)
        size = QUICK if given.quick else ROWS if given.rows else WHOLE
        figures = measure(folder, given.recordings, size, in_rows=given.rows)
    print(json.dumps({**figures, "minutes": round((time.monotonic() - began) / 60, 1)}))


def measure(folder: Path, recordings: Path, size: Size, *, in_rows: bool) -> dict[str, Any]:
    """Audit twice, clean, train, and score; print each figure as soon as it is there."""
    if not (folder / "asrdq.yaml").exists():
        Workspace.init(folder)
        prepare(Workspace.open(folder), recordings, size.takes, SEED, in_rows=in_rows)
    workspace = Workspace.open(folder)
    models = {"ctc": _base(folder)}
    swapped = workspace.manifest(SWAPPED)
    draw_sample(workspace, swapped, SamplingPlan(fraction=1.0))
    results = {
        "pocketsphinx": audit(workspace, swapped, AuditPlan("pocketsphinx")),
        "out-of-fold": out_of_fold(workspace, size, models["ctc"]),
    }
    figures: dict[str, Any] = {}
    rounds = [round_of("right", RIGHT, size), round_of("swapped", SWAPPED, size)]
    for name, result in results.items():
        own = against_truth(workspace, result)
        figures |= {f"{name} {key}": round(value, 4) for key, value in own.items()}
        print(f"\n{name}\n{result.summary()}\ngate: {evaluate_gate(workspace, swapped).verdict}")
        print(f"{name}: {own}", flush=True)
        if result.low_quality:
            rounds.append(round_of(f"cleaned-{name}", cleaned(workspace, name, result), size))
        else:
            print(f"{name} calls no clip low quality: its round is that of the swapped labels")
    run_all(workspace, rounds, models, SEED)
    workspace = Workspace.open(folder)
    for each in rounds:
        wer = wer_of(workspace, each)
        figures[f"WER {each.name}"] = round(wer["rate"], 4)
        print(f"{each.name:22} WER {wer['rate']:.1%} [{wer['low']:.1%}, {wer['high']:.1%}]")
    key = "found at 3 % false alarms"
    return {"ratio": figures[f"out-of-fold {key}"] / figures[f"pocketsphinx {key}"], **figures}


def _base(folder: Path) -> Path:
    made = sorted((folder / "bases").rglob("*.nemo"))
    return made[0] if made else bases(folder / "bases", ("ctc",), SEED)["ctc"]


def out_of_fold(workspace: Workspace, size: Size, base: Path) -> AuditResult:
    """Train the models of the folds and audit with them."""
    file = Path(workspace.root) / "judges.yaml"
    file.write_text(_RECIPE.format(base=base, epochs=size.judge_epochs), encoding="utf-8")
    training = FoldTraining(
        recipe=read_recipe_file(str(file), workspace),
        validation=workspace.manifest(VALIDATION),
        count=size.folds,
        device="cpu",
    )
    result = audit_out_of_fold(
        workspace,
        workspace.manifest(SWAPPED),
        AuditPlan("ctc"),
        training,
        training_stage=progress,
    )
    if not isinstance(result, AuditResult):
        raise SystemExit(result.summary())
    return result


def against_truth(workspace: Workspace, result: AuditResult) -> dict[str, float]:
    """Return what an audit found of the swaps: by its verdicts, and by the order of two figures.

    These are its confidence, and the evidence `word_cost` alone, which it learns nothing for.
    """
    rows = workspace.query(
        "SELECT s.text <> s.right_text AS wrong, coalesce(a.low_quality, FALSE) AS called, "
        "coalesce(a.confidence, 0) AS sure, coalesce(-l.evidence['word_cost'], -1e9) AS cheap "
        f"FROM audits a JOIN {SWAPPED} s USING (utt_id) JOIN alignments l USING (run_id, utt_id) "
        "WHERE a.run_id = $run",
        {"run": result.run_id},
    )
    names = ("wrong", "called", "sure", "cheap")
    wrong, called, sure, cheap = (rows[name].to_numpy() for name in names)
    return {
        "found": float(called[wrong].mean()),
        "false alarms": float(called[~wrong].mean()),
        "found at 3 % false alarms": _found(sure, wrong),
        "found by word_cost at 3 %": _found(cheap, wrong),
    }


def _found(sure: np.ndarray, wrong: np.ndarray) -> float:
    limit = np.quantile(sure[~wrong], FALSE_ALARMS)
    return float((sure[wrong] < limit).mean())


def cleaned(workspace: Workspace, name: str, result: AuditResult) -> str:
    """Derive the manifest of the clips that an audit does not call low quality."""
    query = (
        f"SELECT * FROM {SWAPPED} WHERE utt_id NOT IN (SELECT utt_id FROM audits "
        f"WHERE run_id = '{result.run_id}' AND low_quality)"
    )
    rows = workspace.query(query.replace("SELECT * FROM", "SELECT utt_id FROM", 1))
    kept = ", ".join(f"'{utt_id}'" for utt_id in rows["utt_id"].to_pylist())
    made = f"cleaned_{name}".replace("-", "_")
    derive_manifest(workspace, made, f"SELECT * FROM {SWAPPED} WHERE utt_id IN ({kept})")
    return made


def round_of(name: str, train: str, size: Size) -> Training:
    """Return a round on some labels, which hears the test side afterwards."""
    return Training(name, "ctc", train, VALIDATION, size.epochs, TEST)


def wer_of(workspace: Workspace, each: Training) -> dict[str, Any]:
    """Score a round and return its WER with the interval."""
    assert each.hears is not None
    result = score_hypotheses(workspace, workspace.manifest(each.hears), each.name, ScorePlan())
    return dict(result.rate("wer"))


if __name__ == "__main__":
    main()
