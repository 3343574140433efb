"""A workspace on S3: the tables that one on a disk has, whoever writes, reads or kills."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from deltalake import DeltaTable

from asrdq.errors import ToolError, UsageError
from asrdq.manifests import ingest_manifest
from asrdq.s3_errors import S3Error
from asrdq.workspace import Workspace
from asrdq.workspace import layout as layout_module
from asrdq.workspace.runs import RUNNING, RUNS, runs_schema

pytestmark = pytest.mark.slow

ROWS = 500


def write(folder: Path, text: str = "word", name: str = "train.jsonl") -> Path:
    file = folder / name
    rows = (
        {"audio_filepath": f"{n}.wav", "text": f"{text} {n}", "duration": 2} for n in range(ROWS)
    )
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write(tmp_path)


def test_it_answers_as_one_on_a_disk(
    s3_workspace: Workspace, workspace: Workspace, file: Path
) -> None:
    query = "SELECT * EXCLUDE (run_id) FROM (SELECT *, 1 AS run_id FROM train) ORDER BY utt_id"
    made = [ingest_manifest(each, [file], "train") for each in (s3_workspace, workspace)]
    assert made[0].manifest.fingerprint == made[1].manifest.fingerprint
    assert s3_workspace.sql(query).rows.equals(workspace.sql(query).rows)
    assert not ingest_manifest(s3_workspace, [file], "train").new_version
    assert s3_workspace.manifests() == ["train"]
    assert s3_workspace.tables() == workspace.tables() == ["runs", "train"]
    write(file.parent, "other")
    assert ingest_manifest(s3_workspace, [file], "train").manifest.version == 1
    counts = s3_workspace.sql('SELECT count(*) AS n FROM train JOIN "train@0" USING (utt_id)')
    assert counts.rows["n"].to_pylist() == [ROWS]


def test_settings_and_policies_lie_beside_the_tables(
    s3_workspace: Workspace, bucket: str, s3_server: Any
) -> None:
    settings = s3_server.read(bucket, "ws/asrdq.yaml").decode()
    body = settings.replace("project: speech-data", "project: on-s3")
    s3_server.client.put_object(Bucket=bucket, Key="ws/asrdq.yaml", Body=body.encode())
    again = Workspace.init(f"s3://{bucket}/ws")
    assert again.created == () and "asrdq.yaml" in again.kept
    assert Workspace.open(f"s3://{bucket}/ws").settings.project == "on-s3"
    assert (
        str(s3_workspace.place("policies/default.yaml"))
        == f"s3://{bucket}/ws/policies/default.yaml"
    )
    assert s3_workspace.place("policies/default.yaml").is_file()
    broken = body.replace("workers: 0", "workers: many")
    s3_server.client.put_object(Bucket=bucket, Key="ws/asrdq.yaml", Body=broken.encode())
    with pytest.raises(UsageError, match=r"asrdq\.yaml:15"):
        Workspace.open(f"s3://{bucket}/ws")


def test_a_folder_that_is_no_workspace_is_told(bucket: str) -> None:
    with pytest.raises(UsageError, match=f"asrdq init s3://{bucket}/nothing"):
        Workspace.open(f"s3://{bucket}/nothing")
    with pytest.raises(S3Error, match="there is no bucket"):
        Workspace.open("s3://no-such-bucket-here/ws")
    with pytest.raises(S3Error, match="refuses access"):
        Workspace.init(f"s3://{bucket}/denied/ws")


def test_sql_of_users_reaches_no_other_object(
    s3_workspace: Workspace, file: Path, bucket: str, s3_server: Any
) -> None:
    ingest_manifest(s3_workspace, [file], "train")
    s3_server.client.put_object(Bucket=bucket, Key="private.csv", Body=b"a,b\n1,2\n")
    for statement in (
        f"FROM read_csv('s3://{bucket}/private.csv')",
        f"FROM train, read_text('s3://{bucket}/ws/asrdq.yaml')",
        f"FROM glob('s3://{bucket}/*')",
    ):
        with pytest.raises(UsageError, match="cannot reach files"):
            s3_workspace.sql(statement)


def test_every_table_opens_in_polars_and_bare_deltalake(
    s3_workspace: Workspace, workspace: Workspace, file: Path, s3_server: Any
) -> None:
    options = {"AWS_ENDPOINT_URL": s3_server.url, "AWS_ALLOW_HTTP": "true"}
    for each, known in ((s3_workspace, options), (workspace, None)):
        ingest_manifest(each, [file], "train")
        write(file.parent, "again")
        ingest_manifest(each, [file], "train")
        write(file.parent)
        assert each.store.names() == ["manifests/train", "runs"]
        for name, rows in (("manifests/train", ROWS), ("runs", 4)):
            uri = str(each.store.layout.table(name))
            assert len(pl.read_delta(uri, storage_options=known)) == rows
            table = DeltaTable(uri, storage_options=known)
            assert pa.table(table.to_pyarrow_table()).num_rows == rows
        uri = str(each.store.layout.table("manifests/train"))
        first = pl.read_delta(uri, version=0, storage_options=known)
        assert set(first["text"]) == {f"word {n}" for n in range(ROWS)}


def test_a_run_elsewhere_on_a_machine_of_this_name_is_not_called_dead(
    s3_workspace: Workspace,
) -> None:
    import socket

    host = socket.gethostname()
    row = {"run_id": "20260101T000000-aa", "command": "ingest", "host": host, "state": RUNNING}
    s3_workspace.append(RUNS, pa.Table.from_pylist([row], schema=runs_schema()))
    states = s3_workspace.sql("SELECT state FROM runs").rows["state"].to_pylist()
    assert states == ["running"]
    s3_workspace.store.layout.lock(f"run-{row['run_id']}").parent.mkdir(parents=True, exist_ok=True)
    s3_workspace.store.layout.lock(f"run-{row['run_id']}").touch()
    states = s3_workspace.sql("SELECT state FROM runs").rows["state"].to_pylist()
    assert states == ["interrupted"]


APPEND = """
import sys
import pyarrow as pa
from asrdq.workspace import Workspace
workspace = Workspace.open(sys.argv[1])
for n in range(8):
    workspace.append("audits", pa.table({"who": [sys.argv[2]], "n": [n]}))
"""


def machines(script: str, each: list[list[str]], caches: Path) -> None:
    """Run a script several times at once, each as on a machine of its own."""
    running = [
        subprocess.Popen(
            [sys.executable, "-c", script, *arguments],
            env={**os.environ, "XDG_CACHE_HOME": str(caches / str(number))},
        )
        for number, arguments in enumerate(each)
    ]
    assert [process.wait() for process in running] == [0] * len(each)


def test_writers_on_several_machines_lose_nothing(s3_workspace: Workspace, tmp_path: Path) -> None:
    root = str(s3_workspace.root)
    machines(APPEND, [[root, who] for who in "abc"], tmp_path)
    rows = s3_workspace.read("audits").to_pylist()
    assert sorted((row["who"], row["n"]) for row in rows) == [
        (who, n) for who in "abc" for n in range(8)
    ]
    assert s3_workspace.store.open("audits").version() == 23


INGEST = """
import sys
from pathlib import Path
from asrdq.manifests import ingest_manifest
from asrdq.workspace import Workspace
ingest_manifest(Workspace.open(sys.argv[1]), [Path(sys.argv[2])], "train")
"""


def test_ingests_on_several_machines_make_a_version_each(
    s3_workspace: Workspace, tmp_path: Path
) -> None:
    root = str(s3_workspace.root)
    files = [write(tmp_path, who, f"{who}.jsonl") for who in "abc"]
    machines(INGEST, [[root, str(file)] for file in files], tmp_path)
    history = s3_workspace.history("train")
    assert [version.version for version in history] == [0, 1, 2]
    assert {version.sources for version in history} == {(str(file),) for file in files}
    for version in history:
        assert s3_workspace.scan(version).num_rows == ROWS
    states = s3_workspace.sql("SELECT DISTINCT state FROM runs").rows["state"].to_pylist()
    assert states == ["done"]


def test_killed_at_any_request_the_next_ingest_gives_the_same_tables(
    s3_workspace: Workspace, workspace: Workspace, file: Path, s3_server: Any
) -> None:
    undisturbed = ingest_manifest(workspace, [file], "train").manifest
    command = [sys.executable, "-c", INGEST, str(s3_workspace.root), str(file)]
    killed = 0
    for point in random.Random(7).sample(range(3, 60), 8):
        with subprocess.Popen(command) as child:
            s3_server.watch(child.pid, point)
            killed += child.wait() == -signal.SIGKILL
    s3_server.watch()
    assert killed >= 4
    subprocess.run(command, check=True)
    history = s3_workspace.history("train")
    assert [version.fingerprint for version in history] == [undisturbed.fingerprint]
    query = "FROM train ORDER BY utt_id"
    assert s3_workspace.query(query).equals(workspace.query(query))
    store = s3_workspace.store
    present = {
        str(p) for p in store.layout.table("manifests/train").iterdir() if p.suffix == ".parquet"
    }
    assert present == set(store.files(store.open("manifests/train"), "manifests/train"))
    states = s3_workspace.sql("SELECT state, count(*) AS n FROM runs GROUP BY 1").rows.to_pylist()
    assert {row["state"] for row in states} <= {"done", "interrupted"}
    assert list(store.layout.staging.iterdir()) == []


def test_credentials_come_from_the_usual_chain_and_stay_there(
    bucket: str,
    file: Path,
    s3_server: Any,
    run_cli: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By a profile: both libraries must use it, and nothing may ever show or keep its secret."""
    key, secret = "AKIAPROFILEKEY000001", "PrOfIlE-s3cr3t-0123456789-abcdefghijklmn"
    profile = tmp_path / "credentials"
    profile.write_text(f"[speech]\naws_access_key_id = {key}\naws_secret_access_key = {secret}\n")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(profile))
    monkeypatch.setenv("AWS_PROFILE", "speech")
    s3_server.watch()
    work = tmp_path / "work"
    work.mkdir()
    where = f"s3://{bucket}/ws"
    said = [
        run_cli("init", where, cwd=work),
        run_cli("-w", where, "ingest", file, "--name", "train", cwd=work),
        run_cli("-w", where, "sql", "FROM runs", "--format", "json", cwd=work),
        run_cli("-w", where, "duckdb", "views.duckdb", cwd=work),
        run_cli("-w", where, "export", "train", "--out", f"{where}/out.jsonl", cwd=work),
        run_cli("-w", where, "ingest", f"{where}/no.jsonl", "--name", "x", cwd=work, code=2),
        run_cli("-w", where, "ingest", f"s3://{bucket}/denied/x", "--name", "x", code=3),
        run_cli("-w", f"s3://{key}:{secret}@{bucket}/ws", "manifests", cwd=work, code=2),
        run_cli("ingest", f"s3://{key}:{secret}@{bucket}/x", "--name", "x", cwd=work, code=2),
    ]
    assert s3_server.watch() == [key]
    texts = {f"output of {one.args[3:]}": (one.stdout + one.stderr).encode() for one in said}
    texts |= {name: s3_server.read(bucket, name) for name in s3_server.keys(bucket)}
    kept = [*work.rglob("*"), *Path(os.environ["XDG_CACHE_HOME"]).rglob("*")]
    texts |= {str(path): path.read_bytes() for path in kept if path.is_file()}
    assert len(texts) > 15
    assert [name for name, text in texts.items() if secret.encode() in text] == []


@pytest.mark.parametrize("command", [("demo", "--dir"), ("duckdb",)])
def test_what_must_lie_on_a_disk_is_refused_on_s3(
    command: tuple[str, ...], bucket: str, run_cli: Any, tmp_path: Path
) -> None:
    Workspace.init(tmp_path)
    done = run_cli(*command, f"s3://{bucket}/x", cwd=tmp_path, code=2)
    assert f"error: s3://{bucket}/x: this has to lie on a disk" in done.stderr
    assert not (tmp_path / "s3:").exists()


def test_without_the_extra_the_command_to_install_it_is_told(
    bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layout_module, "find_spec", lambda _: None)
    with pytest.raises(ToolError, match=r"pip install 'asrdq\[s3\]'"):
        Workspace.init(f"s3://{bucket}/ws")
