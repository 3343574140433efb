"""`asrdq leaderboard`: the rates of a scored set in a fixed order, and what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from asrdq import console
from asrdq.cli.options import WorkspaceOption
from asrdq.cli.output import Format, emit, render

if TYPE_CHECKING:
    import pyarrow as pa

    from asrdq.leaderboard.board import Leaderboard
    from asrdq.leaderboard.sclite import Agreement
    from asrdq.scoring.scorings import Scoring
    from asrdq.workspace import Workspace


def leaderboard(
    hyps: Annotated[str, typer.Argument(metavar="HYPS", help="A scored set of hypotheses: `r1`.")],
    on: Annotated[
        str | None,
        typer.Option("--on", metavar="MANIFEST", help="Which one; default: the newest scored on."),
    ] = None,
    priority: Annotated[
        str | None,
        typer.Option(
            "--priority", metavar="CATEGORY", help="Whose KER decides; default: the worst."
        ),
    ] = None,
    first: Annotated[
        bool | None,
        typer.Option(
            "--first/--later",
            help="Whether it is the first evaluation; default: whether another set was scored.",
        ),
    ] = None,
    output: Annotated[
        Literal["table", "markdown", "json", "csv"],
        typer.Option("--format", "-f", help="How it is written to stdout."),
    ] = "table",
    html: Annotated[
        str | None, typer.Option("--html", metavar="FILE", help="Write it as one HTML page too.")
    ] = None,
    trn: Annotated[
        str | None,
        typer.Option("--trn", metavar="DIR", help="Write ref.trn and hyp.trn for sclite there."),
    ] = None,
    sclite: Annotated[
        str | None,
        typer.Option("--sclite", metavar="FILE", help="Compare with its report, .raw or .sys."),
    ] = None,
    workspace: WorkspaceOption = ".",
) -> None:
    """Show the rates of a scored set in a fixed order, each with n and 95 % interval; then a route.

    All utterances; KER by entity_category, ipa_source and noise_level; per term, worst first; and
    what else was scored. The route is fine-tune, grow, harden or cover pronunciations, with its
    reasons, and says what the interval leaves open.

    Example: `asrdq leaderboard r1 --on eval --priority drug --html r1.html`
    """
    import dataclasses

    from asrdq.leaderboard import find_route, read_leaderboard
    from asrdq.leaderboard.next_steps import next_step
    from asrdq.leaderboard.sclite import compare_with_sclite, score_totals
    from asrdq.places import place
    from asrdq.scoring.scorings import is_first, newest_scoring
    from asrdq.workspace import Workspace

    opened = Workspace.open(workspace)
    scoring = newest_scoring(opened, hyps, on)
    board = read_leaderboard(opened, scoring)
    found = find_route(
        board, priority=priority, first=is_first(opened, scoring) if first is None else first
    )
    agreement = compare_with_sclite(score_totals(opened, scoring), sclite) if sclite else None
    board = dataclasses.replace(board, route=found, sclite=agreement)
    _write(board, output)
    if html:
        from asrdq.reporting import write_leaderboard

        console.say(f"written: {write_leaderboard(board, place(html))}")
    if trn:
        _write_trn(opened, scoring, trn)
    console.next_step(*next_step(board, found))


def _write_trn(workspace: Workspace, scoring: Scoring, folder: str) -> None:
    from asrdq.leaderboard.trn import write_trn
    from asrdq.places import place

    files = write_trn(workspace, scoring, place(folder))
    console.say(f"written: {files.rows:,} utterances in {files.folder}: {files.changes}")
    console.say(f"score them: {files.command}")


def _write(board: Leaderboard, output: str) -> None:
    from asrdq.leaderboard.markdown import markdown

    if output in ("json", "csv"):
        emit(board, Format(output))
    elif output == "markdown":
        print(markdown(board))
    else:
        _show(board)


def _show(board: Leaderboard) -> None:
    """Show a table for each section, the route, and sclite's figures beside ours."""
    import pyarrow as pa

    from asrdq.leaderboard.wording import shown_columns

    print(board.subject)
    for section in board.sections:
        print(f"\n{section.title}")
        if section.entries:
            render(pa.table(shown_columns(section)))
        for note in board.notes(section):
            print(note)
    assert board.route is not None
    print(f"\nNext: {board.route.verdict}")
    for reason in board.route.told():
        print(f"- {console.visible(reason)}")
    if board.sclite:
        print(f"\nBeside sclite ({board.sclite.file})")
        render(_beside(board.sclite))
        print(board.sclite.verdict)


def _beside(agreement: Agreement) -> pa.Table:
    import pyarrow as pa

    from asrdq.leaderboard.sclite import MEASURES

    unit = " %" if agreement.theirs.percent else ""
    names = [
        name.replace("_", " ") + ("" if name in ("sentences", "words") else unit)
        for name in MEASURES
    ]
    return pa.table(
        {
            "total": names,
            "asrdq": [getattr(agreement.ours, name) for name in MEASURES],
            "sclite": [getattr(agreement.theirs, name) for name in MEASURES],
            "": ["differs" if name in agreement.differing else "" for name in MEASURES],
        }
    )
