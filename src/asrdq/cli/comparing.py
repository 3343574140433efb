"""What the verbs `leaks` and `duplicates` share: options and the exit code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from asrdq import console
from asrdq.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from asrdq.leakage import DuplicateResult, LeakResult

OnlyOption = Annotated[
    list[str] | None,
    typer.Option("--only", metavar="KIND", help="Kinds to compare; repeat, or a,b,c."),
]
WithoutOption = Annotated[
    list[str] | None,
    typer.Option("--without", metavar="KIND", help="Kinds to leave out; repeat, or a,b,c."),
]
MaxShareOption = Annotated[
    list[str] | None,
    typer.Option(
        "--max-share",
        metavar="[KIND=]SHARE",
        help="Largest share of rows touched: of a kind, or of all that have a limit.",
    ),
]
NearOption = Annotated[
    float, typer.Option("--near", help="Least nearness of near texts: 1 − edited words ÷ words.")
]
MinWordsOption = Annotated[
    int, typer.Option("--min-words", min=1, help="Shorter texts are not compared.")
]


def listed(given: list[str] | None) -> list[str]:
    """Return the names of an option that may be repeated or hold commas."""
    return [name.strip() for text in given or [] for name in text.split(",")]


def shares(given: list[str] | None, limited: tuple[str, ...]) -> dict[str, float]:
    """Return the largest share of each kind; a number alone is for all kinds in `limited`.

    Raises:
        UsageError: What is given is not a number, or not KIND=NUMBER.
    """
    found: dict[str, float] = {}
    for text in given or []:
        kind, _, number = text.rpartition("=")
        try:
            share = float(number)
        except ValueError as error:
            raise UsageError(
                f"--max-share '{text}' is not [KIND=]SHARE", hint="write --max-share text=0.01"
            ) from error
        found |= dict.fromkeys([kind] if kind else limited, share)
    return found


def judge(result: LeakResult | DuplicateResult, table: str) -> ExitCode:
    """Tell what is shared and what is not known, and return the exit code.

    It is 1 above a limit, and 4 where a kind with a limit could not be compared. Nothing goes to
    stdout, which has the result.
    """
    rows = {row["kind"]: row for row in result.findings.to_pylist()}
    for kind, row in rows.items():
        if row["detail"]:
            console.warn(f"{kind}: {row['detail']}")
        elif row["state"] == "found":
            console.warn(f"{kind}: {row['rows']:,} rows, {row['share']:.2%}")
    for note in result.notes:
        console.say(note)
    look = f"asrdq sql \"FROM {table} WHERE run_id = '{result.run_id}'\""
    if result.too_much:
        told = [
            f"{kind} {rows[kind]['share']:.2%} (limit {rows[kind]['limit']:.2%})"
            for kind in result.too_much
        ]
        console.warn(f"too much is shared: {', '.join(told)}")
        console.next_step(look, "the rows that are touched")
        return ExitCode.FAILED
    if result.undecided:
        console.warn(
            f"not known: {', '.join(result.undecided)}; see to what is told above, or leave it out "
            f"on purpose: --without {','.join(result.undecided)}"
        )
        return ExitCode.UNDECIDED
    if any(row["rows"] for row in rows.values()):
        console.next_step(look, "the rows that are touched")
    return ExitCode.OK
