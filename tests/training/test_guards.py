"""Each mistake that a run does not survive is refused before anything of a model is loaded."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.training.conftest import RECIPE, Trial, clips, write_bundle

from asrdq.errors import DataError, UsageError


@dataclass(frozen=True)
class Mistake:
    """What is wrong with a bundle, and the rule that says so."""

    rule: str
    recipe: Mapping[str, Any] = field(default_factory=dict)
    row: Mapping[str, Any] = field(default_factory=dict)


TDT = {"base": "nvidia/parakeet-tdt-0.6b-v3", "family": "tdt", "parameters": 627_000_000}
MISTAKES = [
    Mistake(
        "base-not-for-sft",
        {"model": {**TDT, "base": "nvidia/nemotron-speech-streaming-en-0.6b", "family": "rnnt"}},
    ),
    Mistake(
        "streaming-base",
        {"model": {**TDT, "base": "/models/fastconformer_streaming.nemo", "family": "hybrid"}},
    ),
    Mistake("adapters-on-transducer", {"model": {**TDT, "lora": {"rank": 8}}}),
    Mistake(
        "adapters-on-transducer",
        {"model": {"base": "b.nemo", "family": "rnnt", "parameters": 10, "lora": {"rank": 8}}},
    ),
    Mistake("tdt-fp16", {"trainer": {"precision": "fp16-mixed"}}),
    Mistake("lr-too-high", {"optimiser": {"lr": 0.01}}),
    Mistake("checkpoint-monitor-empty", {"checkpoints": {"monitor": ""}}),
    Mistake("steps-against-epochs", {"schedule": {"epochs": 3, "max_steps": 5}}),
    Mistake("repeated-transcript", row={"text": "the same five words again and again"}),
    Mistake("null-durations", row={"duration": None}),
    Mistake("tokenizer-coverage", {"model": {**TDT, "tokenizer": "TOKENIZER"}}),
    Mistake(
        "language-unsupported",
        {"model": {"base": "nvidia/canary-1b", "family": "aed", "parameters": 10**9}},
        {"source_lang": "he", "target_lang": "he"},
    ),
    Mistake(
        "validation-batch-too-large", {"data": {**RECIPE["data"], "validation_batch_factor": 5.0}}
    ),
]


def with_mistake(folder: Path, mistake: Mistake) -> Path:
    recipe = dict(mistake.recipe)
    audio = folder / "audio"
    audio.mkdir()
    rows = [{**row, **mistake.row} for row in clips(audio, "train", 40)]
    if mistake.rule == "repeated-transcript":
        first = rows[0]["audio_filepath"]
        rows = [{**row, "audio_filepath": first, "offset": 3.0 * n} for n, row in enumerate(rows)]
    if mistake.rule == "tokenizer-coverage":
        vocabulary = folder / "tokenizer"
        vocabulary.mkdir()
        signs = ["<unk>", *"abcde", "▁", *"0123456789"]
        (vocabulary / "vocab.txt").write_text("\n".join(signs) + "\n", encoding="utf-8")
        recipe["model"] = {**recipe["model"], "tokenizer": str(vocabulary / "vocab.txt")}
    return write_bundle(folder / "bundle", recipe=recipe, rows=rows)


@pytest.mark.slow
@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda m: m.rule)
def test_a_fatal_mistake_is_refused_before_a_model_is_built(
    tmp_path: Path, trial_backends: str, mistake: Mistake
) -> None:
    trial = Trial(tmp_path, with_mistake(tmp_path, mistake))
    with pytest.raises(DataError, match="that a run does not survive") as caught:
        trial.train()
    assert [p.message.partition(":")[0] for p in caught.value.problems] == [mistake.rule]
    assert caught.value.exit_code == 1
    assert "trial_backends" not in sys.modules
    assert not trial.run_dir.exists()


@pytest.mark.slow
@pytest.mark.parametrize("mistake", [MISTAKES[1], MISTAKES[8]], ids=lambda m: m.rule)
def test_a_person_may_let_it_pass_and_that_is_kept(
    tmp_path: Path, trial_backends: str, mistake: Mistake, capsys: pytest.CaptureFixture[str]
) -> None:
    trial = Trial(tmp_path, with_mistake(tmp_path, mistake))
    result = trial.train(allow=frozenset({mistake.rule}), max_steps=1)
    assert result.exit_code == 0
    [kept] = trial.info()["allowed"]
    assert kept["rule"] == mistake.rule
    assert trial.info()["asked"] == [mistake.rule]
    assert f"let pass: {mistake.rule}: {kept['message']}" in result.summary()
    assert f"let pass by --allow {mistake.rule}" in capsys.readouterr().err


@pytest.mark.slow
def test_no_machine_learning_library_is_imported_for_a_refusal(
    tmp_path: Path, trial_backends: str
) -> None:
    bundle = with_mistake(tmp_path, Mistake("lr-too-high", {"optimiser": {"lr": 0.01}}))
    program = (
        "import sys\nfrom asrdq.cli.app import run\n"
        f"code = run(['train', {str(bundle)!r}])\n"
        "heavy = {'torch', 'nemo', 'lightning', 'transformers'}\n"
        "print(code, heavy & sys.modules.keys())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.stdout.strip() == "1 set()", done.stderr
    assert "lr-too-high: " in done.stderr


def test_all_mistakes_are_told_at_once(tmp_path: Path, trial_backends: str) -> None:
    wrong = {"optimiser": {"lr": 0.01}, "trainer": {"precision": "fp16-mixed"}}
    trial = Trial(tmp_path, write_bundle(tmp_path / "bundle", recipe=wrong))
    with pytest.raises(DataError, match="2 mistakes") as caught:
        trial.train(allow=frozenset({"streaming-base"}))
    assert {p.message.partition(":")[0] for p in caught.value.problems} == {
        "lr-too-high",
        "tdt-fp16",
    }


def test_what_a_person_answered_for_at_the_hand_off_passes(
    tmp_path: Path, trial_backends: str
) -> None:
    said = {"level": "error", "rule": "lr-too-high", "suppressed": "random weights learn faster"}
    wrong = {"optimiser": {"lr": 0.01}}
    bundle = write_bundle(tmp_path / "bundle", recipe=wrong, lint=[said])
    trial = Trial(tmp_path, bundle)
    assert trial.train(max_steps=1).finished
    open_still = write_bundle(tmp_path / "open", recipe=wrong, lint=[{**said, "suppressed": None}])
    with pytest.raises(DataError, match="lr-too-high"):
        trial.train(bundle=open_still, run_dir=tmp_path / "other")


def test_another_base_is_held_against_the_rules_too(trial: Trial) -> None:
    with pytest.raises(DataError, match="base-not-for-sft: the run starts from nvidia/nemotron"):
        trial.train(base="nvidia/nemotron-speech-streaming-en-0.6b")
    trial.train(base='odd: "name" [x].nemo', max_steps=1)
    assert trial.info()["base"] == 'odd: "name" [x].nemo'


def test_a_rule_that_there_is_not_cannot_be_switched_off(trial: Trial) -> None:
    with pytest.raises(UsageError, match="did you mean 'tdt-fp16'"):
        trial.train(allow=frozenset({"tdt_fp16"}))
