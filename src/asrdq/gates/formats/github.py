"""A verdict as GitHub shows it: annotations of a run, and the summary of a step."""

from __future__ import annotations

from collections.abc import Iterator

from asrdq.annotations.github import markdown_code, plain_markdown, workflow_command
from asrdq.gates.formats.outcomes import Outcome, State, outcomes, worst_clips
from asrdq.gates.formats.telling import sentences
from asrdq.gates.verdict import GateResult

CLIPS = 5
"""How many of the worst clips are annotations: GitHub shows ten of a kind in a step."""

_LEVELS = {
    State.FAILED: "error",
    State.UNDECIDED: "error",
    State.WAIVED: "warning",
    State.WARNS: "warning",
}


def workflow_commands(result: GateResult, *, fail_on_caution: bool = False) -> str:
    """Return a verdict as workflow commands, one a line: what failed, warns, is worth a note.

    Args:
        result: The verdict.
        fail_on_caution: Whether CAUTION counts as failed.
    """
    found = outcomes(result, fail_on_caution=fail_on_caution)
    lines = [*_of_rules(found), *_of_held(found)]
    lines += [workflow_command("notice", note.code, str(note)) for note in result.notes]
    for clip in worst_clips(result, CLIPS):
        told = f"{', '.join(clip['reasons'] or [])}: {clip['audio_path']}: {clip['text']}"
        lines.append(workflow_command("notice", f"low quality: {clip['utt_id']}", told))
    head = f"{result.verdict} for {result.evidence.manifest}"
    return "\n".join([*lines, workflow_command("notice", "asrdq gate", head)])


def _of_rules(found: list[Outcome]) -> Iterator[str]:
    for outcome in found:
        level = _LEVELS.get(outcome.state)
        if level is not None:
            text = "\n".join([*(outcome.messages() or [outcome.demand]), outcome.figures()]).strip()
            yield workflow_command(level, f"asrdq gate: {outcome.rule}", text)


def _of_held(found: list[Outcome]) -> Iterator[str]:
    """Give one command with the figures of the rules that hold: GitHub shows ten in all."""
    held = [one for one in found if one.state is State.HOLDS and one.value is not None]
    if held:
        text = "\n".join(f"{one.rule}: {one.figures()}" for one in held)
        yield workflow_command("notice", "asrdq gate: rules that hold", text)


def step_summary(result: GateResult, *, fail_on_caution: bool = False) -> str:
    """Return a verdict as Markdown for the page of a run; texts from the data stay plain text.

    Args:
        result: The verdict.
        fail_on_caution: Whether CAUTION counts as failed.
    """
    lines = [f"## {result.verdict} for {plain_markdown(str(result.evidence.manifest))}", ""]
    lines += [f"- {plain_markdown(sentence)}" for sentence in sentences(result)]
    lines += ["", "| rule | outcome | value | limit | evidence | found |", f"|{' --- |' * 6}"]
    for outcome in outcomes(result, fail_on_caution=fail_on_caution):
        figures = [outcome.value or "", outcome.limit or "", "; ".join(map(str, outcome.evidence))]
        told = "; ".join(outcome.messages()) or outcome.demand
        cells = " | ".join(map(plain_markdown, [*figures, told]))
        lines.append(f"| {markdown_code(outcome.rule)} | {outcome.state} | {cells} |")
    return "\n".join([*lines, ""])
