"""A verdict as SARIF 2.1.0, the format of code scanners."""

from __future__ import annotations

from typing import Any

from asrdq.annotations.sarif import sarif_document, sarif_location, sarif_result, suppressed
from asrdq.gates.decision import Verdict
from asrdq.gates.formats.outcomes import Outcome, State, outcomes, worst_clips
from asrdq.gates.ledgers.waivers import Waived
from asrdq.gates.rules import RULES
from asrdq.gates.verdict import GateResult

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
    place = sarif_location(policy, str(manifest))
    results = [one for outcome in found for one in _results(outcome, result.verdict, place)]
    results += [sarif_result(note.code, "note", str(note), place) for note in result.notes]
    for clip in worst_clips(result, CLIPS):
        told = f"{', '.join(clip['reasons'] or [])}: {clip['text']}"
        location = sarif_location(str(clip["audio_path"]), str(clip["utt_id"]))
        results.append(sarif_result(_CLIP_RULE, "note", told, location))
    properties = {
        "verdict": result.verdict.value,
        "manifest": str(manifest),
        "fingerprint": manifest.fingerprint,
        "rules": [{"rule": one.rule, "state": str(one.state), **_figures(one)} for one in found],
    }
    return sarif_document(f"asrdq gate/{manifest.name}", rules, results, code, properties)


def _results(outcome: Outcome, verdict: Verdict, place: dict[str, Any]) -> list[dict[str, Any]]:
    levels = {State.FAILED: "error", State.UNDECIDED: "error", State.WARNS: "warning"}
    level = levels.get(outcome.state)
    found = []
    if level is not None:
        texts = outcome.messages() or [outcome.demand]
        found = [sarif_result(outcome.rule, level, f"{verdict}: {text}", place) for text in texts]
    if outcome.state is State.WAIVED:
        found = [_waived(outcome.rule, waived, place) for waived in outcome.waived]
    return [{**one, "properties": _figures(outcome)} for one in found]


def _figures(outcome: Outcome) -> dict[str, Any]:
    evidence = [
        {"table": source.table, "runId": source.run_id, "query": source.query}
        for source in outcome.evidence
    ]
    return {"value": outcome.value, "limit": outcome.limit, "evidence": evidence}


def _waived(rule: str, waived: Waived, place: dict[str, Any]) -> dict[str, Any]:
    waiver = waived.waiver
    why = f"waived until {waiver.until} by {waiver.owner}: {waiver.reason}"
    return suppressed(sarif_result(rule, "warning", str(waived), place), "external", why)
