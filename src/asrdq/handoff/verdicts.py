"""Whether the gate's verdict on exactly this content is green, stands, and is signed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from asrdq.errors import AsrdqError, UndecidedError, first_few
from asrdq.gates.decision import Verdict
from asrdq.gates.gate import assess
from asrdq.gates.policy import Policy, policy_hash
from asrdq.gates.signoffs.verification import verify
from asrdq.handoff.refusals import Refusal
from asrdq.manifests.recomputing import recomputed_fingerprint
from asrdq.places import file_digest
from asrdq.s3_errors import S3Error

if TYPE_CHECKING:
    from asrdq.gates.signoffs.signoff import SignoffBody
    from asrdq.gates.verdict import GateResult
    from asrdq.places import Place
    from asrdq.workspace import ManifestVersion, Workspace

_NAMED = 3


@dataclass(frozen=True)
class Demanded:
    """What is demanded of a verdict.

    Attributes:
        policy: The policy it must be by.
        policy_file: Where that lies.
        signoff: Whether a sign-off is asked for, whatever the verdict.
        allow_override: Whether a STOP that was overridden in a sign-off passes.
        public_key: The key that must have signed, as hex.
    """

    policy: Policy
    policy_file: Place
    signoff: bool
    allow_override: bool
    public_key: str | None


@dataclass(frozen=True)
class Cleared:
    """A verdict as it was found.

    Attributes:
        manifest: The content it is about.
        decision: Its row in the table `decisions`; None where there is none.
        result: The verdict, made again now; None where it could not be.
        signoff: What was signed, if it is of this content.
        refusals: What stands against a hand-off.
    """

    manifest: ManifestVersion
    decision: dict[str, Any] | None
    result: GateResult | None
    signoff: SignoffBody | None
    refusals: tuple[Refusal, ...]


def clear(
    workspace: Workspace,
    manifest: ManifestVersion,
    demanded: Demanded,
    advance: Callable[[int], None] | None = None,
) -> Cleared:
    """Look whether a manifest may be handed off, as far as the gate is asked.

    The newest verdict on this fingerprint counts, and it is made again: evidence that changed,
    went away or was edited since gives another verdict, and so no hand-off.

    Args:
        workspace: Where the manifest and its verdicts are.
        manifest: The version.
        demanded: What is demanded.
        advance: Told how many rows and audio files were compared.

    Raises:
        S3Error: A server cannot be reached.
    """
    workspace.store.read_anew()
    refusals = list(_content(workspace, manifest, advance))
    decision, problem = _newest_decision(workspace, manifest)
    if problem is not None:
        return Cleared(manifest, None, None, None, (*refusals, problem))
    assert decision is not None
    result, found = _again(workspace, manifest, demanded, decision, advance)
    refusals += found
    if result is None:
        return Cleared(manifest, decision, None, None, tuple(refusals))
    signoff, found = _signed(workspace, manifest, demanded, result, advance)
    refusals += [*_colour(manifest, demanded, result, signoff, found), *found]
    return Cleared(manifest, decision, result, signoff, tuple(refusals))


def _content(
    workspace: Workspace, manifest: ManifestVersion, advance: Callable[[int], None] | None
) -> Iterator[Refusal]:
    if recomputed_fingerprint(workspace, manifest, advance) != manifest.fingerprint:
        yield Refusal(
            "rows_edited",
            f"the rows of {manifest} are not those of its fingerprint: they were edited",
            f"asrdq ingest FILE --name {manifest.name}",
        )


def _newest_decision(
    workspace: Workspace, manifest: ManifestVersion
) -> tuple[dict[str, Any] | None, Refusal | None]:
    import duckdb

    ask = f"asrdq gate {manifest}"
    if not workspace.table_exists("decisions"):
        return None, Refusal("no_verdict", f"the gate was never asked about {manifest}", ask)
    try:
        rows = workspace.query(
            "SELECT * FROM decisions WHERE manifest = $name ORDER BY decided DESC",
            {"name": manifest.name},
        ).to_pylist()
        own = [row for row in rows if row["fingerprint"] == manifest.fingerprint]
        if own:
            needed = ("run_id", "verdict", "policy_hash", "audit_run_id", "decided")
            return {**own[0], **{name: own[0][name] for name in needed}}, None
    except (duckdb.Error, KeyError) as error:
        told = str(error).splitlines()[0]
        return None, Refusal("no_verdict", f"the table 'decisions' cannot be read: {told}", ask)
    other = " (it has verdicts on other content)" if rows else ""
    return None, Refusal("no_verdict", f"the gate gave no verdict on {manifest}{other}", ask)


def _again(
    workspace: Workspace,
    manifest: ManifestVersion,
    demanded: Demanded,
    decision: dict[str, Any],
    advance: Callable[[int], None] | None,
) -> tuple[GateResult | None, list[Refusal]]:
    """Return the verdict made again, and what is wrong with the one that was given."""
    ask = f"asrdq gate {manifest}"
    if decision["policy_hash"] != policy_hash(demanded.policy):
        message = (
            f"the verdict on {manifest} is by {decision['policy']} as it was then, "
            f"not by {demanded.policy_file} as it is now"
        )
        return None, [Refusal("other_policy", message, f"{ask} --policy {demanded.policy_file}")]
    result = assess(workspace, manifest, demanded.policy, advance)
    run_id = result.evidence.run["run_id"] if result.evidence.run else None
    found = {"verdict": str(result.verdict), "audit": run_id}
    given = {"verdict": decision["verdict"], "audit": decision["audit_run_id"]}
    if found == given:
        return result, []
    why = result.reasons[0].message if result.reasons else "another audit"
    message = (
        f"the verdict on {manifest} was {decision['verdict']} and would be {result.verdict}: {why}"
    )
    return result, [Refusal("stale_verdict", message, ask)]


def _colour(
    manifest: ManifestVersion,
    demanded: Demanded,
    result: GateResult,
    signoff: SignoffBody | None,
    found: list[Refusal],
) -> Iterator[Refusal]:
    """Give the reason of a verdict that is not green and that nobody answers for."""
    verdict = result.verdict
    reason = result.reasons[0] if result.reasons else None
    why = reason.message if reason else "no reason was given"
    accepted = signoff is not None and not found
    if verdict is Verdict.UNDECIDED:
        hint = (reason.hint if reason else None) or f"asrdq audit {manifest.name}"
        yield Refusal("undecided", f"UNDECIDED for {manifest}: {why}", hint)
    elif verdict is Verdict.STOP and not (accepted and demanded.allow_override):
        overridden = " (it was overridden; --allow-override lets that pass)" if accepted else ""
        mend = "asrdq handoff … --allow-override" if accepted else f"asrdq report {manifest.name}"
        yield Refusal("stop", f"STOP for {manifest}: {why}{overridden}", mend)
    elif verdict is Verdict.CAUTION and not accepted:
        yield Refusal("caution", f"CAUTION for {manifest}: {why}", _sign(manifest))


def _sign(manifest: ManifestVersion) -> str:
    return f"asrdq signoff {manifest} --by NAME --note TEXT"


def _signed(
    workspace: Workspace,
    manifest: ManifestVersion,
    demanded: Demanded,
    result: GateResult,
    advance: Callable[[int], None] | None,
) -> tuple[SignoffBody | None, list[Refusal]]:
    """Return the sign-off of this content, and what is missing of it or wrong with it.

    One that is there counts also where none is asked for: a sign-off that does not fit what it
    was about tells of something that was changed.
    """
    latest = workspace.manifest(manifest.name) == manifest
    reference = manifest.name if latest else str(manifest)
    nobody = Refusal("not_signed", f"nobody has signed off {manifest}", _sign(manifest))
    try:
        found = verify(workspace, reference, public_key=demanded.public_key, advance=advance)
    except UndecidedError:
        return None, [nobody] if demanded.signoff else []
    except S3Error:
        raise
    except AsrdqError as error:
        told = " ".join(str(error).split())
        return None, [Refusal("signoff_broken", told, f"asrdq verify {manifest.name}")]
    body = next(iter(found.signoffs), None)
    if body is not None and body.fingerprint != manifest.fingerprint:
        return None, [nobody] if demanded.signoff else []
    changes = found.changes()
    if changes or body is None:
        told = first_few(changes, _NAMED, "; ")
        return body, [Refusal("signoff_broken", told, f"asrdq verify {manifest.name}")]
    return body, list(_other(manifest, demanded, result, body))


def _other(
    manifest: ManifestVersion, demanded: Demanded, result: GateResult, body: SignoffBody
) -> Iterator[Refusal]:
    if body.verdict != result.verdict:
        message = f"{body.verdict} was signed for {manifest}, and the gate says {result.verdict}"
        yield Refusal("signoff_other", message, _sign(manifest))
    elif body.policy.sha256 != file_digest(demanded.policy_file):
        message = f"{body.signed_by} signed by {body.policy.file}, not by {demanded.policy_file}"
        yield Refusal("signoff_other", message, _sign(manifest))
