"""A verdict as SARIF 2.1.0, the format of code scanners."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import asrdq
from asrdq.errors import ExitCode
from asrdq.gates.decision import Verdict
from asrdq.gates.outcomes import Outcome, State, outcomes, worst_clips
from asrdq.gates.rules import RULES
from asrdq.gates.verdict import GateResult
from asrdq.gates.waivers import Waived

CLIPS = 50
"""How many of the worst clips are results."""

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_CLIP_RULE = "low_quality_clip"


def sarif_log(result: GateResult, policy: str, *, fail_on_caution: bool = False) -> str:
    """Return a verdict as a SARIF log with one run.

    A rule that failed or cannot be decided is an error, a waived one a warning that is suppressed
    with who waived it and why, and each clip of low quality a note.

    Args:
        result: The verdict.
        policy: Path or address of the policy, to which the results are attached.
        fail_on_caution: Whether CAUTION counts as failed.
    """
    code = result.verdict.exit_code(fail_on_caution=fail_on_caution)
    manifest = result.evidence.manifest
    rules = {**RULES, _CLIP_RULE: "the transcript of a clip fits its audio"}
    found = outcomes(result, fail_on_caution=fail_on_caution)
    rules |= {outcome.rule: outcome.demand for outcome in found}
    rules |= {note.code: "worth knowing" for note in result.notes if note.code not in rules}
    results = [one for outcome in found for one in _results(outcome, result.verdict)]
    results += [_result(note.code, "note", str(note)) for note in result.notes]
    for one in results:
        one["locations"] = [_location(policy, str(manifest))]
    for clip in worst_clips(result, CLIPS):
        told = f"{', '.join(clip['reasons'] or [])}: {clip['text']}"
        location = _location(str(clip["audio_path"]), str(clip["utt_id"]))
        results.append({**_result(_CLIP_RULE, "note", told), "locations": [location]})
    run = {
        "tool": {"driver": _driver(rules)},
        "automationDetails": {"id": f"asrdq gate/{manifest.name}"},
        "invocations": [{"executionSuccessful": code is not ExitCode.TOOL, "exitCode": int(code)}],
        "results": results,
        "properties": {
            "schema_version": 1,
            "verdict": result.verdict.value,
            "manifest": str(manifest),
            "fingerprint": manifest.fingerprint,
        },
    }
    log = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, ensure_ascii=True, allow_nan=False, indent=2)


def _driver(rules: dict[str, str]) -> dict[str, Any]:
    described = [
        {"id": rule, "shortDescription": {"text": demand}} for rule, demand in rules.items()
    ]
    return {"name": "asrdq", "version": asrdq.__version__, "rules": described}


def _results(outcome: Outcome, verdict: Verdict) -> list[dict[str, Any]]:
    levels = {State.FAILED: "error", State.UNDECIDED: "error", State.WARNS: "warning"}
    level = levels.get(outcome.state)
    found = []
    if level is not None:
        texts = [str(finding) for finding in outcome.findings] or [outcome.demand]
        found = [_result(outcome.rule, level, f"{verdict}: {text}") for text in texts]
    return [*found, *(_suppressed(outcome.rule, waived) for waived in outcome.waived)]


def _suppressed(rule: str, waived: Waived) -> dict[str, Any]:
    waiver = waived.waiver
    why = f"waived until {waiver.until} by {waiver.owner}: {waiver.reason}"
    suppression = {"kind": "external", "status": "accepted", "justification": why}
    return {**_result(rule, "warning", str(waived)), "suppressions": [suppression]}


def _result(rule: str, level: str, text: str) -> dict[str, Any]:
    return {"ruleId": rule, "level": level, "message": {"text": text}}


def _location(path: str, name: str) -> dict[str, Any]:
    return {
        "physicalLocation": {"artifactLocation": {"uri": _uri(path)}},
        "logicalLocations": [{"fullyQualifiedName": name}],
    }


def _uri(path: str) -> str:
    """Return a path or an address as a URI; what is no UTF-8 is replaced."""
    scheme, mark, rest = path.partition("://")
    if mark:
        return f"{scheme}://{quote(rest, errors='replace')}"
    prefix = "file://" if path.startswith("/") else ""
    return prefix + quote(path, errors="replace")
