"""The commands init, ingest, manifests, sql and export, as people run them."""

from __future__ import annotations

import io
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

RunCli = Callable[..., "subprocess.CompletedProcess[str]"]

pytestmark = pytest.mark.slow


@pytest.fixture
def folder(run_cli: RunCli, tmp_path: Path) -> Path:
    """A workspace with a manifest file beside it."""
    run_cli("init", "w")
    lines = [
        {"audio_filepath": f"{i}.wav", "duration": (i + 1) / 2, "text": f"t {i}"} for i in range(60)
    ]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (tmp_path / "w" / "train.jsonl").write_text(text)
    return tmp_path / "w"


def test_from_file_to_file(run_cli: RunCli, folder: Path) -> None:
    done = run_cli("ingest", "train.jsonl", "--name", "train", cwd=folder)
    assert "train" in done.stdout
    assert "read train.jsonl as nemo" in done.stderr
    assert "asrdq probe train" in done.stderr
    again = run_cli("ingest", "train.jsonl", "--name", "train", cwd=folder)
    assert "no new version" in again.stderr
    listed = json.loads(run_cli("manifests", "--format", "json", cwd=folder).stdout)
    assert [(v["name"], v["version"], v["rows"]) for v in listed["versions"]] == [("train", 0, 60)]
    run_cli("export", "train@0", "--format", "csv", "--out", "out.csv", cwd=folder)
    run_cli("ingest", "out.csv", "--name", "copy", cwd=folder)
    both = run_cli("manifests", "--format", "json", cwd=folder).stdout
    assert len({version["fingerprint"] for version in json.loads(both)["versions"]}) == 1
    piped = run_cli("export", "train", "--out", "-", cwd=folder).stdout.splitlines()
    assert [json.loads(line)["text"] for line in piped] == [f"t {i}" for i in range(60)]


def test_ingest_as_json(run_cli: RunCli, folder: Path) -> None:
    done = run_cli("ingest", "train.jsonl", "-n", "train", "--json", cwd=folder)
    body = json.loads(done.stdout)
    assert body["schema_version"] == 1
    assert body["manifest"]["rows"] == 60
    assert body["rejects"] == []


def test_rejects_are_counted_and_fail(run_cli: RunCli, folder: Path) -> None:
    with (folder / "train.jsonl").open("ab") as lines:
        lines.write(b'{"audio_filepath": "x.wav", "duration": -1}\n{nonsense\n')
    done = run_cli("ingest", "train.jsonl", "--name", "train", cwd=folder, code=1)
    assert "2 of 62 lines (3.2%) were rejected" in done.stderr
    assert "1 × negative_duration" in done.stderr
    assert "train.jsonl:62: broken_json" in done.stderr
    assert "no version was made" in done.stderr
    stored = run_cli(
        "sql", "SELECT line, reason FROM rejects", "--format", "csv", cwd=folder
    ).stdout
    assert stored.replace('"', "").splitlines() == [
        "line,reason",
        "61,negative_duration",
        "62,broken_json",
    ]
    done = run_cli("ingest", "train.jsonl", "-n", "t", "--max-reject-share", "0.1", cwd=folder)
    assert "rejected 1 × broken_json" in done.stderr


def test_sql_in_every_format(run_cli: RunCli, folder: Path) -> None:
    run_cli("ingest", "train.jsonl", "--name", "train", cwd=folder)
    query = 'SELECT text, duration_s, [1, 2] AS l FROM "train@0" ORDER BY duration_s LIMIT 2'
    rows = json.loads(run_cli("sql", query, "--format", "json", cwd=folder).stdout)
    assert rows == [
        {"text": "t 0", "duration_s": 0.5, "l": [1, 2]},
        {"text": "t 1", "duration_s": 1.0, "l": [1, 2]},
    ]
    assert "t 1" in run_cli("sql", query, cwd=folder).stdout
    assert "| t 1 |" in run_cli("sql", query, "--format", "markdown", cwd=folder).stdout
    csv = run_cli("sql", query, "--format", "csv", cwd=folder).stdout.splitlines()
    assert csv[2].replace('"', "") == "t 1,1,[1, 2]"
    run_cli("sql", query, "--format", "parquet", "-o", "rows.parquet", cwd=folder)
    assert pq.read_table(folder / "rows.parquet").num_rows == 2
    total = run_cli("sql", "SELECT sum(1) AS n FROM train", "--format", "json", cwd=folder).stdout
    assert json.loads(total) == [{"n": 60}]
    many = run_cli("sql", "SELECT * FROM train", cwd=folder)
    assert "the first 50 rows" in many.stderr


def test_parquet_goes_through_a_pipe(folder: Path, run_cli: RunCli) -> None:
    import sys

    run_cli("ingest", "train.jsonl", "--name", "train", cwd=folder)
    command = [sys.executable, "-m", "asrdq", "sql", "FROM train", "--format", "parquet"]
    done = subprocess.run(command, cwd=folder, capture_output=True, check=True)
    assert pq.read_table(io.BytesIO(done.stdout)).num_rows == 60


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["ingest", "trian.jsonl", "-n", "t"], 2, "did you mean 'train.jsonl'"),
        (["ingest", "train.jsonl", "-n", "t", "-f", "nmo"], 2, "did you mean 'nemo'"),
        (["ingest", "train.jsonl", "-n", "Train"], 2, "lower-case"),
        (["ingest", "empty.jsonl", "-n", "t"], 1, "the manifest is empty"),
        (["sql", "FROM trian"], 2, "there is no table yet"),
        (["sql", "DROP TABLE x"], 2, "only reads"),
        (["sql", "SELECT 1", "-o", "x.txt"], 2, "--format csv"),
        (["sql", "SELECT 1", "--format", "csv", "-o", "train.jsonl/x.csv"], 3, "cannot be written"),
        (["export", "train", "-o", "x"], 2, "there is none yet"),
        (["manifests", "train"], 2, "there is none yet"),
    ],
)
def test_mistakes_read_well(
    run_cli: RunCli, folder: Path, arguments: list[str], code: int, message: str
) -> None:
    (folder / "empty.jsonl").write_text("\n")
    done = run_cli(*arguments, cwd=folder, code=code)
    assert message in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_a_wrong_key_in_the_settings(run_cli: RunCli, folder: Path) -> None:
    with (folder / "asrdq.yaml").open("a") as settings:
        settings.write("\nsamplin: 3\n")
    done = run_cli("manifests", cwd=folder, code=2)
    assert "did you mean 'sampling'" in done.stderr


def test_outside_a_workspace(run_cli: RunCli, tmp_path: Path) -> None:
    done = run_cli("manifests", cwd=tmp_path, code=2)
    assert "asrdq init" in done.stderr


def test_folders_and_formats(run_cli: RunCli, folder: Path) -> None:
    run_cli("ingest", "train.jsonl", "--name", "train", cwd=folder)
    run_cli("export", "train", "--format", "kaldi", "--out", "data", "--relative", cwd=folder)
    made = run_cli("export", "train", "--format", "stm", "--out", "train.stm", cwd=folder)
    assert "stm has no place for utt_id: left out" in made.stderr
    done = run_cli("ingest", "data", "--name", "copy", cwd=folder)
    assert "read data as kaldi" in done.stderr
    assert "next: asrdq probe copy" in done.stderr
    only_read = run_cli("export", "train", "-f", "an4", "-o", "x", cwd=folder, code=2)
    assert "only read" in only_read.stderr
    to_stdout = run_cli("export", "train", "-f", "kaldi", "-o", "-", cwd=folder, code=2)
    assert "name a folder" in to_stdout.stderr
    (folder / "clips").mkdir()
    none = run_cli("ingest", "clips", "-n", "t", cwd=folder, code=2)
    assert "--pattern" in none.stderr
    run_cli("ingest", "clips", "-n", "t", "--pattern", "{speaker}.wav", cwd=folder, code=1)
