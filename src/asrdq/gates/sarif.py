"""A verdict as SARIF 2.1.0, the format of code scanners."""

from __future__ import annotations

from typing import Any

import asrdq
from asrdq.errors import ExitCode
from asrdq.gates.decision import Verdict
from asrdq.gates.escaping import sarif_document, sarif_location
from asrdq.gates.outcomes import Outcome, State, outcomes, worst_clips
from asrdq.gates.rules import RULES
from asrdq.gates.verdict import GateResult
from asrdq.gates.waivers import Waived

CLIPS = 50
"""How many of the worst clips are results."""

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
        one["locations"] = [sarif_location(policy, str(manifest))]
    for clip in worst_clips(result, CLIPS):
        told = f"{', '.join(clip['reasons'] or [])}: {clip['text']}"
        location = sarif_location(str(clip["audio_path"]), str(clip["utt_id"]))
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
            "rules": [
                {"rule": one.rule, "state": str(one.state), **_figures(one)} for one in found
            ],
        },
    }
    return sarif_document(run)


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
        texts = outcome.messages() or [outcome.demand]
        found = [_result(outcome.rule, level, f"{verdict}: {text}") for text in texts]
    if outcome.state is State.WAIVED:
        found = [_suppressed(outcome.rule, waived) for waived in outcome.waived]
    return [{**one, "properties": _figures(outcome)} for one in found]


def _figures(outcome: Outcome) -> dict[str, Any]:
    evidence = [
        {"table": source.table, "runId": source.run_id, "query": source.query}
        for source in outcome.evidence
    ]
    return {"value": outcome.value, "limit": outcome.limit, "evidence": evidence}


def _suppressed(rule: str, waived: Waived) -> dict[str, Any]:
    waiver = waived.waiver
    why = f"waived until {waiver.until} by {waiver.owner}: {waiver.reason}"
    suppression = {"kind": "external", "status": "accepted", "justification": why}
    return {**_result(rule, "warning", str(waived)), "suppressions": [suppression]}


def _result(rule: str, level: str, text: str) -> dict[str, Any]:
    return {"ruleId": rule, "level": level, "message": {"text": text}}
