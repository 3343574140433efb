"""Utterances with the alignments of both rounds below their reference, in colour."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from asrdq import console
from asrdq.cli.directions import (
    END,
    RIGHT_MARK,
    RIGHT_TO_LEFT,
    in_isolation,
    is_right_to_left,
    isolated,
)

if TYPE_CHECKING:
    from rich.text import Text

    from asrdq.rounds import Comparison
    from asrdq.rounds.alignments import Column
    from asrdq.scoring.aligned import Mark

_NARROWEST = 40
_UNFOLDED = 100
_STYLES = {"C": "green", "S": "bold red", "D": "red", "I": "magenta", " ": ""}


def show_alignments(result: Comparison, each: int, *, markdown: bool = False) -> None:
    """Print the utterances that changed most, so many of each kind.

    A wrong word stands in brackets, an inserted one after a plus sign, a deleted one is `***`:
    what the colours say is there without them.
    """
    from rich.console import Console

    from asrdq.rounds.alignments import side_by_side
    from asrdq.rounds.changed_rows import examples

    shown = Console(
        file=sys.stdout, highlight=False, width=None if sys.stdout.isatty() else _UNFOLDED
    )
    names = ("reference", result.before, result.after)
    fence = "```" if markdown else ""
    for row in examples(result.changed, each).to_pylist():
        shown.print(f"{fence}\n{heading(row)}".lstrip(), markup=False)
        references = row["reference_before"], row["reference"]
        columns = side_by_side(references, row["before"], row["after"])
        for line in lines(columns, names, shown.width):
            shown.print(line, soft_wrap=True)
        shown.print(fence, markup=False)


def heading(row: Mapping[str, Any]) -> str:
    """Return what happened to an utterance, in a line.

    >>> heading({"kind": "fixed", "utt_id": "u1", "errors_before": 2, "errors_after": 0})
    'fixed u1: 2 → 0 errors'
    """
    errors = f"{row['errors_before']} → {row['errors_after']} errors"
    return f"{row['kind']} {isolated(console.visible(row['utt_id']))}: {errors}"


def lines(columns: Sequence[Column], names: Sequence[str], width: int) -> Iterator[Text]:
    """Give the lines of an alignment, folded between words at a width.

    Columns run as the reference does: from the right where its script does.
    """
    from rich.cells import cell_len
    from rich.text import Text

    margin = max(map(cell_len, names)) + 2
    from_the_right = is_right_to_left(" ".join(column.reference for column in columns))
    left = max(width - margin, _NARROWEST)
    folded: list[list[Column]] = [[]]
    used = 0
    for column in columns:
        needed = 1 + max(cell_len(text) for text, _ in cells(column))
        if used + needed > left and folded[-1]:
            folded.append([])
            used = 0
        folded[-1].append(column)
        used += needed
    for part in folded:
        for number, name in enumerate(names):
            line = Text(name + " " * (margin - cell_len(name)), style="dim")
            line.append(RIGHT_TO_LEFT if from_the_right else "")
            for column in part:
                texts = cells(column)
                text, style = texts[number]
                space = 1 + max(cell_len(other) for other, _ in texts) - cell_len(text)
                line.append(
                    in_isolation(text) if from_the_right else isolated(text), style or "not dim"
                )
                line.append(" " * space)
            if from_the_right:  # the mark keeps the spaces at the far end of the line
                line.append(RIGHT_MARK + END)
            else:
                line.rstrip()
            yield line


def cells(column: Column) -> list[tuple[str, str]]:
    """Return text and style of the reference, the older and the newer round in one column."""
    rounds = ((column.before, column.mark_before), (column.after, column.mark_after))
    return [
        (console.visible(column.reference), ""),
        *((console.visible(_marked(text, mark)), _STYLES[mark]) for text, mark in rounds),
    ]


def _marked(text: str, mark: Mark) -> str:
    return {"S": f"[{text}]", "D": "***", "I": f"+{text}"}.get(mark, text)
