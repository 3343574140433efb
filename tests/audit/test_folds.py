"""Audits out of fold: each speaker is judged by the aligner of their fold, copies included."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from asrdq.alignment import AlignerOptions
from asrdq.audit import AuditPlan, audit
from asrdq.audit.folds import Fold, Judges, Origin
from asrdq.errors import DataError, UsageError
from asrdq.manifests import ingest_manifest
from asrdq.sampling import SamplingPlan, draw_sample
from asrdq.workspace import ManifestVersion, Workspace

pytestmark = pytest.mark.slow

SPEAKERS = ("ann", "ben", "cal")
CLIPS = 6


def fold(name: str, model: str, *speakers: str) -> Fold:
    origin = Origin("proven", base="hub/base", base_proof="unknown")
    return Fold(name, frozenset(speakers), AlignerOptions("addressed", model), origin)


TWO = (fold("fold-1", "one", "ann", "cal"), fold("fold-2", "two", "ben"))


def sampled(workspace: Workspace, data_samples: Path, *more: dict[str, object]) -> ManifestVersion:
    """Six sample clips by three speakers, `u0` by ann, `u1` by ben, and so on."""
    files = sorted((data_samples / "audio").glob("*.flac"))[:CLIPS]
    rows: list[dict[str, object]] = [
        {
            "id": f"u{at}",
            "audio_filepath": str(file),
            "text": f"one two three four number {at}",
            "speaker": SPEAKERS[at % 3],
        }
        for at, file in enumerate(files)
    ]
    rows += [{"audio_filepath": str(files[0]), "text": "five", **one} for one in more]
    manifest = workspace.root / "m.jsonl"
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))
    ingested = ingest_manifest(workspace, [manifest], "m").manifest
    draw_sample(workspace, ingested, SamplingPlan(fraction=1.0))
    return ingested


def asked(log: Path) -> Counter[tuple[str, str]]:
    """Who was asked about which clip, and how often."""
    found = Counter((line.split()[0], line.split()[1]) for line in log.read_text().splitlines())
    log.write_text("")
    return found


def test_clips_and_their_copies_go_to_the_aligner_of_their_fold(
    workspace: Workspace, data_samples: Path, trial_aligners: Path
) -> None:
    manifest = sampled(workspace, data_samples)
    plan = AuditPlan("addressed", folds=TWO)
    result = audit(workspace, manifest, plan, workers=1)
    judge = {"ann": "one+1", "cal": "one+1", "ben": "two+1"}
    wanted = {f"u{at}": judge[SPEAKERS[at % 3]] for at in range(CLIPS)}
    counted = asked(trial_aligners)
    assert {utt_id: version for version, utt_id in counted} == wanted
    assert len(counted) == CLIPS
    copies = Counter(row["utt_id"] for row in result.fault_trials.to_pylist())
    # noise and silence over one clip are other audio with the same text: all are asked about
    assert all(counted[wanted[utt_id], utt_id] == copies[utt_id] > 3 for utt_id in wanted)
    rows = workspace.query("SELECT utt_id, aligner_version FROM alignments ORDER BY utt_id")
    assert dict(zip(*rows.to_pydict().values(), strict=True)) == wanted
    assert workspace.read("audit_folds").drop_columns(["run_id"]).to_pylist() == [
        {
            "fold": name,
            "speakers": speakers,
            "clips": 2 * len(speakers),
            "aligner": "addressed",
            "aligner_version": version,
            "model": version[:3],
            "proof": "proven",
            "detail": "",
            "base": "hub/base",
            "base_proof": "unknown",
            **dict.fromkeys(("run_dir", "bundle_id", "train", "validation")),
        }
        for name, speakers, version in (
            ("fold-1", ["ann", "cal"], "one+1"),
            ("fold-2", ["ben"], "two+1"),
        )
    ]
    assert result.calibrations.select(["stratum", "fold"]).to_pylist() == [
        {"stratum": "all", "fold": name} for name in ("fold-1", "fold-2")
    ]
    assert "what their base had heard is not known: hub/base" in result.summary()
    assert "stratum all, model of fold-1: instrument too_few" in result.summary()
    assert not result.tables().keys() - set(workspace.tables())

    audit(workspace, manifest, plan, workers=1)
    assert not asked(trial_aligners)  # all of it stands in the cache
    other = (TWO[0], fold("fold-2", "new", "ben"))
    audit(workspace, manifest, AuditPlan("addressed", folds=other), workers=1)
    assert {version for version, _ in asked(trial_aligners)} == {"new+1"}


def test_the_version_of_an_audit_follows_models_and_speakers(trial_aligners: Path) -> None:
    def version(*folds: Fold) -> str:
        return Judges(AlignerOptions("addressed"), folds).version

    own = version(*TWO)
    assert version(*reversed(TWO)) == own
    assert version(TWO[0], fold("fold-2", "three", "ben")) != own
    assert version(fold("a", "one", "ann"), fold("b", "two", "ben", "cal")) != own


def test_a_speaker_in_two_folds_or_in_none_is_refused(
    workspace: Workspace, data_samples: Path, trial_aligners: Path
) -> None:
    manifest = sampled(workspace, data_samples)
    twice = AuditPlan("addressed", folds=(*TWO, fold("fold-3", "three", "cal")))
    with pytest.raises(UsageError, match="the speaker 'cal' is in fold-1 and in fold-3"):
        audit(workspace, manifest, twice, workers=1)
    lacking = AuditPlan("addressed", folds=TWO[:1])
    with pytest.raises(DataError, match="1 sampled speakers are in no fold: ben"):
        audit(workspace, manifest, lacking, workers=1)
    assert not asked(trial_aligners)
    assert not workspace.table_exists("audits")


def test_a_clip_without_a_speaker_is_refused(
    workspace: Workspace, data_samples: Path, trial_aligners: Path
) -> None:
    manifest = sampled(workspace, data_samples, {"id": "nameless"})
    with pytest.raises(DataError, match="1 sampled clips have no speaker"):
        audit(workspace, manifest, AuditPlan("addressed", folds=TWO), workers=1)
    assert not asked(trial_aligners)


def test_aligners_of_folds_are_of_one_kind(trial_aligners: Path) -> None:
    other = Fold("b", frozenset({"ben"}), AlignerOptions("everywhere"), Origin("proven"))
    with pytest.raises(UsageError, match="differ in their names"):
        Judges(AlignerOptions("addressed"), (TWO[0], other))


def test_clips_without_words_carry_no_fault_and_are_judged_by_that(
    workspace: Workspace, data_samples: Path, trial_aligners: Path
) -> None:
    file = sorted((data_samples / "audio").glob("*.flac"))[0]
    rows = [
        {"id": name, "audio_filepath": str(file), "text": "", "speaker": name} for name in SPEAKERS
    ]
    manifest = workspace.root / "m.jsonl"
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))
    ingested = ingest_manifest(workspace, [manifest], "m").manifest
    draw_sample(workspace, ingested, SamplingPlan(fraction=1.0))
    result = audit(workspace, ingested, AuditPlan("addressed", folds=TWO), workers=1)
    assert result.fault_trials.num_rows == 0
    assert all("empty_text" in row["reasons"] for row in result.audits.to_pylist())


def test_as_many_clips_of_each_fold_are_copied_as_the_settings_allow(
    workspace: Workspace, data_samples: Path, trial_aligners: Path
) -> None:
    (workspace.root / "asrdq.yaml").write_text("audit: {calibration_clips: 20}\n")
    rows = [
        {"id": f"{speaker}{at}", "speaker": speaker, "text": f"one two three {at} five"}
        for speaker, count in (("ann", 25), ("ben", 22), ("cal", 4))
        for at in range(count)
    ]
    settled = Workspace.open(workspace.root)
    manifest = sampled(settled, data_samples, *rows)
    folds = (fold("fold-1", "one", "ann", "cal"), fold("fold-2", "two", "ben"))
    result = audit(settled, manifest, AuditPlan("addressed", folds=folds), workers=1)
    copied = {
        (row["speaker"], row["utt_id"])
        for row in result.fault_trials.to_pylist()
        if row["fault"] != "untouched"
    }
    of_two = sum(speaker == "ben" for speaker, _ in copied)
    assert (len(copied) - of_two, of_two) == (20, 20)
