"""`asrdq demo`: the whole chain on the sample clips, compared with the truth about them."""

from __future__ import annotations

import csv
import shlex
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from asrdq import console
from asrdq.cli.output import cell
from asrdq.errors import ExitCode, UsageError, first_few
from asrdq.shipped import shipped_folder

MARKER = ".made-by-asrdq-demo"
MANIFEST = "clips"
VERDICT_CODES = (ExitCode.OK, ExitCode.FAILED, ExitCode.UNDECIDED)


def demo(
    folder: Annotated[
        str, typer.Option("--dir", metavar="DIR", help="The workspace that the demo makes.")
    ] = "demo",
) -> int:
    """Run the whole chain on the sample clips that come along.

    80 short clips in three domains, eight of them with a planted fault, go from a manifest to a
    verdict and a report, by the same commands that you would give. At the end the audit is compared
    with the truth. An earlier demo in the folder is replaced; no other folder is touched.

    Example: `asrdq demo`, or `asrdq demo --dir /tmp/try`
    """
    from asrdq.cli.app import run
    from asrdq.places import on_disk

    samples, made = shipped_folder("data_samples"), on_disk(folder)
    prepare(made)
    for number, command in enumerate(steps(samples / "manifest.jsonl", made)):
        console.say(f"\n$ asrdq {shlex.join(command)}", "bold")
        with console.without_advice():
            code = run(["--quiet", *command] if console.is_quiet() else command)
        if number == 0 and code == ExitCode.OK:
            (made / MARKER).touch()
        if code not in (VERDICT_CODES if command[0] == "gate" else (ExitCode.OK,)):
            return code
    finish(made, samples / "truth.csv")
    return ExitCode.OK


def prepare(folder: Path) -> None:
    """Remove an earlier demo.

    Raises:
        UsageError: The folder holds something that no demo made.
    """
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    if not (folder / MARKER).is_file():
        raise UsageError(
            "is there already and was not made by a demo",
            where=str(folder),
            hint="asrdq demo --dir ANOTHER_FOLDER",
        )
    shutil.rmtree(folder)


def steps(manifest: Path, folder: Path) -> list[list[str]]:
    """Return the commands of the demo."""
    there = ["--workspace", str(folder)]
    return [
        ["init", str(folder)],
        ["ingest", str(manifest), "--name", MANIFEST, *there],
        ["probe", MANIFEST, *there],
        ["sample", MANIFEST, "--strata", "domain", "--fraction", "1.0", *there],
        ["audit", MANIFEST, *there],
        ["gate", MANIFEST, *there],
        ["report", MANIFEST, *there],
    ]


@dataclass(frozen=True)
class Comparison:
    """What the audit said about each clip, beside the truth.

    Attributes:
        found: Planted faults that were flagged: utterance and fault.
        missed: Planted faults that were not.
        false_alarms: Flagged clips in which nothing was planted: utterance and reasons.
        unjudged: Clips that the instrument could not judge.
        clips: All clips that were audited.
    """

    found: Mapping[str, str]
    missed: Mapping[str, str]
    false_alarms: Mapping[str, str]
    unjudged: Sequence[str]
    clips: int


def compare(audits: Sequence[Mapping[str, object]], truth: Mapping[str, str]) -> Comparison:
    """Compare rows of the table `audits` with the fault planted in each clip ('' for none)."""
    flagged = {str(row["utt_id"]): row for row in audits if row["low_quality"]}
    planted = {utt_id: fault for utt_id, fault in truth.items() if fault}
    return Comparison(
        found={utt_id: fault for utt_id, fault in planted.items() if utt_id in flagged},
        missed={utt_id: fault for utt_id, fault in planted.items() if utt_id not in flagged},
        false_alarms={
            utt_id: cell(row["reasons"]) for utt_id, row in flagged.items() if utt_id not in planted
        },
        unjudged=[str(row["utt_id"]) for row in audits if row["instrument"] != "ok"],
        clips=len(audits),
    )


def finish(folder: Path, truth_file: Path) -> None:
    """Print the verdict, what was found of the planted faults, and what to do next."""
    from asrdq.workspace import Workspace

    workspace = Workspace.open(folder)
    with truth_file.open(encoding="utf-8", newline="") as lines:
        truth = {row["utt_id"]: row["fault"] for row in csv.DictReader(lines)}
    audits = workspace.query("SELECT utt_id, low_quality, reasons, instrument FROM audits")
    verdict = workspace.query("SELECT verdict FROM decisions")["verdict"][-1].as_py()
    print()
    for line in story(compare(audits.to_pylist(), truth), str(verdict)):
        print(line)
    console.say("")
    console.next_step("asrdq init my-data", "the same for a manifest of your own")
    console.next_step(
        f'asrdq sql -w {folder} "SELECT utt_id, coverage, reasons FROM audits WHERE low_quality"',
        "the clips it flagged",
    )


def story(outcome: Comparison, verdict: str) -> list[str]:
    """Return the end of the demo, line by line."""
    planted = len(outcome.found) + len(outcome.missed)
    untouched = outcome.clips - planted
    lines = [
        f"verdict: {verdict}",
        f"planted faults found: {len(outcome.found)} of {planted}",
        f"false alarms: {len(outcome.false_alarms)} of {untouched} untouched clips",
    ]
    lines[2:2] = [f"  missed {utt_id}: {fault}" for utt_id, fault in outcome.missed.items()]
    lines += [f"  {utt_id}: {reasons}" for utt_id, reasons in outcome.false_alarms.items()]
    if outcome.unjudged:
        shown = first_few(outcome.unjudged, 5)
        lines.append(f"not judged: {len(outcome.unjudged)} ({shown})")
    return lines
