"""The AN4 recipe from SPHERE files to the table of what a round changed, with a tiny base."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import soundfile
from tests.conftest import cli_environment

pytest.importorskip("nemo.collections.asr", reason="the extra train is not installed")
pytestmark = [pytest.mark.slow(minutes=2), pytest.mark.filterwarnings("ignore")]

# Five clips are too few to calibrate on, and commands of one word are slow speech.
POLICY = "version: 1\naudit: {confidence: null}\ninstrument: {if_unproven: note}\n"
SETTINGS = (
    "audit: {characters_per_second: 5.5}\nsampling: {fraction: 1.0}\npolicy: policies/an4.yaml\n"
)
RECIPE = """\
name: an4-tiny
extends: parakeet-an4
model: {base: BASE}
data: {batch_size: 5, workers: 0}
optimiser:
  lr: 3.0e-3  # asrdq: ignore[lr-too-high] the base has random weights
schedule: {epochs: 100, warmup_steps: 8}
trainer: {val_check_interval: 100}
augmentation: {spec_augment: null}
"""
TRANSCRIPTS = {
    "an251-fash-b": "YES",
    "an253-fash-b": "GO",
    "cen8-fbbh-b": "MARCH THIRD NINETEEN TWENTY EIGHT",
    "an152-mwhw-b": "START",
    "cen8-mwhw-b": "ELEVEN SEVENTEEN FIFTY ONE",
}


def asrdq(folder: Path, *arguments: object) -> str:
    """Run the real command and return what it writes to stdout."""
    done = subprocess.run(
        [sys.executable, "-m", "asrdq", *map(str, arguments)],
        cwd=folder,
        env={**cli_environment(), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{arguments}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def trained(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace in which AN4 was ingested, converted, audited, handed off and trained on."""
    from asrdq.training.nemo.tiny import tiny_model

    folder = tmp_path_factory.mktemp("an4")
    asrdq(folder, "init", ".")
    (folder / "asrdq.yaml").write_text(SETTINGS, encoding="utf-8")
    (folder / "policies" / "an4.yaml").write_text(POLICY, encoding="utf-8")
    (folder / "recipes").mkdir()
    base = tiny_model("tdt", TRANSCRIPTS.values(), folder / "base")
    recipe = RECIPE.replace("BASE", str(base))
    (folder / "recipes" / "an4-tiny.yaml").write_text(recipe, encoding="utf-8")
    asrdq(folder, "ingest", shared_data / "an4", "--name", "an4")
    asrdq(folder, "export", "an4", "--audio", "wav16k", "--format", "nemo", "--out", "wav16k")
    asrdq(folder, "ingest", "wav16k/an4.jsonl", "--name", "clips")
    for name, subset in (("train", "train"), ("val", "test")):
        asrdq(folder, "derive", name, f"SELECT * FROM clips WHERE subset = '{subset}'")
    asrdq(folder, "audit", "train", "--no-calibration")
    asrdq(folder, "gate", "train")
    asrdq(folder, "handoff", "train", "--val", "val", "--recipe", "an4-tiny", "--out", "bundle")
    launch(folder)
    return folder


def launch(folder: Path) -> None:
    """Train as a machine does: by the script of the bundle."""
    done = subprocess.run(
        ["bash", "bundle/launch/local.sh"],
        cwd=folder,
        env={
            **cli_environment(),
            "PYTHON": sys.executable,
            "ASRDQ_RUN_DIR": str(folder / "run"),
            "OMP_NUM_THREADS": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_sphere_files_become_wav_files_of_16_khz(trained: Path) -> None:
    lines = (trained / "bundle" / "data" / "train.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    assert {row["utt_id"]: row["text"] for row in rows} == TRANSCRIPTS
    for row in rows:
        found = soundfile.info(row["audio_filepath"])
        assert (found.format, found.subtype) == ("WAV", "PCM_16")
        assert (found.samplerate, found.channels) == (16_000, 1)
        assert found.duration == pytest.approx(row["duration"], abs=1e-3)


def test_the_run_says_what_it_was(trained: Path) -> None:
    info = json.loads((trained / "run" / "training_run_info.json").read_text())
    assert (info["state"], info["steps"], info["recipe"]) == ("finished", 100, "an4-tiny")
    assert info["base"].endswith("base/tdt.nemo")
    assert info["train"]["used"]["rows"] == 5
    assert info["validation"]["used"]["rows"] == 2


def test_sql_reads_the_run(trained: Path) -> None:
    query = "SELECT manifest, state FROM train_runs"
    assert json.loads(asrdq(trained, "sql", query, "--format", "json")) == [
        {"manifest": "train@0", "state": "ended"}
    ]
    query = "SELECT max(step) AS last, min_by(value, step) > max_by(value, step) AS fell "
    query += "FROM train_metrics WHERE split = 'train' AND metric = 'loss'"
    [losses] = json.loads(asrdq(trained, "sql", query, "--format", "json"))
    assert losses == {"last": 100, "fell": True}


def test_before_and_after_stand_side_by_side_in_the_report(trained: Path) -> None:
    models = {"before": "base/tdt.nemo", "after": "run/adapted_model.nemo"}
    for name, model in models.items():
        with_ = ("--with", f"nemo:{model}", "--name", name, "--device", "cpu")
        asrdq(trained, "transcribe", "train", *with_)
        asrdq(trained, "score", "train", "--hyps", name)
    query = "SELECT utt_id, hypothesis FROM hypotheses WHERE hyps = 'after'"
    heard = json.loads(asrdq(trained, "sql", query, "--format", "json"))
    assert {row["utt_id"]: row["hypothesis"] for row in heard} == TRANSCRIPTS
    asrdq(trained, "compare", "before", "after", "--metric", "wer")
    asrdq(trained, "report", "train", "--output", "page.html")
    page = (trained / "page.html").read_text(encoding="utf-8")
    [table] = re.findall(r'<table class="data before-after">.*?</table>', page, re.S)
    assert "MARCH THIRD NINETEEN TWENTY EIGHT".lower() in re.sub(r"<[^>]+>", "", table).lower()
    assert "5 fixed, 0 better, 0 broken" in page
