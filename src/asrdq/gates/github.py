"""A verdict as GitHub shows it: annotations of a run, and the summary of a step."""

from __future__ import annotations

from collections.abc import Iterator

from asrdq.annotations.github import plain_markdown, workflow_command
from asrdq.gates.outcomes import Outcome, State, outcomes, worst_clips
from asrdq.gates.telling import sentences
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
    lines = list(_of_rules(outcomes(result, fail_on_caution=fail_on_caution)))
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
            text = "\n".join(outcome.messages()) or outcome.demand
            yield workflow_command(level, f"asrdq gate: {outcome.rule}", text)


def step_summary(result: GateResult, *, fail_on_caution: bool = False) -> str:
    """Return a verdict as Markdown for the page of a run; texts from the data stay plain text.

    Args:
        result: The verdict.
        fail_on_caution: Whether CAUTION counts as failed.
    """
    lines = [f"## {result.verdict} for {plain_markdown(str(result.evidence.manifest))}", ""]
    lines += [f"- {plain_markdown(sentence)}" for sentence in sentences(result)]
    lines += ["", "| rule | outcome | found |", "| --- | --- | --- |"]
    for outcome in outcomes(result, fail_on_caution=fail_on_caution):
        told = "; ".join(map(plain_markdown, outcome.messages())) or plain_markdown(outcome.demand)
        lines.append(f"| `{outcome.rule}` | {outcome.state} | {told} |")
    return "\n".join([*lines, ""])
