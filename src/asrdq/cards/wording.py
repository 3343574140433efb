"""How figures are written on a card."""

from __future__ import annotations

from collections.abc import Iterator, Sequence


def per_cent(share: float | None, *, signed: bool = False) -> str:
    """Return a share in per cent with two digits, a dash for none.

    >>> per_cent(0.0925), per_cent(-0.01, signed=True), per_cent(None)
    ('9.25', '-1.00', '–')
    """
    return "–" if share is None else f"{100 * share:{'+' if signed else ''}.2f}"


def with_interval(
    share: float | None, low: float | None, high: float | None, *, signed: bool = False
) -> str:
    """Return a share in per cent with its limits.

    >>> with_interval(0.092, 0.08, 0.11), with_interval(0.092, None, None)
    ('9.20 (8.00 … 11.00)', '9.20 (no interval)')
    """
    if low is None or high is None:
        return f"{per_cent(share, signed=signed)} (no interval)"
    limits = f"{per_cent(low, signed=signed)} … {per_cent(high, signed=signed)}"
    return f"{per_cent(share, signed=signed)} ({limits})"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Give the lines of a table in Markdown; nothing without rows."""
    if not rows:
        return
    for cells in (head, ["---"] * len(head), *rows):
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
