"""`asrdq cut` on real digits whose places in the recording are known."""

from __future__ import annotations

import dataclasses
import json
import random
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from asrdq.alignment import parse_aligner
from asrdq.audit import AuditPlan, audit
from asrdq.cutting import CutPlan, CutResult, KeptBack, cut_manifest
from asrdq.leakage import find_duplicates
from asrdq.manifests import ingest_manifest
from asrdq.sampling import SamplingPlan, draw_sample
from asrdq.settings import RaySettings
from asrdq.workspace import ManifestVersion, Workspace

pytestmark = pytest.mark.slow

Row = dict[str, Any]
NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
RATE = 8000
PLAN = CutPlan(parse_aligner("pocketsphinx"), longest_s=8.0)


def speak(digits: Path, folder: Path, speaker: str, gaps: Sequence[float] = (0.1, 0.5)) -> Row:
    """Write a recording of 24 digits of one speaker; `places` says where each begins and ends."""
    rng, here = random.Random(speaker), 0.5
    samples, words, places = [np.zeros(RATE // 2)], [], []
    for _ in range(24):
        digit = rng.randrange(10)
        clip, rate = soundfile.read(rng.choice(sorted(digits.glob(f"{digit}_{speaker}_*.wav"))))
        assert rate == RATE
        gap = np.zeros(round(rng.choice(gaps) * RATE))
        words.append(NAMES[digit])
        places.append((here, here + len(clip) / RATE))
        samples += [clip, gap]
        here += (len(clip) + len(gap)) / RATE
    soundfile.write(folder / f"{speaker}.wav", np.concatenate(samples), RATE)
    return {
        "id": speaker,
        "audio_filepath": f"{speaker}.wav",
        "duration": round(here, 3),
        "text": " ".join(words),
        "speaker": speaker,
        "places": json.dumps(places),
    }


@pytest.fixture(scope="module")
def spoken(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Row]]:
    """Two recordings of 24 digits, and a clip that is short enough."""
    folder, digits = tmp_path_factory.mktemp("spoken"), shared_data / "fsdd" / "recordings"
    rows = [speak(digits, folder, speaker) for speaker in ("george", "theo")]
    short = {"id": "short", "audio_filepath": "george.wav", "offset": 0.5, "duration": 2.0}
    return folder, [*rows, {**short, "text": "one two"}]


def ingested(workspace: Workspace, folder: Path, rows: Sequence[Row], name: str) -> ManifestVersion:
    file = folder / f"{name}.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    ingest_manifest(workspace, [file], name)
    return workspace.manifest(name)


@pytest.fixture(scope="module")
def done(
    spoken: tuple[Path, list[Row]], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Workspace, CutResult]:
    folder = tmp_path_factory.mktemp("cut") / "workspace"
    Workspace.init(folder)
    workspace = Workspace.open(folder)
    manifest = ingested(workspace, *spoken, "train")
    return workspace, cut_manifest(workspace, manifest, "pieces", PLAN, workers=1)


def test_each_cut_lies_between_the_digits_where_its_texts_part(
    done: tuple[Workspace, CutResult], spoken: tuple[Path, list[Row]]
) -> None:
    _, result = done
    cuts = 0
    for row in spoken[1][:2]:
        places = [(start, end) for start, end in json.loads(row["places"])]
        pieces = [each for each in result.cuts.to_pylist() if each["utt_id"] == row["id"]]
        assert [piece["kept_back"] for piece in pieces] == [None] * len(pieces)
        assert " ".join(piece["text"] for piece in pieces) == row["text"]
        said = 0
        for piece in pieces:
            assert piece["duration_s"] <= 8.0
            if said:
                cuts += 1
                assert places[said - 1][1] - 0.03 <= piece["offset_s"] <= places[said][0] + 0.03
            said += piece["words"]
        assert said == len(places)
    assert cuts >= 3


def test_the_new_manifest_has_the_pieces_the_short_rows_and_its_lineage(
    done: tuple[Workspace, CutResult],
) -> None:
    workspace, result = done
    rows = {row["utt_id"]: row for row in workspace.query("FROM pieces").to_pylist()}
    for cut in result.cuts.to_pylist():
        row = rows.pop(cut["cut_id"])
        assert row["cut_from"] == row["speaker"] == cut["utt_id"]
        assert (row["offset_s"], row["text"]) == (cut["offset_s"], cut["text"])
        assert row["audio_path"] == f"{cut['utt_id']}.wav"
    (short,) = rows.values()
    assert (short["utt_id"], short["cut_from"]) == ("short", None)
    (parent,) = result.derived.lineage.parents
    assert (str(parent), parent.lost_rows) == ("train@0", 2)
    assert "cuts.run_id" in result.derived.lineage.query


def test_no_piece_repeats_the_transcript_or_the_audio_of_another(
    done: tuple[Workspace, CutResult],
) -> None:
    workspace, result = done
    pieces = workspace.query("FROM pieces WHERE cut_from IS NOT NULL")
    assert len(set(pieces["text"].to_pylist())) == pieces.num_rows
    found = find_duplicates(workspace, result.manifest).findings.to_pylist()
    # The short clip lies in the recording of george, and nothing else overlaps.
    assert {line["kind"]: line["rows"] for line in found}["transcript"] == 0
    assert {line["kind"]: line["rows"] for line in found}["overlap"] == 2


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::ResourceWarning")
def test_on_a_cluster_the_cuts_are_the_same(
    done: tuple[Workspace, CutResult], spoken: tuple[Path, list[Row]], tmp_path: Path
) -> None:
    Workspace.init(tmp_path / "there")
    there = Workspace.open(tmp_path / "there")
    plan = dataclasses.replace(PLAN, cluster=RaySettings())
    found = cut_manifest(there, ingested(there, *spoken, "train"), "pieces", plan, workers=2)
    without_run = [result.cuts.drop_columns(["run_id"]) for result in (found, done[1])]
    assert without_run[0].num_rows > 4
    assert without_run[0].equals(without_run[1])


def test_the_same_again_makes_no_new_version(done: tuple[Workspace, CutResult]) -> None:
    workspace, result = done
    again = cut_manifest(workspace, workspace.manifest("train"), "pieces", PLAN, workers=1)
    assert not again.derived.new_version
    assert again.manifest == result.manifest


def test_pieces_are_cut_again_and_know_the_first_recording(
    done: tuple[Workspace, CutResult], run_cli: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    workspace, _ = done
    told = run_cli("cut", "pieces", "smaller", "--max", 4, cwd=Path(str(workspace.root)))
    assert "pieces@0:" in told.stdout
    assert "next: asrdq audit smaller" in told.stderr
    found = workspace.query("SELECT DISTINCT cut_from FROM smaller WHERE cut_from IS NOT NULL")
    assert set(found["cut_from"].to_pylist()) == {"george", "theo"}
    longest = workspace.query("SELECT max(duration_s) AS longest FROM smaller").to_pylist()
    assert longest[0]["longest"] <= 4.0


def test_killed_at_any_moment_the_same_command_goes_on(
    done: tuple[Workspace, CutResult],
    spoken: tuple[Path, list[Row]],
    workspace: Workspace,
    kill: Callable[[subprocess.Popen[bytes], float], bool],
    run_cli: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    ingested(workspace, *spoken, "train")
    here = Path(str(workspace.root))
    words = ("cut", "train", "pieces", "--max", "8", "--workers", "1")
    chance = random.Random(8)
    for _ in range(3):
        process = subprocess.Popen(
            [sys.executable, "-m", "asrdq", *words],
            cwd=here,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        kill(process, chance.uniform(0.5, 6.0))
    run_cli(*words, cwd=here)
    assert workspace.manifest("pieces").fingerprint == done[1].manifest.fingerprint


def test_what_cannot_be_cut_is_kept_back_with_its_reason(
    spoken: tuple[Path, list[Row]], workspace: Workspace
) -> None:
    folder, (george, theo, short) = spoken
    words = george["text"].split()
    changed = {
        "half-a-text": " ".join(words[: len(words) // 2]),
        "no-text": " ",
        "foreign-letters": "ⴰⵣⵓⵍ " + george["text"],
    }
    rows = [{**george, "id": name, "text": text} for name, text in changed.items()]
    rows.append({**george, "id": "no-audio", "audio_filepath": "nowhere.wav"})
    rows.append({**{k: v for k, v in george.items() if k != "duration"}, "id": "no-duration"})
    manifest = ingested(workspace, folder, [*rows, theo, short], "odd")
    result = cut_manifest(workspace, manifest, "fit", PLAN, workers=1)
    kept = {
        row["utt_id"]: row["kept_back"]
        for row in result.cuts.to_pylist()
        if row["kept_back"] is not None and row["piece"] is None
    }
    assert kept == {
        "half-a-text": KeptBack.LOW_COVERAGE,
        "no-text": KeptBack.EMPTY_TEXT,
        "foreign-letters": "out_of_vocabulary",
        "no-audio": "missing_audio",
        "no-duration": KeptBack.NO_DURATION,
    }
    here = workspace.query("SELECT DISTINCT coalesce(cut_from, utt_id) AS id FROM fit")
    assert set(here["id"].to_pylist()) == {"theo", "short"}
    assert "kept back, low_coverage: 1" in result.summary()


def test_pauses_that_are_too_short_leave_a_recording_whole_and_kept_back(
    spoken: tuple[Path, list[Row]], workspace: Workspace
) -> None:
    manifest = ingested(workspace, *spoken, "train")
    strict = CutPlan(PLAN.aligner, longest_s=8.0, pause_s=3.0)
    result = cut_manifest(workspace, manifest, "pieces", strict, workers=1)
    assert result.kept_back().keys() == {KeptBack.NO_PAUSE}
    assert [row["utt_id"] for row in workspace.query("FROM pieces").to_pylist()] == ["short"]


def test_a_recording_that_the_audit_found_bad_is_kept_back(
    spoken: tuple[Path, list[Row]], shared_data: Path, workspace: Workspace
) -> None:
    folder, (_, theo, _) = spoken
    slow = speak(shared_data / "fsdd" / "recordings", folder, "lucas", gaps=(0.6, 0.9))
    manifest = ingested(workspace, folder, [slow, theo], "train")
    cut = {row["utt_id"] for row in cut_of(workspace, manifest) if row["kept_back"] is None}
    assert cut == {"lucas", "theo"}
    draw_sample(workspace, manifest, SamplingPlan(fraction=1.0))
    audit(workspace, manifest, AuditPlan("pocketsphinx", calibrate=False), workers=1)
    # Under 5 letters a second.
    (row,) = [each for each in cut_of(workspace, manifest) if each["utt_id"] == "lucas"]
    assert row["kept_back"] == KeptBack.LOW_QUALITY
    assert "length_mismatch" in row["detail"]


def cut_of(workspace: Workspace, manifest: ManifestVersion) -> list[Row]:
    rows: list[Row] = cut_manifest(workspace, manifest, "pieces", PLAN, workers=1).cuts.to_pylist()
    return rows
