"""Who answers for a verdict: sign-offs and waivers, as their ledgers have them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from asrdq.errors import ToolError
from asrdq.gates import list_waivers
from asrdq.gates.ledgers.ledger import Entry, broken_entries, read_ledger
from asrdq.gates.tables import SIGNOFFS

if TYPE_CHECKING:
    from asrdq.workspace import ManifestVersion, Workspace

Found = TypeVar("Found")


@dataclass(frozen=True)
class Signoff:
    """A verdict on this content that a person accepted.

    Attributes:
        row: Its row in the ledger: who, when, what, why, its hash, a public key or None.
        present: Whether it is about the verdict that the page shows.
    """

    row: dict[str, Any]
    present: bool


@dataclass(frozen=True)
class Ledgers:
    """What persons wrote down about a manifest.

    Attributes:
        signoffs: Those of this content, the newest first.
        waivers: Those of this manifest and those of all, the newest first, each with its state.
        problems: Why a ledger is not shown.
    """

    signoffs: tuple[Signoff, ...]
    waivers: tuple[dict[str, Any], ...]
    problems: tuple[str, ...]


def find_ledgers(
    workspace: Workspace, manifest: ManifestVersion, gate_run_id: str | None
) -> Ledgers:
    """Return sign-offs and waivers; nothing is shown of a ledger that was edited.

    Args:
        workspace: Where the ledgers are.
        manifest: The version that a page is about.
        gate_run_id: The run of the verdict on it; None without a verdict.
    """
    problems: list[str] = []
    entries = _unless_broken(lambda: _signoffs(workspace), problems) or []
    signoffs = [
        Signoff(dict(entry.row), _runs(entry).get("gate", "") == gate_run_id)
        for entry in reversed(entries)
        if entry.body["manifest"] == manifest.name
        and entry.body["fingerprint"] == manifest.fingerprint
    ]
    listed = _unless_broken(lambda: list_waivers(workspace), problems)
    waivers = [
        row
        for row in reversed(listed.waivers.to_pylist() if listed else [])
        if row["manifest"] in (None, manifest.name)
    ]
    return Ledgers(tuple(signoffs), tuple(waivers), tuple(problems))


def _unless_broken(read: Callable[[], Found], problems: list[str]) -> Found | None:
    try:
        return read()
    except ToolError as error:
        problems.append(error.message)
        return None


def _signoffs(workspace: Workspace) -> list[Entry]:
    entries = read_ledger(workspace, SIGNOFFS)
    problem = next(broken_entries(workspace, SIGNOFFS, entries), None)
    if problem:
        raise ToolError(f"the ledger 'signoffs' is broken: {problem}")
    return entries


def _runs(entry: Entry) -> dict[str, str]:
    runs: dict[str, str] = entry.body["runs"]
    return runs
