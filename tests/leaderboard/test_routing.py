"""The route after an evaluation: its limits, what it leaves open, and when it is pronunciation."""

from __future__ import annotations

import shlex
from typing import Any

import pytest

from asrdq.cli.verbs import VERBS
from asrdq.errors import UsageError
from asrdq.leaderboard.next_steps import next_step
from asrdq.leaderboard.route import Action
from asrdq.leaderboard.routing import find_route


@pytest.mark.parametrize(
    ("ker", "rows", "of_category", "first", "action"),
    [
        (0.302, 100, 5, True, Action.TUNE),
        (0.302, 100, 5, False, Action.TUNE),
        (0.302, 99, 5, True, Action.GROW),
        (0.302, 100, 4, True, Action.GROW),
        (0.302, 99, 4, False, Action.GROW),
        (0.3, 100, 5, True, Action.GROW),
        (0.1 + 0.2, 100, 5, True, Action.GROW),  # 0.30000000000000004 is 0.3
        (0.3, 100, 5, False, Action.TUNE),
        (0.1, 100, 5, True, Action.GROW),
        (0.1, 100, 5, False, Action.TUNE),
        (0.7 - 0.6, 100, 5, False, Action.TUNE),  # 0.09999999999999998 is 0.1
        (0.098, 100, 5, True, Action.HARDEN),
        (0.098, 39, 4, False, Action.HARDEN),
        (1.0, 1000, 500, True, Action.TUNE),
        (0.0, 1000, 500, True, Action.HARDEN),
    ],
)
def test_limits(
    board: Any, entry: Any, ker: float, rows: int, of_category: int, first: bool, action: Action
) -> None:
    own = entry("drug", ker, ker, ker, rows=of_category)
    found = find_route(board([own], rows=rows), priority="drug", first=first)
    assert found.action is action
    assert found.decided
    assert found.rows_needed is None
    assert found.verdict == action


def test_the_guides_39_rows_are_too_few_to_tune(board: Any, entry: Any) -> None:
    # Wilson of 12 in 14: centre 0.7802, half-width 0.1797
    drugs = entry("Drug names", 12 / 14, 0.6006, 0.9599, rows=14)
    found = find_route(board([drugs, entry("Conditions", 0.5, rows=8)], rows=39))
    assert found.action is Action.GROW
    assert found.decided  # all of the interval is above 0.3
    told = " | ".join(found.told())
    assert "39 rows in the evaluation: 61 more are needed, 100 in all" in told
    assert "0.601 to 0.960, 0.359 wide, from 14 rows" in told


def test_an_interval_over_a_limit_is_undecided_and_says_how_many_rows_would_do(
    board: Any, entry: Any
) -> None:
    own = board([entry("drug", 0.35, 0.25, 0.45, rows=40)])
    found = find_route(own, first=True)
    assert found.action is Action.TUNE
    assert not found.decided
    assert found.between == (Action.GROW, Action.TUNE)
    assert found.verdict == "undecided between: grow the manifest, fine-tune"
    assert found.rows_needed == 160  # 0.10 must shrink to 0.05: four times as many rows
    told = " | ".join(found.reasons)
    assert "reaches over 0.3: grow the manifest or fine-tune" in told
    assert "about 160 rows of the category would decide" in told


def test_a_limit_with_the_same_route_on_both_sides_leaves_nothing_open(
    board: Any, entry: Any
) -> None:
    own = board([entry("drug", 0.35, 0.25, 0.45, rows=40)])
    assert find_route(own, first=False).decided  # fine-tune below and above 0.3
    few = board([entry("drug", 0.35, 0.25, 0.45, rows=40)], rows=50)
    assert find_route(few, first=True).decided  # grow below and above 0.3


def test_an_interval_over_both_limits(board: Any, entry: Any) -> None:
    own = board([entry("drug", 0.2, 0.05, 0.4, rows=40)])
    found = find_route(own, first=True)
    assert found.between == (Action.HARDEN, Action.GROW, Action.TUNE)
    assert found.rows_needed == 160  # upwards 0.2 must become 0.1; downwards 0.15 only 0.1
    later = find_route(own, first=False)
    assert later.between == (Action.HARDEN, Action.TUNE)
    assert later.rows_needed == 90  # (0.15 ÷ 0.1)² × 40


def test_no_number_of_rows_decides_a_rate_on_the_limit(board: Any, entry: Any) -> None:
    found = find_route(board([entry("drug", 0.3, 0.2, 0.4, rows=40)]), first=True)
    assert found.between == (Action.GROW, Action.TUNE)
    assert found.rows_needed is None
    assert "no number of rows decides" in " ".join(found.reasons)


def test_a_rate_without_an_interval_says_so(board: Any, entry: Any) -> None:
    bare = entry("drug", 0.5).__class__("drug", "ker", 0.5, None, None, 9, 9, "none", 1, "speaker")
    found = find_route(board([bare]))
    assert found.action is Action.TUNE
    assert "it has no interval" in " ".join(found.reasons)


def test_the_priority_is_the_worst_category_with_five_rows(board: Any, entry: Any) -> None:
    four, five = entry("rare", 0.9, rows=4), entry("drug", 0.5, rows=5)
    found = find_route(board([four, five, entry("other", 0.2)]))
    assert (found.priority, found.chosen) == ("drug", "the worst category with at least 5 rows")
    asked = find_route(board([four, five]), priority="rare")
    assert (asked.priority, asked.chosen, asked.action) == ("rare", "as asked for", Action.GROW)
    none = find_route(board([four, entry("odd", 0.1, rows=3)]))
    assert (none.priority, none.chosen) == ("rare", "the worst category; none has 5 rows")
    unscored = find_route(board([entry("empty", None, rows=9), five]))
    assert unscored.priority == "drug"


def test_without_categories_all_rows_stand_for_them(board: Any, entry: Any) -> None:
    found = find_route(board(headline=[entry("", 0.5, rows=120)]))
    assert (found.priority, found.action) == ("", Action.TUNE)
    assert found.chosen == "all rows together: no column 'entity_category'"
    assert found.told()[0].startswith("priority: all rows")


def test_an_unknown_category_names_the_nearest(board: Any, entry: Any) -> None:
    with pytest.raises(UsageError, match="did you mean 'drug'"):
        find_route(board([entry("drug", 0.5)]), priority="drugs")


def test_without_keywords_nothing_is_decided(board: Any, entry: Any) -> None:
    for own in (board(), board([entry("drug", None, rows=0)])):
        found = find_route(own)
        assert found.action is Action.NOTHING_KNOWN
        assert not found.decided
        assert found.ker is None
        assert "no keyword was scored" in found.reasons[0]


GOOD = ("merriam-webster", 0.05, 0.02, 0.09)
BAD = ("magpie_g2p", 0.5, 0.4, 0.6)


def test_guessed_pronunciations_are_no_gap_of_the_model(board: Any, entry: Any) -> None:
    categories = [entry("drug", 0.5, 0.45, 0.55)]
    found = find_route(board(categories, sources=[entry(*BAD), entry(*GOOD)]))
    assert found.action is Action.PRONUNCIATION
    assert found.decided
    assert "no gap of the model. Do not tune" in found.reasons[0]
    assert find_route(board(categories)).action is Action.TUNE


@pytest.mark.parametrize(
    ("good", "bad", "rows", "said"),
    [
        (("merriam-webster", 0.1, 0.08, 0.12), BAD, 50, "which tells them apart"),
        (GOOD, ("magpie_g2p", 0.3, 0.25, 0.35), 50, "which tells them apart"),
        (GOOD, BAD, 4, "which tells them apart"),
        (GOOD, ("magpie_g2p", 0.31, 0.04, 0.9), 5, "does not tell them apart"),
        (("merriam-webster", 0.5, 0.4, 0.6), ("magpie_g2p", 0.4, 0.3, 0.5), 50, ""),
    ],
)
def test_when_it_is_not_called_a_matter_of_pronunciation(
    board: Any, entry: Any, good: Any, bad: Any, rows: int, said: str
) -> None:
    sources = [entry(*bad, rows=rows), entry(*good)]
    found = find_route(board([entry("drug", 0.5, 0.45, 0.55)], sources=sources))
    assert found.action is Action.TUNE
    told = " ".join(found.reasons)
    assert said in told
    assert ("merriam-webster" in told) == bool(said)


@pytest.mark.parametrize("ker", [None, 0.05, 0.2, 0.5])
def test_the_next_step_is_a_command_that_parses(board: Any, entry: Any, ker: float | None) -> None:
    own = board([entry("drug", ker)])
    check_command(*next_step(own, find_route(own)))
    wide = board([entry("drug", 0.35, 0.05, 0.9)])
    command, why = next_step(wide, find_route(wide))
    assert command.startswith("asrdq sql")  # more rows are what an undecided route needs
    check_command(command, why)
    check_command(*next_step(own, find_route(board(headline=[entry("", 0.5)]))))
    spoken = board([entry("drug", 0.5)], sources=[entry(*BAD), entry(*GOOD)])
    check_command(*next_step(spoken, find_route(spoken)))


def check_command(command: str, why: str) -> None:
    program, verb, *words = shlex.split(command)
    assert program == "asrdq"
    VERBS[verb].load().make_context(verb, words)
    assert why
