"""`asrdq leaks`: what an evaluation manifest shares with a training manifest."""

from __future__ import annotations

from typing import Annotated

import typer

from asrdq import console
from asrdq.cli.comparing import (
    MaxShareOption,
    MinWordsOption,
    NearOption,
    OnlyOption,
    WithoutOption,
    judge,
    listed,
    shares,
)
from asrdq.cli.options import FormatOption, WorkspaceOption
from asrdq.cli.output import Format, emit


def leaks(
    train: Annotated[str, typer.Argument(metavar="TRAIN", help="What a model is trained on.")],
    evaluation: Annotated[
        str, typer.Argument(metavar="EVALUATION", help="What it is measured on.")
    ],
    only: OnlyOption = None,
    without: WithoutOption = None,
    same: Annotated[
        list[str] | None,
        typer.Option("--same", metavar="COLUMN", help="Compare the values of further columns."),
    ] = None,
    max_share: MaxShareOption = None,
    near: NearOption = 0.8,
    min_words: MinWordsOption = 1,
    output: FormatOption = Format.TABLE,
    workspace: WorkspaceOption = ".",
) -> int:
    """Find audio, text, speakers and terms of an evaluation manifest that are in training too.

    Kinds: audio, overlap, transcript, text (nothing may be shared, unless --max-share says
    otherwise), near_text, speaker, term (told, unless --max-share KIND=SHARE makes them fail).
    Ends with 1 above a limit, with 4 where files that are missing leave it open. The rows are in
    the table `leaks`.

    Example: `asrdq leaks train validation --max-share speaker=0`
    """
    from asrdq.leakage import LeakPlan, find_leaks
    from asrdq.leakage.plan import STRICT
    from asrdq.workspace import Workspace

    opened = Workspace.open(workspace)
    plan = LeakPlan(
        only=listed(only),
        without=listed(without),
        same=listed(same),
        max_share=shares(max_share, tuple(map(str, STRICT))),
        near=near,
        min_words=min_words,
    )
    versions = opened.manifest(train), opened.manifest(evaluation)
    result = find_leaks(opened, *versions, plan, stage=console.progress)
    emit(result, output)
    return int(judge(result, "leaks"))
