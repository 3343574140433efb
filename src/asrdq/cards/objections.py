"""What stands against publishing a model; each has a code and what would mend it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from asrdq.cards.measured import Standing
from asrdq.gates.decision import Verdict as Gate
from asrdq.rounds.criteria import Go
from asrdq.rounds.decision import Verdict

if TYPE_CHECKING:
    from asrdq.cards.evidence import Evidence
    from asrdq.cards.measured import Compared


@dataclass(frozen=True, slots=True)
class Objection:
    """One reason not to publish.

    Attributes:
        code: `not_handed_off`, `gate`, `gate_since`, `not_scored`, `not_held_out`,
            `not_compared`, `no_go`, `not_kept`.
        message: What is wrong.
        mend: The command that mends it, or the first step to it.
    """

    code: str
    message: str
    mend: str

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


def objections(evidence: Evidence) -> tuple[Objection, ...]:
    """Return everything that stands against publishing; nothing where all is green.

    Green is: a verdict of PROCEED on the training content, or CAUTION that a person has signed,
    then and now; scores on rows that were held out; and a comparison that says GO, or KEEP where
    no criteria were asked.
    """
    return (*_of_gate(evidence), *_of_scores(evidence), *_of_rounds(evidence))


def _of_gate(evidence: Evidence) -> Iterator[Objection]:
    train, handoff = evidence.run.train.manifest, evidence.handoff
    ask = f"asrdq gate {train}"
    if handoff is None:
        message = f"this workspace did not hand off the bundle {evidence.run.bundle_id[:12]}"
        yield Objection("not_handed_off", message, "asrdq card … --workspace DIR")
        return
    verdict = handoff["train_verdict"]
    signed = bool(handoff["signed_by"])
    if verdict != Gate.PROCEED and not (verdict == Gate.CAUTION and signed):
        told = ", overridden when it was handed off" if handoff["overridden"] else ""
        yield Objection("gate", f"the gate said {verdict} for {train}{told}", ask)
    if evidence.present is not None and evidence.present != verdict:
        message = f"the gate said {verdict} for {train} then, and says {evidence.present} now"
        yield Objection("gate_since", message, ask)


def _of_scores(evidence: Evidence) -> Iterator[Objection]:
    told = evidence.run.validation.manifest.partition("@")[0]
    if not evidence.measured:
        with_ = f"{evidence.run.backend}:{evidence.model}"
        message = "no hypotheses of these weights were scored"
        yield Objection("not_scored", message, f"asrdq transcribe {told} --with {with_}")
    elif not evidence.of(Standing.HELD_OUT, Standing.PARTLY):
        message = "no evaluation is known to be held out from the training"
        train = evidence.run.train.manifest.partition("@")[0]
        yield Objection("not_held_out", message, f"asrdq compare BEFORE AFTER --train {train}")


def _of_rounds(evidence: Evidence) -> Iterator[Objection]:
    held_out = evidence.of(Standing.HELD_OUT, Standing.PARTLY)
    compared = [one.compared for one in held_out if one.compared is not None]
    if held_out and not compared:
        message = "no comparison with a model before led to it on rows that were held out"
        name = held_out[0].scoring.hyps
        yield Objection("not_compared", message, f"asrdq compare BEFORE {name} --metric wer")
    for one in compared:
        yield from _of_comparison(one)


def _of_comparison(one: Compared) -> Iterator[Objection]:
    row = one.row
    pair = f"{row['before']} → {row['after']} on {row['manifest']}"
    mend = f"asrdq compare {row['before']} {row['after']} --rows broken"
    if row["go"] is not None and row["go"] != Go.GO:
        yield Objection("no_go", f"{row['go']} for {pair}", mend)
    worse = row["verdict"] in (Verdict.OVERFIT, Verdict.UNDECIDED)
    if worse or (row["go"] is None and row["verdict"] != Verdict.KEEP):
        yield Objection("not_kept", f"{row['verdict']} for {pair}", mend)
