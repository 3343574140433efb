"""What was heard in the place of the terms that are missed most."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from asrdq.errors import AsrdqError
from asrdq.scoring.aligned import Mark, aligned
from asrdq.scoring.tables import SCORES, TERM_SCORES
from asrdq.text.normalisers import normaliser

if TYPE_CHECKING:
    from asrdq.leaderboard.board import Leaderboard
    from asrdq.scoring.scorings import Scoring
    from asrdq.workspace import Workspace

MOST_TERMS: Final = 8
_MOST_HEARD: Final = 3
_MOST_ROWS: Final = 200


@dataclass(frozen=True)
class Misheard:
    """A term, of how many looked-at misses it is, and what was heard instead, most often first."""

    term: str
    missed: int
    heard: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class MisheardTerms:
    """Terms that were missed; `unknown` says why nothing can be told, and is else empty."""

    terms: tuple[Misheard, ...] = ()
    unknown: str = ""


def misheard_terms(workspace: Workspace, scoring: Scoring, board: Leaderboard) -> MisheardTerms:
    """Return what was heard in the place of the worst terms, from at most 200 misses of each."""
    entries = board.section("term").entries
    worst = [entry.member for entry in entries if entry.rate][:MOST_TERMS]
    if not worst:
        return MisheardTerms()
    try:
        ruler = normaliser(scoring.plan.normaliser, equivalences=scoring.plan.equivalences)
    except AsrdqError as error:
        return MisheardTerms(unknown=error.message)
    if ruler.hash != scoring.normaliser_hash:
        return MisheardTerms(unknown=f"{scoring.normaliser} has changed since it was scored")
    rows = workspace.query(
        f"SELECT t.term, s.reference, s.hypothesis FROM {TERM_SCORES} t "
        f"JOIN {SCORES} s USING (run_id, utt_id) "
        "WHERE t.run_id = $run AND t.missed AND list_contains($terms, t.term) "
        f"QUALIFY row_number() OVER (PARTITION BY t.term ORDER BY utt_id) <= {_MOST_ROWS}",
        {"run": scoring.run_id, "terms": worst},
    ).to_pylist()
    heard: dict[str, Counter[str]] = {term: Counter() for term in worst}
    for row in rows:
        instead = heard_instead(ruler(row["term"]), row["reference"], row["hypothesis"])
        heard[row["term"]][instead] += 1
    return MisheardTerms(
        tuple(
            Misheard(term, found.total(), tuple(found.most_common(_MOST_HEARD)))
            for term, found in heard.items()
        )
    )


def heard_instead(term: str, reference: str, hypothesis: str) -> str:
    """Return the words of the hypothesis where a term first stands in the reference.

    Words put in directly before or after it are part of them.

    Example:
        >>> heard_instead("cefazolin", "give cefazolin now", "give cefa zolin now")
        'cefa zolin'
    """
    places = aligned(reference, hypothesis)
    spoken = [index for index, place in enumerate(places) if place.mark is not Mark.INSERTED]
    start = _first(term.split(), [places[index].reference for index in spoken])
    if start is None:
        return ""
    first, last = spoken[start], spoken[start + len(term.split()) - 1]
    while first > 0 and places[first - 1].mark is Mark.INSERTED:
        first -= 1
    while last + 1 < len(places) and places[last + 1].mark is Mark.INSERTED:
        last += 1
    return " ".join(place.hypothesis for place in places[first : last + 1] if place.hypothesis)


def _first(words: Sequence[str], text: Sequence[str]) -> int | None:
    for start in range(len(text) - len(words) + 1):
        if list(text[start : start + len(words)]) == list(words):
            return start
    return None
