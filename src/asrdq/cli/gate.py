"""`asrdq gate`: the verdict on a manifest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from asrdq.cli.options import ManifestArgument, WorkspaceOption
from asrdq.cli.output import Format, render

if TYPE_CHECKING:
    from asrdq.gates import GateResult


def gate(
    manifest: ManifestArgument,
    policy: Annotated[
        str | None,
        typer.Option("--policy", "-p", metavar="FILE", help="The policy; default: asrdq.yaml."),
    ] = None,
    output: Annotated[
        Literal["table", "json", "markdown"],
        typer.Option("--format", "-f", help="How the verdict is written to stdout."),
    ] = "table",
    report_dir: Annotated[
        str | None,
        typer.Option("--report-dir", help="Where alignment_report.json goes; default: reports."),
    ] = None,
    fail_on: Annotated[
        Literal["stop", "caution"],
        typer.Option("--fail-on", help="The mildest verdict that exits with 1."),
    ] = "stop",
    workspace: WorkspaceOption = ".",
) -> int:
    """Give the verdict on the present content of a manifest: may it be trained on?

    Exit codes: PROCEED 0, CAUTION 0 (1 with `--fail-on caution`), STOP 1, UNDECIDED 4.

    Example: `asrdq gate train --policy policies/default.yaml`
    """
    from asrdq import console
    from asrdq.gates import evaluate_gate, withdraw_reports
    from asrdq.places import place
    from asrdq.workspace import Workspace

    opened = Workspace.open(workspace)
    name = manifest.partition("@")[0]
    known = name if name in opened.manifests() else None
    reports = place(report_dir) if report_dir else opened.root / "reports"
    withdraw_reports(reports, known)
    version = opened.manifest(manifest)
    with console.progress("compare audio", None, "files") as bar:
        result = evaluate_gate(
            opened,
            version,
            policy_file=place(policy) if policy else None,
            report_dir=reports,
            advance=bar.advance,
        )
    if output == "json":
        print(result.to_json())
    else:
        print(headline(result, markdown=output == "markdown"))
        if result.measures:
            render(result.arrow(), Format(output))
    advise(result)
    return int(result.verdict.exit_code(fail_on_caution=fail_on == "caution"))


def headline(result: GateResult, *, markdown: bool = False) -> str:
    """Return verdict, reasons and figures as lines of text."""
    if not markdown:
        return result.summary() + "\n"
    from asrdq.gates.telling import sentences

    lines = [f"**{result.verdict}** for {result.evidence.manifest}", ""]
    return "\n".join([*lines, *(f"- {sentence}" for sentence in sentences(result)), ""])


def advise(result: GateResult) -> None:
    """Say what to do next, on stderr."""
    from asrdq import console
    from asrdq.gates import Verdict

    name = result.evidence.manifest.name
    steps = [reason.hint for reason in result.reasons if reason.hint]
    for step in dict.fromkeys(steps):
        console.warn(step)
    if result.verdict is Verdict.UNDECIDED and result.measures is None:
        console.next_step(f"asrdq audit {name}", "give the gate something to go on")
    else:
        console.next_step(f"asrdq report {name}", "see the evidence on one page")
