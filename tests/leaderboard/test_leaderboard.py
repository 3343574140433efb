"""The leaderboard of really scored rows: its order, its figures, and what it says is absent."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from asrdq.errors import UsageError
from asrdq.leaderboard import find_route, read_leaderboard
from asrdq.leaderboard.arranging import arrange
from asrdq.leaderboard.markdown import markdown
from asrdq.leaderboard.next_steps import next_step
from asrdq.leaderboard.route import Action
from asrdq.scoring.plan import ScorePlan
from asrdq.scoring.scorings import is_first, newest_scoring, read_groups, scorings

if TYPE_CHECKING:
    from asrdq.workspace import Workspace

pytestmark = pytest.mark.slow

FIXED = ["headline", "entity_category", "ipa_source", "noise_level", "term"]


def rows_of(categories: dict[str, tuple[int, int]], **more: Any) -> Iterator[dict[str, Any]]:
    """Give rows of categories: of so many the term is missed."""
    for name, (rows, missed) in categories.items():
        for number in range(rows):
            heard = "give cefa zolin now" if number < missed else "give cefazolin now"
            yield {
                "text": "give cefazolin now",
                "heard": heard,
                "term": "cefazolin",
                "entity_category": name,
                **more,
            }


SIZES = {"Drug names": 14, "Conditions": 8, "Procedures": 12, "Anatomy": 5}
GUIDE_FIRST, GUIDE_SECOND = (
    {name: (rows, missed) for (name, rows), missed in zip(SIZES.items(), all_missed, strict=True)}
    for all_missed in ((12, 4, 3, 1), (3, 0, 0, 2))
)


def test_the_guides_39_rows(workspace: Workspace, score_rows: Any) -> None:
    first = read_leaderboard(workspace, score_rows(list(rows_of(GUIDE_FIRST))))
    ker = first.headline("ker")
    assert ker is not None
    assert (ker.rate, ker.rows, ker.method) == (pytest.approx(20 / 39), 39, "wilson")
    # Wilson of 20 in 39: centre 0.5117, half-width 0.1500
    assert (ker.low, ker.high) == pytest.approx((0.3620, 0.6614), abs=1e-3)
    by_category = {own.member: own.rate for own in first.section("entity_category").entries}
    assert by_category == pytest.approx(
        {"Drug names": 12 / 14, "Conditions": 0.5, "Procedures": 0.25, "Anatomy": 0.2}
    )
    assert list(by_category) == ["Drug names", "Conditions", "Procedures", "Anatomy"]
    found = find_route(first, first=True)
    assert (found.priority, found.action) == ("Drug names", Action.GROW)
    assert "39 rows in the evaluation: 61 more are needed, 100 in all" in found.reasons

    second = read_leaderboard(workspace, score_rows(list(rows_of(GUIDE_SECOND)), "r2", "eval2"))
    rates = {own.member: own.rate for own in second.section("entity_category").entries}
    assert rates == pytest.approx(
        {"Anatomy": 0.4, "Drug names": 3 / 14, "Conditions": 0.0, "Procedures": 0.0}
    )
    after = second.headline("ker")
    assert after is not None and after.rate == pytest.approx(5 / 39)
    assert after.rate / ker.rate - 1 == pytest.approx(-0.75)  # type: ignore[operator]


def test_sections_come_in_their_order_and_absent_ones_say_why(
    workspace: Workspace, score_rows: Any
) -> None:
    scoring = score_rows(list(rows_of({"drug": (3, 1)}, age="old")), by=["age"])
    found = read_leaderboard(workspace, scoring)
    assert [section.name for section in found.sections] == [*FIXED, "age"]
    assert [own.metric for own in found.section("headline").entries] == ["wer", "cer", "ker", "ser"]
    assert found.section("ipa_source").absent == "eval@0 has no column 'ipa_source'"
    assert found.section("noise_level").absent == "eval@0 has no column 'noise_level'"
    assert found.section("entity_category").absent == ""
    assert {own.metric for own in found.section("age").entries} == {"wer", "cer", "ker", "ser"}
    with pytest.raises(KeyError):
        found.section("accent")


def test_without_terms_every_keyword_section_is_absent(
    workspace: Workspace, score_rows: Any
) -> None:
    rows = [{"text": "a b", "heard": "a", "entity_category": "drug"}]
    found = read_leaderboard(workspace, score_rows(rows))
    why = "no keyword was scored: eval@0 has no column 'term'"
    assert [found.section(name).absent for name in ("headline", "entity_category", "term")] == [
        why
    ] * 3
    assert found.headline("ker") is None
    assert find_route(found).action is Action.NOTHING_KNOWN


def test_terms_that_cannot_be_scored_leave_no_rate(workspace: Workspace, score_rows: Any) -> None:
    rows = [{"text": "a b", "heard": "a b", "term": "zolin", "entity_category": "drug"}]
    found = read_leaderboard(workspace, score_rows(rows))
    ker = found.headline("ker")
    assert ker is not None and ker.rate is None and ker.low is None
    assert found.section("term").absent == "no term could be scored"
    assert "nothing to divide by" in found.summary()
    assert json.loads(found.to_json())["sections"][0]["entries"][2]["rate"] is None


def test_terms_are_listed_worst_first_and_of_equal_ones_the_most_frequent(
    workspace: Workspace, score_rows: Any
) -> None:
    said = [("a", "a"), ("b", "x"), ("b", "x"), ("c", "x"), ("d", "d"), ("d", "x")]
    rows = [{"text": term, "heard": heard, "term": term} for term, heard in said]
    terms = read_leaderboard(workspace, score_rows(rows)).section("term").entries
    assert [(own.member, own.rate, own.rows) for own in terms] == [
        ("b", 1.0, 2),
        ("c", 1.0, 1),
        ("d", 0.5, 2),
        ("a", 0.0, 1),
    ]


def test_the_delta_of_pronunciations(workspace: Workspace, score_rows: Any) -> None:
    rows = [
        *rows_of({"drug": (20, 2)}, ipa_source="merriam-webster"),
        *rows_of({"drug": (20, 12)}, ipa_source="magpie_g2p"),
    ]
    found = read_leaderboard(workspace, score_rows(rows))
    assert found.ipa_delta is not None
    assert found.ipa_delta.value == pytest.approx(0.5)
    # Wilson: 12 in 20 is 0.3866 to 0.7812, 2 in 20 is 0.0279 to 0.3010
    low = 0.5 - ((0.6 - 0.3866) ** 2 + (0.3010 - 0.1) ** 2) ** 0.5
    high = 0.5 + ((0.7812 - 0.6) ** 2 + (0.1 - 0.0279) ** 2) ** 0.5
    assert (found.ipa_delta.low, found.ipa_delta.high) == pytest.approx((low, high), abs=1e-3)
    said = found.notes(found.section("ipa_source"))
    assert said == [
        "delta magpie_g2p − merriam-webster: +0.500 (95 % +0.207 to +0.695, which excludes 0)"
    ]


def test_one_source_alone_has_no_delta(workspace: Workspace, score_rows: Any) -> None:
    rows = list(rows_of({"drug": (3, 1)}, ipa_source="merriam-webster"))
    found = read_leaderboard(workspace, score_rows(rows))
    assert found.ipa_delta is None
    assert "it takes rows of both" in markdown(found)


def test_a_scoring_from_before_a_column_was_grouped_by_says_so(
    workspace: Workspace, score_rows: Any
) -> None:
    scoring = score_rows(list(rows_of({"drug": (3, 1)}, noise_level="high")))
    groups = read_groups(workspace, scoring).to_pylist()
    older = [row for row in groups if row["grouped_by"] != "noise_level"]
    found = arrange(older, scoring, workspace.manifest("eval"))
    assert found.section("noise_level").absent == (
        "it was not scored by 'noise_level': asrdq score eval@0 --hyps r1 --by noise_level"
    )


def test_columns_of_the_leaderboard_are_grouped_by_wherever_they_are() -> None:
    plan = ScorePlan(by=["noise_level", "age"])
    assert plan.for_leaderboard(("noise_level", "ipa_source")).by == [
        "noise_level",
        "age",
        "ipa_source",
    ]
    assert plan.for_leaderboard(()).by == ["noise_level", "age"]


def test_it_is_a_table_and_a_document(workspace: Workspace, score_rows: Any) -> None:
    scoring = score_rows(list(rows_of({"drug": (3, 1)})))
    found = read_leaderboard(workspace, scoring)
    table = found.arrow().to_pylist()
    assert [row["section"] for row in table[:5]] == ["headline"] * 4 + ["entity_category"]
    assert [row["place"] for row in table[:5]] == [1, 2, 3, 4, 1]
    document = json.loads(found.to_json())
    assert document["schema_version"] == 1
    assert [section["name"] for section in document["sections"]] == FIXED
    assert document["normaliser"] == "none"


def test_markdown_leaves_hostile_names_as_text(workspace: Workspace, score_rows: Any) -> None:
    hostile = "<img src=x> | *b*"
    scoring = score_rows(list(rows_of({hostile: (3, 1)})))
    told = markdown(read_leaderboard(workspace, scoring))
    assert "| \\<img src=x\\> \\| \\*b\\* | KER | 0.333 |" in told


def test_the_newest_scoring_answers_and_what_is_scored_is_named(
    workspace: Workspace, score_rows: Any
) -> None:
    with pytest.raises(UsageError, match="nothing was scored yet"):
        newest_scoring(workspace, "r1")
    rows = list(rows_of({"drug": (3, 1)}))
    score_rows(rows)
    assert is_first(workspace, newest_scoring(workspace, "r1"))
    score_rows(rows, "r2")
    score_rows(rows, "r1", "other")
    assert newest_scoring(workspace, "r1").manifest == "other@0"
    assert newest_scoring(workspace, "r1", "eval").manifest == "eval@0"
    assert newest_scoring(workspace, "r1", "eval@0").hyps == "r1"
    assert is_first(workspace, newest_scoring(workspace, "r1", "eval"))
    assert not is_first(workspace, newest_scoring(workspace, "r2"))
    with pytest.raises(UsageError, match=r"valid: r1, r2; or score it: asrdq score MANIFEST"):
        newest_scoring(workspace, "r0")
    with pytest.raises(UsageError, match=r"'r2' was not scored on other\n.*it was on eval@0;"):
        newest_scoring(workspace, "r2", "other")
    with pytest.raises(UsageError, match="eval"):
        newest_scoring(workspace, "r1", "evil")


def test_a_scoring_that_did_not_end_is_none(workspace: Workspace, score_rows: Any) -> None:
    scoring = score_rows(list(rows_of({"drug": (3, 1)})))
    groups = workspace.read("score_groups")
    with workspace.run("score", workspace.manifest("eval"), {"hyps": "r1"}) as run:
        column = groups.schema.get_field_index("run_id")
        later = groups.set_column(column, "run_id", [[run.run_id] * len(groups)])
        workspace.append("score_groups", later)
        assert [found.run_id for found in scorings(workspace)] == [scoring.run_id]


def test_next_steps_are_queries_that_run(workspace: Workspace, score_rows: Any) -> None:
    def answer(categories: dict[str, tuple[int, int]], **more: Any) -> tuple[Action, Any]:
        scoring = score_rows(list(rows_of(categories, **more)))
        board = read_leaderboard(workspace, scoring)
        found = find_route(board)
        command, _ = next_step(board, found)
        program, verb, sql = shlex.split(command)
        assert (program, verb) == ("asrdq", "sql")
        return found.action, workspace.sql(sql).arrow().to_pylist()

    action, rows = answer({"drug": (20, 20)})
    assert (action, rows) == (Action.GROW, [{"term": "cefazolin", "rows": 20, "missed": 20}])
    action, rows = answer({"drug": (400, 1)})
    assert (action, len(rows), rows[0]["utt_id"]) == (Action.HARDEN, 1, "u0")
    assert rows[0]["hypothesis"] == "give cefa zolin now"


def test_rows_of_a_sample_are_those_that_were_drawn(workspace: Workspace, score_rows: Any) -> None:
    from asrdq.sampling import SamplingPlan, draw_sample
    from asrdq.scoring import score_hypotheses

    score_rows(list(rows_of({"drug": (40, 20), "other": (40, 0)})))
    version = workspace.manifest("eval")
    draw_sample(workspace, version, SamplingPlan("entity_category", fraction=0.5))
    plan = ScorePlan(normaliser="none", sample=True)
    score_hypotheses(workspace, version, "r1", plan)
    found = read_leaderboard(workspace, newest_scoring(workspace, "r1"))
    assert found.weighted
    assert "40 utterances of a weighted sample, normaliser none" in markdown(found)
    assert found.rows == 40
    ser = found.headline("ser")
    assert ser is not None and ser.units == pytest.approx(80)  # each stands for two
    assert [own.rows for own in found.section("entity_category").entries] == [20, 20]
