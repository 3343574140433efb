"""`asrdq report`: write one HTML page with the evidence."""

from __future__ import annotations

from typing import Annotated

import typer

from asrdq.cli.options import ManifestArgument, WorkspaceOption


def report(
    manifest: ManifestArgument,
    output: Annotated[
        str | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="The file; default: reports/MANIFEST.html."
        ),
    ] = None,
    clips: Annotated[
        int,
        typer.Option("--clips", min=0, max=100, help="How many of the worst clips are shown."),
    ] = 12,
    workspace: WorkspaceOption = ".",
) -> None:
    """Write one HTML page with the evidence; its path goes to stdout.

    Verdict, rates with intervals, strata, reasons, what the audit finds of planted faults, facts
    about the audio, and the worst clips with words, waveform and player. Where hypotheses were
    scored: leaderboard, error rates by group, confused words and examples. Where suites were run:
    what fails, with rows and SQL. Each rule of the gate, waivers and sign-offs. The page loads
    nothing from anywhere: send it, archive it, print it.

    Example: `asrdq report train --output audit.html --clips 20`
    """
    from asrdq import console
    from asrdq.places import place
    from asrdq.reporting import write_report
    from asrdq.workspace import Workspace

    opened = Workspace.open(workspace)
    target = None if output is None else place(output)
    with console.progress("report", None, "files") as bar:
        result = write_report(opened, manifest, output=target, clips=clips, advance=bar.advance)
    print(result.path)
    console.say(f"{result.bytes / 1e6:.1f} MB, {result.clips.num_rows} clips shown", "dim")
    if result.stale:
        console.warn(
            f"{manifest} has changed since this audit: the page is about {result.manifest}"
        )
        console.next_step(f"asrdq audit {manifest}", "audits the present content")
    elif result.audit_run_id is None:
        console.warn(f"{manifest} was not audited: the page has no verdict")
        console.next_step(f"asrdq audit {manifest}", "shows whether its transcripts can be trusted")
    elif result.verdict is None:
        console.next_step(f"asrdq gate {manifest}", "gives the verdict; then write the page again")
    else:
        console.next_step(f"open {result.path}", "in any browser; it works without a network")
