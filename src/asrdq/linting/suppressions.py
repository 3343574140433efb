"""Comments that answer for a finding: `# asrdq: ignore[rule-id] why this is right here`."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from asrdq.errors import nearest
from asrdq.linting.catalogue import every_rule, find_rule
from asrdq.linting.findings import Finding
from asrdq.linting.registry import Rule

_COMMENT = re.compile(r"#\s*asrdq:\s*ignore\b(?:\[(?P<rules>[^\]]*)\])?(?P<reason>.*)")


@dataclass(frozen=True, slots=True)
class Suppression:
    """A comment.

    Attributes:
        file: Where it stands.
        line: Its line.
        covers: The line whose findings it answers for.
        rules: What it names.
        reason: Why.
    """

    file: str
    line: int
    covers: int
    rules: tuple[str, ...]
    reason: str


def read_suppressions(texts: Mapping[str, str]) -> list[Suppression]:
    """Return the comments of some files.

    One beside a value is about its line; one on a line of its own is about the next line that has
    a value.
    """
    return [each for file, text in texts.items() for each in _in_file(file, text)]


def _in_file(file: str, text: str) -> Iterator[Suppression]:
    lines = text.splitlines()
    for index, line in enumerate(lines):
        match = _COMMENT.search(line)
        if match is None:
            continue
        covers = index
        while line[: match.start()].strip() == "" and covers + 1 < len(lines):
            covers += 1
            if lines[covers].strip() and not lines[covers].lstrip().startswith("#"):
                break
        named = (match["rules"] or "").split(",")
        rules = tuple(rule.strip() for rule in named if rule.strip())
        yield Suppression(file, index + 1, covers + 1, rules, match["reason"].strip(" :-–"))


def suppress(
    findings: Sequence[Finding], comments: Sequence[Suppression], judged: Collection[str]
) -> list[Finding]:
    """Return findings with what comments answer for, and what is wrong with the comments.

    Args:
        findings: What the rules found.
        comments: The comments of the files.
        judged: Rules that had all they need, so that a comment without a finding is idle.
    """
    sound = [each for each in comments if each.reason and each.rules and _known(each)]
    found = []
    used: set[tuple[Suppression, str]] = set()
    for finding in findings:
        about = [each for each in sound if _answers(each, finding)]
        used |= {(each, finding.rule) for each in about}
        found.append(replace(finding, suppressed=about[0].reason) if about else finding)
    for each in comments:
        if each not in sound:
            found.append(_about(each, find_rule("suppression-invalid"), _fault(each)))
        for rule in each.rules if each in sound else ():
            if (each, rule) not in used and rule in judged:
                told = f"nothing here breaks {rule}"
                found.append(_about(each, find_rule("suppression-unused"), told))
    return found


def _answers(comment: Suppression, finding: Finding) -> bool:
    here = (comment.file, comment.covers) == (finding.file, finding.line)
    return here and finding.rule in comment.rules


def _known(comment: Suppression) -> bool:
    return all(rule in every_rule() for rule in comment.rules)


def _fault(comment: Suppression) -> str:
    if not comment.rules:
        return "the comment names no rule"
    if not comment.reason:
        return f"the comment on {', '.join(comment.rules)} says no reason"
    unknown = next(rule for rule in comment.rules if rule not in every_rule())
    guess = nearest(unknown, every_rule())
    return f"there is no rule {unknown}" + (f"; did you mean {guess}?" if guess else "")


def _about(comment: Suppression, rule: Rule, message: str) -> Finding:
    return Finding(rule.id, rule.level, message, rule.mend, None, comment.file, comment.line)
