"""Suites: Great Expectations JSON, loaded so that nothing in the file is lost on the way."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from asrdq.checks.expected import Expected
from asrdq.errors import Problem, UsageError, counted, nearest, unknown
from asrdq.places import Place, place
from asrdq.shipped import shipped_folder

if TYPE_CHECKING:
    from asrdq.workspace import Workspace

FOLDER = "expectations"
CRITICAL, WARNING = SEVERITIES = ("critical", "warning")
_KEYS = frozenset({"type", "kwargs", "meta", "severity", "id", "notes", "description"})
_SUITE_KEYS = frozenset({"name", "expectations", "meta", "notes", "id", "suite_parameters"})


@dataclass(frozen=True, slots=True)
class Suite:
    """A suite and where it came from.

    Attributes:
        name: What it is called.
        file: Its file.
        digest: SHA-256 of the file.
        expectations: All expectations that the file names, in its order.
    """

    name: str
    file: str
    digest: str
    expectations: tuple[Expected, ...]


def suite_names(workspace: Workspace) -> dict[str, Place]:
    """Return the suites there are, each with its file; one of the workspace hides a shipped one."""
    found: dict[str, Place] = {}
    for folder in (shipped_folder(FOLDER), workspace.root / FOLDER):
        if folder.is_dir():
            found |= {
                item.name.removesuffix(".json"): item
                for item in folder.iterdir()
                if item.suffix == ".json"
            }
    return found


def read_suite(workspace: Workspace, name: str) -> Suite:
    """Read a suite by its name or by the path of its file.

    Raises:
        UsageError: There is none, it is no suite, or any of its expectations cannot be run as the
            file says; all problems are listed with their lines.
    """
    return read_suite_file(place(name) if name.endswith(".json") else _find(workspace, name))


def read_suite_file(file: Place) -> Suite:
    """Read a suite from a file.

    Raises:
        UsageError: As `read_suite` does.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", where=str(file)) from error
    document = _parse(content, str(file))
    problems: list[Problem] = []
    loaded = []
    for position, (line, item) in enumerate(_items(content.decode(), document), 1):
        try:
            loaded.append(load_expectation(item, position, line))
        except UsageError as error:
            hint = f" ({error.hint})" if error.hint else ""
            problems.append(Problem(f"{error.message}{hint}", str(file), line))
    if problems:
        told = f"{counted(len(problems), 'problem')} in {file.name}"
        raise UsageError(told, problems=problems)
    digest = hashlib.sha256(content).hexdigest()
    own_name = document.get("name") or file.name.removesuffix(".json")
    return Suite(str(own_name), str(file), digest, tuple(loaded))


def _find(workspace: Workspace, name: str) -> Place:
    known = suite_names(workspace)
    if name not in known:
        raise unknown("suite", name, known)
    return known[name]


def _parse(content: bytes, file: str) -> dict[str, Any]:
    try:
        document = json.loads(content, object_pairs_hook=_object, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        raise UsageError(f"no JSON: {error.msg}", where=f"{file}:{error.lineno}") from error
    except UnicodeDecodeError as error:
        raise UsageError("is not UTF-8", where=file) from error
    except RecursionError as error:
        raise UsageError("is nested too deep to be a suite", where=file) from error
    except UsageError as error:
        raise UsageError(error.message, where=file, hint=error.hint) from error
    hint = 'write {"name": "…", "expectations": [{"type": "expect_…", "kwargs": {…}}]}'
    if not isinstance(document, dict) or not isinstance(document.get("expectations"), list):
        raise UsageError("is no suite: it has no list 'expectations'", where=file, hint=hint)
    if not document["expectations"]:
        raise UsageError("has no expectation, so it would prove nothing", where=file, hint=hint)
    if extra := sorted(set(document) - _SUITE_KEYS):
        told = unknown("key", extra[0], _SUITE_KEYS)
        raise UsageError(told.message, where=file, hint=told.hint)
    return document


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object of JSON; of a key that stands twice all but the last would be lost."""
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise UsageError(f"has '{key}' more than once in one object", hint="keep one")
        found[key] = value
    return found


def _no_number(text: str) -> NoReturn:
    raise UsageError(f"{text} is no number that JSON knows")


def _items(text: str, document: dict[str, Any]) -> Iterator[tuple[int, Any]]:
    """Give each expectation with the line that it begins on."""
    decoder = json.JSONDecoder()
    lists = re.finditer(r'"expectations"\s*:\s*(?=\[)', text)
    starts = (found.end() for found in lists)
    wanted = document["expectations"]
    position = 1 + next(at for at in starts if decoder.raw_decode(text, at)[0] == wanted)
    for item in wanted:
        start = position + len(text[position:]) - len(text[position:].lstrip(" \t\r\n,"))
        _, position = decoder.raw_decode(text, start)
        yield text.count("\n", 0, start) + 1, item


def load_expectation(item: Any, position: int = 1, line: int = 1) -> Expected:
    """Load one expectation as Great Expectations does, strictly.

    Raises:
        UsageError: Its type is not known, or what it says is not valid.
    """
    if not isinstance(item, dict) or not isinstance(item.get("type"), str):
        raise UsageError("an expectation is an object with a 'type'")
    if extra := sorted(set(item) - _KEYS):
        raise unknown("key", extra[0], _KEYS)
    name, arguments = item["type"], item.get("kwargs")
    arguments = {} if arguments is None else arguments
    severity = _severity(item)
    loaded = _instantiate(name, arguments, severity, item.get("meta"))
    expected = Expected(position, line, name, severity, arguments, loaded)
    if getattr(loaded, "mostly", None) == 0:
        raise UsageError(f"{name}: mostly is 0, so no row has to pass", hint="above 0, at most 1")
    if expected.rule is not None:
        expected.rule.condition('"column"', **expected.given)
    return expected


def _severity(item: dict[str, Any]) -> str:
    meta = item.get("meta")
    if not isinstance(meta, dict | None):
        raise UsageError("'meta' is no object")
    stated = [
        severity
        for severity in (item.get("severity"), (meta or {}).get("severity"))
        if severity is not None
    ]
    for severity in stated:
        if severity not in SEVERITIES:
            raise unknown("severity", str(severity), SEVERITIES)
    if len(set(stated)) > 1:
        raise UsageError("'severity' and 'severity' in 'meta' differ")
    return str(stated[0]) if stated else CRITICAL


def _instantiate(name: str, arguments: Any, severity: str, meta: Any) -> Any:
    from asrdq.checks.library import (
        ExpectationNotFoundError,
        ValidationError,
        get_expectation_impl,
        list_registered_expectation_implementations,
        quietly,
    )
    from asrdq.checks.registration import register_rules

    register_rules()
    if not isinstance(arguments, dict):
        raise UsageError("'kwargs' is no object")
    if "$PARAMETER" in json.dumps(arguments):
        raise UsageError("suite parameters ($PARAMETER) have no value here", hint="write values")
    try:
        implementation = get_expectation_impl(name)
    except ExpectationNotFoundError:
        guess = nearest(name, list_registered_expectation_implementations())
        raise UsageError(
            f"unknown expectation '{name}'", hint=f"did you mean '{guess}'?" if guess else None
        ) from None
    try:
        with quietly():
            return implementation(**arguments, severity=severity, meta=meta)
    except ValidationError as error:
        told = "; ".join(
            f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()
        )
        raise UsageError(f"{name}: {told}") from error
    except (TypeError, ValueError) as error:
        raise UsageError(f"{name}: {error}") from error
