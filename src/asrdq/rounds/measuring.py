"""What success criteria are held against."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pyarrow as pa

from asrdq.rounds.criteria import LOW_QUALITY, Criteria, Criterion, Measured, Outcome, evaluate
from asrdq.rounds.evaluation import Evaluation
from asrdq.workspace.store import quote_text

if TYPE_CHECKING:
    from asrdq.rounds.change import Change
    from asrdq.workspace import Workspace

_GATE = pa.schema([("decided", pa.timestamp("us", "UTC")), ("rate", pa.float64())])


def hold_criteria(
    workspace: Workspace,
    criteria: Criteria,
    evaluation: Evaluation,
    train: str | None,
    low_quality: Measured | None = None,
) -> Outcome:
    """Return go or no-go on the held-out rows.

    Args:
        workspace: Where the last gate of the training manifest is.
        criteria: The criteria.
        evaluation: Both rounds.
        train: Name of the training manifest; without it `low_quality` is not known.
        low_quality: The rate of low quality, where it is known better than from the last gate.
    """
    measured = []
    for _, criterion in criteria.lines():
        if criterion.metric == LOW_QUALITY:
            measured.append(low_quality or _low_quality(workspace, train))
        else:
            measured.append(_measured(criterion, evaluation))
    return evaluate(criteria, measured)


def _measured(criterion: Criterion, evaluation: Evaluation) -> Measured:
    if criterion.macro:
        after, change = evaluation.means(criterion.rate, criterion.scope, criterion.macro)
        return Measured(after if criterion.kind == "after" else change)
    if criterion.each:
        return _worst(criterion, evaluation.each(criterion.rate, criterion.scope, criterion.each))
    return _of(criterion, evaluation.change(criterion.rate, criterion.scope))


def _of(criterion: Criterion, found: Change) -> Measured:
    if criterion.kind == "relative":
        return Measured(found.relative, found.relative_low, found.relative_high)
    if criterion.kind == "change":
        return Measured(found.change, found.low, found.high)
    return Measured(found.after)


def _worst(criterion: Criterion, found: Sequence[Change]) -> Measured:
    """Return the group that is farthest from fulfilling a criterion; every one has to be known."""
    each = [_of(criterion, change) for change in found]
    for change, one in zip(found, each, strict=True):
        if one.value is None or (criterion.certain and (one.low is None or one.high is None)):
            return Measured(None, why=f"{change.scope} has {change.rows} rows that could tell")
    smallest_wins = criterion.comparison in ("<", "<=")

    def far(number: int) -> float:
        one = each[number]
        limit = one.high if smallest_wins else one.low
        value = limit if criterion.certain else one.value
        assert value is not None
        return value if smallest_wins else -value

    worst = max(range(len(each)), key=far)
    one = each[worst]
    return Measured(one.value, one.low, one.high, why=found[worst].scope)


def _low_quality(workspace: Workspace, train: str | None) -> Measured:
    """Return the rate that the last gate on the training manifest decided by."""
    if train is None:
        return Measured(None, why="--train names the manifest whose gate is asked")
    name = train.partition("@")[0]
    where = f"manifest = {quote_text(name)}"
    rows = workspace.read("decisions", where, schema=_GATE).sort_by([("decided", "descending")])
    rate = rows["rate"].to_pylist()[0] if rows.num_rows else None
    return Measured(rate, why=None if rate is not None else f"no gate on {name}: asrdq gate {name}")
