"""The command to go on with after an evaluation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from asrdq.leaderboard.entries import GUESSED
from asrdq.leaderboard.route import Action

if TYPE_CHECKING:
    from asrdq.leaderboard.board import Leaderboard
    from asrdq.leaderboard.route import Route

NEXT_STEPS: Final = {
    Action.TUNE: (
        "asrdq split {name} --preset term-aware",
        "hold rows back, then tune on the rest",
    ),
    Action.GROW: ('asrdq sql "{missed}"', "see which terms are missed most, and add rows of them"),
    Action.HARDEN: ('asrdq sql "{wrong}"', "see what is still hard, and add rows like it"),
    Action.PRONUNCIATION: ('asrdq sql "{guessed}"', "list the guessed terms to look up"),
    Action.NOTHING_KNOWN: (
        "asrdq score {manifest} --hyps {hyps} --term COLUMN",
        "name the column with the keywords",
    ),
}
"""A command for each action and what it is good for."""

_MISSED = (
    "SELECT term, count(*) AS rows, count(*) FILTER (missed) AS missed FROM term_scores "
    "WHERE run_id = '{run_id}' GROUP BY term ORDER BY missed DESC"
)
_WRONG = (
    "SELECT utt_id, reference, hypothesis FROM scores WHERE run_id = '{run_id}' "
    "AND hits < words ORDER BY missed_terms DESC, hits / words"
)
_GUESSED = (
    'SELECT DISTINCT t.term FROM term_scores t JOIN \\"{manifest}\\" m USING (utt_id) '
    "WHERE t.run_id = '{run_id}' AND t.missed AND m.ipa_source = '" + GUESSED + "'"
)


def next_step(board: Leaderboard, found: Route) -> tuple[str, str]:
    """Return the command to go on with, and what for; undecided routes go on with more rows."""
    action = Action.GROW if found.between else found.action
    names = {
        "name": board.manifest.partition("@")[0],
        "manifest": board.manifest,
        "hyps": board.hyps,
        "run_id": board.run_id,
    }
    queries = {"missed": _MISSED, "wrong": _WRONG, "guessed": _GUESSED}
    filled = {name: query.format(**names) for name, query in queries.items()}
    command, why = NEXT_STEPS[action]
    if action is Action.TUNE and not found.priority:  # the preset is by category
        command = "asrdq split {name} --side validation=20% --disjoint term"
    return command.format(**names, **filled), why
