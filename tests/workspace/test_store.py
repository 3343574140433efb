"""Delta tables: writers that meet, and tables that others have written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from deltalake.exceptions import CommitFailedError

from asrdq.errors import ToolError, UsageError
from asrdq.workspace import Workspace, store
from asrdq.workspace.layout import check_manifest_name
from asrdq.workspace.sql import view_names
from asrdq.workspace.store import retry_on_conflict

ROWS = pa.table({"n": [1, 2]})

Ingest = Callable[..., Any]


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses between tries, which are noted and not waited for."""
    waited: list[float] = []
    monkeypatch.setattr(store.time, "sleep", waited.append)
    return waited


def test_a_writer_that_comes_second_tries_again(workspace: Workspace, pauses: list[float]) -> None:
    workspace.append("audits", ROWS)
    folder = str(workspace.store.layout.table("audits"))
    stale = DeltaTable(folder)
    DeltaTable(folder).delete("n = 1")
    handles = iter([stale, DeltaTable(folder)])
    retry_on_conflict(lambda: next(handles).delete("n = 1"))
    assert len(pauses) == 1
    assert workspace.read("audits")["n"].to_pylist() == [2]


def test_a_writer_that_never_comes_first_gives_up(pauses: list[float]) -> None:
    def lose() -> None:
        raise CommitFailedError("another was first")

    with pytest.raises(ToolError, match="came first 6 times: another was first"):
        retry_on_conflict(lose)
    assert len(pauses) == 5
    assert pauses[-1] > pauses[0]


def test_another_error_is_not_tried_again(pauses: list[float]) -> None:
    def fail() -> None:
        raise OSError("no space left")

    with pytest.raises(ToolError, match="cannot write a table: no space left"):
        retry_on_conflict(fail)
    assert pauses == []


def test_a_version_that_another_program_wrote_is_refused(workspace: Workspace) -> None:
    for manifest in ("train", "cuts"):
        write_deltalake(str(workspace.store.layout.table(f"manifests/{manifest}")), ROWS)
    with pytest.raises(ToolError, match="version 0 of manifest 'train' was not written by asrdq"):
        workspace.manifest("train")


def test_a_stream_takes_the_place_of_rows_and_is_begun_anew_for_another_try(
    workspace: Workspace, pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = pa.table({"n": [1, 2, 3], "label": ["a", "a", "b"]})
    workspace.append("audits", rows)
    asked: list[int] = []

    def stream() -> pa.RecordBatchReader:
        asked.append(1)
        fresh = pa.table({"n": [7, 8, 9], "label": ["a"] * 3})
        return fresh.to_reader(max_chunksize=2)

    first = iter([True])

    def write(*arguments: Any, **options: Any) -> None:
        write_deltalake(*arguments, **options)
        if next(first, False):
            raise CommitFailedError("another was first")

    monkeypatch.setattr("deltalake.write_deltalake", write)
    workspace.replace("audits", stream, label="a")
    assert len(asked) == 2
    assert sorted(workspace.read("audits")["n"].to_pylist()) == [3, 7, 8, 9]


def test_a_result_table_that_a_manifest_could_be_called_is_not_written(
    workspace: Workspace,
) -> None:
    with pytest.raises(AssertionError, match="a manifest could be called findings"):
        workspace.append("findings", ROWS)


@pytest.mark.parametrize("name", ["cuts", "cycles", "score_groups", "comparisons", "cards"])
def test_no_manifest_is_called_like_a_result_table(name: str) -> None:
    with pytest.raises(UsageError, match=f"'{name}' is the name of a result table"):
        check_manifest_name(name)


def test_a_result_table_hides_a_manifest_of_its_name(workspace: Workspace) -> None:
    write_deltalake(str(workspace.store.layout.table("manifests/cuts")), pa.table({"n": [7]}))
    workspace.append("cuts", ROWS)
    assert view_names(workspace.store)["cuts"] == "cuts"


def test_a_manifest_whose_name_was_free_once_is_read_until_a_result_table_hides_it(
    workspace: Workspace, ingest: Ingest
) -> None:
    ingest([{"audio_filepath": "7.wav", "text": "seven"}])
    manifests = workspace.store.layout.tables / "manifests"
    (manifests / "data").rename(manifests / "cuts")
    for named in ("cuts", '"cuts@0"'):
        assert workspace.sql(f"SELECT text FROM {named}").rows["text"].to_pylist() == ["seven"]
    workspace.append("cuts", ROWS)
    assert workspace.sql("SELECT n FROM cuts").rows["n"].to_pylist() == [1, 2]
    assert workspace.sql('SELECT text FROM "cuts@0"').rows["text"].to_pylist() == ["seven"]


@pytest.mark.parametrize("name", ["train", "train@0", "Audits", "manifests/data", ""])
def test_only_result_tables_are_read_as_such(workspace: Workspace, name: str) -> None:
    workspace.append("audits", ROWS)
    write_deltalake(str(workspace.store.layout.table("manifests/train")), ROWS)
    with pytest.raises(UsageError, match="unknown table 'cuts'"):
        workspace.read("cuts")
    assert workspace.read("cuts", schema=ROWS.schema).num_rows == 0
    for schema in (None, ROWS.schema):
        with pytest.raises(UsageError, match=f"unknown table '{name}'"):
            workspace.read(name, schema=schema)
