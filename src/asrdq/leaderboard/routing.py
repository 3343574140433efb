"""What to do after an evaluation: the route that a leaderboard asks for."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from asrdq.errors import unknown
from asrdq.leaderboard.entries import DICTIONARY, GUESSED
from asrdq.leaderboard.route import Action, Route
from asrdq.scoring.plan import ENTITY_CATEGORY, IPA_SOURCE
from asrdq.scoring.rates import Metric

if TYPE_CHECKING:
    from asrdq.leaderboard.board import Leaderboard
    from asrdq.leaderboard.entries import Entry

POOR, GOOD = 0.3, 0.1
"""KER above the first is a gap; below the second there is none; the limits lie between both."""

FEWEST_ROWS, FEWEST_IN_CATEGORY = 100, 5
"""Rows of the evaluation, and of the priority category in it, from which on a model is tuned."""

_SAME = 1e-9
"""Rates nearer to a limit than this are on it: sums of weights are not exact."""


def find_route(board: Leaderboard, *, priority: str | None = None, first: bool = True) -> Route:
    """Return what a leaderboard asks for.

    Of the priority category's KER: above 0.3, with 100 rows and 5 of the category, fine-tune; above
    0.3 with fewer, grow the manifest; from 0.1 to 0.3 grow after the first evaluation and fine-tune
    after a later one; below 0.1 harden the evaluation. Where the dictionary's pronunciations are
    good (below 0.1) and guessed ones are not (above 0.3), with a difference that excludes 0, the
    model is not tuned: its pronunciations are covered first.

    Args:
        board: The leaderboard.
        priority: The category that decides; None for the worst one with at least 5 rows.
        first: Whether this is the first evaluation on the manifest.

    Raises:
        UsageError: There is no such category.
    """
    entry, chosen = _priority(board, priority)
    if entry is None or entry.rate is None:
        return Route(
            Action.NOTHING_KNOWN, priority or "", chosen, first, None, None, None, board.rows, 0,
            (), None, ("no keyword was scored, so there is no KER to go by",),
        )  # fmt: skip
    pronunciation = _pronunciation(board)
    open_limits = () if pronunciation else _open_limits(entry, board.rows, first)
    between = _between(entry, open_limits, board.rows, first)
    asked = _action(entry, entry.rate, board.rows, first)
    return Route(
        action=Action.PRONUNCIATION if pronunciation else asked,
        priority=entry.member,
        chosen=chosen,
        first=first,
        ker=entry.rate,
        low=entry.low,
        high=entry.high,
        rows=board.rows,
        category_rows=entry.rows,
        between=between,
        rows_needed=rows_needed(entry, open_limits) if between else None,
        reasons=(
            *([pronunciation] if pronunciation else _reasons(entry, board.rows, first)),
            *_doubts(entry, open_limits, between),
            *([] if pronunciation else _hint_of_pronunciation(board)),
        ),
    )


def _priority(board: Leaderboard, wanted: str | None) -> tuple[Entry | None, str]:
    """Return the entry that decides, and how it was chosen."""
    categories = board.section(ENTITY_CATEGORY)
    by_name = {entry.member: entry for entry in categories.entries}
    if wanted is not None:
        if wanted not in by_name:
            raise unknown("category", wanted, by_name, where=f"{board.hyps} on {board.manifest}")
        return by_name[wanted], "as asked for"
    scored = [entry for entry in categories.entries if entry.rate is not None]
    large = [entry for entry in scored if entry.rows >= FEWEST_IN_CATEGORY]
    if large:
        return large[0], f"the worst category with at least {FEWEST_IN_CATEGORY} rows"
    if scored:
        return scored[0], f"the worst category; none has {FEWEST_IN_CATEGORY} rows"
    return board.headline(Metric.KER), f"all rows together: {categories.absent}"


def _action(entry: Entry, rate: float, rows: int, first: bool) -> Action:
    if rate > POOR + _SAME:
        enough = rows >= FEWEST_ROWS and entry.rows >= FEWEST_IN_CATEGORY
        return Action.TUNE if enough else Action.GROW
    if rate >= GOOD - _SAME:
        return Action.GROW if first else Action.TUNE
    return Action.HARDEN


def _open_limits(entry: Entry, rows: int, first: bool) -> tuple[float, ...]:
    """Return the limits that the interval reaches over and that part one action from another."""
    if entry.low is None or entry.high is None:
        return ()
    beside = 1e-6

    def parts(limit: float) -> bool:
        sides = (limit - beside, limit + beside)
        return len({_action(entry, rate, rows, first) for rate in sides}) > 1

    reached = (limit for limit in (GOOD, POOR) if entry.low < limit < entry.high)
    return tuple(filter(parts, reached))


def _between(
    entry: Entry, open_limits: Sequence[float], rows: int, first: bool
) -> tuple[Action, ...]:
    """Return what the rates of the interval ask for, the best rate first; empty if all alike."""
    if not open_limits or entry.low is None or entry.high is None:
        return ()
    points = (entry.low, *open_limits, entry.high)
    return tuple(dict.fromkeys(_action(entry, point, rows, first) for point in points))


def rows_needed(entry: Entry, limits: Sequence[float]) -> int | None:
    """Return about how many rows would bring the interval of a KER off the limits it reaches over.

    Intervals narrow with the root of the number of rows; the rate is taken to stay as it is. None
    where it lies on a limit: no number of rows tells on which side it is.
    """
    assert entry.rate is not None and entry.low is not None and entry.high is not None
    factor = 1.0
    for limit in limits:
        away = abs(entry.rate - limit)
        if away <= _SAME:
            return None
        reach = entry.rate - entry.low if entry.rate > limit else entry.high - entry.rate
        factor = max(factor, (reach / away) ** 2)
    return math.ceil(entry.rows * factor - _SAME)


def _reasons(entry: Entry, rows: int, first: bool) -> Iterator[str]:
    assert entry.rate is not None
    name = f"'{entry.member}'" if entry.member else "all rows together"
    ker = f"KER of {name} is {entry.rate:.3f}"
    if entry.rate > POOR + _SAME:
        yield f"{ker}, above {POOR}: a gap that data can close"
        yield from _too_few(rows, FEWEST_ROWS, "rows in the evaluation")
        yield from _too_few(entry.rows, FEWEST_IN_CATEGORY, f"rows of {name}")
        if rows >= FEWEST_ROWS and entry.rows >= FEWEST_IN_CATEGORY:
            yield f"{rows:,} rows, {entry.rows:,} of them of {name}, are enough to tune and to tell"
    elif entry.rate >= GOOD - _SAME:
        yield f"{ker}, from {GOOD} to {POOR}"
        yield (
            "it is the first evaluation: more rows come before tuning"
            if first
            else "it is a later evaluation: the rows are there, tune"
        )
    else:
        yield f"{ker}, below {GOOD}: the evaluation is too easy to show what is left"


def _too_few(rows: int, fewest: int, what: str) -> Iterator[str]:
    if rows < fewest:
        yield f"{rows:,} {what}: {fewest - rows:,} more are needed, {fewest:,} in all"


def _doubts(entry: Entry, open_limits: Sequence[float], between: Sequence[Action]) -> Iterator[str]:
    if entry.low is None or entry.high is None:
        yield "it has no interval: too little was scored to say how sure it is"
        return
    width = entry.high - entry.low
    yield (
        f"its 95 % interval is {entry.low:.3f} to {entry.high:.3f}, {width:.3f} wide, "
        f"from {entry.rows:,} rows ({entry.method}, {entry.blocks:,} × {entry.blocked_by})"
    )
    if not between:
        return
    reached = " and ".join(map(str, open_limits))
    yield f"the interval reaches over {reached}: {' or '.join(between)}"
    needed = rows_needed(entry, open_limits)
    if needed is None:
        yield "the rate lies on the limit: no number of rows decides, if it stays there"
    else:
        yield f"about {needed:,} rows of the category would decide, if the rate stays as it is"


def _pronunciation(board: Leaderboard) -> str | None:
    """Return why it is a matter of pronunciations, if it is."""
    found = _sources(board)
    delta = board.ipa_delta
    if found is None or delta is None or not delta.excludes_zero:
        return None
    dictionary, guessed = found
    good = dictionary.rate is not None and dictionary.rate < GOOD - _SAME
    bad = guessed.rate is not None and guessed.rate > POOR + _SAME
    if not (good and bad and guessed.rows >= FEWEST_IN_CATEGORY):
        return None
    return (
        f"KER is {dictionary.rate:.3f} where the pronunciation is from {DICTIONARY} and "
        f"{guessed.rate:.3f} where {GUESSED} guessed it: the audio says these words wrongly, "
        "which is no gap of the model. Do not tune on it"
    )


def _hint_of_pronunciation(board: Leaderboard) -> Iterator[str]:
    found, delta = _sources(board), board.ipa_delta
    if found is None or delta is None or delta.value <= 0 or delta.low is None:
        return
    told = "tells them apart" if delta.excludes_zero else "does not tell them apart"
    yield (
        f"{GUESSED} is {delta.value:+.3f} worse than {DICTIONARY} (95 % {delta.low:+.3f} to "
        f"{delta.high:+.3f}), which {told}; it is called a matter of pronunciations when "
        f"{DICTIONARY} is below {GOOD}, {GUESSED} above {POOR} with at least "
        f"{FEWEST_IN_CATEGORY} rows, and the interval excludes 0"
    )


def _sources(board: Leaderboard) -> tuple[Entry, Entry] | None:
    entries = {entry.member: entry for entry in board.section(IPA_SOURCE).entries}
    if DICTIONARY not in entries or GUESSED not in entries:
        return None
    return entries[DICTIONARY], entries[GUESSED]
