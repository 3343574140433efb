"""Thresholds of `asrdq calibrate`: kept beside `asrdq.yaml`, taken back, and refused."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from synthetic import ALIGNER, SETTINGS, clip, corpus, trials_of

from asrdq.alignment import build_aligner
from asrdq.audit.calibration.language_fit import LanguageFit, fit_language
from asrdq.audit.calibration.stored import write_file
from asrdq.audit.calibration.thresholds import Source, Thresholds, choose_thresholds
from asrdq.audit.selection import Clip
from asrdq.audit.trials import Group, Trials
from asrdq.calibration_settings import CalibrationEntry, CalibrationRecord
from asrdq.errors import UsageError
from asrdq.manifests import ingest_manifest
from asrdq.settings import SETTINGS_FILE
from asrdq.workspace import ManifestVersion, Workspace
from asrdq.workspace.settings_section import write_section

pytestmark = pytest.mark.slow

NAMES = ALIGNER.evidence_names


def fitted(trials: Trials, values: dict[str, str | None]) -> LanguageFit:
    return fit_language(trials, values, ALIGNER, SETTINGS, 1, "r")


@dataclass(frozen=True)
class Kept:
    """A workspace with thresholds for the domains far and near of English."""

    workspace: Workspace
    manifest: ManifestVersion
    clips: list[Clip]
    trials: Trials
    fit: LanguageFit
    entry: CalibrationEntry

    def choose(self, fit: bool | None = None, clips: list[Clip] | None = None) -> Thresholds:
        opened = Workspace.open(self.workspace.root)
        return choose_thresholds(opened, self.manifest, ALIGNER, clips or self.clips, fit)

    def edit(self, old: str, new: str) -> None:
        assert isinstance(self.workspace.root, Path)
        path = self.workspace.root / SETTINGS_FILE
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    @property
    def file(self) -> Path:
        assert isinstance(self.workspace.root, Path)
        return self.workspace.root / self.entry.file


@pytest.fixture
def kept(workspace: Workspace, tmp_path: Path) -> Kept:
    clips = [*corpus("near", 70, 8), *corpus("far", 70, 8)]
    domains = {one.utt_id: one.stratum for one in clips}
    rows = [
        {"id": utt_id, "audio_filepath": f"{utt_id}.wav", "text": "a b", "domain": domain}
        for utt_id, domain in domains.items()
    ]
    path = tmp_path / "m.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    manifest = ingest_manifest(workspace, [path], "m").manifest
    trials = trials_of(clips, {"near": 4.0, "far": 3.0})
    fit = fitted(trials, dict(domains))
    record = CalibrationRecord(
        aligner=ALIGNER.name,
        aligner_version=ALIGNER.version,
        language="en",
        by="domain",
        date="2026-01-02T03:04:05+00:00",
        run_id="r",
        manifest=str(manifest),
        fingerprint=manifest.fingerprint,
        seed=1,
        halves_by=fit.halves_by,
        false_alarm_budget=SETTINGS.false_alarm_budget,
        groups=fit.groups,
    )
    entry = write_file(workspace, record, NAMES, fit.instruments)
    path = workspace.root / SETTINGS_FILE  # type: ignore[assignment]
    write_section(path, "calibrations", [entry.model_dump(mode="json")], "here")
    return Kept(workspace, manifest, clips, trials, fit, entry)


def test_each_domain_has_a_threshold_shown_on_other_speakers(kept: Kept) -> None:
    assert [group.value for group in kept.fit.groups] == ["far", "near"]
    for group in kept.fit.groups:
        assert group.fitted_on == group.value
        assert group.speakers.fitted + group.speakers.checked == 8
        assert group.clips.fitted + group.clips.checked == 70
        assert group.recall["swapped_text"].clips == group.clips.checked
        assert group.recall["swapped_text"].low > 0.8
        assert group.false_alarms.rate < 0.15
    assert {row["value"] for row in kept.fit.cost_rows} == {"far", "near"}


def test_what_is_read_back_scores_as_what_was_fitted(kept: Kept) -> None:
    """Also where a stratum holds clips of several domains, each above its own threshold."""
    chosen = kept.choose()
    assert chosen.source is Source.STORED
    assert "m@0" in chosen.told
    trials = dataclasses.replace(kept.trials, strata=np.full(len(kept.trials.clips), "all"))
    found = chosen.instruments(trials, NAMES, 0.02)[Group("all")]
    everything = np.ones(len(trials.clips), np.bool_)
    scores = found.score(trials, everything)
    for domain in ("far", "near"):
        rows = kept.trials.strata == domain
        own = kept.fit.instruments[domain]
        expected = own.score(kept.trials, rows) - own.threshold.value
        assert scores[rows] == pytest.approx(expected, abs=1e-5)
    assert found.threshold.value == 0.0


def test_the_names_of_speakers_stay_at_home(kept: Kept) -> None:
    one = clip(0, "near", "Anna Karenina")
    clips = [
        dataclasses.replace(one, utt_id=f"k{at}", speaker=f"Anna {at % 6}") for at in range(60)
    ]
    trials = trials_of(clips, {"near": 4.0})
    found = fitted(trials, dict.fromkeys([each.utt_id for each in clips]))
    record = kept.entry.record().model_copy(update={"groups": found.groups})
    entry = write_file(kept.workspace, record, NAMES, found.instruments)
    assert isinstance(kept.workspace.root, Path)
    assert "Anna" not in (kept.workspace.root / entry.file).read_text()


def test_faults_like_right_clips_get_no_threshold() -> None:
    clips = corpus("x", 80, 8)
    blind = fitted(trials_of(clips, {"x": 0.0}), dict.fromkeys([one.utt_id for one in clips]))
    assert blind.groups == ()
    assert [(row["verdict"], row["stored"]) for row in blind.group_rows] == [("too_weak", False)]
    clips = corpus("x", 30, 8)
    few = fitted(trials_of(clips, {"x": 4.0}), dict.fromkeys([one.utt_id for one in clips]))
    assert [row["verdict"] for row in few.group_rows] == ["too_few"]


def test_one_speaker_is_halved_by_clip() -> None:
    clips = corpus("x", 80, 1)
    found = fitted(trials_of(clips, {"x": 4.0}), dict.fromkeys([one.utt_id for one in clips]))
    assert found.halves_by == "clip"
    assert found.groups[0].clips.fitted == 40


def damage(kept: Kept) -> None:
    kept.file.write_bytes(kept.file.read_bytes().replace(b"0.1", b"0.2", 1))


def lose(kept: Kept) -> None:
    kept.file.unlink()


def hand_edit(kept: Kept) -> None:
    threshold = kept.entry.groups[0].threshold
    kept.edit(f"threshold: {threshold}", "threshold: 99.0")


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (damage, "the file was changed: its SHA-256 is"),
        (lose, "cannot be read: No such file"),
        (hand_edit, "asrdq.yaml says otherwise about groups"),
    ],
)
def test_spoiled_thresholds_are_refused_and_not_replaced(
    kept: Kept, spoil: Callable[[Kept], None], why: str
) -> None:
    spoil(kept)
    for fit in (None, False):
        with pytest.raises(UsageError, match=why) as refused:
            kept.choose(fit)
        assert "asrdq calibrate" in str(refused.value)
    assert kept.choose(fit=True).source is Source.DATA


def other_version(kept: Kept) -> list[Clip]:
    kept.edit(f"aligner_version: {ALIGNER.version}", "aligner_version: 0.1.0")
    return kept.clips


def other_language(kept: Kept) -> list[Clip]:
    return [*kept.clips, dataclasses.replace(kept.clips[0], language="he")]


def other_domain(kept: Kept) -> list[Clip]:
    kept.edit("value: near", "value: nearer")
    return kept.clips


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (other_version, f"for version 0.1.0, and this is pocketsphinx {ALIGNER.version}"),
        (other_language, "is calibrated for en, and not for he"),
        (other_domain, "not calibrated for domain near in en"),
    ],
)
def test_thresholds_for_something_else_are_not_taken(
    kept: Kept, change: Callable[[Kept], list[Clip]], why: str
) -> None:
    clips = change(kept)
    chosen = kept.choose(None, clips)
    assert chosen.source is Source.DATA
    assert why in chosen.note
    with pytest.raises(UsageError, match="no threshold is calibrated for this audit") as refused:
        kept.choose(False, clips)
    assert why in str(refused.value)


def test_without_a_section_nothing_is_said_or_the_shipped_ones_are_named(
    workspace: Workspace, kept: Kept
) -> None:
    (kept.file.parent.parent / SETTINGS_FILE).write_text("project: x\n")
    assert kept.choose().source is Source.DATA
    assert kept.choose().note == ""
    shipped = kept.choose(fit=False)
    assert shipped.source is Source.SHIPPED
    assert f"not calibrated for pocketsphinx {ALIGNER.version} and en" in shipped.told


def test_an_import_is_judged_by_coverage(kept: Kept, tmp_path: Path) -> None:
    (tmp_path / "ctm").mkdir()
    (tmp_path / "ctm" / "a.ctm").write_text("near-000 1 0.1 0.2 a\n")
    aligner = build_aligner(f"import:{tmp_path / 'ctm'}")
    found = choose_thresholds(kept.workspace, kept.manifest, aligner, kept.clips, False)
    assert found.source is Source.NONE
