"""`asrdq duplicates`: what a manifest holds twice."""

from __future__ import annotations

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
from asrdq.cli.options import FormatOption, ManifestArgument, WorkspaceOption
from asrdq.cli.output import Format, emit


def duplicates(
    manifest: ManifestArgument,
    only: OnlyOption = None,
    without: WithoutOption = None,
    max_share: MaxShareOption = None,
    near: NearOption = 0.8,
    min_words: MinWordsOption = 1,
    output: FormatOption = Format.TABLE,
    workspace: WorkspaceOption = ".",
) -> int:
    """Find audio and text that a manifest holds twice, exactly or nearly.

    Kinds: audio, overlap, transcript, text, near_text. None has a limit unless --max-share names
    one; above a limit the command ends with 1. The rows are in the table `duplicates`.

    Example: `asrdq duplicates train --max-share audio=0`
    """
    from asrdq.leakage import LeakPlan, find_duplicates
    from asrdq.leakage.plan import BY_FILE, BY_TEXT
    from asrdq.workspace import Workspace

    opened = Workspace.open(workspace)
    plan = LeakPlan(
        only=listed(only),
        without=listed(without),
        max_share=shares(max_share, tuple(map(str, (*BY_FILE, *BY_TEXT)))),
        near=near,
        min_words=min_words,
    )
    result = find_duplicates(opened, opened.manifest(manifest), plan, stage=console.progress)
    emit(result, output)
    return int(judge(result, "duplicates"))
