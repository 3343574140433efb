"""A person accepts a verdict, and the ledger holds exactly what it was about."""

from __future__ import annotations

import datetime as dt
import platform
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import pyarrow as pa

import asrdq
from asrdq.errors import DataError, UndecidedError, UsageError
from asrdq.gates.decision import Verdict
from asrdq.gates.gate import assess, evidence_of
from asrdq.gates.ledgers.ledger import append_entry, check_text
from asrdq.gates.ledgers.signing import Signer
from asrdq.gates.policy import policy_hash, read_policy
from asrdq.gates.signoffs.bound import (
    check_runs,
    criteria_digests,
    data_digests,
    evidence_digests,
    policy_place,
    rows_of,
    suite_digests,
)
from asrdq.gates.tables import SIGNOFFS
from asrdq.gates.verdict import GateResult
from asrdq.manifests.recomputing import recomputed_fingerprint
from asrdq.places import Place, file_digest, place
from asrdq.results import Result
from asrdq.strict import Strict
from asrdq.workspace.runs import user_name

if TYPE_CHECKING:
    from asrdq.workspace import ManifestVersion, Workspace


class RowsDigest(Strict):
    """How many rows there were, and their digest."""

    rows: int
    sha256: str


class PolicyDigest(Strict):
    """Where the policy lay, and the digest of its bytes."""

    file: str
    sha256: str


class SignoffBody(Strict):
    """What an entry of the ledger says; all digests are SHA-256 as hex.

    `data`, `suites` and `criteria` are by file; `evidence` is by table; `runs` are all that the
    verdict stands on, by what they are called; `others` are the fingerprints of the other manifest
    versions it stands on; `waivers` are the hashes of the entries of the waivers that were used.
    """

    schema_version: Literal[1]
    sequence: int
    previous: str
    run_id: str
    recorded: str
    manifest: str
    manifest_version: int
    fingerprint: str
    rows: int
    verdict: Literal["PROCEED", "CAUTION", "STOP"]
    signed_by: str
    user: str
    note: str
    reason: str | None
    policy: PolicyDigest
    suites: dict[str, str]
    criteria: dict[str, str]
    others: dict[str, str]
    data: dict[str, str]
    runs: dict[str, str]
    evidence: dict[str, RowsDigest]
    waivers: list[str]
    tools: dict[str, str]
    public_key: str | None


@dataclass(frozen=True)
class SignoffResult(Result):
    """A sign-off as the ledger has it now.

    Attributes:
        entry: Its one row in the table `signoffs`.
        body: What it says and is bound to.
        hash: The hash of the entry: kept elsewhere, it proves that the ledger was not cut short.
    """

    main_table: ClassVar[str] = "entry"

    entry: pa.Table
    body: SignoffBody
    hash: str

    def summary(self) -> str:
        """Return who accepted what, and the hash of the entry."""
        body = self.body
        how = "signed with a key" if body.public_key else "without a key"
        lines = [
            f"{body.verdict} for {body.manifest}@{body.manifest_version} accepted by "
            f"{body.signed_by}, {how}: {body.note}",
            f"  entry {body.sequence} of the ledger, hash {self.hash}",
        ]
        return "\n".join([*lines, *([f"  reason: {body.reason}"] if body.reason else [])])


def sign_off(
    workspace: Workspace,
    manifest: ManifestVersion,
    *,
    by: str,
    note: str,
    reason: str | None = None,
    signer: Signer | None = None,
    advance: Callable[[int], None] | None = None,
) -> SignoffResult:
    """Accept the newest verdict of the gate about exactly this content.

    The verdict is made again first: data, evidence and policy must still say what they said.

    Args:
        workspace: Where manifest and verdict are.
        manifest: The version.
        by: Who accepts it.
        note: What that person has to say.
        reason: Why a STOP is overridden; needed for that and for nothing else.
        signer: What signs with a key.
        advance: Told how many audio files and rows were compared.

    Raises:
        UndecidedError: There is no verdict, or it is UNDECIDED, or no longer stands.
        DataError: It is STOP and there is no reason; or the rows are not those of the fingerprint.
        UsageError: A text is empty.
        ToolError: The ledger is broken, or something cannot be read or written.
    """
    by, note = check_text("--by", by), check_text("--note", note)
    reason = None if reason is None else check_text("--reason", reason)
    with workspace.run("signoff", manifest, {"by": by, "note": note, "reason": reason}) as run:
        decision, result, policy = _standing(workspace, manifest, advance)
        _check_acceptable(manifest, result, reason)
        if recomputed_fingerprint(workspace, manifest, advance) != manifest.fingerprint:
            raise DataError(
                f"the rows of {manifest} are not those of its fingerprint: they were edited",
                hint="ingest the manifest again, audit it, and ask the gate",
            )
        said = {
            "run_id": run.run_id,
            "signed_by": by,
            "note": note,
            "reason": reason,
            "public_key": signer.public_key if signer else None,
        }
        body = {**said, **_content(workspace, manifest, result, policy, decision["run_id"])}
        entry = append_entry(workspace, SIGNOFFS, body, signer.sign if signer else None)
    table = pa.Table.from_pylist([dict(entry.row)], schema=SIGNOFFS.schema)
    return SignoffResult(table, SignoffBody.model_validate(entry.body), entry.digest)


def _standing(
    workspace: Workspace, manifest: ManifestVersion, advance: Callable[[int], None] | None
) -> tuple[dict[str, Any], GateResult, Place]:
    """Return the newest decision on a content, the verdict made again, and its policy file."""
    again = f"asrdq gate {manifest}"
    rows: list[dict[str, Any]] = []
    if workspace.table_exists("decisions"):
        rows = workspace.query(
            "SELECT * FROM decisions WHERE manifest = $name AND fingerprint = $fingerprint "
            "ORDER BY decided DESC LIMIT 1",
            {"name": manifest.name, "fingerprint": manifest.fingerprint},
        ).to_pylist()
    if not rows:
        raise UndecidedError(f"the gate has not given a verdict on {manifest}", hint=again)
    decision = rows[0]
    file = place(decision["policy"])
    if not file.is_file():
        raise UndecidedError(f"the policy of the verdict is gone: {file}", hint=again)
    policy = read_policy(file)
    result = assess(workspace, manifest, policy, advance)
    run_id = result.evidence.run["run_id"] if result.evidence.run else None
    found = {
        "policy": policy_hash(policy) == decision["policy_hash"],
        "audit": run_id == decision["audit_run_id"],
        "evidence": evidence_of(result) == (decision.get("evidence") or []),
        "verdict": result.verdict == decision["verdict"],
    }
    other = [name for name, same in found.items() if not same]
    if other:
        raise UndecidedError(
            f"the newest verdict on {manifest} no longer stands: another {' and '.join(other)} "
            f"(it was {decision['verdict']} and would be {result.verdict})",
            hint=again,
        )
    return decision, result, file


def _check_acceptable(manifest: ManifestVersion, result: GateResult, reason: str | None) -> None:
    if result.verdict is Verdict.UNDECIDED:
        raise UndecidedError(
            f"UNDECIDED is no verdict that can be accepted: {result.reasons[0].message}",
            hint=result.reasons[0].hint or f"asrdq gate {manifest}",
        )
    if result.verdict is Verdict.STOP and reason is None:
        raise DataError(
            f"the gate says STOP on {manifest}: {result.reasons[0].message}",
            hint="mend the data; or override it: --reason TEXT",
        )
    if result.verdict is not Verdict.STOP and reason is not None:
        raise UsageError(
            f"--reason overrides STOP, and the gate says {result.verdict}",
            hint="put it into --note",
        )


def _content(
    workspace: Workspace,
    manifest: ManifestVersion,
    result: GateResult,
    policy: Place,
    gate_run_id: str,
) -> dict[str, Any]:
    """Return what the verdict was about, in JSON types."""
    audit = result.evidence.run
    assert audit is not None  # there is no verdict without one
    sources = [source for one in result.judged for source in one.answer.sources]
    others = {str(other): other for source in sources for other in source.manifests}
    runs = {
        "manifest": manifest.run_id,
        **{f"manifest {name}": other.run_id for name, other in others.items()},
        "sample": str(result.evidence.parameters["sample_run_id"]),
        "audit": str(audit["run_id"]),
        "gate": gate_run_id,
        **check_runs(workspace, manifest),
        **{source.name: source.run_id for source in sources if source.run_id},
    }
    return {
        "schema_version": 1,
        "recorded": dt.datetime.now(dt.UTC).isoformat(),
        "manifest": manifest.name,
        "manifest_version": manifest.version,
        "fingerprint": manifest.fingerprint,
        "rows": manifest.rows,
        "verdict": str(result.verdict),
        "user": user_name(),
        "policy": {"file": policy_place(workspace, policy), "sha256": file_digest(policy)},
        "suites": suite_digests(workspace, result.policy),
        "criteria": criteria_digests(workspace, result.policy),
        "others": {name: other.fingerprint for name, other in others.items()},
        "data": {
            file: digest
            for version in (manifest, *others.values())
            for file, digest in data_digests(workspace, version).items()
        },
        "runs": runs,
        "evidence": evidence_digests(workspace, runs),
        "waivers": sorted({waived.waiver.hash for waived in result.waived}),
        "tools": _tools(workspace, audit),
    }


def _tools(workspace: Workspace, audit: dict[str, Any]) -> dict[str, str]:
    """Return the versions of what decided and of what audited."""
    import duckdb

    tools = {
        "asrdq": asrdq.__version__,
        "python": platform.python_version(),
        "duckdb": duckdb.__version__,
        "pyarrow": pa.__version__,
        "audit: asrdq": str(audit["asrdq_version"]),
        "audit: python": str(audit["python"]),
    }
    aligned = rows_of(workspace, "alignments", [audit["run_id"]])
    found = aligned.select(["aligner", "aligner_version"]).to_pylist() if aligned.num_rows else []
    versions: dict[str, set[str]] = {}
    for row in found:
        versions.setdefault(f"audit: {row['aligner']}", set()).add(str(row["aligner_version"]))
    return tools | {name: ", ".join(sorted(own)) for name, own in versions.items()}
