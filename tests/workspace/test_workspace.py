"""Tables, caches, runs, settings of a workspace."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import yaml

from asrdq.errors import ToolError, UsageError
from asrdq.settings import Settings, read_settings
from asrdq.workspace import Workspace
from asrdq.workspace.audio_root import relative_audio, resolve_audio
from asrdq.workspace.initialise import SETTINGS_TEXT
from asrdq.workspace.locks import locked
from asrdq.workspace.store import COMPACT_ABOVE_FILES

ROWS = pa.table({"run_id": ["r1", "r1", "r2"], "n": [1, 2, 3]})


def keys_of(values: Mapping[str, Any], inside: str = "") -> set[str]:
    found = set[str]()
    for key, value in values.items():
        name = f"{inside}{key}"
        found |= keys_of(value, f"{name}.") if isinstance(value, Mapping) else {name}
    return found


def test_init_writes_every_setting_with_its_default(tmp_path: Path) -> None:
    made = Workspace.init(tmp_path / "w")
    assert {"asrdq.yaml", "policies/default.yaml", "tables/"} <= set(made.created)
    assert read_settings(tmp_path / "w" / "asrdq.yaml") == Settings()
    written = yaml.safe_load(SETTINGS_TEXT)
    assert keys_of(written) == keys_of(Settings().model_dump())


def test_init_leaves_files_alone(tmp_path: Path) -> None:
    (tmp_path / "asrdq.yaml").write_text("project: mine\n")
    made = Workspace.init(tmp_path)
    assert made.kept == ("asrdq.yaml",)
    assert Workspace.open(tmp_path).settings.project == "mine"
    assert Workspace.init(tmp_path).created == ()
    assert "left alone" in made.summary()
    assert made.arrow()["made"].to_pylist().count(False) == 1


def test_init_in_the_place_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("")
    with pytest.raises(UsageError, match="is a file"):
        Workspace.init(tmp_path / "f")
    with pytest.raises(UsageError, match="cannot lie"):
        Workspace.init(tmp_path / "100%")


def test_a_workspace_is_found_upwards(tmp_path: Path) -> None:
    Workspace.init(tmp_path / "w")
    (tmp_path / "w" / "a" / "b").mkdir(parents=True)
    assert Workspace.open(tmp_path / "w" / "a" / "b").root == (tmp_path / "w").resolve()
    with pytest.raises(UsageError, match="asrdq init"):
        Workspace.open(tmp_path)


@pytest.mark.parametrize("folder", ["with space", "é ü", "a'b", "#1", "日本"])
def test_a_workspace_may_lie_in_a_folder_of_any_name(tmp_path: Path, folder: str) -> None:
    Workspace.init(tmp_path / folder)
    workspace = Workspace.open(tmp_path / folder)
    workspace.append("audits", ROWS)
    assert workspace.read("audits").num_rows == 3
    assert workspace.sql("FROM audits").rows.num_rows == 3


def test_append_adds_columns_and_read_keeps_to_a_schema(workspace: Workspace) -> None:
    workspace.append("audits", ROWS)
    workspace.append("audits", pa.table({"run_id": ["r3"], "late": [["x"]]}))
    assert workspace.read("audits", "run_id = 'r3'").to_pylist() == [
        {"run_id": "r3", "n": None, "late": ["x"]}
    ]
    schema = pa.schema([("n", pa.int32()), ("other", pa.map_(pa.string(), pa.float64()))])
    found = workspace.read("audits", schema=schema)
    assert found.schema == schema
    assert sorted(found["n"].drop_null().to_pylist()) == [1, 2, 3]
    assert workspace.read("scores", schema=schema).num_rows == 0
    with pytest.raises(UsageError, match="did you mean 'audits'"):
        workspace.read("audit")


def test_replace_is_idempotent(workspace: Workspace) -> None:
    workspace.append("audits", ROWS)
    new = pa.table({"run_id": ["r1"], "n": [9], "extra": [True]})
    for _ in range(2):
        workspace.replace("audits", new, run_id="r1")
        rows = workspace.read("audits").sort_by("n").to_pylist()
        assert [(row["run_id"], row["n"]) for row in rows] == [("r2", 3), ("r1", 9)]
    workspace.replace("audits", new.slice(0, 0), run_id=["r1", "r2"])
    assert workspace.read("audits").num_rows == 0


def test_parameters_of_a_query(workspace: Workspace) -> None:
    workspace.append("audits", ROWS)
    found = workspace.query("SELECT sum(n) AS s FROM audits WHERE run_id = $r", {"r": "r1"})
    assert found["s"].to_pylist() == [3]


@pytest.mark.slow
def test_cache_gives_each_key_once_and_stays_quick(workspace: Workspace) -> None:
    cache = workspace.cache("alignments")
    assert cache.lookup(pa.array(["a"])).num_rows == 0
    for number in range(COMPACT_ABOVE_FILES + 40):
        cache.add(pa.table({"key": [f"k{number}", "same"], "value": [number, 0]}))
    found = cache.lookup(pa.array(["k3", "same", "absent"]))
    assert sorted(found.to_pylist(), key=str) == [
        {"key": "k3", "value": 3},
        {"key": "same", "value": 0},
    ]
    table = workspace.store.open("cache/alignments")
    assert len(workspace.store.files(table, "cache/alignments")) <= COMPACT_ABOVE_FILES
    with pytest.raises(ValueError, match="key"):
        cache.add(pa.table({"value": [1]}))
    assert "alignments" not in workspace.tables()


def test_runs_tell_how_they_ended(workspace: Workspace) -> None:
    with workspace.run("audit", parameters={"n": 3}) as done:
        assert workspace.read("runs")["state"].to_pylist() == ["running"]
    with pytest.raises(RuntimeError), workspace.run("audit"):
        raise RuntimeError("no")
    with pytest.raises(KeyboardInterrupt), workspace.run("audit"):
        raise KeyboardInterrupt
    rows = workspace.read("runs").sort_by("started").to_pylist()
    assert [row["state"] for row in rows] == ["done", "failed", "interrupted"]
    assert rows[0]["run_id"] == done.run_id
    assert rows[0]["parameters"] == '{"n": 3}'
    assert rows[0]["ended"] >= rows[0]["started"]
    assert rows[1]["detail"] == "RuntimeError: no"


KILLED = """
import os, signal, sys
from asrdq.workspace import Workspace
with Workspace.open(sys.argv[1]).run("audit"):
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_run_is_seen_as_interrupted(workspace: Workspace) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(workspace.root)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert workspace.read("runs")["state"].to_pylist() == ["interrupted"]
    assert workspace.sql("SELECT state FROM runs").rows["state"].to_pylist() == ["interrupted"]


WRITER = """
import sys
import pyarrow as pa
from asrdq.workspace import Workspace
ws, who = Workspace.open(sys.argv[1]), sys.argv[2]
for number in range(10):
    ws.append("audits", pa.table({"who": [who], "number": [number]}))
    assert ws.read("audits", f"who = '{who}'").num_rows == number + 1
"""


@pytest.mark.slow
def test_processes_that_write_one_table_lose_nothing(workspace: Workspace) -> None:
    command = [sys.executable, "-c", WRITER, str(workspace.root)]
    writers = [subprocess.Popen([*command, who], env=os.environ) for who in "abc"]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    found = workspace.query("SELECT who, count(DISTINCT number) AS n FROM audits GROUP BY 1")
    assert sorted(found.to_pylist(), key=str) == [{"who": who, "n": 10} for who in "abc"]


def test_waiting_for_a_lock_ends(tmp_path: Path) -> None:
    with (
        locked(tmp_path / "l"),
        pytest.raises(ToolError, match="another process"),
        locked(tmp_path / "l", wait_s=0),
    ):
        pass


def test_a_damaged_table_is_told(workspace: Workspace) -> None:
    workspace.append("audits", ROWS)
    log = next((workspace.store.layout.table("audits") / "_delta_log").glob("*.json"))
    log.write_text("no json")
    with pytest.raises(ToolError, match="cannot read table 'audits'"):
        workspace.read("audits")


@pytest.mark.parametrize(
    ("path", "ingested", "present", "expected"),
    [
        ("a/x.wav", "/mnt", None, "/mnt/a/x.wav"),
        ("/mnt/a/x.wav", "/mnt", "/data", "/data/a/x.wav"),
        ("a/x.wav", "/mnt", "/data", "/data/a/x.wav"),
        ("/other/x.wav", "/mnt", "/data", "/other/x.wav"),
        ("/mnt2/x.wav", "/mnt", "/data", "/mnt2/x.wav"),
    ],
)
def test_audio_moves_with_its_root(
    path: str, ingested: str, present: str | None, expected: str
) -> None:
    assert resolve_audio(path, ingested, present) == expected


@pytest.mark.parametrize("present", [None, "/new"])
def test_an_address_stays_as_it_is(present: str | None) -> None:
    address = "s3://bucket/a//x.wav"
    assert relative_audio(address, "/mnt") == address
    assert resolve_audio(address, "/mnt", present) == address
    assert resolve_audio(address, "s3://other", present) == address
    assert resolve_audio(address, "s3://buck", present) == address


def test_audio_moves_from_an_address_to_a_disk_and_back() -> None:
    assert relative_audio("s3://bucket/a/x.wav", "s3://bucket/a") == "x.wav"
    assert resolve_audio("s3://bucket/a/x.wav", "s3://bucket", "/new") == "/new/a/x.wav"
    assert resolve_audio("s3://bucket/a/x.wav", "s3://bucket", None) == "s3://bucket/a/x.wav"
    assert resolve_audio("/mnt/a/x.wav", "/mnt", "s3://new/b") == "s3://new/b/a/x.wav"


def test_relative_audio_is_the_same_on_every_mount() -> None:
    assert relative_audio("/mnt/a/x.wav", "/mnt") == relative_audio("/data/a/x.wav", "/data/")
