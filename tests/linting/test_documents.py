"""Configurations as teams wrote them: exactly the findings that they learned the hard way."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from asrdq.linting import Around, Level, LintResult, lint_config, read_config
from asrdq.manifests import ingest_manifest
from asrdq.planning import parse_gpus, read_hardware
from asrdq.workspace import ManifestVersion, Workspace

CONFIGS = Path(__file__).parent / "configs"
ERROR, WARNING, NOTE = Level.ERROR, Level.WARNING, Level.NOTE

Many = Callable[..., ManifestVersion]


@pytest.fixture
def many(workspace: Workspace, tmp_path: Path) -> Many:
    """Ingest rows of one length and language: `many("train", 186_812, duration=5.0)`."""

    def take(name: str, count: int, **given: Any) -> ManifestVersion:
        file = tmp_path / f"{name}.jsonl"
        tail = json.dumps({"language": "en", **given})[1:]
        with file.open("w", encoding="utf-8") as out:
            for number in range(count):
                own = f'"audio_filepath": "/a/{name}{number}.wav", "text": "{name} {number}"'
                out.write(f"{{{own}, {tail}\n")
        ingest_manifest(workspace, [file], name)
        return workspace.manifest(name)

    return take


def linted(name: str, overrides: tuple[str, ...] = (), **around: Any) -> LintResult:
    return lint_config(read_config(CONFIGS / name, overrides), Around(**around))


def found(result: LintResult) -> set[tuple[str, Level]]:
    return {(each.rule, each.level) for each in result.standing}


def told(result: LintResult, rule: str) -> str:
    [one] = [each for each in result.standing if each.rule == rule]
    return one.message


def test_canary_as_it_was_first_set_up() -> None:
    """Validation that never came, a schedule that ended early, spikes, memory at validation."""
    assert found(linted("canary-first-try.yaml")) == {
        ("validation-never-runs", ERROR),
        ("schedule-steps-mismatch", ERROR),
        ("validation-batch-too-large", ERROR),
        ("batch-size-beside-duration", WARNING),
        ("no-gradient-clipping", WARNING),
        ("checkpoint-monitor-loss", WARNING),
    }


def test_canary_after_its_lessons_says_twenty_points_where_there_are_four() -> None:
    result = linted("canary-tuned.yaml")
    assert found(result) == {("checkpoint-monitor-loss", WARNING), ("log-interval", NOTE)}
    assert "gives 4 points between validations 400 steps apart" in told(result, "log-interval")


@pytest.mark.slow
def test_canary_on_its_two_thousand_hours(workspace: Workspace, many: Many) -> None:
    """818 steps an epoch, so that 50,000 steps are 61 epochs; 20 h of validation are right."""
    train = many("train", 200_000, duration=36.0)
    val = many("val", 2_000, duration=36.0)
    result = linted("canary-tuned.yaml", workspace=workspace, manifest=train, validation=val)
    assert found(result) == {
        ("checkpoint-monitor-loss", WARNING),
        ("log-interval", NOTE),
        ("too-many-epochs", WARNING),
    }
    assert told(result, "too-many-epochs") == "50,000 steps are 61 epochs of train@0"
    small = many("small", 100, duration=36.0)
    result = linted("canary-tuned.yaml", workspace=workspace, validation=small)
    assert ("validation-set-small", WARNING) in found(result)


PLAYBOOK = (
    "model.train_ds.manifest_filepath=/workspace/train.jsonl",
    "model.validation_ds.manifest_filepath=/workspace/validation.jsonl",
    "init_from_pretrained_model=nvidia/parakeet-tdt-0.6b-v2",
    "trainer.precision=bf16-mixed",
    "trainer.max_epochs=3",
    "model.optim.lr=3e-4",
    "model.optim.sched.warmup_steps=5",
    "model.train_ds.batch_size=4",
    "trainer.gradient_clip_val=1.0",
)
"""The overrides of a fine-tuning playbook, for a container in which the folder is mounted."""


def test_a_playbook_as_it_is_typed() -> None:
    """A key that the stock file lacks; validation batches that nobody thought of; a smoke run."""
    result = linted("stock-finetune.yaml", PLAYBOOK)
    assert found(result) == {
        ("unknown-override", ERROR),
        ("smoke-epochs", WARNING),
        ("validation-batch-too-large", WARNING),
        ("path-not-found", WARNING),
    }
    assert "init_from_pretrained_model" in told(result, "unknown-override")


def test_a_playbook_on_the_manifest_it_was_proven_on(workspace: Workspace, many: Many) -> None:
    """39 rows: 5 warm-up steps of 30 are too many; with fp16 or a thousand rows more is wrong."""
    rows = many("train", 39, duration=6.0)
    right = tuple(
        (
            {"init_from_pretrained_model": "+init_from_pretrained_model"}.get(
                each.split("=")[0], ""
            )
            and f"+{each}"
        )
        or each
        for each in PLAYBOOK
    )
    here = {"workspace": workspace, "manifest": rows}
    result = linted("stock-finetune.yaml", right, **here)
    assert ("unknown-override", ERROR) not in found(result)
    assert told(result, "warmup-too-long") == "5 warm-up steps of 30"
    fp16 = linted("stock-finetune.yaml", (*right, "trainer.precision=16-mixed"), **here)
    assert ("tdt-fp16", ERROR) in found(fp16)
    thousand = many("more", 1_200, duration=6.0)
    result = linted("stock-finetune.yaml", right, workspace=workspace, manifest=thousand)
    assert told(result, "warmup-too-short") == "5 warm-up steps for 1,200 rows"


def test_an4_with_one_h100(workspace: Workspace, many: Many) -> None:
    """948 clips at 16 are 60 steps an epoch and 1,200 in all: 1,185 for the schedule is near."""
    train = many("train", 948, duration=2.7)
    val = many("val", 20, duration=3.6)
    result = linted(
        "parakeet-an4.yaml",
        workspace=workspace,
        manifest=train,
        validation=val,
        gpus=parse_gpus("h100", read_hardware()),
    )
    assert found(result) == {
        ("checkpoint-monitor-loss", WARNING),
        ("validation-set-small", WARNING),
    }
    assert told(result, "validation-set-small") == "val@0: 0.02 h, 20 clips"


def test_qwen_on_two_gpus(workspace: Workspace, many: Many) -> None:
    """Hebrew is not a language of the model; clips over 15 s go; too few points when logging."""
    rows = many("train", 1_000, duration=15.5, language="he")
    kept = many("kept", 7_360, duration=10.0, language="he")
    gpus = parse_gpus("2xa100-40", read_hardware())
    around = {"workspace": workspace, "gpus": gpus, "effective_batch": 64}
    result = linted("qwen_two_gpus.py", manifest=kept, **around)
    assert found(result) == {("language-unsupported", WARNING), ("log-interval", NOTE)}
    assert "qwen3-asr-1.7b does not know he" in told(result, "language-unsupported")
    assert any("os.environ" in note for note in result.notes) is False
    dropped = linted("qwen_two_gpus.py", manifest=rows, **around)
    assert ("rows-dropped", ERROR) in found(dropped)


def test_qwen_moved_to_eight_gpus() -> None:
    """Batch 4 on 40 GB, and an accumulation that makes 256 of 64."""
    gpus = parse_gpus("8xa100-40", read_hardware())
    result = linted("qwen_eight_gpus.py", gpus=gpus, effective_batch=64)
    assert found(result) == {
        ("effective-batch-changed", ERROR),
        ("batch-too-large-for-gpu", WARNING),
    }
    [one] = [each for each in result.standing if each.rule == "effective-batch-changed"]
    assert one.message == "4 clips × 8 accumulation × 8 GPUs = 256; --effective-batch says 64"
    assert one.mend == "accumulation 2 keeps 64"


@pytest.mark.slow
def test_the_steps_of_eight_gpus_were_counted_wrongly(
    workspace: Workspace, many: Many, tmp_path: Path
) -> None:
    """186,812 rows at 64 are 2,919 steps an epoch: five epochs are 14,595 and not 3,650."""
    text = (CONFIGS / "qwen_eight_gpus.py").read_text(encoding="utf-8")
    file = tmp_path / "fixed.py"
    file.write_text(text.replace("accumulation_steps: int = 8", "accumulation_steps: int = 2"))
    rows = many("train", 186_812, duration=5.0, language="he")
    result = lint_config(
        read_config(file), Around(workspace=workspace, manifest=rows, effective_batch=64)
    )
    assert told(result, "steps-against-epochs") == (
        "3,650 steps are 1.3 epochs of train@0 (2,919 steps each), and 5 epochs are 14,595 steps"
    )
    assert found(result) == {("steps-against-epochs", ERROR), ("language-unsupported", WARNING)}
