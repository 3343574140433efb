"""Sides of a split: sizes, strata, groups, what is kept, what is refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from asrdq.errors import DataError, UsageError
from asrdq.splitting import SideTarget, SplitPlan, SplitResult, split_manifest
from asrdq.splitting.result import SPLITS
from asrdq.workspace import Workspace

if TYPE_CHECKING:
    from asrdq.workspace import ManifestVersion

pytestmark = pytest.mark.slow

Row = dict[str, Any]
Ingest = Callable[..., "ManifestVersion"]


def row(number: int, **more: Any) -> Row:
    name = f"clip-{number:04d}"
    return {"id": name, "audio_filepath": f"{name}.wav", "duration": 3.6, "text": name, **more}


def plan(*sides: str, **more: Any) -> SplitPlan:
    return SplitPlan(sides=[SideTarget.parse(side) for side in sides], **more)


def ids(workspace: Workspace, result: SplitResult, side: str) -> set[str]:
    version = workspace.manifest(result.manifests[side])
    return set(workspace.scan(version, ["utt_id"])["utt_id"].to_pylist())


def sizes(result: SplitResult, column: str = "rows") -> dict[tuple[str, str | None], float]:
    return {(line["side"], line["stratum"]): line[column] for line in result.sides.to_pylist()}


def test_sides_by_rows_share_and_hours(workspace: Workspace, ingest: Ingest) -> None:
    data = ingest([row(number) for number in range(1000)])  # one hour
    result = split_manifest(workspace, data, plan("validation=100", "test=10%", "dev=0.05h"))
    assert sizes(result) == {
        **{("train", None): 750, ("train", "all"): 750},
        **{("validation", None): 100, ("validation", "all"): 100},
        **{("test", None): 100, ("test", "all"): 100},
        **{("dev", None): 50, ("dev", "all"): 50},
    }
    assert sizes(result, "asked_hours")["dev", None] == pytest.approx(0.05)
    sides = [ids(workspace, result, side) for side in ("train", "validation", "test", "dev")]
    assert sum(map(len, sides)) == 1000
    assert len(set().union(*sides)) == 1000


def test_strata_are_met_on_each_side(workspace: Workspace, ingest: Ingest) -> None:
    rows = [row(i, domain="phone" if i % 10 < 7 else "studio") for i in range(1000)]
    result = split_manifest(workspace, ingest(rows), plan("test=20%", strata=["domain"]))
    assert sizes(result)["test", "phone"] == 140
    assert sizes(result)["test", "studio"] == 60


def test_a_side_is_a_manifest_as_if_its_file_had_been_ingested(
    workspace: Workspace, ingest: Ingest
) -> None:
    rows = [row(i, speaker=f"s{i % 7}", offset=i / 10) for i in range(200)]
    data = ingest(rows)
    result = split_manifest(workspace, data, plan("test=25%"))
    for side in ("train", "test"):
        mine = ids(workspace, result, side)
        again = ingest([r for r in rows if r["id"] in mine], f"again_{side}")
        made = workspace.manifest(result.manifests[side])
        assert made.fingerprint == again.fingerprint
        assert (made.rows, made.columns) == (again.rows, again.columns)
        assert made.hours == pytest.approx(again.hours)
        assert made.sources == data.sources
        assert made.lineage is not None
        [parent] = made.lineage.parents
        assert (str(parent), parent.lost_rows) == ("data@0", 200 - made.rows)
        assert made.run_id == result.run_id


def test_groups_link_rows_through_other_rows(workspace: Workspace, ingest: Ingest) -> None:
    rows = [
        row(0, speaker="a", session="1"),
        row(1, speaker="b", session="1"),
        row(2, speaker="b", session="2"),
        row(3, speaker="c", session="3"),
        row(4, session=""),
        row(5, session=""),
    ]
    asked = plan("test=2", disjoint=["speaker", "session"])
    result = split_manifest(workspace, ingest(rows), asked)
    assert result.components == 4  # 0, 1 and 2 together; an empty session links nothing
    test = ids(workspace, result, "test")
    assert test < {"clip-0003", "clip-0004", "clip-0005"}
    assert len(test) == 2


def test_a_list_of_terms_links_by_each_term(workspace: Workspace, ingest: Ingest) -> None:
    rows = [row(0, terms=["x", "y"]), row(1, terms=["y", "z"]), row(2, terms=["z"]), row(3)]
    result = split_manifest(workspace, ingest(rows), plan("test=1", disjoint=["term"]))
    assert ids(workspace, result, "test") == {"clip-0003"}


def test_groups_may_be_expressions(workspace: Workspace, ingest: Ingest) -> None:
    rows = [row(i, session=f"{'ab'[i % 2]}-{i}") for i in range(10)]
    asked = plan("test=5", disjoint=["split_part(session, '-', 1)"])
    result = split_manifest(workspace, ingest(rows), asked)
    assert {int(name[-1]) % 2 for name in ids(workspace, result, "test")} in ({0}, {1})


def test_what_groups_make_impossible_is_said_and_nothing_is_written(
    workspace: Workspace, ingest: Ingest
) -> None:
    rows = [row(i, speaker="big" if i < 80 else f"s{i}", session=f"{i // 50}") for i in range(100)]
    data = ingest(rows)
    with pytest.raises(DataError) as caught:
        split_manifest(workspace, data, plan("test=10", disjoint=["speaker", "session"]))
    said = "\n".join(problem.message for problem in caught.value.problems)
    assert "test: asked 10 rows, nearest 0 rows" in said
    assert "1 components linked by speaker, session; the largest has 100 of 100 rows" in said
    assert "by speaker alone: 21, the largest 80 rows" in said
    assert "by session alone: 2, the largest 50 rows" in said
    assert workspace.manifests() == ["data"]
    with pytest.raises(DataError):  # an empty side is no side, whatever is asked
        split_manifest(
            workspace, data, plan("test=10", disjoint=["speaker", "session"], closest=True)
        )


def test_what_the_former_split_makes_impossible_is_said(
    workspace: Workspace, ingest: Ingest
) -> None:
    data = ingest([row(i) for i in range(40)])
    split_manifest(workspace, data, plan("test=10"))
    data = ingest([row(i) for i in range(44)])
    with pytest.raises(DataError) as caught:
        split_manifest(workspace, data, plan("test=20"))
    said = [problem.message for problem in caught.value.problems]
    assert said == [
        "test: asked 20 rows, nearest 14 rows",
        f"{data} has 44 rows and 0.04 h",
        "40 of its rows keep the side of the former split, without --fresh",
    ]


def test_closest_writes_the_nearest(workspace: Workspace, ingest: Ingest) -> None:
    data = ingest([row(i, speaker=f"s{i // 20}") for i in range(100)])
    asked = plan("test=26", disjoint=["speaker"])
    with pytest.raises(DataError, match="cannot be split so"):
        split_manifest(workspace, data, asked)
    result = split_manifest(workspace, data, plan("test=26", disjoint=["speaker"], closest=True))
    assert sizes(result)["test", None] == 20
    assert result.missed == ("test: asked 26 rows, nearest 20 rows",)


def test_speakers_of_several_strata_keep_the_mixture(workspace: Workspace, ingest: Ingest) -> None:
    rows = [
        row(i, speaker=f"s{i % 100}", domain="phone" if i % 3 else "studio") for i in range(3000)
    ]
    asked = plan("test=20%", disjoint=["speaker"], strata=["domain"])
    got = sizes(split_manifest(workspace, ingest(rows), asked))
    assert got["test", None] == pytest.approx(600, rel=0.05)
    assert got["test", "phone"] == pytest.approx(400, rel=0.1)
    assert got["test", "studio"] == pytest.approx(200, rel=0.1)


def split_twice(
    workspace: Workspace,
    ingest: Ingest,
    before: Sequence[Row],
    after: Sequence[Row],
    asked: SplitPlan,
) -> tuple[SplitResult, SplitResult]:
    first = split_manifest(workspace, ingest(before), asked)
    return first, split_manifest(workspace, ingest(after), asked)


def test_rows_that_join_two_sides_go_to_the_earlier_one_and_are_counted(
    workspace: Workspace, ingest: Ingest
) -> None:
    before = [row(i, speaker=f"s{i}", session="") for i in range(10)]
    asked = plan("test=5", disjoint=["speaker", "session"], tolerance=0.5)
    first = split_manifest(workspace, ingest(before), asked)
    old_test, old_train = sorted(ids(workspace, first, "test")), ids(workspace, first, "train")
    joined = (old_test[0], min(old_train))
    after = [{**r, "session": "joined"} if r["id"] in joined else r for r in before]
    second = split_manifest(workspace, ingest(after), asked)
    assert second.moved == 1
    assert second.kept == 9
    assert ids(workspace, second, "train") == old_train | {old_test[0]}


def test_another_seed_or_other_sides_need_fresh(workspace: Workspace, ingest: Ingest) -> None:
    data = ingest([row(i) for i in range(40)])
    split_manifest(workspace, data, plan("test=10"))
    with pytest.raises(UsageError, match="seed 42"):
        split_manifest(workspace, data, plan("test=10", seed=7))
    with pytest.raises(UsageError, match="had the sides test, train"):
        split_manifest(workspace, data, plan("test=10", "dev=3"))
    split_manifest(workspace, data, plan("test=10", "dev=3"), prefix="three")
    with pytest.raises(UsageError, match="had the sides dev, test, train"):
        split_manifest(workspace, data, plan("test=10"), prefix="three")
    fresh = split_manifest(workspace, data, plan("test=10", seed=7), fresh=True)
    assert (fresh.kept, fresh.moved) == (0, 0)
    assert fresh.manifests["test"] == "data_test@1"


def test_a_manifest_that_no_split_made_is_not_overwritten(
    workspace: Workspace, ingest: Ingest
) -> None:
    data = ingest([row(i) for i in range(10)])
    ingest([row(1)], "data_test")
    for fresh in (False, True):
        with pytest.raises(UsageError, match="'data_test' is there and was not made by a split"):
            split_manifest(workspace, data, plan("test=5"), fresh=fresh)
    assert split_manifest(workspace, data, plan("test=5"), prefix="mine").manifests == {
        "train": "mine_train@0",
        "test": "mine_test@0",
    }


def test_what_a_killed_split_left_is_written_again(workspace: Workspace, ingest: Ingest) -> None:
    data = ingest([row(i) for i in range(40)])
    killed = split_manifest(workspace, data, plan("test=10"))
    # Killed after its manifests and before its table.
    workspace.replace("splits", SPLITS.empty_table(), run_id=killed.run_id)
    again = split_manifest(workspace, data, plan("test=10"))
    assert (again.kept, again.moved) == (0, 0)
    assert again.manifests == killed.manifests


def test_two_splits_at_once_never_mix_their_sides(workspace: Workspace, ingest: Ingest) -> None:
    data = ingest([row(i) for i in range(200)])

    def split(seed: int) -> str:
        mine = Workspace.open(workspace.root)
        try:
            return split_manifest(mine, data, plan("test=50%", seed=seed)).run_id
        except UsageError as error:
            assert "the former split had the seed" in str(error)
            return ""

    with ThreadPoolExecutor(4) as pool:
        runs = list(pool.map(split, range(4)))
    assert sum(map(bool, runs)) == 1
    made = {workspace.manifest(name).run_id for name in ("data_train", "data_test")}
    assert made == {run for run in runs if run}


def term_rows() -> list[Row]:
    sizes_of = {"drug": 12, "procedure": 6, "condition": 2, "lab": 1}
    names = [name for name, count in sizes_of.items() for _ in range(count)]
    return [row(i, entity_category=name) for i, name in enumerate(names)]


def test_the_term_aware_split(workspace: Workspace, ingest: Ingest) -> None:
    result = split_manifest(workspace, ingest(term_rows()), SplitPlan.term_aware())
    got = sizes(result)
    # a fifth of 12, 6 and 2 rows is 2.4, 1.2 and 0.4: two, one, and at least one
    assert [got["validation", name] for name in ("drug", "procedure", "condition", "lab")] == [
        *(2, 1, 1, 0)
    ]
    assert result.notes == ("the only row of lab is in train: nothing measures it",)


def test_a_small_priority_category_is_refused(workspace: Workspace, ingest: Ingest) -> None:
    data = ingest(term_rows())
    with pytest.raises(DataError, match="1 priority strata have fewer than 5 rows") as caught:
        split_manifest(workspace, data, SplitPlan.term_aware(priority=["drug", "condition"]))
    assert [problem.message for problem in caught.value.problems] == ["condition: 2 rows"]
    with pytest.raises(UsageError, match="unknown stratum 'drugs'"):
        split_manifest(workspace, data, SplitPlan.term_aware(priority=["drugs"]))
    made = split_manifest(workspace, data, SplitPlan.term_aware(priority=["drug", "procedure"]))
    assert set(made.manifests) == {"train", "validation"}


@pytest.mark.parametrize(
    "side",
    [
        "test",
        "test=",
        "test=x",
        "test=0",
        "test=-3",
        "test=100%",
        "test=nanh",
        "Test=5",
        "test=1.5",
    ],
)
def test_sizes_that_make_no_sense_are_refused(side: str) -> None:
    with pytest.raises(UsageError):
        SideTarget.parse(side)


def test_plans_that_make_no_sense_are_refused() -> None:
    with pytest.raises(UsageError, match="two sides have the name train"):
        plan("train=10%")
    with pytest.raises(UsageError, match="leave nothing"):
        plan("a=60%", "b=40%")
    with pytest.raises(UsageError, match="needs a side"):
        plan()
    with pytest.raises(UsageError, match="tolerance"):
        plan("a=60%", tolerance=1.0)


def test_wrong_columns_and_missing_durations_are_told(workspace: Workspace, ingest: Ingest) -> None:
    data = ingest([{**row(1), "duration": None}, row(2)])
    with pytest.raises(UsageError, match="unknown column 'spekaer'"):
        split_manifest(workspace, data, plan("test=1", disjoint=["spekaer"]))
    with pytest.raises(UsageError, match="subquery"):
        split_manifest(workspace, data, plan("test=1", strata=["(SELECT 1)"]))
    with pytest.raises(DataError, match="1 rows of data@0 state no duration"):
        split_manifest(workspace, data, plan("test=0.0005h"))
    assert workspace.manifests() == ["data"]
