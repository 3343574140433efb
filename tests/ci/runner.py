"""A stand-in for the machine of GitHub Actions that runs the steps of a composite action."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}")
OLD_COMMANDS = ("##[error", "##[warning", "##[set-output", "##[add-mask", "##[group", "##[stop")
BASH = ("bash", "--noprofile", "--norc", "-eo", "pipefail")


@dataclass
class Job:
    """What a run of the action left behind.

    Attributes:
        log: Everything that the steps wrote.
        outputs: The outputs of each step.
        ran: The names of the steps that were run.
        used: The actions of others that would have been run, with what they are given.
        code: The exit code of the last step; that of the first that failed.
        summary: The summary of the steps.
    """

    log: str = ""
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)
    ran: list[str] = field(default_factory=list)
    used: dict[str, dict[str, str]] = field(default_factory=dict)
    code: int = 0
    summary: str = ""


def run_action(
    action: Path, folder: Path, inputs: Mapping[str, str], environment: Mapping[str, str]
) -> Job:
    """Run the steps of an action as GitHub does, with nothing in the environment but what it sets.

    Args:
        action: The file of the action.
        folder: Where the job works; `temp` in it is the temporary folder.
        inputs: What the workflow gives.
        environment: What is added to the environment.
    """
    document = yaml.safe_load(action.read_text(encoding="utf-8"))
    unknown = set(inputs) - set(document["inputs"])
    assert not unknown, f"the action has no input {unknown}"
    given = {name: told.get("default", "") for name, told in document["inputs"].items()} | inputs
    job = Job()
    temp, summary = folder / "temp", folder / "summary.md"
    temp.mkdir(exist_ok=True)
    for number, step in enumerate(document["runs"]["steps"]):
        left = {name: {"outputs": told} for name, told in job.outputs.items()}
        scope = {"inputs": given, "steps": left}
        if not true(step.get("if", ""), scope):
            continue
        if "uses" in step:
            told = {name: filled(value, scope) for name, value in step["with"].items()}
            job.used[step["uses"]] = told
            continue
        output = folder / f"output-{number}"
        output.touch()
        own = {name: filled(value, scope) for name, value in step.get("env", {}).items()}
        assert step["shell"] == "bash"
        script = folder / f"step-{number}.sh"
        script.write_text(step["run"], encoding="utf-8")
        done = subprocess.run(
            [*BASH, str(script)],
            cwd=folder,
            env={
                "PATH": "/usr/local/bin:/usr/bin:/bin",
                "HOME": str(folder),
                "RUNNER_TEMP": str(temp),
                "GITHUB_ACTIONS": "true",
                "GITHUB_ACTION_PATH": str(action.parent),
                "GITHUB_OUTPUT": str(output),
                "GITHUB_STEP_SUMMARY": str(summary),
                **environment,
                **own,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        job.log += done.stdout
        job.ran.append(step["name"])
        lines = output.read_text(encoding="utf-8").splitlines()
        job.outputs[step.get("id", str(number))] = dict(line.split("=", 1) for line in lines)
        job.code = done.returncode
        if job.code:
            break
    job.summary = summary.read_text(encoding="utf-8") if summary.exists() else ""
    return job


def filled(text: str, scope: Mapping[str, Any]) -> str:
    """Return a text with its expressions replaced by their values."""
    return EXPRESSION.sub(lambda found: value(found[1], scope), str(text))


def value(expression: str, scope: Mapping[str, Any]) -> str:
    """Return the value of `a.b`, `'text'` or of the first of several parted by `||`."""
    for choice in expression.split("||"):
        wanted = choice.strip()
        if wanted.startswith("'"):
            return wanted.strip("'")
        found: Any = scope
        for name in wanted.split("."):
            found = found.get(name, {})
        if found:
            return str(found)
    return ""


def true(condition: str, scope: Mapping[str, Any]) -> bool:
    """Return whether a condition of comparisons, parted by `&&`, holds."""
    for part in condition.split("&&") if condition else ():
        left, sign, right = re.split(r"\s*(==|!=)\s*", part.strip())
        if (value(left, scope) == value(right, scope)) != (sign == "=="):
            return False
    return True


def commands(log: str) -> list[str]:
    """Return the commands that a runner would take from a log: it trims lines before it looks."""
    taken, token = [], None
    for line in log.splitlines():
        trimmed = line.strip()
        if token is not None:
            token = None if trimmed == f"::{token}::" else token
            continue
        if stop := re.match(r"::stop-commands::(.+)", trimmed):
            token = stop[1]
        elif re.match(r"::[\w-]+( [^:]*)?::", trimmed) or any(old in line for old in OLD_COMMANDS):
            taken.append(trimmed)
    return taken
