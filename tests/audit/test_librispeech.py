"""What the audit finds on real speech whose faults are known."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from corpora import Utterance, degraded, read_utterances, with_real_faults, write_manifest

from asrdq.alignment import build_aligner
from asrdq.audit import GROSS, AuditPlan, AuditResult, Fault, audit
from asrdq.audit.calibration.fitting import calibrate
from asrdq.audit.folds import Judges
from asrdq.audit.judgement import judge, score_trials
from asrdq.audit.planting import examine_sample
from asrdq.audit.selection import sampled_clips
from asrdq.audit.trials import Trials
from asrdq.gates import GateResult, Verdict, evaluate_gate
from asrdq.manifests import ingest_manifest
from asrdq.sampling import SamplingPlan, draw_sample, latest_sample
from asrdq.settings import SETTINGS_FILE, AuditSettings
from asrdq.shipped import shipped_file
from asrdq.workspace import ManifestVersion, Workspace

pytestmark = pytest.mark.slow(minutes=12)


@dataclass(frozen=True)
class Audited:
    """A corpus with its audit and verdict."""

    workspace: Workspace
    manifest: ManifestVersion
    audit: AuditResult
    gate: GateResult
    utterances: Sequence[Utterance]

    def flagged(self, *, faulty: bool) -> list[bool]:
        """Verdicts on the clips that are really faulty, or really right."""
        truth = {one.utt_id: one.fault is not Fault.UNTOUCHED for one in self.utterances}
        judged = [row for row in self.audit.audits.to_pylist() if row["low_quality"] is not None]
        return [row["low_quality"] for row in judged if truth[row["utt_id"]] is faulty]

    def recall(self) -> dict[str, float]:
        """Share found of each planted fault, all strata together."""
        rows = self.audit.detections.to_pylist()
        return {row["fault"]: row["rate"] for row in rows if row["stratum"] is None}


AuditCorpus = Callable[..., Audited]
PROVEN, PROVEN_IF_DEGRADED, PROVEN_IF_TOO_WEAK = 60, 40, 20
"""Clips of a stratum to plant faults on; fewer tell that an instrument is too weak."""


@pytest.fixture(scope="module")
def shared_workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """One workspace for all corpora, so that no clip is aligned twice."""
    folder = tmp_path_factory.mktemp("librispeech") / "ws"
    Workspace.init(folder)
    return Workspace.open(folder)


@pytest.fixture(scope="module")
def audit_corpus(shared_workspace: Workspace) -> AuditCorpus:
    """Ingest, audit every clip, calibrated on the corpus, and pass the gate."""

    def run(name: str, utterances: Sequence[Utterance], proven: int = PROVEN) -> Audited:
        settings = shared_workspace.root / SETTINGS_FILE
        settings.write_text(f"audit:\n  calibration_clips: {proven}\n")
        workspace = Workspace.open(settings.parent)
        path = write_manifest(utterances, workspace.root / f"{name}.jsonl")
        ingest_manifest(workspace, [path], name)
        manifest = workspace.manifest(name)
        draw_sample(workspace, manifest, SamplingPlan(strata="condition", fraction=1.0))
        result = audit(workspace, manifest, workers=2)
        policy = shipped_file("policies", "default.yaml")
        gate = evaluate_gate(workspace, manifest, policy_file=policy)
        return Audited(workspace, manifest, result, gate, utterances)

    return run


@pytest.fixture(scope="module")
def utterances(librispeech: Path) -> list[Utterance]:
    """All 120 recordings."""
    return read_utterances(librispeech)


@pytest.fixture(scope="module")
def clean(audit_corpus: AuditCorpus, utterances: list[Utterance]) -> Audited:
    """The recordings as they are."""
    return audit_corpus("clean", utterances)


def test_every_gross_fault_is_found_on_speakers_that_were_not_learned_from(clean: Audited) -> None:
    recall = clean.recall()
    assert {fault.value for fault in GROSS} <= set(recall)
    assert min(recall[fault.value] for fault in GROSS) >= 0.95
    assert recall[Fault.SUBSTITUTED_WORD.value] >= 0.50
    assert len(clean.flagged(faulty=False)) == 120
    assert np.mean(clean.flagged(faulty=False)) <= 0.03


def test_every_figure_has_its_interval(clean: Audited) -> None:
    for row in clean.audit.detections.to_pylist():
        assert row["low"] <= row["rate"] <= row["high"]
        assert row["high"] - row["low"] > 0.01


def test_clean_recordings_pass(clean: Audited) -> None:
    assert clean.gate.verdict is Verdict.PROCEED
    assert clean.gate.measures is not None
    assert clean.gate.measures.corrected_rate.low == 0.0


def test_thresholds_of_one_half_of_the_speakers_hold_for_the_other(clean: Audited) -> None:
    """Both ways round: 120 clips, each judged by an instrument of the other half."""
    trials = trials_of(clean)
    half = np.isin(trials.speakers, sorted(set(trials.speakers.tolist()))[::2])
    found: dict[str, list[bool]] = {}
    for learn in (half, ~half):
        low = judged_by(trials.chosen(learn), trials.chosen(~learn))
        for fault, flag in zip(trials.faults[~learn], low, strict=True):
            found.setdefault(str(fault), []).append(bool(flag))
    recall = {fault: float(np.mean(flags)) for fault, flags in found.items()}
    assert len(found[Fault.UNTOUCHED.value]) == 120
    assert recall[Fault.UNTOUCHED.value] <= 0.03
    assert min(recall[fault.value] for fault in GROSS) >= 0.95
    assert recall[Fault.SUBSTITUTED_WORD.value] >= 0.50


@pytest.mark.parametrize("condition", ["snr15", "telephone"])
def test_calibrated_on_degraded_recordings(
    condition: str, audit_corpus: AuditCorpus, utterances: list[Utterance], tmp_path: Path
) -> None:
    noisy = audit_corpus(
        condition, degraded(utterances[::2], condition, tmp_path), PROVEN_IF_DEGRADED
    )
    recall = recall_at(noisy.audit, false_alarms=0.05)
    assert min(recall[fault.value] for fault in GROSS) >= 0.95
    assert np.mean(noisy.flagged(faulty=False)) <= 0.05
    assert noisy.gate.verdict is Verdict.PROCEED


def test_a_stratum_of_noise_is_named_and_not_called_bad(
    audit_corpus: AuditCorpus, utterances: list[Utterance], tmp_path: Path
) -> None:
    """The copies keep the ids of the recordings, so that the clean ones are planted as before."""
    quarter = utterances[1::4]
    noisy = [
        dataclasses.replace(copy, utt_id=one.utt_id)
        for one, copy in zip(quarter, degraded(quarter, "snr5", tmp_path), strict=True)
    ]
    clean = [one for one in utterances if one not in quarter]
    mixed = audit_corpus("quarter", [*clean, *noisy], PROVEN_IF_TOO_WEAK)
    calibration = {row["stratum"]: row["verdict"] for row in mixed.audit.calibrations.to_pylist()}
    assert calibration == {"clean": "ok", "snr5": "too_weak"}
    for row in mixed.audit.audits.to_pylist():
        assert (row["low_quality"] is None) == (row["stratum"] == "snr5")
    assert mixed.gate.verdict is Verdict.UNDECIDED
    [named] = [finding for finding in mixed.gate.reasons if finding.code == "too_weak"]
    assert "snr5" in named.message
    alone = {row["stratum"]: row["alone"] for row in mixed.gate.arrow().to_pylist()}
    assert alone == {"clean": Verdict.PROCEED, "snr5": Verdict.UNDECIDED}


@pytest.mark.parametrize("share", [0.0, 0.05, 0.12, 0.2])
def test_real_faults_are_counted_right(
    share: float, audit_corpus: AuditCorpus, utterances: list[Utterance], tmp_path: Path
) -> None:
    mixed = audit_corpus(f"mixed{share * 100:.0f}", with_real_faults(utterances, share, tmp_path))
    truth = len(mixed.flagged(faulty=True)) / 120
    assert truth == pytest.approx(share, abs=0.005)
    assert mixed.gate.measures is not None
    corrected = mixed.gate.measures.corrected_rate
    assert corrected.low <= truth <= corrected.high
    right = Verdict.PROCEED if share < 0.10 else Verdict.CAUTION if share < 0.15 else Verdict.STOP
    assert mixed.gate.verdict in (right, Verdict.UNDECIDED)
    if truth:
        assert np.mean(mixed.flagged(faulty=True)) >= 0.9


def recall_at(result: AuditResult, *, false_alarms: float) -> dict[str, float]:
    """Return the recall of each fault where so many right clips are flagged (out of fold)."""
    confidence: dict[str, list[float]] = {}
    for row in result.fault_trials.to_pylist():
        confidence.setdefault(row["fault"], []).append(row["confidence"] or 0.0)
    right = sorted(confidence[Fault.UNTOUCHED.value])
    cut = right[int(false_alarms * len(right))]
    return {fault: float(np.mean(np.array(some) < cut)) for fault, some in confidence.items()}


def trials_of(audited: Audited) -> Trials:
    """Return the evidence behind an audit, from the cache."""
    workspace = audited.workspace
    sample = latest_sample(workspace, audited.manifest)
    assert sample is not None
    aligner = build_aligner("pocketsphinx")
    clips = sampled_clips(workspace, audited.manifest, sample, aligner)
    plan = AuditPlan("pocketsphinx")

    def stage(_name: str, _clips: int) -> Any:
        return contextlib.nullcontext(lambda _seconds: None)

    return examine_sample(workspace, Judges(plan.options), plan, sample, clips, 2, stage)


def judged_by(learned: Trials, others: Trials) -> Any:
    """Calibrate on some entries and judge others."""
    names = build_aligner("pocketsphinx").evidence_names
    instruments = calibrate(learned, names, AuditSettings().false_alarm_budget)
    scores, thresholds = score_trials(others, instruments)
    return judge(others, scores, thresholds, dict.fromkeys(instruments, "ok"), 0.5).low_quality
