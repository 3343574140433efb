"""The provenance of a bundle: what it is, who answers for it, and the digest of every file."""

from __future__ import annotations

import hashlib
import json
import platform
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

import asrdq
from asrdq.gates.policy import policy_hash
from asrdq.handoff.standalone import PROVENANCE, SCHEMA_VERSION, SEAL, seal_of
from asrdq.places import file_digest
from asrdq.results import plain

if TYPE_CHECKING:
    from asrdq.handoff.asked import Asked
    from asrdq.handoff.conditions import Conditions
    from asrdq.handoff.figures import Figures
    from asrdq.handoff.verdicts import Cleared
    from asrdq.workspace import ManifestVersion

_DECISION = (
    *("run_id", "decided", "verdict", "reasons", "risk_strata", "deciding_rate", "rate"),
    *("low", "high", "audit_run_id", "policy_hash", "asrdq_version", "waived", "rules"),
)
_SIGNOFF = (
    *("sequence", "previous", "recorded", "verdict", "signed_by", "note", "reason"),
    "public_key",
)


def seal(folder: Path, body: dict[str, Any]) -> tuple[str, list[dict[str, Any]]]:
    """Write the provenance of a finished folder and its seal.

    Args:
        folder: Everything else is in it already.
        body: What the provenance says beside the files.

    Returns:
        The id of the bundle, and a row a file: `file`, `bytes`, `sha256`.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    rows = [_file(folder, path) for path in files]
    named = {row["file"]: {"sha256": row["sha256"], "bytes": row["bytes"]} for row in rows}
    text = json.dumps({**body, "files": named}, indent=2, sort_keys=True, allow_nan=False) + "\n"
    bundle_id = hashlib.sha256(text.encode()).hexdigest()
    (folder / PROVENANCE).write_bytes(text.encode())
    (folder / SEAL).write_bytes(seal_of(bundle_id))
    sealed = [_file(folder, folder / name) for name in (PROVENANCE, SEAL)]
    return bundle_id, [*rows, *sealed]


def _file(folder: Path, path: Path) -> dict[str, Any]:
    name, size = path.relative_to(folder).as_posix(), path.stat().st_size
    return {"file": name, "bytes": size, "sha256": file_digest(path)}


def provenance_body(
    asked: Asked, conditions: Conditions, figures: Figures, recipe_hash: str
) -> dict[str, Any]:
    """Return what a provenance says, in JSON types; nothing in it depends on when it is asked."""
    leaks = conditions.leaks
    body = {
        "schema_version": SCHEMA_VERSION,
        "train": _manifest(asked.train, "data/train.jsonl"),
        "validation": _manifest(asked.validation, "data/validation.jsonl"),
        "backend": asked.backend,
        "recipe": {"name": asked.recipe.recipe.name, "sha256": recipe_hash},
        "figures": figures,
        "path_map": dict(sorted(asked.path_map.prefixes.items())),
        "policy": {
            "file": conditions.policy_file.name,
            "sha256": policy_hash(conditions.policy),
        },
        "verdicts": [_verdict(one) for one in conditions.cleared],
        "signoffs": [
            {
                "manifest": str(one.manifest),
                **{name: getattr(one.signoff, name) for name in _SIGNOFF},
            }
            for one in conditions.cleared
            if one.signoff is not None
        ],
        "override_allowed": asked.allow_override,
        "leaks": leaks.findings.to_pylist() if leaks else [],
        "lint": list(conditions.linted.findings),
        "audio": {
            "files": len(conditions.audio.there),
            "bytes": sum(conditions.audio.sizes.values()),
            "hashes": "all" if asked.hash_audio else "of audited clips",
        },
        "versions": {
            "asrdq": asrdq.__version__,
            "python": platform.python_version(),
            "pyarrow": pa.__version__,
        },
    }
    return dict(plain(body))


def _manifest(manifest: ManifestVersion, file: str) -> dict[str, Any]:
    lineage = manifest.lineage
    return {
        "manifest": str(manifest),
        "fingerprint": manifest.fingerprint,
        "rows": manifest.rows,
        "hours": manifest.hours,
        "file": file,
        "sources": list(manifest.sources),
        "query": None if lineage is None else lineage.query,
    }


def _verdict(one: Cleared) -> dict[str, Any]:
    decision = one.decision or {}
    return {
        "manifest": str(one.manifest),
        "fingerprint": one.manifest.fingerprint,
        **{name: decision.get(name) for name in _DECISION},
    }
