"""Tables that were opened are not fetched again, and what others write to them is seen."""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import Any

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from asrdq.errors import ToolError, UsageError
from asrdq.workspace import Workspace
from asrdq.workspace.opened import KEPT_TABLES

COMMITS = 12


def rows(*values: int) -> pa.Table:
    return pa.table({"n": list(values)})


def numbers(workspace: Workspace, table: str = "audits") -> list[int]:
    return sorted(workspace.read(table)["n"].to_pylist())


def test_what_another_writer_commits_is_seen(workspace: Workspace) -> None:
    workspace.append("audits", rows(1))
    assert numbers(workspace) == [1]
    write_deltalake(str(workspace.store.layout.table("audits")), rows(2), mode="append")
    assert numbers(workspace) == [1, 2]


def test_a_table_is_opened_once_for_each_state_of_its_log(workspace: Workspace) -> None:
    workspace.append("audits", rows(1))
    workspace.append("audits", rows(2))
    first = workspace.store.open("audits")
    assert workspace.store.open("audits") is first
    assert workspace.store.open("audits", 0).version() == 0
    workspace.append("audits", rows(3))
    second = workspace.store.open("audits")
    assert (first.version(), second.version()) == (1, 2)
    workspace.store.read_anew()
    assert workspace.store.open("audits") is not second


def test_a_table_that_was_put_back_or_taken_away_is_read_as_it_is(workspace: Workspace) -> None:
    folder = workspace.store.layout.table("audits")
    workspace.append("audits", rows(1))
    shutil.copytree(folder, kept := folder.with_name("kept"))
    workspace.append("audits", rows(2))
    assert numbers(workspace) == [1, 2]
    shutil.rmtree(folder)
    with pytest.raises(UsageError, match="unknown table 'audits'"):
        workspace.read("audits")
    shutil.move(kept, folder)
    assert numbers(workspace) == [1]


def test_what_a_writer_makes_beside_commits_and_takes_away_again_changes_nothing(
    workspace: Workspace,
) -> None:
    """A link to nothing is what a file looks like that is gone when it is looked at."""
    workspace.append("audits", rows(1))
    first = workspace.store.open("audits")
    log = workspace.store.layout.table("audits") / "_delta_log"
    (log / "_commit_5e3c.json.tmp").write_text("half a commit")
    (log / f"{1:020}.json#1").write_text("half a commit")
    assert workspace.store.open("audits") is first
    (log / f"{1:020}.json").symlink_to(log / "gone")
    assert workspace.store.open("audits") is first


@pytest.mark.slow
def test_a_table_is_there_while_another_process_commits_to_it(workspace: Workspace) -> None:
    workspace.append("audits", rows(0))
    code = (
        "import sys, pyarrow as pa; from asrdq.workspace import Workspace\n"
        "workspace = Workspace.open(sys.argv[1])\n"
        "for n in range(1, 61): workspace.append('audits', pa.table({'n': [n]}))"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(workspace.root)]) as writer:
        seen = 0
        while writer.poll() is None:
            assert workspace.store.exists("audits")
            seen += 1
    assert writer.returncode == 0
    assert seen > 100
    assert numbers(workspace) == list(range(61))


def test_a_log_that_cannot_be_read_is_an_error_and_not_the_absence_of_a_table(
    workspace: Workspace,
) -> None:
    workspace.append("audits", rows(1))
    log = workspace.store.layout.table("audits") / "_delta_log"
    shutil.rmtree(log)
    log.symlink_to(log)
    with pytest.raises(ToolError, match="_delta_log: cannot be read: Too many levels"):
        workspace.table_exists("audits")


def test_a_commit_that_was_rewritten_is_read_again(workspace: Workspace) -> None:
    workspace.append("audits", rows(1))
    workspace.append("audits", rows(2))
    log = workspace.store.layout.table("audits") / "_delta_log"
    assert numbers(workspace) == [1, 2]
    last = log / f"{1:020}.json"
    lines = last.read_text().splitlines()
    last.write_text("".join(f"{line}\n" for line in lines if '"add"' not in line))
    assert numbers(workspace) == [1]


def test_only_so_many_are_kept(workspace: Workspace) -> None:
    workspace.append("audits", rows(0))
    first = workspace.store.open("audits", 0)
    for number in range(1, KEPT_TABLES + 1):
        workspace.append("audits", rows(number))
        workspace.store.open("audits", number)
    assert workspace.store.open("audits", 0) is not first
    assert numbers(workspace) == list(range(KEPT_TABLES + 1))


@pytest.mark.slow
def test_a_look_at_a_table_on_s3_is_one_request(s3_workspace: Workspace, s3_server: Any) -> None:
    for number in range(COMMITS):
        s3_workspace.append("audits", rows(number))
    s3_server.requests()
    again = Workspace.open(str(s3_workspace.root))
    s3_server.requests()
    again.store.open("audits")
    assert s3_server.requests() > COMMITS
    again.store.open("audits")
    assert s3_server.requests() == 1
    s3_workspace.append("audits", rows(COMMITS))
    assert numbers(again) == list(range(COMMITS + 1))


@pytest.mark.slow
def test_folders_of_known_tables_on_s3_are_not_looked_into(
    s3_workspace: Workspace, s3_server: Any, bucket: str
) -> None:
    for table in ("audits", "checks", "scores", "runs"):
        s3_workspace.append(table, rows(1))
    assert s3_workspace.tables() == ["audits", "checks", "runs", "scores"]
    s3_server.requests()
    assert s3_workspace.tables() == ["audits", "checks", "runs", "scores"]
    assert s3_server.requests() == 1
    for key in s3_server.keys(bucket, "ws/tables/checks/"):
        s3_server.client.delete_object(Bucket=bucket, Key=key)
    write_deltalake(
        f"s3://{bucket}/ws/tables/weights", rows(1), storage_options=s3_workspace.store.options()
    )
    assert s3_workspace.tables() == ["audits", "runs", "scores", "weights"]
    for key in s3_server.keys(bucket, "ws/tables/scores/_delta_log/"):
        s3_server.client.delete_object(Bucket=bucket, Key=key)
    s3_workspace.store.read_anew()
    assert s3_workspace.tables() == ["audits", "runs", "weights"]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT sum(n) FROM checks",
        'SELECT sum(n) FROM "checks"--all',
        "WITH d AS (SELECT * FROM CHECKS) SELECT max(n-n+9) FROM d",
        "SELECT sum(n) FROM main.checks",
    ],
)
def test_a_query_opens_what_it_names_and_nothing_whose_name_is_part_of_it(
    workspace: Workspace, sql: str
) -> None:
    workspace.append("checks", rows(4, 5))
    for name in ("s", "check"):
        log = workspace.store.layout.table(f"manifests/{name}") / "_delta_log"
        log.mkdir(parents=True)
        (log / f"{0:020}.json").write_text("broken")
    with pytest.raises(ToolError, match="cannot read table 'manifests/s'"):
        workspace.query("SELECT * FROM s")
    assert workspace.query(sql).column(0).to_pylist() == [9]
