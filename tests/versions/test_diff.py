"""What changed between two versions, against rows compared by hand and in plain Python."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asrdq.errors import ToolError, UsageError
from asrdq.versions import Amount, DiffResult, changed_rows, diff_manifests
from asrdq.versions.comparison import Comparison, Side
from asrdq.versions.counting import count_changes, count_fields, count_strata
from asrdq.workspace import ManifestVersion, Workspace
from asrdq.workspace.layout import Layout
from asrdq.workspace.sql import connection, select_files
from asrdq.workspace.store import TableStore

Ingest = Callable[..., ManifestVersion]
Clip = Callable[..., dict[str, Any]]


def changed_fields(result: DiffResult) -> dict[str, tuple[int, float]]:
    return {r["field"]: (r["rows"], r["hours"]) for r in result.fields.to_pylist() if r["rows"]}


def test_added_removed_and_changed(workspace: Workspace, ingest: Ingest, clip: Clip) -> None:
    before = ingest([clip("a"), clip("b"), clip("c"), clip("d", duration=7200.0)])
    after = ingest(
        [clip("e", duration=1800.0), clip("c", text="new", duration=5400.0), clip("b"), clip("a")]
    )
    result = diff_manifests(workspace, before, after)
    assert result.changes.added == Amount(1, 0.5)
    assert result.changes.removed == Amount(1, 2.0)
    assert result.changes.changed == Amount(1, 1.5)
    assert result.changes.changed_before_hours == 1.0
    assert result.unchanged == Amount(2, 2.0)
    assert changed_fields(result) == {"text": (1, 1.5), "duration_s": (1, 1.5)}
    assert result.differs
    assert result.strata.to_pylist() == [
        {
            **{"before_rows": 4, "before_hours": 5.0, "after_rows": 4, "after_hours": 4.0},
            **{"added_rows": 1, "added_hours": 0.5, "removed_rows": 1, "removed_hours": 2.0},
            **{"changed_rows": 1, "changed_hours": 1.5},
        }
    ]
    assert "train@0 → train@1" in result.summary()
    assert result.to_dict()["changes"]["added"] == {"rows": 1, "hours": 0.5}


def test_by_stratum(workspace: Workspace, ingest: Ingest, clip: Clip) -> None:
    before = ingest([clip("a", domain="x"), clip("b", domain="x"), clip("c", domain="y")])
    after = ingest([clip("a", domain="z"), clip("c", domain="y"), clip("d"), clip("e", domain="y")])
    strata = diff_manifests(workspace, before, after, by=["domain"]).strata.to_pylist()
    shown = {
        row["domain"]: [row[f"{what}_rows"] for what in ("before", "after")]
        + [row[f"{what}_rows"] for what in ("added", "removed", "changed")]
        for row in strata
    }
    assert shown == {"x": [2, 0, 0, 1, 0], "y": [1, 2, 1, 0, 0], "z": [0, 1, 0, 0, 1]} | {
        None: [0, 1, 1, 0, 0]
    }
    assert [row["domain"] for row in strata] == ["x", "y", "z", None]


def test_a_stratum_that_only_one_side_has(workspace: Workspace, ingest: Ingest, clip: Clip) -> None:
    before = ingest([clip("a", domain="x"), clip("b", domain="y")])
    after = ingest([clip("a", text="new"), clip("c")])
    found = diff_manifests(workspace, before, after, by=["domain"])
    changed = {row["domain"]: row["changed_rows"] for row in found.strata.to_pylist()}
    assert changed == {"x": 1, "y": 0, None: 0}
    assert found.only_before == ("domain",)
    with pytest.raises(UsageError, match="did you mean 'domain'"):
        diff_manifests(workspace, before, after, by=["domian"])


def test_null_and_nan_equal_themselves_and_nothing_else(
    workspace: Workspace, ingest: Ingest, clip: Clip
) -> None:
    nan = float("nan")
    before = ingest([clip("a", snr=nan), clip("b", snr=None), clip("c", snr=nan), clip("d", snr=1)])
    after = ingest([clip("a", snr=nan), clip("b", snr=None), clip("c", snr=None), clip("d", snr=1)])
    result = diff_manifests(workspace, before, after)
    assert changed_fields(result) == {"snr": (1, 1.0)}
    assert result.unchanged.rows == 3


def test_columns_of_one_side_make_no_row_a_changed_one(
    workspace: Workspace, ingest: Ingest, clip: Clip
) -> None:
    before = ingest([clip("a", take=1, old="x"), clip("b", take=2, old="x")])
    after = ingest([clip("a", take="1", new=[1]), clip("b", take="3", new=[2])])
    result = diff_manifests(workspace, before, after)
    assert (result.only_before, result.only_after) == (("old",), ("new",))
    assert changed_fields(result) == {"take": (1, 1.0)}
    assert result.notes == ("column 'take' was BIGINT and is VARCHAR",)
    assert result.differs


def test_nested_columns_are_compared(workspace: Workspace, ingest: Ingest, clip: Clip) -> None:
    before = ingest([clip("a", words=[{"w": "x"}, {"w": "y"}]), clip("b", words=[])])
    after = ingest([clip("a", words=[{"w": "x"}, {"w": "z"}]), clip("b", words=[])])
    assert changed_fields(diff_manifests(workspace, before, after)) == {"words": (1, 1.0)}


def test_another_mount_is_no_change_but_another_path_is(
    workspace: Workspace, ingest: Ingest, clip: Clip
) -> None:
    old = [clip("a", audio_filepath="/m/1/a.wav"), clip("b", audio_filepath="b.wav")]
    new = [clip("a", audio_filepath="/n/1/a.wav"), clip("b", audio_filepath="b2.wav")]
    before, after = ingest(old, root="/m"), ingest(new, root="/n")
    result = diff_manifests(workspace, before, after)
    assert changed_fields(result) == {"audio_path": (1, 1.0)}
    assert result.notes == ("the audio root was /m and is /n: paths are compared below it",)


def test_between_two_names_and_against_itself(
    workspace: Workspace, ingest: Ingest, clip: Clip
) -> None:
    train = ingest([clip("a"), clip("b")])
    dev = ingest([clip("b"), clip("c")], "dev")
    result = diff_manifests(workspace, train, dev)
    totals = {name: amount.rows for name, amount in result.totals().items()}
    assert totals == {"added": 1, "removed": 1, "changed": 0, "unchanged": 1}
    same = diff_manifests(workspace, train, train)
    assert not same.differs
    assert same.unchanged == Amount(2, 2.0)
    with changed_rows(workspace, train, train) as (_, rows):
        assert rows.read_all().num_rows == 0


def test_the_rows_themselves(workspace: Workspace, ingest: Ingest, clip: Clip) -> None:
    before = ingest([clip("a", take=1), clip("b"), clip("c")])
    after = ingest([clip("a", take=2, text="new"), clip("b"), clip("d", duration=1.0)])
    with changed_rows(workspace, before, after) as (result, reader):
        rows = reader.read_all().to_pylist()
    columns = ("change", "utt_id", "audio_path", "duration_s", "field", "before", "after")
    assert [tuple(row[name] for name in columns) for row in rows] == [
        ("changed", "a", "/data/a.wav", 3600.0, "text", "words of a", "new"),
        ("changed", "a", "/data/a.wav", 3600.0, "take", "1", "2"),
        ("removed", "c", "/data/c.wav", 3600.0, None, None, None),
        ("added", "d", "/data/d.wav", 1.0, None, None, None),
    ]
    assert result.to_json() == diff_manifests(workspace, before, after).to_json()


def test_files_changed_by_hand_are_noticed(
    workspace: Workspace, ingest: Ingest, clip: Clip
) -> None:
    before = ingest([clip("a"), clip("b")])
    after = ingest([clip("a"), clip("c")])
    store = workspace.store
    (file,) = store.files(store.open(before.table, 0), before.table)
    pq.write_table(pq.read_table(file).slice(1), file)
    with pytest.raises(ToolError, match="do not add up"):
        diff_manifests(workspace, before, after)


values = st.sampled_from([None, "", "x", "y"])
numbers = st.sampled_from([None, math.nan, 0.0, -0.0, 1.5])
clips = st.dictionaries(st.sampled_from("abcdefgh"), st.tuples(values, values, numbers), max_size=8)


def side(rows: dict[str, tuple[Any, ...]], file: Path) -> Side:
    """Write rows to a file and return it as a side."""
    columns = [list(column) for column in zip(*rows.values(), strict=True)] or [[], [], []]
    table = pa.table(
        {
            "utt_id": pa.array(list(rows), pa.string()),
            "audio_path": pa.array([f"/x/{name}" for name in rows], pa.string()),
            "text": pa.array(columns[0], pa.string()),
            "domain": pa.array(columns[1], pa.string()),
            "snr": pa.array(columns[2], pa.float64()),
            "duration_s": pa.array([3600.0] * len(rows), pa.float64()),
        }
    )
    pq.write_table(table, file)
    return Side(select_files(table.schema, [str(file)]), table.schema, "/x")


def same(left: Any, right: Any) -> bool:
    return left == right or (left != left and right != right)


@pytest.mark.slow
@settings(max_examples=40)
@given(before=clips, after=clips)
def test_any_two_tables_are_compared_as_python_would(
    tmp_path_factory: pytest.TempPathFactory,
    before: dict[str, tuple[Any, ...]],
    after: dict[str, tuple[Any, ...]],
) -> None:
    folder = tmp_path_factory.mktemp("sides")
    compared = Comparison(side(before, folder / "b"), side(after, folder / "a"), ("domain",))
    with connection(TableStore(Layout(folder)), ()) as (database, _):
        compared.run(database)
        counts = count_changes(database)
        fields = {row["field"]: row["rows"] for row in count_fields(database, compared).to_pylist()}
        strata = count_strata(database, compared).to_pylist()
    shutil.rmtree(folder)
    both = before.keys() & after.keys()
    differing = {
        name: [not same(x, y) for x, y in zip(before[name], after[name], strict=True)]
        for name in both
    }
    changed = {name for name, differs in differing.items() if any(differs)}
    assert counts.added.rows == len(after.keys() - before.keys()) == counts.added.hours
    assert counts.removed.rows == len(before.keys() - after.keys()) == counts.removed.hours
    assert counts.changed.rows == len(changed) == counts.changed.hours
    for place, field in enumerate(("text", "domain", "snr")):
        assert fields[field] == sum(differs[place] for differs in differing.values())
    for row in strata:
        inside = {name for name, values in after.items() if values[1] == row["domain"]}
        assert row["after_rows"] == len(inside)
        assert row["changed_rows"] == len(inside & changed)
        assert row["before_rows"] == sum(v[1] == row["domain"] for v in before.values())
    assert sum(row["after_rows"] for row in strata) == len(after)
