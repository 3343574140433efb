"""A leaderboard as Markdown, for reports and chats."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from asrdq.console import visible
from asrdq.leaderboard.wording import shown_columns

if TYPE_CHECKING:
    from asrdq.leaderboard.board import Leaderboard
    from asrdq.leaderboard.entries import Section


def markdown(board: Leaderboard) -> str:
    """Return a leaderboard as Markdown, with its route where it has one."""
    lines = [f"# Leaderboard: {_safe(board.hyps)} on {_safe(board.manifest)}", ""]
    lines += [_safe(board.subject), ""]
    for section in board.sections:
        lines += [f"## {_safe(section.title)}", ""]
        if section.entries:
            lines += [*_table(section), ""]
        lines += [f"{_safe(note)}\n" for note in board.notes(section)]
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


def _safe(text: str) -> str:
    """Return a text that Markdown and HTML in it leave as it is."""
    text = visible(text)
    for sign in "\\`*_{}[]<>#|":
        text = text.replace(sign, f"\\{sign}")
    return " ".join(text.split())
