"""Digits from end to end: tiny models, labels right and swapped, and two judges that clean them.

    python benchmarks/digit_rounds.py [--recordings DIR] [--quick] [--folder DIR]

Tiny CTC and TDT models are trained on the Free Spoken Digit Dataset with `asrdq train`, transcribe
its test side, and are scored and compared: with the labels right, with a fifth of them swapped, and
with what two judges doubt left out. One judge is the audit with PocketSphinx, the other the model
of the first round itself, trained without the speakers that it judges. The ratio is the share of
the swaps that the second finds to that of the first, at 3 % false alarms each.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import digit_judges as judges
from digit_training import Training, bases, run_all
from digits import SPEAKERS
from fsdd import RIGHT, SWAPPED, SWAPPED_SHARE, TEST, VALIDATION, prepare

from asrdq.rounds import ComparePlan, compare_rounds
from asrdq.scoring import ScorePlan, score_hypotheses
from asrdq.versions import derive_manifest
from asrdq.workspace import Workspace

SEED = 7
LEFT_OUT = "theo"
SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
RECORDINGS = Path(os.environ.get("ASRDQ_SHARED_DATA", SHARED)) / "fsdd" / "recordings"


@dataclass(frozen=True)
class Size:
    """How much is trained.

    Attributes:
        takes: Recordings of each digit and speaker.
        epochs: Passes over the data in a round.
        judge_epochs: Passes of a judge.
        fold: Speakers that each judge has not heard.
        every_model: Whether TDT, and both with a speaker left out, are trained too.
    """

    takes: int
    epochs: int
    judge_epochs: int
    fold: int
    every_model: bool


WHOLE, QUICK = Size(50, 10, 12, 1, True), Size(25, 8, 6, 3, False)


def main() -> None:
    """Print what was measured as text, then one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recordings", type=Path, default=RECORDINGS)
    parser.add_argument("--quick", action="store_true", help="few recordings, to see that it runs")
    parser.add_argument("--folder", type=Path, help="keep the workspace here")
    given = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = given.folder or Path(name)
        Workspace.init(folder)
        figures = measure(folder, given.recordings, QUICK if given.quick else WHOLE)
    print(json.dumps({**figures, "minutes": round((time.monotonic() - began) / 60, 1)}))


def measure(folder: Path, recordings: Path, size: Size) -> dict[str, Any]:
    """Train, judge, clean, train again; print each figure as soon as it is there."""
    workspace = Workspace.open(folder)
    prepare(workspace, recordings, size.takes, SEED)
    show_data(workspace)
    models = bases(folder / "bases", ("ctc", "tdt"), SEED)

    doubt, said = judges.by_audit(workspace)
    print("\n".join(["", "PocketSphinx, by `asrdq audit swapped`:", *said]))

    first = [*rounds_of_right_labels(workspace, size), round_of("swapped", SWAPPED, size)]
    folds = judges.make_folds(workspace, SPEAKERS, size.fold, size.judge_epochs)
    run_all(workspace, [*first, *(fold.training for fold in folds)], models, SEED)
    own = judges.by_models(Workspace.open(folder), folds)

    cuts = {
        "audit": (doubt, doubt.at_false_alarms()),
        "model": (own, own.at_false_alarms()),
        "model-fifth": (own, own.most(SWAPPED_SHARE)),
    }
    found = {name: judges.against_truth(*cut) for name, cut in cuts.items()}
    show_judges(found)
    cleaned = [
        round_of(
            f"cleaned-{name}",
            judges.without(workspace, f"cleaned_{name}".replace("-", "_"), *cut),
            size,
        )
        for name, cut in cuts.items()
    ]
    run_all(workspace, cleaned, models, SEED)

    workspace = Workspace.open(folder)
    rates = {each.name: score(workspace, each) for each in (*first, *cleaned)}
    show_epochs(workspace, [*first, *cleaned])
    show_rates(rates)
    show_changes(workspace, [each.name for each in cleaned], rates)
    recalls = {name: each.recall for name, each in found.items()}
    wer = {f"wer_{name}": round(rate["rate"], 4) for name, rate in rates.items()}
    return {"ratio": round(recalls["model"] / recalls["audit"], 3), **wer}


def round_of(name: str, train: str, size: Size) -> Training:
    """Return the round of a CTC model on some labels."""
    return Training(name, "ctc", train, VALIDATION, size.epochs, TEST)


def rounds_of_right_labels(workspace: Workspace, size: Size) -> list[Training]:
    """Return CTC with all speakers, or both families so, and with one left out and asked about."""
    if not size.every_model:
        return [round_of("ctc-right", RIGHT, size)]
    here = f"speaker <> '{LEFT_OUT}'"
    for name, query in {
        "seen_train": f"SELECT * FROM {RIGHT} WHERE {here}",
        "seen_validation": f"SELECT * FROM {VALIDATION} WHERE {here}",
        "unseen": f"SELECT * FROM digits WHERE speaker = '{LEFT_OUT}'",
    }.items():
        derive_manifest(workspace, name, query)
    rounds = []
    for family in ("ctc", "tdt"):
        whole = Training(f"{family}-right", family, RIGHT, VALIDATION, size.epochs, TEST)
        left = Training(
            f"{family}-without-{LEFT_OUT}",
            *(family, "seen_train", "seen_validation", size.epochs, "unseen"),
        )
        rounds += [whole, left]
    return rounds


def score(workspace: Workspace, each: Training) -> dict[str, Any]:
    """Score a round and return its WER with the interval, as `asrdq score` has it."""
    result = score_hypotheses(workspace, workspace.manifest(each.hears), each.name, ScorePlan())
    rows = result.groups.to_pylist()
    return next(row for row in rows if row["metric"] == "wer" and not row["grouped_by"])


def show_data(workspace: Workspace) -> None:
    """Print the manifests."""
    print("manifest               clips    hours   labels that are wrong")
    for name, wrong in (
        (RIGHT, "0"),
        (SWAPPED, "sum((text <> right_text)::INT)"),
        (VALIDATION, "0"),
        (TEST, "0"),
    ):
        query = f"SELECT count(*), sum(duration_s) / 3600, {wrong} FROM {name}"
        clips, hours, swaps = workspace.query(query).to_pydict().values()
        print(f"{name:20} {clips[0]:7,} {hours[0]:8.3f} {int(swaps[0]):7,}")


def show_judges(found: dict[str, judges.Found]) -> None:
    """Print what each judge found."""
    names = {
        "audit": "PocketSphinx, limit by the truth at 3 % false alarms",
        "model": "the model itself, out of fold by speaker, the same limit",
        "model-fifth": "the model itself, the fifth that it doubts most",
    }
    print("\njudge                                                       swaps found  false alarms")
    for name, each in found.items():
        print(f"{names[name]:58} {each.recall:12.1%} {each.false_alarms:13.1%}")


def show_epochs(workspace: Workspace, trainings: list[Training]) -> None:
    """Print the WER on the validation side after each epoch, as the runs have logged it."""
    print("\nWER of validation, in %, by epoch")
    for each in trainings:
        rows = workspace.query(
            "SELECT value FROM train_metrics WHERE run = $run AND split = 'validation' "
            "AND metric = 'wer' ORDER BY step",
            {"run": each.name},
        )
        print(
            f"{each.name:24}"
            + "".join(f"{100 * value:7.1f}" for value in rows["value"].to_pylist())
        )


def show_rates(rates: dict[str, dict[str, Any]]) -> None:
    """Print the WER of each round with its interval."""
    print("\nround                      WER   95 % interval     clips  resampled by")
    for name, row in rates.items():
        low, high = (f"{100 * row[key]:.1f}" for key in ("low", "high"))
        blocks = f"{row['blocks']} × {row['blocked_by']}"
        print(
            f"{name:22} {row['rate']:7.1%}   {low:>5} to {high:>5} {row['units']:9,.0f}  {blocks}"
        )


def show_changes(
    workspace: Workspace, cleaned: list[str], rates: dict[str, dict[str, Any]]
) -> None:
    """Print what swapping cost, and what cleaning won back, as `asrdq compare` has it."""
    print("\nasrdq compare")
    lost = rates["swapped"]["rate"] - rates["ctc-right"]["rate"]
    for before, after in (("ctc-right", "swapped"), *(("swapped", name) for name in cleaned)):
        result = compare_rounds(workspace, before, after, ComparePlan(metric="wer"))
        back = ""
        if before == "swapped" and lost > 0:
            back = f"; won back {(rates['swapped']['rate'] - rates[after]['rate']) / lost:.0%}"
        print(f"{before} → {after}: {result.target}: {result.decision.verdict}{back}")


if __name__ == "__main__":
    sys.exit(main())
