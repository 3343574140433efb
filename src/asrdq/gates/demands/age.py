"""Freshness: how old the evidence of the other demands is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from functools import partial

from asrdq.gates.demands.judged import Answer, Asked, Demand, Judged, Source, Standing

_DAY = dt.timedelta(days=1)


def demands(asked: Asked, judged: Sequence[Judged]) -> Iterator[Demand]:
    """Give what a policy demands of the age of evidence.

    Args:
        asked: What the gate is asked about.
        judged: The other demands, with the evidence that they were judged on.
    """
    rules = asked.policy.freshness
    audit = _audit(asked)
    for name, days in (("audit", rules.audit_days), ("faults", rules.faults_days)):
        if days is not None:
            again = f"asrdq {name} {asked.manifest.name}"
            sources = audit if name == "audit" or asked.evidence.detections else ()
            yield _demand(name, days, sources, again)
    by_suite = {f"suite:{own.suite}": own.maximum_age_days for own in asked.policy.suites}
    families = {
        "suite": rules.check_days,
        "leaks": rules.leaks_days,
        **dict.fromkeys(("score", "change", "criteria"), rules.scores_days),
    }
    for one in judged:
        limit = by_suite.get(one.rule) or families.get(one.rule.partition(":")[0])
        if limit is not None:
            yield _demand(one.rule, limit, one.answer.sources, one.again)


def _audit(asked: Asked) -> tuple[Source, ...]:
    run = asked.evidence.run
    if run is None:
        return ()
    query = f"SELECT * FROM audits WHERE run_id = '{run['run_id']}'"
    return (Source("audits", query, "audit", run["run_id"], run["ended"]),)


def _demand(name: str, days: float, sources: tuple[Source, ...], again: str) -> Demand:
    text = f"the evidence of {name} is not older than this"
    return Demand(
        f"age:{name}", text, f"at most {days:g} days", again, partial(_look, days, sources)
    )


def _look(days: float, sources: tuple[Source, ...]) -> Answer:
    if not sources:
        return Answer(Standing.NOT_REACHED, "there is no evidence that could be old")
    now = dt.datetime.now(dt.UTC)
    ages = [(now - source.recorded) / _DAY for source in sources if source.recorded is not None]
    if len(ages) < len(sources) or min(ages) < -1:
        message = "its run says no time at which it ended, or one that is to come"
        return Answer(Standing.UNKNOWN, message, None, sources)
    oldest = max(ages)
    value = f"{max(oldest, 0.0):.1f} days"
    standing = Standing.HOLDS if oldest <= days else Standing.OPEN
    return Answer(standing, f"{value} old, at most {days:g}", value, sources)
