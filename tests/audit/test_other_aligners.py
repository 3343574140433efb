"""Audits with alignments made elsewhere, and with aligners that cannot do what is asked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from asrdq.audit import AuditPlan, audit
from asrdq.errors import ToolError, UsageError
from asrdq.manifests import ingest_manifest
from asrdq.sampling import SamplingPlan, draw_sample
from asrdq.workspace import ManifestVersion, Workspace


@pytest.fixture
def samples(workspace: Workspace, data_samples: Path, tmp_path: Path) -> ManifestVersion:
    """Three sample clips and an alignment for two of them, which fits the text of one."""
    files = sorted((data_samples / "audio").glob("*.flac"))[:3]
    rows = [
        {"id": f"u{at}", "audio_filepath": str(file), "text": "one two three four"}
        for at, file in enumerate(files)
    ]
    manifest = tmp_path / "m.jsonl"
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))
    ingested = ingest_manifest(workspace, [manifest], "m").manifest
    draw_sample(workspace, ingested, SamplingPlan(fraction=1.0))
    folder = tmp_path / "ctm"
    folder.mkdir()
    words = ["one", "two", "three", "four"]
    lines = [f"u0 1 {0.1 + at / 2} 0.4 {word}\n" for at, word in enumerate(words)]
    (folder / "all.ctm").write_text("".join(lines) + "u1 1 0.1 0.4 one\n")
    return ingested


def test_imported_alignments_are_judged_by_coverage_and_prove_nothing(
    workspace: Workspace, samples: ManifestVersion, tmp_path: Path
) -> None:
    plan = AuditPlan(f"import:{tmp_path / 'ctm'}", calibrate=False, plant=False)
    result = audit(workspace, samples, plan, workers=1)
    rows = {row["utt_id"]: row for row in result.audits.to_pylist()}
    assert rows["u0"]["text_coverage"] == 1.0
    assert rows["u0"]["instrument"] == "ok"
    assert rows["u0"]["confidence"] is None
    assert rows["u1"]["text_coverage"] == 0.25
    assert "low_text_coverage" in rows["u1"]["reasons"]
    assert rows["u2"]["instrument"] == "not_imported"
    assert rows["u2"]["low_quality"] is None
    [example] = [line for line in result.summary().splitlines() if "e.g." in line]
    stem = Path(rows["u2"]["audio_path"]).stem
    assert example == (
        f"    e.g. u2: no alignment is called u2 or {stem}; there are u0, u1; "
        "for others: alignments.detail"
    )
    assert not result.calibrated
    assert result.calibrations["verdict"].to_pylist() == ["shipped"]
    spans = [row for row in result.word_spans.to_pylist() if row["utt_id"] == "u0"]
    assert [(row["word"], row["start_s"], row["kept"]) for row in spans] == [
        ("one", pytest.approx(0.1), 1.0),
        ("two", pytest.approx(0.6), 1.0),
        ("three", pytest.approx(1.1), 1.0),
        ("four", pytest.approx(1.6), 1.0),
    ]


@pytest.mark.parametrize(
    ("calibrate", "plant", "hint"),
    [
        (True, False, "--no-calibration judges by coverage alone"),
        (None, False, "--no-calibration judges by coverage alone"),
        (False, True, "an aligner that listens itself"),
        (None, True, "an aligner that listens itself"),
    ],
)
def test_faults_cannot_be_planted_on_imported_alignments(
    workspace: Workspace,
    samples: ManifestVersion,
    tmp_path: Path,
    calibrate: bool | None,
    plant: bool,
    hint: str,
) -> None:
    plan = AuditPlan(f"import:{tmp_path / 'ctm'}", calibrate=calibrate, plant=plant)
    with pytest.raises(UsageError, match="say nothing about planted faults") as refused:
        audit(workspace, samples, plan, workers=1)
    assert (refused.value.hint or "").startswith(hint)
    assert not workspace.table_exists("audits")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_hebrew_is_refused_by_qwen_before_work_starts(workspace: Workspace, tmp_path: Path) -> None:
    """Only the files that are looked at before a model is loaded."""
    model = tmp_path / "aligner"
    model.mkdir()
    config = {"timestamp_token_id": 5, "thinker_config": {"model_type": "qwen3_forced_aligner"}}
    (model / "config.json").write_text(json.dumps(config))
    (model / "model.safetensors").touch()
    rows = [{"audio_filepath": "a.wav", "text": "שלום", "lang": "he"}]
    manifest = tmp_path / "m.jsonl"
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))
    ingested = ingest_manifest(workspace, [manifest], "m").manifest
    draw_sample(workspace, ingested, SamplingPlan(fraction=1.0))
    with pytest.raises(UsageError, match="does not know the language he") as refused:
        audit(workspace, ingested, AuditPlan(f"qwen:{model}"), workers=1)
    assert "--aligner ctc:" in str(refused.value)
    assert "audit" not in workspace.read("runs")["command"].to_pylist()


@pytest.mark.parametrize(
    ("wanted", "package"),
    [("ctc", "torch"), ("qwen", "qwen_asr")],
)
def test_without_the_extra_the_command_that_installs_it_is_named(
    wanted: str,
    package: str,
    workspace: Workspace,
    samples: ManifestVersion,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from importlib import util

    find = util.find_spec
    monkeypatch.setattr(util, "find_spec", lambda name: None if name == package else find(name))
    model = tmp_path / "model"
    model.mkdir()
    config = {"timestamp_token_id": 5, "thinker_config": {"model_type": "qwen3_forced_aligner"}}
    (model / "config.json").write_text(json.dumps(config))
    (model / "model.safetensors").touch()
    with pytest.raises(ToolError, match=f"the aligner {wanted} needs the package {package}") as no:
        audit(workspace, samples, AuditPlan(f"{wanted}:{model}"), workers=1)
    assert "pip install 'asrdq[train]'" in str(no.value)


def test_an_address_for_an_aligner_that_takes_none_is_refused(
    workspace: Workspace, samples: ManifestVersion
) -> None:
    with pytest.raises(UsageError, match="takes no other"):
        audit(workspace, samples, AuditPlan("pocketsphinx:model"), workers=1)
