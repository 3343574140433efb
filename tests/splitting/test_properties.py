"""What holds for every split: disjoint, complete, stable when rows are appended or reordered."""

from __future__ import annotations

import itertools
import json
import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from asrdq.errors import DataError
from asrdq.manifests import ingest_manifest
from asrdq.splitting import SideTarget, SplitPlan, split_manifest
from asrdq.splitting.components import components

if TYPE_CHECKING:
    from asrdq.workspace import Workspace

Row = dict[str, Any]
SIDES = ("train", "validation", "test")
GROUPS = ("speaker", "session", "terms")

value = st.sampled_from([None, "", "a", "b", "c", "d", "e", "f"])
details = st.fixed_dictionaries(
    {
        "speaker": value,
        "session": value,
        "domain": st.sampled_from(["x", "y", None]),
        "terms": st.lists(st.sampled_from("tuvwxyz"), max_size=2),
        "duration": st.integers(1, 40).map(lambda tenths: tenths / 10),
    }
)


def rows_of(drawn: list[Row], first: int = 0) -> list[Row]:
    return [
        {"id": f"c{number}", "audio_filepath": f"c{number}.wav", "text": "x", **each}
        for number, each in enumerate(drawn, first)
    ]


# One row with every column, so that no manifest lacks one.
FULL: Row = {"speaker": "z", "session": "z", "domain": "x", "terms": ["0"], "duration": 1.0}


@contextmanager
def a_workspace() -> Iterator[Workspace]:
    from asrdq.workspace import Workspace

    with tempfile.TemporaryDirectory() as folder:
        Workspace.init(folder)
        yield Workspace.open(folder)


def sides_of(workspace: Workspace, rows: list[Row], plan: SplitPlan) -> dict[str, str]:
    """Ingest and split; return the side of each utterance."""
    file = workspace.root / "data.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    ingest_manifest(workspace, [file], "data")
    try:
        result = split_manifest(workspace, workspace.manifest("data"), plan)
    except DataError:  # the groups leave a side without a row
        reject()
    found: dict[str, str] = {}
    for side, reference in result.manifests.items():
        for utt_id in workspace.scan(workspace.manifest(reference))["utt_id"].to_pylist():
            assert utt_id not in found
            found[utt_id] = side
    assert set(found) == {row["id"] for row in rows}  # sides together are the manifest
    return found


def values(row: Row, group: str) -> list[str]:
    given_value = row[group]
    return given_value if isinstance(given_value, list) else [given_value] if given_value else []


def assert_disjoint(rows: list[Row], found: dict[str, str], groups: tuple[str, ...]) -> None:
    for group in groups:
        seen: dict[str, str] = {}
        for row in rows:
            for each in values(row, group):
                assert seen.setdefault(each, found[row["id"]]) == found[row["id"]], (group, each)


def plan(groups: tuple[str, ...], strata: list[str], *, hours: bool) -> SplitPlan:
    sides = (
        [SideTarget("validation", hours=0.001), SideTarget("test", hours=0.0005)]
        if hours
        else [SideTarget("validation", share=0.3), SideTarget("test", rows=2)]
    )
    return SplitPlan(sides=sides, disjoint=groups, strata=strata, closest=True, tolerance=0.9)


groups_asked = st.sampled_from(
    [tuple(c) for n in range(4) for c in itertools.combinations(GROUPS, n)]
)


@pytest.mark.slow
@settings(max_examples=12)
@given(
    drawn=st.lists(details, min_size=8, max_size=40),
    more=st.lists(details, max_size=20),
    groups=groups_asked,
    stratified=st.booleans(),
    hours=st.booleans(),
    shuffle=st.randoms(use_true_random=False),
)
def test_sides_are_disjoint_complete_and_stable(
    drawn: list[Row],
    more: list[Row],
    groups: tuple[str, ...],
    stratified: bool,
    hours: bool,
    shuffle: random.Random,
) -> None:
    # Ten rows of groups of their own leave every side something.
    lone = [{**FULL, "speaker": f"s{i}", "session": f"n{i}", "terms": [f"t{i}"]} for i in range(10)]
    before = rows_of([*lone, *drawn])
    asked = plan(groups, ["domain"] if stratified else [], hours=hours)
    with a_workspace() as workspace, a_workspace() as other:
        first = sides_of(workspace, before, asked)
        assert set(first.values()) == set(SIDES)
        assert_disjoint(before, first, groups)
        mixed = shuffle.sample(before, len(before))
        assert sides_of(other, mixed, asked) == first  # in any order, in another workspace
        after = shuffle.sample(before + rows_of(more, len(before)), len(before) + len(more))
        second = sides_of(workspace, after, asked)
        assert_disjoint(after, second, groups)
        expected = merged(first, after, groups)
        assert {utt_id: second[utt_id] for utt_id in first} == expected


def merged(first: dict[str, str], after: list[Row], groups: tuple[str, ...]) -> dict[str, str]:
    """The side each old row must have: its own, or the earliest of what new rows join it to."""
    expected = dict(first)
    for component in naive_components([[values(row, g) for g in groups] for row in after]):
        old = [after[i]["id"] for i in component if after[i]["id"] in first]
        earliest = min((SIDES.index(first[each]) for each in old), default=0)
        expected.update(dict.fromkeys(old, SIDES[earliest]))
    return expected


def naive_components(rows: list[list[list[str]]]) -> list[set[int]]:
    """Join rows that share a value, again and again until nothing changes."""
    found = [{i} for i in range(len(rows))]
    tokens = [{(g, v) for g, held in enumerate(row) for v in held} for row in rows]
    for i, j in itertools.combinations(range(len(rows)), 2):
        if tokens[i] & tokens[j]:
            one = next(c for c in found if i in c)
            two = next(c for c in found if j in c)
            if one is not two:
                found.remove(two)
                one |= two
    return found


@given(
    st.lists(
        st.tuples(value, value, st.lists(st.sampled_from(["t", "u", "v", None]), max_size=3)),
        max_size=12,
    )
)
def test_components_against_joining_pairs(drawn: list[tuple[Any, Any, list[Any]]]) -> None:
    kinds = (pa.string(), pa.string(), pa.list_(pa.string()))
    columns = [
        pa.chunked_array([pa.array([row[i] for row in drawn], kind)])
        for i, kind in enumerate(kinds)
    ]
    number = components(columns, len(drawn)).tolist()
    ours = {frozenset(i for i, n in enumerate(number) if n == each) for each in number}
    held = [
        [
            [v for v in (row[0],) if v is not None],
            [v for v in (row[1],) if v is not None],
            [v for v in row[2] if v is not None],
        ]
        for row in drawn
    ]
    assert ours == {frozenset(each) for each in naive_components(held)}
