"""Entries of a leaderboard in words and columns for people."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from asrdq.leaderboard.entries import DICTIONARY, GUESSED, HEADLINE_SECTION, UNITS
from asrdq.scoring.plan import IPA_SOURCE
from asrdq.scoring.rates import Metric

if TYPE_CHECKING:
    from asrdq.leaderboard.differences import Difference
    from asrdq.leaderboard.entries import Entry, Section

MOST_SHOWN: Final = 30
"""Groups of a section that people are shown; machines get all."""


def shown(section: Section) -> Sequence[Entry]:
    """Return the entries of a section that people are shown."""
    return section.entries[:MOST_SHOWN]


def entry_line(entry: Entry) -> str:
    """Return an entry as a line of text."""
    return f"{label(entry)}: {rate(entry)} [{limits(entry)}] of {amount(entry)}"


def label(entry: Entry) -> str:
    """Return what an entry is called: its group and its rate."""
    return f"{entry.member} {entry.metric.upper()}".strip()


def rate(entry: Entry) -> str:
    """Return a rate with three digits, a dash for none."""
    return "–" if entry.rate is None else f"{entry.rate:.3f}"


def limits(entry: Entry) -> str:
    """Return the limits of the interval, or that there is none."""
    if entry.rate is None:
        return "nothing to divide by"
    if entry.low is None or entry.high is None:
        return "one block: no interval"
    return f"{entry.low:.3f} – {entry.high:.3f}"


def amount(entry: Entry) -> str:
    """Return what a rate is a share of: `1,712 utterances`."""
    number = round(entry.units)
    one, many = UNITS.get(Metric(entry.metric), ("", ""))
    return f"{number:,} {one if number == 1 else many}".strip()


def section_notes(section: Section, delta: Difference | None) -> Iterator[str]:
    """Give what is to be said about a section: that it is absent, cut off, and the delta."""
    if section.absent:
        yield f"absent: {section.absent}"
    if len(section.entries) > MOST_SHOWN:
        yield f"the first {MOST_SHOWN} of {len(section.entries):,} rates; JSON and CSV have all"
    if section.name == IPA_SOURCE and section.entries:
        yield ipa_delta(delta)


def ipa_delta(found: Difference | None) -> str:
    """Return the difference of KER between the sources of pronunciation in a sentence."""
    if found is None:
        return f"no delta: it takes rows of both {DICTIONARY} and {GUESSED}"
    delta = f"delta {GUESSED} − {DICTIONARY}: {found.value:+.3f}"
    if found.low is None or found.high is None:
        return f"{delta}, without an interval"
    sure = "excludes 0" if found.excludes_zero else "does not exclude 0"
    return f"{delta} (95 % {found.low:+.3f} to {found.high:+.3f}, which {sure})"


def shown_columns(section: Section) -> dict[str, list[str]]:
    """Return what people are shown of a section, as columns of a table."""
    told: dict[str, Callable[[Entry], str]] = {
        "group": lambda entry: entry.member,
        "rate": lambda entry: entry.metric.upper(),
        "value": rate,
        "95 %": limits,
        "of": amount,
        "interval by": how,
    }
    if section.name == HEADLINE_SECTION:
        del told["group"]
    return {name: [cell(entry) for entry in shown(section)] for name, cell in told.items()}


def how(entry: Entry) -> str:
    """Return how an interval was made."""
    return f"{entry.method}, {entry.blocks:,} × {entry.blocked_by}"
