"""Every question of the cookbook is asked of the sample clips and answered in plain Python too."""

from __future__ import annotations

import csv
import json
import math
import re
import shutil
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from asrdq.audio import probe_manifest
from asrdq.audit.tables import AUDITS
from asrdq.manifests import ingest_manifest
from asrdq.monitoring import WatchPlan, watch
from asrdq.versions import derive_manifest, tag_version
from asrdq.workspace import ManifestVersion, Workspace

pytestmark = pytest.mark.slow

PAGE = Path(__file__).resolve().parent.parent / "docs" / "cookbook.md"
QUESTION = re.compile(r"^## (\d+)\. .*?```sql\n(.*?)```", re.M | re.S)
SQL = {int(number): body for number, body in QUESTION.findall(PAGE.read_text(encoding="utf-8"))}
FIRST_ROWS = 60
FEW = ("ada", "boris")

Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def clips(data_samples: Path) -> Rows:
    """The rows of the sample manifest, with their planted faults."""
    lines = (data_samples / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    with (data_samples / "truth.csv").open(encoding="utf-8", newline="") as file:
        faults = {row["utt_id"]: row["fault"] for row in csv.DictReader(file)}
    return [{**(row := json.loads(line)), "fault": faults[row["utt_id"]]} for line in lines]


@pytest.fixture(scope="module")
def asked(clips: Rows, data_samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Samples in two versions, a validation set of two speakers, probed, with an audit."""
    folder = tmp_path_factory.mktemp("cookbook")
    Workspace.init(folder)
    workspace = Workspace.open(folder)
    lines = (data_samples / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    bad = [lines[0].replace("6.923", "-1"), "{no json", lines[2]]
    file = folder / "first.jsonl"
    file.write_text("\n".join([*lines[:FIRST_ROWS], *bad]) + "\n", encoding="utf-8")
    ingest_manifest(workspace, [file], "train", audio_root=data_samples, max_reject_share=0.1)
    tag_version(workspace, "train", "first")
    train = ingest_manifest(workspace, [data_samples / "manifest.jsonl"], "train").manifest
    derive_manifest(
        workspace, "validation", "SELECT * FROM train WHERE speaker IN ('ada', 'boris')"
    )
    probe_manifest(workspace, train)
    probe_manifest(workspace, odd(workspace, data_samples / "audio"))
    for found in ([], clips):
        with workspace.run("audit", train) as run:
            workspace.append("audits", judged(found or clips[:5], run.run_id))
    watch(workspace, WatchPlan([write_run(folder, name, *RUNS[name]) for name in RUNS]))
    return workspace


# Training losses, and of each evaluation: step, WER, loss.
RUNS: dict[str, tuple[dict[int, float], list[tuple[int, float, float]]]] = {
    "first": ({1: 4.0, 2: 2.0, 3: 1.0, 4: 0.0}, [(2, 0.5, 0.8), (4, 0.4, 0.9)]),
    "second": ({1: 4.0, 2: math.inf}, [(2, 0.3, 0.7), (4, math.nan, math.nan)]),
}


def write_run(
    folder: Path, name: str, losses: dict[int, float], evaluations: list[tuple[int, float, float]]
) -> Path:
    history: Rows = [{"step": step, "loss": loss} for step, loss in losses.items()]
    history += [{"step": step, "eval_wer": w, "eval_loss": v} for step, w, v in evaluations]
    run = folder / "runs" / name
    run.mkdir(parents=True)
    (run / "trainer_state.json").write_text(json.dumps({"log_history": history}))
    return run


def odd(workspace: Workspace, audio: Path) -> ManifestVersion:
    """Ingest a copy of a clip, a clip with a wrong duration, and one that is not there."""
    copy = workspace.root / "copy.flac"
    shutil.copy(audio / "voicemail-01.flac", copy)
    rows = [
        {"utt_id": "copy", "audio_filepath": str(copy)},
        {"utt_id": "voicemail-02", "audio_filepath": str(audio / "voicemail-02.flac")},
        {"utt_id": "gone", "audio_filepath": str(audio / "gone.flac")},
    ]
    file = workspace.root / "odd.jsonl"
    durations = (6.923, 9.0, 1.0)
    texts = [json.dumps({**r, "duration": d}) for r, d in zip(rows, durations, strict=True)]
    file.write_text("\n".join(texts) + "\n", encoding="utf-8")
    return ingest_manifest(workspace, [file], "odd").manifest


def judged(clips: Rows, run_id: str) -> pa.Table:
    """Return the rows of an audit that finds every planted fault and could not judge one clip."""
    rows = []
    for clip in clips:
        bad = bool(clip["fault"])
        reasons = ["no_alignment"] * (clip["fault"] == "silence") + ["low_confidence"] * bad
        row = {"run_id": run_id, "utt_id": clip["utt_id"], "stratum": clip["domain"]}
        rows.append({**row, "low_quality": bad, "reasons": reasons, "instrument": "ok"})
    rows[0] |= {"low_quality": None, "instrument": "out_of_vocabulary"}
    return pa.Table.from_pylist(rows, schema=AUDITS)


def ask(workspace: Workspace, number: int) -> Rows:
    rows: Rows = workspace.sql(SQL[number]).rows.to_pylist()
    return rows


def by_domain(clips: Rows) -> dict[str, Rows]:
    found = defaultdict(list)
    for clip in clips:
        found[clip["domain"]].append(clip)
    return found


def words(text: str) -> list[str]:
    return re.findall(r"[\w']+", text.lower())


def test_there_are_nineteen_questions() -> None:
    assert list(SQL) == list(range(1, 20))


@pytest.mark.parametrize("number", SQL)
def test_each_can_be_asked(asked: Workspace, number: int) -> None:
    assert isinstance(ask(asked, number), list)


def test_hours_by_domain(asked: Workspace, clips: Rows) -> None:
    found = {row["domain"]: row for row in ask(asked, 1)}
    for domain, rows in by_domain(clips).items():
        assert found[domain]["clips"] == len(rows)
        assert found[domain]["hours"] == pytest.approx(sum(r["duration"] for r in rows) / 3600)
        assert found[domain]["speakers"] == len({row["speaker"] for row in rows})


def test_characters_per_second(asked: Workspace, clips: Rows) -> None:
    rates = {c["utt_id"]: sum(map(str.isalnum, c["text"])) / c["duration"] for c in clips}
    expected = {name for name, rate in rates.items() if not 5 <= rate <= 20}
    rows = ask(asked, 2)
    assert {row["utt_id"] for row in rows} == expected
    for row in rows:
        assert row["characters_per_second"] == pytest.approx(rates[row["utt_id"]])


def test_speakers_on_both_sides(asked: Workspace, clips: Rows) -> None:
    expected = Counter(clip["speaker"] for clip in clips if clip["speaker"] in FEW)
    assert {row["speaker"]: row["validation_clips"] for row in ask(asked, 3)} == expected


def test_repeated_sentences(asked: Workspace, clips: Rows) -> None:
    counted = Counter(clip["text"].strip().lower() for clip in clips)
    expected = {text: count for text, count in counted.items() if count > 1}
    assert expected
    assert {row["sentence"]: row["clips"] for row in ask(asked, 4)} == expected


def test_the_longest(asked: Workspace, clips: Rows) -> None:
    expected = sorted((clip["duration"] for clip in clips), reverse=True)[:10]
    assert [row["duration_s"] for row in ask(asked, 5)] == expected


def test_what_is_missing(asked: Workspace) -> None:
    for row in ask(asked, 6):
        assert [row[f"no_{what}"] for what in ("speaker", "language", "duration", "text")] == [
            0
        ] * 4


def test_durations(asked: Workspace, clips: Rows) -> None:
    short = sum(clip["duration"] < 5 for clip in clips)
    found = [(row["length"], row["clips"]) for row in ask(asked, 7)]
    assert found == [("under 5 s", short), ("5 to 15 s", len(clips) - short)]


def test_bad_clips_by_stratum(asked: Workspace, clips: Rows) -> None:
    rows = ask(asked, 8)
    assert [row["rate"] for row in rows] == sorted((r["rate"] for r in rows), reverse=True)
    for row in rows:
        bad = [bool(clip["fault"]) for clip in by_domain(clips)[row["stratum"]]]
        first = row["stratum"] == clips[0]["domain"]
        assert (row["bad"], row["judged"], row["not_judged"]) == (sum(bad), len(bad) - first, first)


def test_reasons(asked: Workspace, clips: Rows) -> None:
    faults = sum(bool(clip["fault"]) for clip in clips)
    found = [(row["reason"], row["clips"]) for row in ask(asked, 9)]
    assert found == [("low_confidence", faults), ("no_alignment", 1)]


def test_rejects(asked: Workspace) -> None:
    rows = ask(asked, 10)
    assert {row["reason"]: row["lines"] for row in rows} == {
        "broken_json": 1,
        "negative_duration": 1,
        "duplicate_id": 1,
    }
    assert all("first.jsonl:6" in row["example"] for row in rows)


def test_new_since_a_version(asked: Workspace, clips: Rows) -> None:
    expected = Counter(clip["domain"] for clip in clips[FIRST_ROWS:])
    assert {row["domain"]: row["new_clips"] for row in ask(asked, 11)} == expected


def test_the_same_audio_twice(asked: Workspace) -> None:
    (row,) = ask(asked, 12)
    assert row["utt_ids"] == ["copy", "voicemail-01"]


def test_noise_and_bandwidth(asked: Workspace, clips: Rows) -> None:
    rows = ask(asked, 13)
    assert rows[0]["domain"] == "street"
    assert [row["snr_db"] for row in rows] == sorted(row["snr_db"] for row in rows)
    assert {row["domain"] for row in rows if row["narrow_share"] > 0.5} == {"voicemail"}


def test_wrong_durations_and_files_that_are_not_there(asked: Workspace) -> None:
    assert ask(asked, 14) == [], "another manifest's probe is not asked"
    rows = asked.sql(SQL[14].replace("'train'", "'odd'")).rows.to_pylist()
    found = [(row["utt_id"], row["status"], row["manifest_duration_s"]) for row in rows]
    assert found == [("gone", "missing_audio", 1.0), ("voicemail-02", "ok", 9.0)]


def test_words_not_heard_in_training(asked: Workspace, clips: Rows) -> None:
    said = {w for clip in clips if clip["speaker"] not in FEW for w in words(clip["text"])}
    heard = Counter(w for clip in clips if clip["speaker"] in FEW for w in words(clip["text"]))
    expected = {word: count for word, count in heard.items() if word not in said}
    assert expected
    assert {row["word"]: row["times"] for row in ask(asked, 15)} == expected


def test_the_best_step_of_a_run(asked: Workspace) -> None:
    assert ask(asked, 16) == [
        {"run": "second", "wer": 0.3, "best_by_wer": 2, "best_by_loss": 2},
        {"run": "first", "wer": 0.4, "best_by_wer": 4, "best_by_loss": 2},
    ]


def test_training_and_validation_beside_each_other(asked: Workspace) -> None:
    rows = [row for row in ask(asked, 17) if row["run"] == "first"]
    assert rows == [
        {"run": "first", "step": 2, "train_loss": 3.0, "wer": 0.5},  # (4 + 2) / 2
        {"run": "first", "step": 4, "train_loss": 0.5, "wer": 0.4},  # (1 + 0) / 2
    ]


def test_runs_that_lost_their_numbers(asked: Workspace) -> None:
    found = [tuple(row.values()) for row in ask(asked, 18)]
    assert found[0] == ("second", "train", "loss", 2, 1)
    assert set(found[1:]) == {("second", "validation", m, 4, 1) for m in ("wer", "loss")}


def test_runs_at_the_same_step(asked: Workspace) -> None:
    rows = ask(asked, 19)
    assert [row["step"] for row in rows] == [2, 4]
    assert rows[0]["change"] == pytest.approx(-0.2)
    assert math.isnan(rows[1]["change"])
