"""`asrdq normalise`: what a normaliser makes of a text, step by step."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from asrdq import console
from asrdq.cli.options import FormatOption
from asrdq.cli.output import Format, render
from asrdq.errors import UsageError

if TYPE_CHECKING:
    import pyarrow as pa

    from asrdq.text.normalisers import Normaliser


def normalise(
    text: Annotated[
        str | None, typer.Argument(metavar="[TEXT]", help="A text, or `-`: one a line on stdin.")
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Show each step that changes the text.")
    ] = False,
    name: Annotated[str, typer.Option("--with", metavar="NAME", help="The normaliser.")] = "basic",
    equivalences: Annotated[
        str | None,
        typer.Option("--equivalences", metavar="FILE", help="A YAML file of spelling variants."),
    ] = None,
    listing: Annotated[
        bool, typer.Option("--list", help="List the normalisers with version and hash.")
    ] = False,
    output: FormatOption = Format.TABLE,
) -> None:
    """Show what a normaliser makes of a text before its errors are counted.

    Example: `asrdq normalise --explain "Take 2.5mg b.i.d." --with clinical`
    """
    from asrdq.text.normalisers import normaliser, normaliser_names

    if listing:
        render(_listed([normaliser(each, equivalences) for each in normaliser_names()]), output)
        console.next_step('asrdq normalise --explain "2.5 mg" --with clinical', "see its steps")
        return
    if text is None:
        raise UsageError("which text?", hint='asrdq normalise --explain "Take 2.5mg b.i.d."')
    chosen = normaliser(name, equivalences)
    texts = _lines() if text == "-" else iter([text])
    if explain:
        render(_explained(chosen, texts), output)
    elif output is Format.TABLE:
        for each in texts:
            print(chosen(each))
    else:
        render(_normalised(chosen, texts), output)
    console.say(f"{chosen.name}, version {chosen.version}, hash {chosen.hash}")
    if explain:
        console.next_step("asrdq normalise --list", "the other normalisers")
    else:
        shown = "-" if text == "-" else '"…"'
        console.next_step(f"asrdq normalise --explain {shown} --with {name}", "see its steps")


def _lines() -> Iterator[str]:
    """Give the lines of stdin without their ends; bytes that are no UTF-8 become U+FFFD."""
    for line in io.TextIOWrapper(sys.stdin.buffer, "utf-8", errors="replace"):
        yield line.rstrip("\r\n")


def _listed(normalisers: list[Normaliser]) -> pa.Table:
    import pyarrow as pa

    return pa.table(
        {
            "normaliser": [each.name for each in normalisers],
            "version": [each.version for each in normalisers],
            "hash": [each.hash for each in normalisers],
            "example": [each("Don’t take 2.5mg, B.I.D.: ½ of it") for each in normalisers],
        }
    )


def _explained(chosen: Normaliser, texts: Iterator[str]) -> pa.Table:
    """Return the texts as they came, after each step that changed them, and as they are in the end.

    A lone surrogate is shown as U+FFFD.
    """
    import pyarrow as pa

    rows = [row for text in texts for row in _steps(chosen, text)]
    return pa.table({"step": [step for step, _ in rows], "text": [text for _, text in rows]})


def _steps(chosen: Normaliser, text: str) -> Iterator[tuple[str, str]]:
    from asrdq.text.normalisers.characters import replace_surrogates

    yield "(as it came)", replace_surrogates(text)
    told = chosen.explain(text)
    for step, after in told:
        if after != text:
            yield step, after
        text = after
    yield "(normalised)", text


def _normalised(chosen: Normaliser, texts: Iterator[str]) -> pa.Table:
    import pyarrow as pa

    from asrdq.text.normalisers.characters import replace_surrogates

    given = list(map(replace_surrogates, texts))
    return pa.table({"text": given, "normalised": [chosen(text) for text in given]})
