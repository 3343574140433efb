"""Everything that has to hold before data is handed off, looked at once and told together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from asrdq.gates.policy import Policy, read_policy
from asrdq.handoff.audio import AudioFiles, audited_hashes, find_audio
from asrdq.handoff.linted import Linted, lint
from asrdq.handoff.refusals import Refusal
from asrdq.handoff.verdicts import Cleared, Demanded, clear
from asrdq.leakage import LeakPlan, find_leaks

if TYPE_CHECKING:
    from asrdq.console import Stage
    from asrdq.handoff.asked import Asked
    from asrdq.leakage import LeakResult
    from asrdq.places import Place


@dataclass(frozen=True)
class Conditions:
    """What was found of each condition.

    Attributes:
        policy: The policy that verdicts were held against.
        policy_file: Where it lies.
        cleared: The gate on each manifest that it was asked about, the training one first.
        leaks: What training and validation share; None where they are the same, or nobody asked.
        linted: What the lint says.
        audio: The audio of both.
        refusals: Everything that stands against the hand-off.
    """

    policy: Policy
    policy_file: Place
    cleared: tuple[Cleared, ...]
    leaks: LeakResult | None
    linted: Linted
    audio: AudioFiles
    refusals: tuple[Refusal, ...]


def look(asked: Asked, stage: Stage) -> Conditions:
    """Look at every condition; none keeps another from being looked at.

    Args:
        asked: The hand-off.
        stage: Shows progress.

    Raises:
        UsageError: The policy has mistakes.
        S3Error: A server cannot be reached.
    """
    workspace = asked.workspace
    file = (asked.policy_file or workspace.place(workspace.settings.policy)).resolve()
    policy = read_policy(file)
    demanded = Demanded(
        policy=policy,
        policy_file=file,
        signoff=asked.recipe.recipe.handoff.requires_signoff or policy.handoff.signoff,
        allow_override=asked.allow_override,
        public_key=asked.public_key,
    )
    gated = [asked.train, asked.validation] if policy.handoff.validation else [asked.train]
    gated = [] if asked.judge else gated
    with stage("compare data and audio", None, "rows and files") as bar:
        cleared = tuple(clear(workspace, manifest, demanded, bar.advance) for manifest in gated)
    leaks, shared = (None, []) if asked.judge else _leaks(asked, policy, stage)
    linted = lint(asked, leaks, stage)
    audio, silent = find_audio(asked, stage)
    refusals = [refusal for one in cleared for refusal in one.refusals]
    return Conditions(
        policy,
        file,
        cleared,
        leaks,
        linted,
        _with_hashes(asked, audio, cleared),
        (*refusals, *shared, *linted.refusals, *silent),
    )


def _leaks(asked: Asked, policy: Policy, stage: Stage) -> tuple[LeakResult | None, list[Refusal]]:
    """Compare both manifests anew: what an earlier comparison found is not relied upon."""
    train, validation = asked.train, asked.validation
    if train.fingerprint == validation.fingerprint:
        message = f"{train} and {validation} have the same content"
        mend = f"asrdq split {train.name} --side validation=10%"
        return None, [Refusal("same_manifest", message, mend)]
    plan = _plan(policy, validation.name)
    result = find_leaks(asked.workspace, train, validation, plan, stage=stage)
    return result, list(_shared(asked, result))


def _plan(policy: Policy, evaluation: str) -> LeakPlan:
    """Return what may be shared: the limits of the policy where it names this manifest."""
    rules = policy.leaks
    if rules is None or evaluation not in rules.against:
        return LeakPlan()
    limits = rules.limits()
    return LeakPlan(
        only=list(limits),
        same=list(rules.maximum_same),
        max_share=limits,
        near=rules.near,
        min_words=rules.min_words,
    )


def _shared(asked: Asked, result: LeakResult) -> Iterator[Refusal]:
    rows = {row["kind"]: row for row in result.findings.to_pylist()}
    if result.too_much:
        told = ", ".join(
            f"{kind} {rows[kind]['rows']:,} rows ({rows[kind]['share']:.2%}, "
            f"limit {rows[kind]['limit']:.2%})"
            for kind in result.too_much
        )
        look = f"asrdq sql \"FROM leaks WHERE run_id = '{result.run_id}'\""
        yield Refusal("leaks", f"{asked.validation} shares with {asked.train}: {told}", look)
    if result.undecided:
        told = "; ".join(f"{kind}: {rows[kind]['detail']}" for kind in result.undecided)
        again = f"asrdq leaks {asked.train} {asked.validation}"
        yield Refusal("leaks_unknown", f"not all could be compared: {told}", again)


def _with_hashes(asked: Asked, audio: AudioFiles, cleared: tuple[Cleared, ...]) -> AudioFiles:
    """Return the audio with the hashes that the audits behind the verdicts found."""
    known: dict[str, str] = {}
    for one in cleared:
        if one.result is not None:
            clips = one.result.evidence.clips
            known |= audited_hashes(asked.workspace, one.manifest, clips)
    return replace(audio, known=known)
