"""The verbs about versions and SQL, as a user runs them."""

from __future__ import annotations

import csv
import io
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from asrdq.manifests import ingest_manifest
from asrdq.workspace import Workspace

RunCli = Callable[..., "subprocess.CompletedProcess[str]"]

pytestmark = pytest.mark.slow


@pytest.fixture
def train(workspace: Workspace, tmp_path: Path) -> Path:
    """A workspace with two versions of `train`: one row changed, one came, one went."""
    first = [row("a"), row("b"), row("c", domain="street")]
    second = [row("a"), row("b", text="new"), row("d", domain="street")]
    for rows in (first, second):
        file = tmp_path / "m.jsonl"
        file.write_text("".join(json.dumps(each) + "\n" for each in rows))
        ingest_manifest(workspace, [file], "train")
    return workspace.root


def row(name: str, **values: Any) -> dict[str, Any]:
    """Return a clip of half an hour."""
    base = {"utt_id": name, "audio_filepath": f"{name}.wav", "duration": 1800.0, "text": name}
    return {**base, "domain": "home", **values}


def test_diff_for_people(train: Path, run_cli: RunCli) -> None:
    done = run_cli("diff", "train@0", "train@1", "--by", "domain", cwd=train)
    words = [line.split() for line in done.stdout.splitlines()]
    for kind in ("added", "removed", "changed", "unchanged"):
        assert [kind, "1", "0.5"] in words
    assert ["text", "1", "0.5"] in words
    assert ["street", "1", "0.5", "1", "0.5", "1", "0.5", "1", "0.5", "0", "0"] in words
    assert "next: asrdq diff train@0 train@1 --rows" in done.stderr


def test_diff_for_machines(train: Path, run_cli: RunCli) -> None:
    done = run_cli("diff", "train@0", "train", "--format", "json", cwd=train)
    document = json.loads(done.stdout)
    assert document["schema_version"] == 1
    assert document["changes"]["removed"] == {"rows": 1, "hours": 0.5}
    rows = run_cli("diff", "train@0", "train", "--rows", "--format", "csv", cwd=train).stdout
    listed = [(r["change"], r["utt_id"], r["field"]) for r in csv.DictReader(io.StringIO(rows))]
    assert listed == [("changed", "b", "text"), ("removed", "c", ""), ("added", "d", "")]
    marked = run_cli("diff", "train@0", "train", "--format", "markdown", cwd=train).stdout
    assert "| added | 1 | 0.5 |" in marked


def test_diff_exits_with_1_only_on_demand(train: Path, run_cli: RunCli) -> None:
    run_cli("diff", "train@0", "train@1", cwd=train)
    run_cli("diff", "train@0", "train@1", "--exit-code", cwd=train, code=1)
    run_cli("diff", "train@1", "train@1", "--exit-code", cwd=train)
    assert "no version 9" in run_cli("diff", "train@0", "train@9", cwd=train, code=2).stderr


def test_derive_and_its_history(train: Path, run_cli: RunCli) -> None:
    query = "SELECT * FROM train WHERE domain = 'home'"
    done = run_cli("derive", "home", query, cwd=train)
    assert "home@0: 2 rows, 1.00 h" in done.stderr
    assert "next: asrdq history home" in done.stderr
    again = run_cli("derive", "home", query, "--json", cwd=train)
    assert json.loads(again.stdout)["new_version"] is False
    (entry,) = json.loads(run_cli("history", "home", "--format", "json", cwd=train).stdout)[
        "entries"
    ]
    assert entry["made_by"] == "derive"
    assert entry["version"]["lineage"]["query"] == query
    assert entry["version"]["lineage"]["parents"][0]["lost_rows"] == 1
    shown = run_cli("history", "home", cwd=train).stdout
    assert "train@1 +0 rows (+0.00 h) -1 rows (-0.50 h)" in shown
    assert query in shown
    assert "empty" in run_cli("derive", "x", "FROM train LIMIT 0", cwd=train, code=1).stderr


def test_tags_stand_for_versions(train: Path, run_cli: RunCli) -> None:
    assert "there is no tag yet" in run_cli("tag", cwd=train).stderr
    assert "train@first is train@0" in run_cli("tag", "train@0", "first", cwd=train).stderr
    assert "cannot be a tag" in run_cli("tag", "train", "3", cwd=train, code=2).stderr
    counted = run_cli("sql", 'SELECT count(*) n FROM "train@first"', "--format", "csv", cwd=train)
    assert counted.stdout.split() == ["n", "3"]
    assert "changed" in run_cli("diff", "train@first", "train", cwd=train).stdout
    run_cli("export", "train@first", "--out", train / "out.jsonl", cwd=train)
    assert len((train / "out.jsonl").read_text().splitlines()) == 3
    assert "--move" in run_cli("tag", "train@1", "first", cwd=train, code=2).stderr
    run_cli("tag", "train@1", "first", "--move", cwd=train)
    listed = json.loads(run_cli("tag", "train", "--format", "json", cwd=train).stdout)["tags"]
    assert [(tag["tag"], tag["version"]) for tag in listed] == [("first", 1)]
    assert "first" in run_cli("history", "train", cwd=train).stdout
    run_cli("tag", "train@first", "--delete", cwd=train)
    assert "no tag" in run_cli("tag", "train", "first", "--delete", cwd=train, code=2).stderr
    assert "which tag?" in run_cli("tag", "--delete", cwd=train, code=2).stderr


QUERY = "SELECT utt_id, duration_s FROM train WHERE domain = $domain AND duration_s > $least"


@pytest.mark.parametrize("name", ["q.sql", "-"])
def test_sql_from_a_file_with_parameters(train: Path, run_cli: RunCli, name: str) -> None:
    (train / "q.sql").write_text(f"-- clips of a domain\n{QUERY};\n")
    given = ("--param", "domain=street", "--param", "least=1e3")
    done = run_cli("sql", "-f", name, *given, "--format", "json", cwd=train, stdin=QUERY)
    assert json.loads(done.stdout) == [{"utt_id": "d", "duration_s": 1800.0}]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "say one of QUERY and --file"),
        (("SELECT 1", "-f", "q.sql"), "say one of QUERY and --file"),
        (("-f", "absent.sql"), "absent.sql: cannot be read"),
        (("-f", "json"), "--format json is how rows are written"),
        (("SELECT 1", "-f", "csv"), "--format csv is how rows are written"),
        (("SELECT 1", "--param", "x"), "is not NAME=VALUE"),
        (("SELECT $a", "--param", "b=1"), "parameter"),
        (("SELECT 1", "-o", "x.txt"), "is for the screen"),
    ],
)
def test_wrong_use_of_sql(
    train: Path, run_cli: RunCli, arguments: tuple[str, ...], message: str
) -> None:
    assert message in run_cli("sql", *arguments, cwd=train, code=2).stderr


def test_sql_to_a_parquet_file(train: Path, run_cli: RunCli) -> None:
    out = train / "deep" / "rows.parquet"
    run_cli("sql", "FROM train", "--format", "parquet", "--output", out, cwd=train)
    assert pq.read_table(out).num_rows == 3


def test_a_database_of_views(train: Path, run_cli: RunCli) -> None:
    done = run_cli("duckdb", train / "out.duckdb", "--format", "csv", cwd=train)
    assert [name for (name,) in csv.reader(io.StringIO(done.stdout))] == [
        *("view", "runs", "train", "train@0", "train@1")
    ]
    assert "write it anew" in done.stderr
    with duckdb.connect(str(train / "out.duckdb"), read_only=True) as database:
        assert database.execute('SELECT sum(duration_s) FROM "train@0"').fetchall() == [(5400.0,)]


def test_python_and_the_command_line_agree(train: Path, run_cli: RunCli) -> None:
    said = json.loads(run_cli("sql", "FROM train ORDER BY 1", "--format", "json", cwd=train).stdout)
    assert Workspace.open(train).sql("FROM train ORDER BY 1").to_dict()["rows"] == said
