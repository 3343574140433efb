"""What a sign-off is bound to, compared piece by piece with what is there now."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from asrdq.gates.changed_audio import changed_audio
from asrdq.gates.evidence import Evidence
from asrdq.gates.ledgers.ledger import read_ledger
from asrdq.gates.ledgers.reading import looked
from asrdq.gates.signoffs.bound import (
    bound_file,
    data_digests,
    evidence_digests,
    rows_of,
)
from asrdq.gates.signoffs.signoff import SignoffBody
from asrdq.gates.signoffs.verify_result import Check
from asrdq.gates.tables import WAIVERS
from asrdq.manifests.recomputing import recomputed_fingerprint
from asrdq.places import file_digest

if TYPE_CHECKING:
    from asrdq.workspace import ManifestVersion, Workspace

Advance = Callable[[int], None] | None


def check_content(
    workspace: Workspace, body: SignoffBody, reference: str, advance: Advance
) -> Iterator[Check]:
    """Give every comparison of what a sign-off is bound to with what is there now.

    Args:
        workspace: Where it is.
        body: The sign-off.
        reference: The manifest asked about, as it was named.
        advance: Told how many rows and audio files were compared.
    """
    signed = f"{body.manifest}@{body.manifest_version}"
    bound = {signed: body.fingerprint, **body.others}
    versions: list[ManifestVersion] = []
    for name, fingerprint in bound.items():
        now = reference if name == signed else name.partition("@")[0]
        yield from _present(workspace, now, fingerprint, name)
        version, problem = looked(partial(workspace.manifest, name))
        if version is None:
            yield Check("data", name, problem)
        else:
            versions.append(version)
            yield _rows(workspace, version, fingerprint, advance)
        if version is not None and name == signed:
            yield _audio(workspace, body, version, advance)
    yield from _files(workspace, body, versions)
    yield from _evidence(workspace, body)
    yield _file(workspace, "policy", body.policy.file, body.policy.sha256)
    for part, files in (("suite", body.suites), ("criteria", body.criteria)):
        for name, digest in files.items():
            yield _file(workspace, part, name, digest)
    yield from _waivers(workspace, body)


def _present(
    workspace: Workspace, reference: str, fingerprint: str, signed: str
) -> Iterator[Check]:
    """Give what is wrong with what a manifest holds now."""
    now, problem = looked(lambda: workspace.manifest(reference))
    if now is None:
        yield Check("data", reference, problem)
    elif now.fingerprint != fingerprint:
        yield Check("data", str(now), f"has other content than {signed}, which was signed")


def _rows(
    workspace: Workspace, version: ManifestVersion, fingerprint: str, advance: Advance
) -> Check:
    """Return whether the rows of a version, and its commit, still say what was signed."""
    subject = str(version)
    print_now, problem = looked(lambda: recomputed_fingerprint(workspace, version, advance))
    if print_now is None:
        return Check("data", subject, problem)
    if print_now != fingerprint:
        return Check("data", subject, "its rows have another fingerprint")
    stated = version.fingerprint == fingerprint
    return Check("data", subject, "" if stated else "its commit states another fingerprint")


def _files(
    workspace: Workspace, body: SignoffBody, versions: Sequence[ManifestVersion]
) -> Iterator[Check]:
    found: dict[str, str] = {}
    for version in versions:
        files, problem = looked(partial(data_digests, workspace, version))
        if files is None:
            yield Check("data", str(version), problem)
        found |= files or {}
    yield from _compared("data", body.data, found)


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

    message, problem = looked(look)
    return Check("audio", str(version), problem if message is None else message)


def _evidence(workspace: Workspace, body: SignoffBody) -> Iterator[Check]:
    for table, signed in body.evidence.items():
        found, problem = looked(partial(evidence_digests, workspace, body.runs, [table]))
        if found is None:
            yield Check("evidence", table, problem)
        elif found[table]["rows"] != signed.rows:
            rows = found[table]["rows"]
            yield Check("evidence", table, f"has {rows:,} rows, not {signed.rows:,}")
        else:
            same = found[table]["sha256"] == signed.sha256
            yield Check("evidence", table, "" if same else "its rows have other content")


def _file(workspace: Workspace, part: str, name: str, signed: str) -> Check:
    found, problem = looked(lambda: file_digest(bound_file(workspace, name)))
    if found is None:
        return Check(part, name, problem)
    return Check(part, name, "" if found == signed else "has other content")


def _waivers(workspace: Workspace, body: SignoffBody) -> Iterator[Check]:
    if not body.waivers:
        return
    entries, _ = looked(lambda: read_ledger(workspace, WAIVERS))
    known = {entry.digest for entry in entries or []}
    for waiver in body.waivers:
        yield Check("waiver", waiver, "" if waiver in known else "is gone, or was edited")
