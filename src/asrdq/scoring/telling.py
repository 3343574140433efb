"""A leaderboard and its route in words: Markdown for reports and chats, plain lines for people."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

from asrdq.console import visible
from asrdq.scoring.entries import HEADLINE_SECTION, UNITS
from asrdq.scoring.leaderboard import DICTIONARY, GUESSED
from asrdq.scoring.plan import IPA_SOURCE
from asrdq.scoring.rates import Metric

if TYPE_CHECKING:
    from asrdq.scoring.entries import Entry, Section
    from asrdq.scoring.leaderboard import Leaderboard

MOST_SHOWN: Final = 30
"""Groups of a section that people are shown; machines get all."""


def plain_text(board: Leaderboard) -> str:
    """Return a leaderboard as lines of text."""
    lines = [subject(board)]
    for section in board.sections:
        lines += ["", section.title]
        lines += [f"  {line}" for line in _plain_section(board, section)]
    if board.route:
        lines += ["", f"Next: {board.route.verdict}", *(f"  {r}" for r in board.route.told())]
    return "\n".join(lines)


def _plain_section(board: Leaderboard, section: Section) -> Iterator[str]:
    for entry in section.entries[:MOST_SHOWN]:
        yield f"{label(entry)}: {rate(entry)} [{limits(entry)}] of {amount(entry)}"
    yield from notes(board, section)


def subject(board: Leaderboard) -> str:
    """Return what a leaderboard is about, in a line."""
    drawn = " of a weighted sample" if board.weighted else ""
    return (
        f"{board.hyps} on {board.manifest}: {board.rows:,} utterances{drawn}, normaliser "
        f"{board.normaliser} {board.normaliser_version} ({board.normaliser_hash})"
    )


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


def notes(board: Leaderboard, section: Section) -> Iterator[str]:
    """Give what is to be said about a section: that it is absent, cut off, and the delta."""
    if section.absent:
        yield f"absent: {section.absent}"
    if len(section.entries) > MOST_SHOWN:
        yield f"the first {MOST_SHOWN} of {len(section.entries):,} rates; JSON and CSV have all"
    if section.name == IPA_SOURCE and section.entries:
        yield ipa_delta(board)


def ipa_delta(board: Leaderboard) -> str:
    """Return the difference of KER between the sources of pronunciation in a sentence."""
    found = board.ipa_delta
    if found is None:
        return f"no delta: it takes rows of both {DICTIONARY} and {GUESSED}"
    delta = f"delta {GUESSED} − {DICTIONARY}: {found.value:+.3f}"
    if found.low is None or found.high is None:
        return f"{delta}, without an interval"
    sure = "excludes 0" if found.excludes_zero else "does not exclude 0"
    return f"{delta} (95 % {found.low:+.3f} to {found.high:+.3f}, which {sure})"


def markdown(board: Leaderboard) -> str:
    """Return a leaderboard as Markdown, with its route where it has one."""
    lines = [f"# Leaderboard: {_safe(board.hyps)} on {_safe(board.manifest)}", ""]
    lines += [_safe(subject(board)), ""]
    for section in board.sections:
        lines += [f"## {_safe(section.title)}", ""]
        if section.entries:
            lines += [*_table(section), ""]
        lines += [f"{_safe(note)}\n" for note in notes(board, section)]
    if board.route:
        lines += [f"## Next: {board.route.verdict}", ""]
        lines += [f"- {_safe(reason)}" for reason in board.route.told()]
    return "\n".join(lines).rstrip() + "\n"


def _table(section: Section) -> Iterator[str]:
    columns = shown_columns(section)
    yield "| " + " | ".join(columns) + " |"
    yield "|" + " --- |" * len(columns)
    for cells in zip(*columns.values(), strict=True):
        yield "| " + " | ".join(map(_safe, cells)) + " |"


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
    shown = section.entries[:MOST_SHOWN]
    return {name: [cell(entry) for entry in shown] for name, cell in told.items()}


def how(entry: Entry) -> str:
    """Return how an interval was made."""
    return f"{entry.method}, {entry.blocks:,} × {entry.blocked_by}"


def _safe(text: str) -> str:
    """Return a text that Markdown and HTML in it leave as it is."""
    text = visible(text)
    for sign in "\\`*_{}[]<>#|":
        text = text.replace(sign, f"\\{sign}")
    return " ".join(text.split())
