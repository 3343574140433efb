"""Errors as documents of the formats that other programs read: there is always one on stdout."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Sequence
from typing import Any

from asrdq.errors import AsrdqError

_DOCUMENTED = ("json", "junit", "github", "sarif")


def asked_format(arguments: Sequence[str]) -> str | None:
    """Return the machine format that a command line asks for, None where it asks for none.

    `asrdq gate` writes for GitHub where it runs there and no format is named.
    """
    if "--json" in arguments:
        return "json"
    named = [
        argument.removeprefix("--format=").removeprefix("-f")
        for argument in arguments
        if argument.startswith(("--format=", "-f")) and argument != "-f"
    ]
    pairs = itertools.pairwise(arguments)
    named += [value for flag, value in pairs if flag in ("--format", "-f")]
    if not named and "gate" in arguments and os.environ.get("GITHUB_ACTIONS") == "true":
        return "github"
    return next((name for name in named if name in _DOCUMENTED), None)


def failure_document(error: AsrdqError, output: str) -> str:
    """Return an error as a document of a machine format."""
    if output == "junit":
        return _junit(error)
    if output == "sarif":
        return _sarif(error)
    if output == "github":
        return _github(error)
    return json.dumps(as_json(error), ensure_ascii=False)


def as_json(error: AsrdqError) -> dict[str, Any]:
    """Return an error as JSON types."""
    body = {
        "kind": type(error).__name__,
        "message": error.message,
        "where": error.where,
        "hint": error.hint,
        "problems": [
            {"message": item.message, "file": item.file, "line": item.line}
            for item in error.problems
        ],
        "exit_code": int(error.exit_code),
    }
    return {"schema_version": 1, "error": body}


def _junit(error: AsrdqError) -> str:
    from xml.etree import ElementTree

    from asrdq.annotations.xml import xml_text

    kind, text = type(error).__name__, xml_text(str(error))
    counts = {"name": "asrdq", "tests": "1", "failures": "0", "errors": "1"}
    suites = ElementTree.Element("testsuites", counts)
    suite = ElementTree.SubElement(suites, "testsuite", counts)
    properties = ElementTree.SubElement(suite, "properties")
    facts = {"schema_version": "1", "exit_code": str(int(error.exit_code))}
    for name, value in facts.items():
        ElementTree.SubElement(properties, "property", {"name": name, "value": value})
    case = ElementTree.SubElement(suite, "testcase", {"name": "the command", "classname": "asrdq"})
    about = {"message": xml_text(error.message), "type": kind}
    ElementTree.SubElement(case, "error", about).text = text
    return ElementTree.tostring(suites, encoding="unicode", xml_declaration=True)


def _sarif(error: AsrdqError) -> str:
    from asrdq.annotations.sarif import sarif_failure

    texts = [str(problem) for problem in error.problems] or [error.message]
    told = [f"{type(error).__name__}: {text}" for text in texts]
    return sarif_failure(told, error.where, error.exit_code, as_json(error))


def _github(error: AsrdqError) -> str:
    from asrdq.annotations.github import workflow_command

    title = f"asrdq: {type(error).__name__}"
    first = workflow_command("error", title, str(error))
    more = [workflow_command("error", title, str(problem)) for problem in error.problems[:9]]
    return "\n".join([first, *more])
