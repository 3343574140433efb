"""The environment of a run: variables by name, one a line, with values that nothing expands."""

from __future__ import annotations

import re
from collections.abc import Mapping

from asrdq.errors import Problem, UsageError

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_UNFIT = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_RESERVED = re.compile(r"PATH|IFS|ENV|SHELL|BASH.*|LD_.*|PYTHON(PATH|STARTUP|HOME)|ASRDQ_.*")
_SECRET = re.compile(r"(?:.*_)?(?:TOKEN|SECRET|PASSWORD|PASSWD|KEY|CREDENTIALS?)(?:_.*)?", re.I)
_HEAD = """\
# Variables of this run, NAME=VALUE a line: what stands after the sign is the value as it is.
# The launch scripts and `docker run --env-file` read it. What is set before they run wins.
"""


def environment_text(own: Mapping[str, str], asked: Mapping[str, str]) -> str:
    """Return the file of variables.

    Args:
        own: What the bundle itself sets.
        asked: What the recipe sets.

    Raises:
        UsageError: A name is none, is one that decides which programs run or that holds a
            secret, or a value has control characters.
    """
    wrong = [problem for name, value in asked.items() for problem in _wrong(name, value)]
    problems = [Problem(problem) for problem in wrong]
    if problems:
        raise UsageError("trainer.environment of the recipe cannot be set", problems=problems)
    lines = [f"{name}={value}\n" for name, value in {**asked, **own}.items()]
    return _HEAD + "".join(sorted(lines))


def _wrong(name: str, value: str) -> list[str]:
    if not _NAME.fullmatch(name):
        return [f"{name!r} is no name of a variable"]
    if _SECRET.fullmatch(name):
        return [f"{name} is a secret, and a bundle is copied about: set it where the run is"]
    if _RESERVED.fullmatch(name):
        return [f"{name} is not the recipe's to set"]
    if _UNFIT.search(value):
        return [f"{name}: {value!r} has control characters"]
    return []
