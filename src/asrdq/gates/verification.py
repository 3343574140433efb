"""Whether what was signed is still what is there: data, evidence, policy, suites, ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import pyarrow as pa
from pydantic import ValidationError

from asrdq.errors import AsrdqError, UndecidedError
from asrdq.gates.bound import bound_file, data_digests, evidence_digests, file_digest, rows_of
from asrdq.gates.changed_audio import changed_audio
from asrdq.gates.evidence import Evidence
from asrdq.gates.ledger import Entry, Ledger, broken_entries, read_ledger
from asrdq.gates.reading import BROKEN, first_line
from asrdq.gates.signing import is_signed
from asrdq.gates.signoff import SignoffBody
from asrdq.gates.tables import SIGNOFFS, WAIVERS
from asrdq.gates.verify_result import CHECKS, Check, VerifyResult
from asrdq.manifests.recomputing import recomputed_fingerprint
from asrdq.s3_errors import S3Error

if TYPE_CHECKING:
    from asrdq.workspace import ManifestVersion, Workspace

T = TypeVar("T")
Advance = Callable[[int], None] | None


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
        checks += _content(workspace, body, reference or body.manifest, advance)
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
        entries, problem = _looked(partial(read_ledger, workspace, ledger))
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
    wrong, problem = _looked(lambda: list(broken_entries(workspace, ledger, entries)))
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


def _content(
    workspace: Workspace, body: SignoffBody, reference: str, advance: Advance
) -> Iterator[Check]:
    signed = f"{body.manifest}@{body.manifest_version}"
    now, problem = _looked(lambda: workspace.manifest(reference))
    if now is None:
        yield Check("data", reference, problem)
    elif now.fingerprint != body.fingerprint:
        yield Check("data", str(now), f"has other content than {signed}, which was signed")
    version, problem = _looked(lambda: workspace.manifest(signed))
    if version is None:
        yield Check("data", signed, problem)
    else:
        yield from _data(workspace, body, version, advance)
        yield _audio(workspace, body, version, advance)
    for reference, fingerprint in body.others.items():
        yield from _other(workspace, reference, fingerprint, advance)
    yield from _evidence(workspace, body)
    yield _file(workspace, "policy", body.policy.file, body.policy.sha256)
    for part, files in (("suite", body.suites), ("criteria", body.criteria)):
        for name, digest in files.items():
            yield _file(workspace, part, name, digest)
    yield from _waivers(workspace, body)


def _data(
    workspace: Workspace, body: SignoffBody, version: ManifestVersion, advance: Advance
) -> Iterator[Check]:
    subject = str(version)
    print_now, problem = _looked(lambda: recomputed_fingerprint(workspace, version, advance))
    if print_now is None:
        yield Check("data", subject, problem)
    elif print_now != body.fingerprint:
        yield Check("data", subject, "its rows have another fingerprint")
    elif version.fingerprint != body.fingerprint:
        yield Check("data", subject, "its commit states another fingerprint")
    else:
        yield Check("data", subject)
    files, problem = _looked(lambda: data_digests(workspace, version))
    if files is None:
        yield Check("data", subject, problem)
        return
    yield from _compared("data", body.data, files)


def _other(
    workspace: Workspace, reference: str, fingerprint: str, advance: Advance
) -> Iterator[Check]:
    """Give whether another manifest that the verdict stands on is still what it was."""
    version, problem = _looked(lambda: workspace.manifest(reference))
    if version is None:
        yield Check("data", reference, problem)
        return
    print_now, problem = _looked(lambda: recomputed_fingerprint(workspace, version, advance))
    if not problem and print_now != fingerprint:
        problem = "its rows have another fingerprint"
    yield Check("data", reference, problem)
    now, problem = _looked(lambda: workspace.manifest(version.name))
    if now is None:
        yield Check("data", version.name, problem)
    elif now.fingerprint != fingerprint:
        yield Check("data", str(now), f"has other content than {reference}, which was signed")


def _compared(part: str, signed: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Check]:
    for name in sorted({*signed, *now}):
        if name not in now:
            yield Check(part, name, "is gone")
        elif name not in signed:
            yield Check(part, name, "was not there")
        else:
            yield Check(part, name, "" if signed[name] == now[name] else "has other content")


def _audio(
    workspace: Workspace, body: SignoffBody, version: ManifestVersion, advance: Advance
) -> Check:
    def look() -> str:
        clips = rows_of(workspace, "audits", [body.runs["audit"]]).to_pylist()
        changed = changed_audio(workspace, Evidence(version, clips=clips), advance)
        return changed[0].message if changed else ""

    message, problem = _looked(look)
    return Check("audio", str(version), problem if message is None else message)


def _evidence(workspace: Workspace, body: SignoffBody) -> Iterator[Check]:
    for table, signed in body.evidence.items():
        found, problem = _looked(partial(evidence_digests, workspace, body.runs, [table]))
        if found is None:
            yield Check("evidence", table, problem)
        elif found[table]["rows"] != signed.rows:
            rows = found[table]["rows"]
            yield Check("evidence", table, f"has {rows:,} rows, not {signed.rows:,}")
        else:
            same = found[table]["sha256"] == signed.sha256
            yield Check("evidence", table, "" if same else "its rows have other content")


def _file(workspace: Workspace, part: str, name: str, signed: str) -> Check:
    found, problem = _looked(lambda: file_digest(bound_file(workspace, name)))
    if found is None:
        return Check(part, name, problem)
    return Check(part, name, "" if found == signed else "has other content")


def _waivers(workspace: Workspace, body: SignoffBody) -> Iterator[Check]:
    if not body.waivers:
        return
    entries, _ = _looked(lambda: read_ledger(workspace, WAIVERS))
    known = {entry.digest for entry in entries or []}
    for waiver in body.waivers:
        yield Check("waiver", waiver, "" if waiver in known else "is gone, or was edited")


def _looked(look: Callable[[], T]) -> tuple[T | None, str]:
    """Return what looking at something gives, or why that is not possible: a change too.

    Raises:
        S3Error: The server cannot be reached: nobody knows whether anything changed.
    """
    try:
        return look(), ""
    except S3Error:
        raise
    except AsrdqError as error:
        return None, f"cannot be read: {' '.join(str(error).split())}"
    except BROKEN as error:
        return None, f"cannot be read: {first_line(error)}"
