"""Scores: a rate against a limit, and its change since a baseline, by their intervals."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from asrdq.console import silent
from asrdq.gates.demands.judged import Answer, Asked, Demand, NoEvidenceError, Standing
from asrdq.gates.demands.scorings import scored_rate, standing_scoring
from asrdq.rounds.change import Change
from asrdq.rounds.material import read_material
from asrdq.rounds.plan import ComparePlan
from asrdq.rounds.scored import Round

if TYPE_CHECKING:
    from asrdq.gates.policy_sections import ScoreRules
    from asrdq.scoring.scorings import Scoring
    from asrdq.workspace import Workspace


def demands(asked: Asked) -> Iterator[Demand]:
    """Give what a policy demands of each rate, and of its change."""
    for rules in asked.policy.scores:
        by = f" --by {'+'.join(rules.where)}" if rules.where else ""
        again = f"asrdq score {rules.manifest} --hyps {rules.hyps}{by}"
        if rules.maximum is not None or rules.minimum is not None:
            limit = rules.maximum if rules.minimum is None else rules.minimum
            side = "at most" if rules.minimum is None else "at least"
            yield Demand(
                f"score:{rules.name}",
                f"{_about(rules)} is {side} the limit",
                f"{side} {limit:g}",
                again,
                partial(_rate, asked, rules),
            )
        if rules.baseline is not None:
            limits = {
                "": rules.maximum_increase,
                " of the baseline's": rules.maximum_relative_increase,
            }
            told = [f"{most:+g}{unit}" for unit, most in limits.items() if most is not None]
            yield Demand(
                f"change:{rules.pair_name}",
                f"{_about(rules)} is no further above that of {rules.baseline} than this",
                f"at most {' and '.join(told)}",
                again,
                partial(_change, asked, rules),
            )


def _about(rules: ScoreRules) -> str:
    group = "".join(f", {name}={value}" for name, value in rules.where.items())
    return f"{rules.metric} of {rules.hyps} on {rules.manifest}{group}"


def _rate(asked: Asked, rules: ScoreRules) -> Answer:
    found = standing_scoring(asked, rules.manifest, rules.hyps, rules.normaliser)
    row = scored_rate(asked.workspace, found, rules.metric, dict(rules.where))
    value, sure = row["rate"], rules.confidence is not None
    low, high = row["low"], row["high"]
    if rules.minimum is None:
        standing = held(value, low, high, rules.maximum or 0.0, sure)
    else:
        standing = held(-value, _minus(high), _minus(low), -rules.minimum, sure)
    told = f"{value:.4g} {_interval(low, high)}"
    return Answer(standing, f"{_about(rules)} is {told}", told, found.sources, _hint(standing))


def _change(asked: Asked, rules: ScoreRules) -> Answer:
    assert rules.baseline is not None  # the policy was read with one
    workspace = asked.workspace
    before = standing_scoring(asked, rules.manifest, rules.baseline, rules.normaliser)
    after = standing_scoring(asked, rules.manifest, rules.hyps, rules.normaliser)
    older, newer, sources = before.scoring, after.scoring, (*before.sources, *after.sources)
    if older.normaliser_hash != newer.normaliser_hash:
        raise NoEvidenceError(
            f"{older} and {newer} have another normaliser",
            sources,
            f"asrdq score {rules.manifest} --hyps {rules.baseline} --normaliser {newer.normaliser}",
        )
    found = _compared(workspace, older, newer, rules)
    if found.change is None:
        raise NoEvidenceError(f"{found}", sources)
    sure = rules.confidence is not None
    standings, told = [], []
    if rules.maximum_increase is not None:
        most = rules.maximum_increase
        standings.append(held(found.change, found.low, found.high, most, sure))
        told.append(f"{found.change:+.4f} {_interval(found.low, found.high)}")
    if rules.maximum_relative_increase is not None:
        most, limits = rules.maximum_relative_increase, (found.relative_low, found.relative_high)
        standings.append(held(found.relative, *limits, most, sure))
        relative = "undefined" if found.relative is None else f"{found.relative:+.2%}"
        told.append(f"{relative} {_interval(*limits)}")
    standing = max(standings, key=_WORST.index)
    value = ", ".join(told)
    message = f"{_about(rules)} changed by {value} since {rules.baseline}"
    return Answer(standing, message, value, sources, _hint(standing))


_WORST = (Standing.HOLDS, Standing.OPEN, Standing.BREACHED)


def _compared(workspace: Workspace, older: Scoring, newer: Scoring, rules: ScoreRules) -> Change:
    scope = {column: (value,) for column, value in rules.where.items()}
    seed = workspace.settings.sampling.seed
    plan = ComparePlan(metric=rules.metric, target=scope, seed=seed)
    material = read_material(
        workspace, as_round(workspace, older), as_round(workspace, newer), plan, silent
    )
    return material.evaluation(material.changes(plan)).change(rules.metric, scope)


def as_round(workspace: Workspace, scoring: Scoring) -> Round:
    """Return a scoring as comparisons take it."""
    return Round(scoring, workspace.manifest(scoring.manifest))


def held(
    value: float | None, low: float | None, high: float | None, most: float, sure: bool
) -> Standing:
    """Return how a value stands to the largest one allowed, which is allowed itself.

    Args:
        value: The value; None is not known.
        low: Lower limit of its interval; None where there is none.
        high: Upper limit.
        most: The largest value allowed.
        sure: Whether the whole interval has to lie on one side.

    >>> [str(held(0.1, 0.05, 0.15, most, True)) for most in (0.04, 0.05, 0.14, 0.15)]
    ['breached', 'open', 'open', 'holds']
    """
    if value is None or math.isnan(value):
        return Standing.OPEN
    if not sure:
        return Standing.HOLDS if value <= most else Standing.BREACHED
    if low is None or high is None or math.isnan(high - low):
        return Standing.OPEN
    if high <= most:
        return Standing.HOLDS
    return Standing.BREACHED if low > most else Standing.OPEN


def _minus(value: float | None) -> float | None:
    return None if value is None else -value


def _interval(low: float | None, high: float | None) -> str:
    if low is None or high is None or math.isnan(high - low):
        return "(no interval)"
    return f"[{low:.4g}, {high:.4g}]"


def _hint(standing: Standing) -> str | None:
    if standing is Standing.OPEN:
        return "more utterances or speakers, or `confidence: null` for the bare rate"
    return None if standing is Standing.HOLDS else "another model or round; or another limit"
