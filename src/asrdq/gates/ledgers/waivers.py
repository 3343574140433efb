"""Waivers: a person answers for a rule that does not hold, until a day, for a reason."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

import pyarrow as pa

from asrdq.errors import ToolError, UsageError, unknown
from asrdq.gates.evidence import Finding
from asrdq.gates.ledgers.ledger import Entry, append_entry, broken_entries, check_text, read_ledger
from asrdq.gates.rules import FAMILIES, RULES, WAIVABLE, is_waivable
from asrdq.gates.tables import WAIVERS
from asrdq.results import Result

if TYPE_CHECKING:
    from asrdq.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Waiver:
    """A waiver as its ledger has it.

    Attributes:
        rule: The rule.
        manifest: The manifest that it is for; None for all.
        owner: Who answers for it.
        until: The last day on which it holds (UTC).
        reason: Why.
        hash: Hash of its entry in the ledger.
    """

    rule: str
    manifest: str | None
    owner: str
    until: dt.date
    reason: str
    hash: str

    def __str__(self) -> str:
        return f"{self.rule} until {self.until} by {self.owner}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Waived:
    """A finding that a waiver set aside."""

    finding: Finding
    waiver: Waiver

    def __str__(self) -> str:
        waiver = self.waiver
        return (
            f"{self.finding.message} (rule '{waiver.rule}' is waived until {waiver.until} by "
            f"{waiver.owner}: {waiver.reason})"
        )


@dataclass(frozen=True)
class Waivers:
    """What waivers there are for one manifest on one day.

    Attributes:
        valid: Those that hold, by rule.
        expired: Those that held once, by rule.
        problems: What is wrong with the ledger; none of it is used then.
    """

    valid: dict[str, Waiver] = field(default_factory=dict)
    expired: dict[str, Waiver] = field(default_factory=dict)
    problems: tuple[Finding, ...] = ()

    def split(self, findings: Iterable[Finding]) -> tuple[list[Finding], list[Waived]]:
        """Return the findings that stand, and those that are waived."""
        stand, waived = [], []
        for finding in findings:
            waiver = self.valid.get(finding.code)
            if waiver is None:
                stand.append(finding)
            else:
                waived.append(Waived(finding, waiver))
        return stand, waived

    def remarks(self, findings: Iterable[Finding]) -> list[Finding]:
        """Return what a reader has to know of waivers that were not used on findings."""
        codes = dict.fromkeys(finding.code for finding in findings)
        late = [self.expired[code] for code in codes if code in self.expired]
        return [*self.problems, *(_too_late(waiver) for waiver in late)]


def _too_late(waiver: Waiver) -> Finding:
    return Finding(
        "expired_waiver",
        f"the waiver of rule '{waiver.rule}' by {waiver.owner} expired on {waiver.until}",
        f"mend it, or waive it again: asrdq waive {waiver.rule} --owner … --until … --reason …",
    )


@dataclass(frozen=True)
class WaiversResult(Result):
    """All waivers of a workspace, the newest last.

    Attributes:
        waivers: One row a waiver: rule, manifest, owner, until, reason, state, recorded.
    """

    main_table: ClassVar[str] = "waivers"

    waivers: pa.Table

    def summary(self) -> str:
        """Return a line a waiver."""
        rows = self.waivers.to_pylist()
        return "\n".join(
            f"{row['rule']} ({row['state']}) until {row['until']} by {row['owner']}" for row in rows
        )


def waive(
    workspace: Workspace,
    rule: str,
    *,
    owner: str,
    until: dt.date,
    reason: str,
    manifest: str | None = None,
) -> Waiver:
    """Set a rule aside until a day, and write that down; the gate then gives CAUTION at best.

    Args:
        workspace: Where it holds.
        rule: A rule that can be waived.
        owner: Who answers for it.
        until: The last day on which it holds (UTC).
        reason: Why.
        manifest: The manifest that it is for; by default all.

    Raises:
        UsageError: There is no such rule or manifest, the rule cannot be waived, the day is past,
            or a text is empty.
        ToolError: The ledger is broken or cannot be written.
    """
    _check_rule(rule)
    if manifest is not None and manifest not in workspace.manifests():
        raise unknown("manifest", manifest, workspace.manifests())
    if until < _today():
        raise UsageError(f"--until {until} is past", hint="name a day that is to come")
    said = {
        "rule": rule,
        "manifest": manifest,
        "owner": check_text("--owner", owner),
        "until": until.isoformat(),
        "reason": check_text("--reason", reason),
    }
    with workspace.run("waive", parameters=said) as run:
        recorded = dt.datetime.now(dt.UTC).isoformat()
        body = {"schema_version": 1, "run_id": run.run_id, "recorded": recorded, **said}
        return _waiver(append_entry(workspace, WAIVERS, body))


def list_waivers(workspace: Workspace) -> WaiversResult:
    """Return every waiver with its state: valid, expired, replaced or unknown rule.

    Raises:
        ToolError: The ledger cannot be read, or was edited.
    """
    entries = read_ledger(workspace, WAIVERS)
    problem = next(broken_entries(workspace, WAIVERS, entries), None)
    if problem:
        raise ToolError(f"the ledger 'waivers' is broken: {problem}", hint="asrdq verify")
    last = {_key(entry): number for number, entry in enumerate(entries)}
    rows = []
    for number, entry in enumerate(entries):
        waiver = _waiver(entry)
        state = _state(waiver) if last[_key(entry)] == number else "replaced"
        rows.append(
            {
                **{name: getattr(waiver, name) for name in _LISTED.names[:5]},
                "state": state,
                "recorded": entry.row["recorded"],
            }
        )
    return WaiversResult(pa.Table.from_pylist(rows, schema=_LISTED))


_LISTED = pa.schema(
    [
        ("rule", pa.string()),
        ("manifest", pa.string()),
        ("owner", pa.string()),
        ("until", pa.date32()),
        ("reason", pa.string()),
        ("state", pa.string()),
        ("recorded", pa.timestamp("us", "UTC")),
    ]
)


def standing_waivers(workspace: Workspace, manifest: str) -> Waivers:
    """Return the waivers for a manifest today; where their ledger was edited, none.

    A waiver of the manifest itself goes before one for all manifests.
    """
    try:
        entries = read_ledger(workspace, WAIVERS)
        wrong = list(broken_entries(workspace, WAIVERS, entries))
    except ToolError as error:
        entries, wrong = [], [error.message]
    if wrong:
        message = f"no waiver is used, the ledger 'waivers' is broken: {wrong[0]}"
        return Waivers(problems=(Finding("broken_waivers", message, "asrdq verify"),))
    newest = {_key(entry): _waiver(entry) for entry in entries}
    of_all = {rule: waiver for (rule, of), waiver in newest.items() if of is None}
    own = {rule: waiver for (rule, of), waiver in newest.items() if of == manifest}
    found = {**of_all, **own}
    states = {rule: _state(waiver) for rule, waiver in found.items()}
    strange = tuple(
        Finding("unknown_waiver", f"a waiver names a rule that cannot be waived: '{rule}'")
        for rule, state in states.items()
        if state == "unknown rule"
    )
    return Waivers(
        valid={rule: waiver for rule, waiver in found.items() if states[rule] == "valid"},
        expired={rule: waiver for rule, waiver in found.items() if states[rule] == "expired"},
        problems=strange,
    )


def _check_rule(rule: str) -> None:
    if is_waivable(rule):
        return
    if rule in RULES:
        raise UsageError(
            f"rule '{rule}' cannot be waived: without it ({RULES[rule]}) there is nothing to "
            "decide on",
            hint=f"can be waived: {', '.join(sorted(WAIVABLE))}",
        )
    raise unknown("rule", rule, [*WAIVABLE, *FAMILIES.values()])


def _state(waiver: Waiver) -> str:
    if not is_waivable(waiver.rule):
        return "unknown rule"
    return "valid" if waiver.until >= _today() else "expired"


def _today() -> dt.date:
    return dt.datetime.now(dt.UTC).date()


def _key(entry: Entry) -> tuple[str, str | None]:
    return (str(entry.body["rule"]), entry.body["manifest"])


def _waiver(entry: Entry) -> Waiver:
    body = entry.body
    return Waiver(
        rule=body["rule"],
        manifest=body["manifest"],
        owner=body["owner"],
        until=dt.date.fromisoformat(body["until"]),
        reason=body["reason"],
        hash=entry.digest,
    )
