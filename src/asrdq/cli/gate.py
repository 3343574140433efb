"""`asrdq gate`: the verdict on a manifest."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from asrdq.cli.options import ManifestArgument, PolicyOption, WorkspaceOption
from asrdq.cli.output import Format, render

if TYPE_CHECKING:
    from asrdq.gates import GateResult
    from asrdq.workspace import Workspace

GateFormat = Literal["table", "json", "markdown", "junit", "github", "sarif"]


def gate(
    manifest: ManifestArgument,
    policy: PolicyOption = None,
    output: Annotated[
        GateFormat | None,
        typer.Option(
            "--format",
            "-f",
            help="How the verdict is written to stdout; default: table, in GitHub Actions github.",
        ),
    ] = None,
    report_dir: Annotated[
        str | None,
        typer.Option("--report-dir", help="Where alignment_report.json goes; default: reports."),
    ] = None,
    fail_on: Annotated[
        Literal["stop", "caution"],
        typer.Option("--fail-on", help="The mildest verdict that exits with 1."),
    ] = "stop",
    log_to: Annotated[
        str | None,
        typer.Option(
            "--log-to",
            metavar="LOGGER:DIR",
            help="Put the figures beside a training run: tensorboard:, mlflow: or wandb:DIR.",
        ),
    ] = None,
    workspace: WorkspaceOption = ".",
) -> int:
    """Give the verdict on the present content of a manifest: may it be trained on?

    Exit codes, in every format: PROCEED 0, CAUTION 0 (1 with `--fail-on caution`), STOP 1,
    UNDECIDED 4.

    Example: `asrdq gate train --policy policies/default.yaml`
    """
    from asrdq import console
    from asrdq.gates import evaluate_gate, withdraw_reports
    from asrdq.places import place
    from asrdq.workspace import Workspace

    figures_go = None if log_to is None else logger_named(log_to)
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
    if figures_go is not None:
        log(result, opened, *figures_go)
    caution = fail_on == "caution"
    in_actions = os.environ.get("GITHUB_ACTIONS") == "true"
    chosen = output or ("github" if in_actions else "table")
    if chosen in ("table", "markdown"):
        show(result, Format(chosen), fail_on_caution=caution)
    else:
        print(document(result, chosen, policy or opened.settings.policy, fail_on_caution=caution))
    write_step_summary(result, fail_on_caution=caution)
    advise(result)
    return int(result.verdict.exit_code(fail_on_caution=caution))


def show(result: GateResult, output: Format, *, fail_on_caution: bool) -> None:
    """Show verdict, reasons, the rules with their figures, and the strata, to a person."""
    from asrdq.gates.formats.outcomes import outcome_rows, outcomes

    print(headline(result, markdown=output is Format.MARKDOWN))
    found = outcomes(result, fail_on_caution=fail_on_caution)
    render(outcome_rows(found, every=False).drop_columns(["found"]), output)
    if result.measures:
        print()
        render(result.arrow(), output)


def logger_named(log_to: str) -> tuple[str, str]:
    """Return the logger and the folder that an argument names.

    Raises:
        UsageError: It names no folder.
    """
    from asrdq.errors import UsageError

    logger, _, folder = log_to.partition(":")
    if not folder:
        raise UsageError(f"--log-to {log_to} names no folder", hint="--log-to tensorboard:exp/run7")
    return logger, folder


def log(result: GateResult, workspace: Workspace, logger: str, folder: str) -> None:
    """Put the figures of a verdict into an experiment logger."""
    from asrdq import console
    from asrdq.monitoring import audit_figures, log_figures

    if result.measures is None:
        console.warn(f"there are no figures for {logger}: nothing was judged")
        return
    log_figures(audit_figures(workspace, str(result.evidence.manifest)), folder, to=logger)


def document(result: GateResult, output: str, policy: str, *, fail_on_caution: bool) -> str:
    """Return a verdict as a document for another program."""
    from asrdq.gates import junit_xml, sarif_log, workflow_commands

    if output == "junit":
        return junit_xml(result, fail_on_caution=fail_on_caution)
    if output == "github":
        return workflow_commands(result, fail_on_caution=fail_on_caution)
    if output == "sarif":
        return sarif_log(result, policy, fail_on_caution=fail_on_caution)
    return result.to_json()


def write_step_summary(result: GateResult, *, fail_on_caution: bool) -> None:
    """Add the verdict to the page of a GitHub run, where there is one; the format plays no part."""
    from asrdq import console
    from asrdq.gates import step_summary

    file = os.environ.get("GITHUB_STEP_SUMMARY")
    if not file:
        return
    text = step_summary(result, fail_on_caution=fail_on_caution)
    try:
        with Path(file).open("a", encoding="utf-8", errors="replace") as stream:
            stream.write(text)
    except OSError as error:
        console.warn(f"the step summary {file} cannot be written: {error.strerror}")


def headline(result: GateResult, *, markdown: bool = False) -> str:
    """Return verdict, reasons and figures as lines of text, without control characters."""
    from asrdq.console import visible
    from asrdq.gates.formats.telling import sentences

    if not markdown:
        return "\n".join([*map(visible, result.summary().split("\n")), ""])
    lines = [f"**{result.verdict}** for {result.evidence.manifest}", ""]
    told = [f"- {visible(' '.join(sentence.split()))}" for sentence in sentences(result)]
    return "\n".join([*lines, *told, ""])


def advise(result: GateResult) -> None:
    """Say what to do next, on stderr."""
    from asrdq import console
    from asrdq.gates import Verdict

    name = result.evidence.manifest.name
    steps = [reason.hint for reason in result.reasons if reason.hint]
    for step in dict.fromkeys(steps):
        console.warn(" ".join(step.split()))
    if result.verdict is Verdict.UNDECIDED and result.measures is None:
        console.next_step(f"asrdq audit {name}", "give the gate something to go on")
    else:
        console.next_step(f"asrdq report {name}", "see the evidence on one page")
