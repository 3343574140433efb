"""`asrdq check`: a suite of expectations against a manifest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from asrdq.cli.options import FormatOption, ManifestArgument, WorkspaceOption
from asrdq.cli.output import FOR_PEOPLE, Format, emit, render
from asrdq.errors import ExitCode

if TYPE_CHECKING:
    from asrdq.checks import CheckResult


def check(
    manifest: ManifestArgument,
    suite: Annotated[
        str,
        typer.Option(
            "--suite", "-s", metavar="NAME", help="A suite of expectations/, or a JSON file."
        ),
    ] = "asr_manifest",
    limit: Annotated[
        int,
        typer.Option("--limit", min=0, help="Failing rows to keep of each expectation."),
    ] = 100,
    output: FormatOption = Format.TABLE,
    workspace: WorkspaceOption = ".",
) -> int:
    """Check a manifest against a suite of expectations (Great Expectations JSON).

    Ends with 1 where a critical expectation fails, with 4 where one could not be judged. What
    each found is in the table `checks`, the rows that fail in `check_results`.

    Example: `asrdq check train --suite nemo_sft`
    """
    from asrdq import console
    from asrdq.checks import check as run_suite
    from asrdq.workspace import Workspace

    opened = Workspace.open(workspace)
    version = opened.manifest(manifest)
    result = run_suite(opened, version, suite, limit=limit, stage=console.progress)
    if output in FOR_PEOPLE:
        render(result.overview(), output)
        console.say(result.summary())
    else:
        emit(result, output)
    _tell(result, version.name)
    if result.failed:
        return ExitCode.FAILED
    return ExitCode.UNDECIDED if result.errors else ExitCode.OK


def _tell(result: CheckResult, name: str) -> None:
    """Say what could not be judged, what fails, and what to do next, on stderr."""
    from asrdq import console

    for row in result.errors:
        console.warn(f"{row['expectation']} (number {row['position']}): {row['error']}")
    if result.errors:
        console.warn("what could not be judged is no success; mend it, or take it out on purpose")
    if result.failed:
        names = dict.fromkeys(row["expectation"] for row in result.failed)
        console.warn(f"critical expectations fail: {', '.join(names)}")
    if result.failing.num_rows:
        rows = f"FROM check_results WHERE run_id = '{result.run_id}'"
        console.next_step(f'asrdq sql "{rows}"', "the rows that fail")
    elif not result.errors:
        console.next_step(f"asrdq gate {name}", "see whether it may be trained on")
