"""Success criteria of a round, evaluated as `asrdq compare` does."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from asrdq.console import silent
from asrdq.gates.demands.judged import Answer, Asked, Demand, Standing
from asrdq.gates.demands.scores import as_round
from asrdq.gates.demands.scorings import standing_scoring
from asrdq.rounds.criteria import Go, Level, Measured, read_criteria
from asrdq.rounds.material import read_material
from asrdq.rounds.measuring import hold_criteria
from asrdq.rounds.plan import ComparePlan

if TYPE_CHECKING:
    from asrdq.gates.policy_sections import CriteriaRules

_STANDINGS = {
    Go.GO: Standing.HOLDS,
    Go.NO_GO: Standing.BREACHED,
    Go.UNDECIDED: Standing.UNKNOWN,
}


def demands(asked: Asked) -> Iterator[Demand]:
    """Give the demand that a round meets its criteria."""
    rules = asked.policy.criteria
    if rules is None:
        return
    again = " && ".join(
        f"asrdq score {rules.manifest} --hyps {name}" for name in (rules.before, rules.after)
    )
    yield Demand(
        "criteria",
        f"{rules.after} meets every `must` of {rules.file}",
        "every must",
        again,
        partial(_look, asked, rules),
    )


def _look(asked: Asked, rules: CriteriaRules) -> Answer:
    workspace = asked.workspace
    criteria = read_criteria(workspace.place(rules.file))
    before = standing_scoring(asked, rules.manifest, rules.before)
    after = standing_scoring(asked, rules.manifest, rules.after)
    train = str(asked.manifest) if rules.held_out else None
    seed = workspace.settings.sampling.seed
    plan = ComparePlan(criteria=criteria, train=train, seed=seed)
    older, newer = (as_round(workspace, one.scoring) for one in (before, after))
    material = read_material(workspace, older, newer, plan, silent)
    evaluation = material.evaluation(material.changes(plan))
    outcome = hold_criteria(workspace, criteria, evaluation, train, _low_quality(asked))
    musts = [each for each in outcome.judged if each.level is Level.MUST]
    met = sum(each.met is True for each in musts)
    value = f"{met} of {len(musts)} met"
    missed = [str(each) for each in outcome.judged if each.met is not True]
    return Answer(
        _STANDINGS[outcome.go],
        "; ".join([f"{outcome.go}, {value}", *missed]),
        value,
        (*before.sources, *after.sources),
        f"asrdq compare {rules.before} {rules.after} --manifest {rules.manifest}"
        f" --criteria {workspace.place(rules.file)}",
    )


def _low_quality(asked: Asked) -> Measured:
    """Return the rate that decides this gate, in the place of that of a former one."""
    if asked.measures is None:
        return Measured(None, why="the audit cannot be used")
    rate = asked.measures.rate(asked.policy.audit.rate)
    return Measured(rate.value, why=rate.reason or None)
