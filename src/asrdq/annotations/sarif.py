"""The parts of a SARIF 2.1.0 log, the format of code scanners."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from asrdq.errors import ExitCode
from asrdq.version import __version__

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def sarif_document(
    name: str,
    rules: Mapping[str, str],
    results: Sequence[Mapping[str, Any]],
    code: ExitCode,
    properties: Mapping[str, Any],
) -> str:
    """Return a SARIF log with one run.

    Args:
        name: What tells this analysis from others, such as `asrdq gate/train`.
        rules: Rule ids, each with what the rule demands.
        results: What `sarif_result` made.
        code: How the command ends.
        properties: Further facts about the run.
    """
    described = [{"id": rule, "shortDescription": {"text": told}} for rule, told in rules.items()]
    driver = {"name": "asrdq", "version": __version__, "rules": described}
    run = {
        "tool": {"driver": driver},
        "automationDetails": {"id": name},
        "invocations": [{"executionSuccessful": code is not ExitCode.TOOL, "exitCode": int(code)}],
        "results": results,
        "properties": {"schema_version": 1, **properties},
    }
    return _log(run)


def sarif_failure(
    texts: Sequence[str], where: str | None, code: ExitCode, properties: Mapping[str, Any]
) -> str:
    """Return a SARIF log of a command that came to no result.

    Args:
        texts: What went wrong.
        where: The file it went wrong in.
        code: How the command ends.
        properties: Further facts about the run.
    """
    place = {} if where is None else {"locations": [sarif_location(where, where)]}
    invocation = {
        "executionSuccessful": False,
        "exitCode": int(code),
        "toolExecutionNotifications": [
            {"level": "error", "message": {"text": text}, **place} for text in texts
        ],
    }
    return _log(
        {
            "tool": {"driver": {"name": "asrdq", "version": __version__}},
            "invocations": [invocation],
            "results": [],
            "properties": properties,
        }
    )


def _log(run: Mapping[str, Any]) -> str:
    log = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, ensure_ascii=True, allow_nan=False, indent=2)


def sarif_result(rule: str, level: str, text: str, *locations: Mapping[str, Any]) -> dict[str, Any]:
    """Return a result; `level` is `error`, `warning` or `note`."""
    return {
        "ruleId": rule,
        "level": level,
        "message": {"text": text},
        **({"locations": list(locations)} if locations else {}),
    }


def sarif_location(path: str, name: str | None = None, line: int | None = None) -> dict[str, Any]:
    """Return a place in a file, and what the thing there is called."""
    physical: dict[str, Any] = {"artifactLocation": {"uri": _uri(path)}}
    if line is not None:
        physical["region"] = {"startLine": line}
    location: dict[str, Any] = {"physicalLocation": physical}
    if name is not None:
        location["logicalLocations"] = [{"fullyQualifiedName": name}]
    return location


def suppressed(result: Mapping[str, Any], kind: str, why: str) -> dict[str, Any]:
    """Return a result that a person answers for.

    Args:
        result: The result.
        kind: `inSource` or `external`.
        why: Who answers for it, and why.
    """
    return {
        **result,
        "suppressions": [{"kind": kind, "status": "accepted", "justification": why}],
    }


def _uri(path: str) -> str:
    """Return a path or an address as a URI; what is no UTF-8 is replaced."""
    scheme, mark, rest = path.partition("://")
    if mark:
        return f"{scheme}://{quote(rest, errors='replace')}"
    prefix = "file://" if path.startswith("/") else ""
    return prefix + quote(path, errors="replace")
