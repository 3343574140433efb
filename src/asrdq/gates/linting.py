"""`asrdq policy lint`: everything wrong with policy files, before a gate reads them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from asrdq.errors import AsrdqError, Problem, UsageError, counted
from asrdq.gates.demands.suites import suite_file
from asrdq.gates.policy import Policy, read_policy
from asrdq.places import Place
from asrdq.rounds.criteria import Criterion, read_criteria
from asrdq.s3_errors import S3Error
from asrdq.settings import Settings
from asrdq.strict_yaml import compose_yaml, line_of
from asrdq.text.normalisers import normaliser
from asrdq.workspace import Workspace
from asrdq.workspace.layout import find_root

if TYPE_CHECKING:
    from yaml import Node

_MAY_PASS_1 = ("wer", "cer")


def lint_policies(files: Sequence[Place]) -> None:
    """Check policy files: keys, values, their order, and the names that they use.

    Suites and criteria are looked for in the workspace that a file lies in; where it lies in
    none, beside the folder that it lies in.

    Args:
        files: The files.

    Raises:
        UsageError: Something is wrong; all problems of all files are listed with their lines.
    """
    problems = {str(file): list(_problems(file)) for file in files}
    bad = [name for name, found in problems.items() if found]
    if bad:
        every = [problem for found in problems.values() for problem in found]
        raise UsageError(
            f"{counted(len(every), 'problem')} in {len(bad)} of {len(problems)} policies",
            problems=every,
        )


def _problems(file: Place) -> Iterator[Problem]:
    try:
        policy = read_policy(file)
    except UsageError as error:
        found = error.problems or [_of_whole(error)]
        yield from (replace(problem, file=str(file)) for problem in found)
        return
    _, root = compose_yaml(file, empty_hint="")
    home = Workspace(_home(file), Settings())
    wrong = [(line_of(root, location) or 0, message) for location, message in _wrong(policy, home)]
    yield from (Problem(message, str(file), line) for line, message in sorted(wrong))
    yield from _of_criteria(policy, home, file, root)


def _of_whole(error: UsageError) -> Problem:
    """Return the problem of a file that could not be parsed; its line stands after its name."""
    line = (error.where or "").rpartition(":")[2]
    return Problem(error.message, line=int(line) if line.isdecimal() else None)


def _home(file: Place) -> Place:
    """Return the folder that suites and criteria of a policy are looked for in."""
    folder = file.resolve().parent
    for start in (folder, folder.parent):
        try:
            return find_root(start)
        except S3Error:
            raise
        except UsageError:
            continue
    return folder.parent


_Located = tuple[tuple[int | str, ...], str]


def _wrong(policy: Policy, home: Workspace) -> Iterator[_Located]:
    if policy.audit.caution_from == 0:
        yield ("audit", "caution_from"), "no rate is below 0: PROCEED could never be given"
    for number, suite in enumerate(policy.suites):
        if problem := _trouble(home, suite.suite):
            yield ("suites", number, "suite"), problem
    for number, score in enumerate(policy.scores):
        if score.normaliser is None:
            continue
        try:
            normaliser(score.normaliser)
        except AsrdqError as error:
            yield ("scores", number, "normaliser"), _told(error)


def _trouble(home: Workspace, suite: str) -> str | None:
    try:
        file = suite_file(home, suite)
    except UsageError as error:
        return _told(error)
    return None if file.is_file() else f"there is no suite {file}"


def _of_criteria(
    policy: Policy, home: Workspace, file: Place, root: Node | None
) -> Iterator[Problem]:
    """Give what is wrong with the criteria that a policy names, in their own file."""
    if policy.criteria is None:
        return
    named = home.place(policy.criteria.file)
    try:
        criteria = read_criteria(named)
        _, lines = compose_yaml(named, empty_hint="")
    except UsageError as error:
        line = line_of(root, ("criteria", "file"))
        yield Problem(f"criteria: {error.message}", str(file), line)
        yield from (replace(problem, file=str(named)) for problem in error.problems)
        return
    for level in ("must", "should", "nice"):
        for number, criterion in enumerate(getattr(criteria, level)):
            if _never(criterion):
                at = line_of(lines, (level, number, "value"))
                yield Problem(f"{criterion}: can never hold", str(named), at)


def _never(criterion: Criterion) -> bool:
    """Return whether no rate can meet a criterion."""
    bounded = criterion.rate not in _MAY_PASS_1
    low, high = (0.0, 1.0) if criterion.kind == "after" else (-1.0, 1.0)
    high = high if bounded and criterion.kind != "relative" else float("inf")
    low = float("-inf") if criterion.kind == "change" and not bounded else low
    value = criterion.value
    return {
        "<": value <= low,
        "<=": value < low,
        ">": value >= high,
        ">=": value > high,
    }[criterion.comparison]


def _told(error: AsrdqError) -> str:
    return f"{error.message}; {error.hint}" if error.hint else error.message
