"""A verdict as GitHub shows it: annotations of a run, and the summary of a step."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

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
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+!|~:@$-])")


def workflow_commands(result: GateResult, *, fail_on_caution: bool = False) -> str:
    """Return a verdict as workflow commands, one a line: what failed, warns, is worth a note.

    Args:
        result: The verdict.
        fail_on_caution: Whether CAUTION counts as failed.
    """
    lines = list(_of_rules(outcomes(result, fail_on_caution=fail_on_caution)))
    lines += [_command("notice", note.code, str(note)) for note in result.notes]
    for clip in worst_clips(result, CLIPS):
        told = f"{', '.join(clip['reasons'] or [])}: {clip['audio_path']}: {clip['text']}"
        lines.append(_command("notice", f"low quality: {clip['utt_id']}", told))
    head = f"{result.verdict} for {result.evidence.manifest}"
    return "\n".join([*lines, _command("notice", "asrdq gate", head)])


def _of_rules(found: list[Outcome]) -> Iterator[str]:
    for outcome in found:
        level = _LEVELS.get(outcome.state)
        if level is not None:
            text = "\n".join(outcome.messages()) or outcome.demand
            yield _command(level, f"asrdq gate: {outcome.rule}", text)


def _command(level: str, title: str, message: str) -> str:
    """Return a workflow command; nothing in title or message can end it or begin another."""
    named = _escaped(title).replace(":", "%3A").replace(",", "%2C")
    return f"::{level} title={named}::{_escaped(message)}"


def _escaped(text: str) -> str:
    """Return a text as the message of a command, without what older runners read as one."""
    text = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return "".join(sign if sign.isprintable() else "�" for sign in text).replace("##[", "## [")


def step_summary(result: GateResult, *, fail_on_caution: bool = False) -> str:
    """Return a verdict as Markdown for the page of a run; texts from the data stay plain text.

    Args:
        result: The verdict.
        fail_on_caution: Whether CAUTION counts as failed.
    """
    lines = [f"## {result.verdict} for {_plain(str(result.evidence.manifest))}", ""]
    lines += [f"- {_plain(sentence)}" for sentence in sentences(result)]
    lines += ["", "| rule | outcome | found |", "| --- | --- | --- |"]
    for outcome in outcomes(result, fail_on_caution=fail_on_caution):
        told = "; ".join(map(_plain, outcome.messages())) or _plain(outcome.demand)
        lines.append(f"| `{outcome.rule}` | {outcome.state} | {told} |")
    return "\n".join([*lines, ""])


def _plain(text: str) -> str:
    """Return a text as Markdown that shows it as it is, on one line."""
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    return _MARKDOWN.sub(r"\\\1", html.escape(line, quote=False))
