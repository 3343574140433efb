"""Whether what was signed is still what is there: data, evidence, policy, suites, ledger."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

import pyarrow as pa
from pydantic import ValidationError

from asrdq.errors import UndecidedError
from asrdq.gates.ledgers.ledger import Entry, Ledger, broken_entries, read_ledger
from asrdq.gates.ledgers.reading import looked
from asrdq.gates.ledgers.signing import is_signed
from asrdq.gates.signoffs.content_checks import Advance, check_content
from asrdq.gates.signoffs.signoff import SignoffBody
from asrdq.gates.signoffs.verify_result import CHECKS, Check, VerifyResult
from asrdq.gates.tables import SIGNOFFS, WAIVERS

if TYPE_CHECKING:
    from asrdq.workspace import Workspace


def verify(
    workspace: Workspace,
    reference: str | None = None,
    *,
    public_key: str | None = None,
    head: str | None = None,
    advance: Advance = None,
) -> VerifyResult:
    """Compare what the newest sign-off was about with what is there now.

    Args:
        workspace: Where the ledger is.
        reference: A manifest or a version of one; by default each manifest that was signed.
        public_key: The key, as hex, that must have signed each sign-off looked at.
        head: The hash that some entry must have: one that was noted elsewhere, so that a ledger
            cut short is found.
        advance: Told how many rows and audio files were compared.

    Raises:
        UndecidedError: Nothing was signed.
        UsageError: There is no such manifest or version.
        S3Error: The server cannot be reached.
    """
    workspace.store.read_anew()
    entries, checks = _ledgers(workspace, head)
    bodies: list[SignoffBody] = []
    for entry in _chosen(workspace, entries, reference):
        checks += _key(entry, public_key)
        body, problem = _body(entry)
        if body is None:
            checks.append(Check("ledger", f"entry {entry.body.get('sequence')}", problem))
            continue
        bodies.append(body)
        checks += check_content(workspace, body, reference or body.manifest, advance)
    if not bodies and not any(check.message for check in checks):
        what = reference or "anything"
        raise UndecidedError(
            f"nobody has signed off {what}",
            hint=f"asrdq gate {reference or 'train'}, then asrdq signoff",
        )
    rows = [
        {"part": c.part, "subject": c.subject, "same": not c.message, "message": c.message}
        for c in checks
    ]
    return VerifyResult(tuple(bodies), pa.Table.from_pylist(rows, schema=CHECKS))


def _ledgers(workspace: Workspace, head: str | None) -> tuple[list[Entry], list[Check]]:
    """Return the entries of the sign-offs, and what is wrong with either ledger."""
    checks: list[Check] = []
    found: dict[str, list[Entry]] = {}
    for ledger in (SIGNOFFS, WAIVERS):
        entries, problem = looked(partial(read_ledger, workspace, ledger))
        found[ledger.table] = entries or []
        wrong = [problem] if entries is None else _broken(workspace, ledger, entries)
        checks += [Check("ledger", ledger.table, what) for what in wrong or [""]]
    signed = found[SIGNOFFS.table]
    if head is not None:
        missing = "" if head in {entry.digest for entry in signed} else "no entry has this hash"
        checks.append(Check("ledger", head, missing))
    for entry in signed:
        checks += _signature(entry)
    return signed, checks


def _broken(workspace: Workspace, ledger: Ledger, entries: list[Entry]) -> list[str]:
    wrong, problem = looked(lambda: list(broken_entries(workspace, ledger, entries)))
    return [problem] if wrong is None else wrong


def _chosen(workspace: Workspace, entries: list[Entry], reference: str | None) -> list[Entry]:
    """Return the newest entry of each manifest asked about."""
    if reference is None:
        newest = {str(entry.body.get("manifest")): entry for entry in entries}
        return list(newest.values())
    name, at, _ = reference.partition("@")
    own = [entry for entry in entries if entry.body.get("manifest") == name]
    if at or not own:
        version = workspace.manifest(reference)
        own = [entry for entry in own if entry.body.get("manifest_version") == version.version]
    return own[-1:]


def _body(entry: Entry) -> tuple[SignoffBody | None, str]:
    try:
        return SignoffBody.model_validate(dict(entry.body)), ""
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        return None, f"cannot be checked: {where}: {first['msg']}"


def _signature(entry: Entry) -> Iterator[Check]:
    """Give whether the signature of an entry is that of the key that the entry names."""
    subject = f"entry {entry.body.get('sequence')}"
    named, signature = entry.body.get("public_key"), entry.row.get("signature")
    if named is None:
        return
    text = str(entry.row.get("body")).encode("utf-8", "surrogatepass")
    if signature is None:
        yield Check("signature", subject, "its signature is missing")
    elif not is_signed(text, str(signature), str(named)):
        yield Check("signature", subject, "its signature does not fit")
    else:
        yield Check("signature", subject)


def _key(entry: Entry, public_key: str | None) -> Iterator[Check]:
    """Give what is wrong where an entry has to be signed with one key."""
    named = entry.body.get("public_key")
    if public_key is not None and named != public_key:
        whose = "another key" if named else "no key"
        subject = f"entry {entry.body.get('sequence')}"
        yield Check("signature", subject, f"it was signed with {whose}")
