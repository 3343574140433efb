"""Where the model is worse, and what was not measured."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from asrdq.cards.measured import Standing
from asrdq.cards.wording import with_interval
from asrdq.handoff.readme import inline

if TYPE_CHECKING:
    from asrdq.cards.evidence import Evidence
    from asrdq.cards.measured import Compared, Measured


def limits(evidence: Evidence, license: str | None) -> list[str]:
    """Return a sentence for each limit that the tables show, and for each that they cannot."""
    found: list[str] = []
    for one in evidence.measured:
        if one.compared is not None and one.standing is not Standing.TRAINED_ON:
            found += _worse(one.compared)
        found += _not_measured(one)
    if not evidence.measured:
        found.append("No error rate was measured with these weights.")
    elif not evidence.of(Standing.HELD_OUT, Standing.PARTLY):
        found.append("No rate of rows that are known to be held out was measured.")
    if evidence.handoff is not None and evidence.handoff["validation_verdict"] is None:
        found.append("The gate was not asked about the validation data.")
    if not evidence.languages:
        found.append("The language of the training rows is not known.")
    if license is None:
        found.append("No licence was named.")
    return list(dict.fromkeys(found))


def _worse(one: Compared) -> Iterator[str]:
    """Give the groups whose rate rose; whether chance could have done it is said."""
    for row in one.groups:
        if row["change"] <= 0 or not row["by"]:
            continue
        known = row["low"] is not None and row["low"] > 0
        told = "worse" if known else "perhaps worse: chance could have done it"
        change = with_interval(row["change"], row["low"], row["high"], signed=True)
        yield (
            f"{inline(row['by'])}: {inline(row['group'])} on {inline(one.row['manifest'])} is "
            f"{told}: {row['metric'].upper()} {change} points, {row['rows']:,} rows."
        )


def _not_measured(one: Measured) -> Iterator[str]:
    name = inline(one.manifest)
    if one.standing is Standing.TRAINED_ON:
        return
    if one.judged is None:
        yield f"Whether the references of {name} fit their audio was not judged by the gate."
    if one.compared is None:
        yield f"On {name} it was compared with no model before."
        return
    plan = one.compared.plan
    if not plan["guards"] and not plan["guard_each"]:
        yield f"On {name} no guard set was named: what it forgot is not judged."
    if one.compared.row["go"] is None:
        yield f"On {name} no success criteria were asked."
    if not any(row["grouped_by"] for row in one.rates):
        yield f"On {name} no groups were scored."
