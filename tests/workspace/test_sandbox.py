"""SQL of users reads the tables and nothing else."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from asrdq.errors import UsageError
from asrdq.workspace import Workspace


@pytest.fixture
def filled(workspace: Workspace) -> Workspace:
    """A workspace with one result table."""
    workspace.append("audits", pa.table({"utt_id": ["a", "b"], "coverage": [0.5, 1.0]}))
    return workspace


ATTACKS = [
    "FROM read_csv('/etc/passwd')",
    "FROM read_text('/etc/passwd')",
    "FROM read_blob('/etc/passwd')",
    "FROM read_json('/etc/passwd')",
    "FROM read_parquet('/etc/*')",
    "FROM glob('/*')",
    "FROM sniff_csv('/etc/passwd')",
    "FROM '/etc/passwd'",
    'FROM "/etc/passwd"',
    "FROM \"'/etc/passwd'\"",
    "FROM query('COPY (SELECT 1) TO ''{out}''')",
    "FROM query_table('/etc/passwd')",
    "FROM read_csv('http://127.0.0.1:1/x')",
    "FROM 'https://127.0.0.1:1/x.parquet'",
    "COPY audits TO '{out}'",
    "WITH a AS (COPY (SELECT 1) TO '{out}') FROM a",
    "WITH a AS (COPY (SELECT 1) TO '{table}') FROM a",
    "WITH a AS MATERIALIZED (COPY (SELECT 1) TO '{table}') SELECT 1;",
    "WITH a AS (COPY (SELECT 1) TO '{table}') SELECT 1 -- )",
    "EXPLAIN ANALYZE COPY (SELECT 1) TO '{out}'",
    "EXPORT DATABASE '{out}'",
    "ATTACH '{out}'",
    "ATTACH ':memory:' AS x",
    "INSTALL httpfs",
    "LOAD httpfs",
    "PRAGMA database_list",
    "SET threads = 1",
    "SET enable_external_access = true",
    "RESET lock_configuration",
    "SELECT getenv('HOME')",
    "CREATE TABLE t (a INT)",
    "CREATE MACRO m() AS 1",
    "DROP VIEW audits",
    "INSERT INTO audits VALUES ('c', 1)",
    "UPDATE audits SET coverage = 1",
    "DELETE FROM audits",
    "WITH a AS (DELETE FROM audits RETURNING *) FROM a",
    "CALL pragma_version()",
    "CHECKPOINT",
    "BEGIN",
    "USE memory",
    "PREPARE p AS SELECT 1",
    "SELECT 1; SELECT 2",
    "SELECT 1; COPY audits TO '{out}'",
    "FROM sys",
    "FROM duckdb_secrets()",
    "",
    ";",
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_is_refused_and_nothing_changes(
    filled: Workspace, tmp_path: Path, attack: str
) -> None:
    folder = filled.store.layout.table("audits")
    table = next(folder.glob("*.parquet"))
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    out = tmp_path / "out"
    with pytest.raises(UsageError):
        filled.sql(attack.replace("{out}", str(out)).replace("{table}", str(table)))
    assert not out.exists()
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_attacks_that_duckdb_itself_would_carry_out(tmp_path: Path) -> None:
    """The guard is needed: without it the same statement writes a file."""
    import duckdb

    out = tmp_path / "out"
    duckdb.connect().execute(f"WITH a AS (COPY (SELECT 1) TO '{out}') FROM a")
    assert out.exists()


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("SELECT count(*) AS n FROM audits", [{"n": 2}]),
        ("SELECT count(*) AS n FROM audits;", [{"n": 2}]),
        ("SELECT 1 AS n -- done", [{"n": 1}]),
        ("WITH x AS (SELECT * FROM audits) SELECT max(coverage) AS m FROM x", [{"m": 1.0}]),
        ("SELECT AUDITS.utt_id FROM Audits ORDER BY 1 DESC LIMIT 1", [{"utt_id": "b"}]),
        ("SHOW TABLES", [{"name": "audits"}]),
        ("SELECT 'read_csv; COPY' AS s", [{"s": "read_csv; COPY"}]),
        ("SELECT 1 AS a, 2 AS a", [{"a": 1, "a_1": 2}]),
        ("FROM audits x JOIN audits USING (utt_id) SELECT x.coverage, audits.coverage LIMIT 0", []),
    ],
)
def test_reading_works(filled: Workspace, query: str, expected: list[dict[str, object]]) -> None:
    assert filled.sql(query).rows.to_pylist() == expected


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("FROM audit", "did you mean 'audits'"),
        ("SELECT covrage FROM audits", "did you mean 'coverage'"),
        ("SELECT audits.covrage FROM audits", "unknown column 'covrage'"),
        ("SELEC 1", "syntax error"),
        ('FROM "audits@3"', "unknown table"),
        ("FROM audits@3", 'in double quotes: "train@3"'),
    ],
)
def test_mistakes_are_told_with_the_nearest_name(
    filled: Workspace, query: str, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        filled.sql(query)


def test_an_error_while_rows_flow_is_told(filled: Workspace) -> None:
    with pytest.raises(UsageError, match="Could not convert"):
        filled.sql("SELECT utt_id::INT FROM audits")
