"""Whether the audio of a manifest is still what was audited."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from asrdq.audio import file_hashes
from asrdq.errors import first_few
from asrdq.gates.evidence import Evidence, Finding
from asrdq.gates.policy_sections import AuditRules

if TYPE_CHECKING:
    from asrdq.workspace import Workspace

CHANGED_AUDIO, MISSING_AUDIO = "changed_audio", "missing_audio"
_BLOCK = 256
_NAMED = 3


def with_audio_compared(
    workspace: Workspace,
    evidence: Evidence,
    rules: AuditRules,
    advance: Callable[[int], None] | None = None,
) -> Evidence:
    """Return evidence with what `changed_audio` finds, which forbids a verdict.

    Only where not one file is there, and the policy says so, it is a note: evidence that was
    committed, or copied, without the audio.
    """
    found = changed_audio(workspace, evidence, advance)
    if rules.if_audio_absent == "note" and any(one.code == MISSING_AUDIO for one in found):
        return replace(evidence, notes=[*evidence.notes, *found])
    return replace(evidence, faults=[*evidence.faults, *found])


def changed_audio(
    workspace: Workspace, evidence: Evidence, advance: Callable[[int], None] | None = None
) -> list[Finding]:
    """Compare the audited files with what the rows of the manifest name now.

    The paths are those of the manifest version asked about: it may have the fingerprint of the
    audited one and lie on another mount.

    Args:
        workspace: Where the manifest is.
        evidence: The audit and the manifest version asked about.
        advance: Told how many audio files were compared.

    Returns:
        A finding where the audio of a clip is another one, or none; it has a name of its own
        where not one of the files is there, so that nothing could be compared.
    """
    files = _files(workspace, evidence)
    changed: list[str] = []
    there = False
    for start in range(0, len(evidence.clips), _BLOCK):
        block = evidence.clips[start : start + _BLOCK]
        paths = [files.get(clip["utt_id"], "") for clip in block]
        now = file_hashes(paths)
        there = there or any(now[path] is not None for path in paths)
        pairs = zip(block, paths, strict=True)
        changed += [clip["utt_id"] for clip, path in pairs if now[path] != clip["audio_hash"]]
        if advance:
            advance(len(block))
    if not changed:
        return []
    if not there:
        message = (
            f"not one audio file of the {len(changed):,} audited clips is here, so nothing could "
            "be compared with what was audited"
        )
        hint = "ask where the audio is, or say `if_audio_absent: note` under `audit` in the policy"
        return [Finding(MISSING_AUDIO, message, hint)]
    named = first_few(changed, _NAMED)
    message = f"the audio of {len(changed):,} clips is not what was audited: {named}"
    return [Finding(CHANGED_AUDIO, message, f"asrdq audit {evidence.manifest.name}")]


def _files(workspace: Workspace, evidence: Evidence) -> dict[str, str]:
    """Return the file of each audited clip by its id, where it has a row."""
    if not evidence.clips:
        return {}
    wanted = pa.array([clip["utt_id"] for clip in evidence.clips], pa.string())
    manifest, found = evidence.manifest, {}
    with workspace.stream(manifest, ["utt_id", "audio_path"]) as rows:
        for batch in rows:
            audited = batch.filter(pc.is_in(batch["utt_id"], wanted))
            for row in audited.to_pylist():
                found[row["utt_id"]] = workspace.audio_file(manifest, row["audio_path"])
    return found
