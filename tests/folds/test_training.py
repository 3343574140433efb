"""Models of folds are trained, gone on with after a kill, and judge whom they have not heard."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.conftest import cli_environment
from tests.training.nemo.conftest import RECIPE

from asrdq.errors import UsageError
from asrdq.folds import FoldTraining, read_folds
from asrdq.folds.proof import origin_of
from asrdq.folds.training import train_folds
from asrdq.handoff import Asked, hand_off
from asrdq.manifests import ingest_manifest
from asrdq.recipes import read_recipe_file
from asrdq.training import read_info
from asrdq.versions import derive_manifest
from asrdq.workspace import Workspace

SPEAKERS = ("george", "jackson", "theo")
WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
STEPS = 12


@pytest.fixture
def spoken(workspace: Workspace, shared_data: Path, tmp_path: Path) -> Workspace:
    """`train` has 20 digits of each of three speakers, `val` five of each."""
    recordings = shared_data / "fsdd" / "recordings"
    for name, takes in (("train", (0, 1)), ("val", (2,))):
        rows = [
            {
                "id": f"{digit}_{speaker}_{take}",
                "audio_filepath": str(recordings / f"{digit}_{speaker}_{take}.wav"),
                "duration": 0.5,
                "text": WORDS[digit],
                "speaker": speaker,
            }
            for speaker in SPEAKERS
            for digit in range(10 if name == "train" else 5)
            for take in takes
        ]
        file = tmp_path / f"{name}.jsonl"
        file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        ingest_manifest(workspace, [file], name)
    (workspace.root / "asrdq.yaml").write_text("sampling: {fraction: 1.0}\n")
    return Workspace.open(workspace.root)


def recipe_file(folder: Path, base: object, **model: Any) -> Path:
    said = {
        **RECIPE,
        "model": {**RECIPE["model"], "base": str(base), **model},
        "optimiser": {**RECIPE["optimiser"], "lr": 1e-3},
        "data": {**RECIPE["data"], "min_duration_s": 0.1},
        "schedule": {**RECIPE["schedule"], "max_steps": STEPS, "warmup_steps": 2},
        "trainer": {**RECIPE["trainer"], "val_check_interval": 4},
    }
    file = folder / "digits.yaml"
    file.write_text(yaml.safe_dump(said), encoding="utf-8")
    return file


def test_a_model_that_cannot_align_is_refused_before_it_is_trained(
    spoken: Workspace, tmp_path: Path
) -> None:
    recipe = read_recipe_file(str(recipe_file(tmp_path, "b.nemo", family="tdt")), spoken)
    plan = FoldTraining(recipe, spoken.manifest("val"), count=3)
    with pytest.raises(UsageError, match="of the family tdt, which does not align"):
        train_folds(spoken, spoken.manifest("train"), plan)


def test_a_judge_is_handed_data_without_a_verdict_and_says_so(
    spoken: Workspace, tmp_path: Path
) -> None:
    recipe = read_recipe_file(str(recipe_file(tmp_path, "b.nemo")), spoken)
    asked = Asked(
        workspace=spoken,
        train=spoken.manifest("train"),
        validation=spoken.manifest("val"),
        recipe=recipe,
        backend="nemo",
        out=tmp_path / "bundle",
        judge=True,
    )
    made = hand_off(asked)
    assert made.verdicts == {}
    assert "without a verdict: its model is to judge other data" in made.summary()
    assert json.loads((asked.out / "provenance.json").read_text())["verdicts"] == []
    assert "**Nobody: there is no verdict on it.**" in (asked.out / "README.md").read_text()
    [row] = spoken.read("handoffs").to_pylist()
    assert row["train_verdict"] is None


def test_the_place_of_models_follows_what_makes_them(spoken: Workspace, tmp_path: Path) -> None:
    recipe = read_recipe_file(str(recipe_file(tmp_path, "b.nemo")), spoken)
    train, validation = spoken.manifest("train"), spoken.manifest("val")
    place = FoldTraining(recipe, validation, count=3).place(spoken, train)
    assert place == FoldTraining(recipe, validation, count=3).place(spoken, train)
    assert place.parent == Path(str(spoken.root)) / "folds"
    few = derive_manifest(spoken, "few", "SELECT * FROM train WHERE speaker <> 'theo'").manifest
    others = {
        FoldTraining(recipe, validation, count=2).place(spoken, train),
        FoldTraining(recipe, validation, count=3, base="other").place(spoken, train),
        FoldTraining(recipe, validation, count=3).place(spoken, few),
        FoldTraining(recipe, few, count=3).place(spoken, train),
    }
    assert len(others) == 4 and place not in others
    base = tmp_path / "base.nemo"
    places = []
    for content in (b"one model", b"another", b"one model"):
        base.write_bytes(content)
        places.append(FoldTraining(recipe, validation, 3, str(base)).place(spoken, train))
    assert places[0] == places[2] != places[1]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_killed_while_a_fold_trains_and_gone_on_with(spoken: Workspace, tmp_path: Path) -> None:
    """Killed in the middle of the second training: the first is not trained again."""
    pytest.importorskip("nemo.collections.asr", reason="the extra train is not installed")
    from asrdq.training.nemo.tiny import tiny_model

    file = recipe_file(tmp_path, tiny_model("ctc", WORDS, tmp_path / "tiny"))
    here = ["-w", str(spoken.root), "--device", "cpu", "--workers", "1"]
    folds = ["--aligner", "ctc", "--out-of-fold", "speaker"]
    trains = ["--folds", "2", "--recipe", str(file), "--val", "val"]
    process = subprocess.Popen(
        [sys.executable, "-m", "asrdq", "audit", "train", *here, *folds, *trains],
        env=cli_environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    root = Path(str(spoken.root))
    while not list(root.glob("folds/*/fold-2/run/checkpoints/last.ckpt")):
        assert process.poll() is None, "it ended before the second training"
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    [place] = root.glob("folds/*")
    killed = read_info(place / "fold-2/run")
    assert killed is not None and killed.state == "running"
    assert not (place / "folds.yaml").exists()

    workspace = Workspace.open(root)
    plan = FoldTraining(
        read_recipe_file(str(file), workspace), workspace.manifest("val"), 2, device="cpu"
    )
    models = train_folds(workspace, workspace.manifest("train"), plan)
    assert isinstance(models, list)
    assert models == read_folds(place)
    infos = [read_info(place / f"fold-{number}/run") for number in (1, 2)]
    assert [info and info.state for info in infos] == ["finished", "finished"]
    assert [len(info.attempts) for info in infos if info] == [1, 2]
    assert infos[1] is not None and infos[1].resumed_from

    origins = [
        origin_of(workspace, workspace.manifest("train"), fold, accept=False) for fold in models
    ]
    assert [(one.proof, one.train) for one in origins] == [
        ("proven", "train-without-fold-1@0"),
        ("proven", "train-without-fold-2@0"),
    ]
