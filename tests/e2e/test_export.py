"""`asrdq export` as people meet it: audio converted, paths rewritten, mistakes told."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import soundfile

from asrdq.cli.app import run

RunCli = Callable[..., "subprocess.CompletedProcess[str]"]

pytestmark = pytest.mark.slow


@pytest.fixture
def folder(run_cli: RunCli, data_samples: Path, tmp_path: Path) -> Path:
    """A workspace with the sample clips, one line of which names no audio."""
    run_cli("init", tmp_path / "w")
    lines = (data_samples / "manifest.jsonl").read_text().splitlines()[:9]
    lines.append(json.dumps({"audio_filepath": "audio/absent.flac", "text": "x"}))
    (tmp_path / "train.jsonl").write_text("\n".join(lines))
    run_cli(
        *("ingest", tmp_path / "train.jsonl", "--name", "train", "--audio-root", data_samples),
        cwd=tmp_path / "w",
    )
    return tmp_path / "w"


def test_audio_is_converted_and_what_failed_is_told(run_cli: RunCli, folder: Path) -> None:
    command = ("export", "train", "--audio", "wav16k", "--out", "out", "--workers", "1")
    failed = run_cli(*command, cwd=folder, code=1)
    assert "1 of 10 rows (10.0%) have audio that cannot be converted" in failed.stderr
    assert "absent.flac: missing_audio: there is no such file" in failed.stderr
    assert not (folder / "out" / "train.jsonl").exists()
    done = run_cli(*command, "--max-reject-share", "0.1", cwd=folder)
    assert "convert: 10 of 10 clips" in done.stderr
    assert "9 rows to" in done.stderr
    assert "0 clips converted, 9 were converted before" in done.stderr
    assert f"left out 1 × missing_audio: listed in {folder}/out/train.failed.jsonl" in done.stderr
    assert f"next: asrdq ingest {folder}/out/train.jsonl --name train_wav16k" in done.stderr
    assert done.stdout == ""
    rows = [json.loads(line) for line in (folder / "out" / "train.jsonl").read_text().splitlines()]
    assert len(rows) == 9
    for row in rows:
        info = soundfile.info(row["audio_filepath"])
        assert (info.samplerate, info.channels, info.subtype) == (16_000, 1, "PCM_16")
        assert info.duration == row["duration"]


def test_paths_are_rewritten_and_looked_up(
    run_cli: RunCli, folder: Path, data_samples: Path
) -> None:
    command = ("export", "train", "--map", f"{data_samples}=/data", "--out")
    missing = run_cli(*command, "c.jsonl", cwd=folder, code=1)
    assert "10 of 10 rewritten audio paths do not exist there" in missing.stderr
    assert "--exists files.txt" in missing.stderr
    listing = (folder / "c.jsonl.missing.txt").read_text()
    assert len(listing.splitlines()) == 10
    done = run_cli(*command, "c.jsonl", "--exists", "-", cwd=folder, stdin=listing)
    assert "nobody looked" not in done.stderr
    lines = (folder / "c.jsonl").read_text().splitlines()
    assert sorted(json.loads(line)["audio_filepath"] for line in lines) == listing.splitlines()
    unchecked = run_cli(*command, "-", "--unchecked", cwd=folder)
    assert unchecked.stdout == (folder / "c.jsonl").read_text()
    assert "nobody looked whether the rewritten paths exist" in unchecked.stderr


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (("--audio", "mp3"), "'wav16k', 'flac16k'"),
        (("--audio", "wav16k", "--out", "-"), "needs a folder"),
        (("--unchecked",), "are about rewritten paths"),
        (("--keep-unmapped",), "are about rewritten paths"),
        (("--exists", "x"), "are about rewritten paths"),
        (("--map", "/a=/b", "--exists", "x", "--unchecked"), "choose one"),
        (("--map", "/a"), "is not PREFIX=PREFIX"),
        (("--workers", "2"), "are about audio"),
        (("--max-reject-share", "0.5"), "are about audio"),
    ],
)
def test_options_that_do_not_go_together(
    options: tuple[str, ...], problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["export", "train", "--out", "o.jsonl", *options]) == 2
    assert problem in capsys.readouterr().err
