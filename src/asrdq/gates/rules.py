"""The rules of the gate by name, and which of them a waiver can set aside."""

from __future__ import annotations

import re

RULES = {
    "empty_manifest": "the manifest has rows",
    "no_audit": "the manifest was audited",
    "unfinished_audit": "its audit came to an end",
    "stale_audit": "the audit is of exactly this content",
    "changed_strata": "the strata are those that the sample was drawn from",
    "missing_table": "every table of the audit is there",
    "broken_table": "every table of the audit has its columns",
    "empty_table": "every table of the audit has rows",
    "contradiction": "the tables of the audit do not contradict each other",
    "missing_audio": "the audio that was audited is there to be compared",
    "changed_audio": "the audio is what was audited",
    "stratum_without_clip": "a clip of every stratum was audited",
    "too_weak": "the instrument can judge every stratum",
    "too_few": "there are enough clips to calibrate on",
    "unproven": "the instrument was proven on this data",
    "low_recall": "the audit finds enough of each planted fault",
    "instrument_failed": "the instrument judged enough of the clips",
    "no_rate": "the deciding rate is defined",
    "straddles": "the interval of the deciding rate lies on one side of each limit",
    "rate": "the deciding rate is not above the limit of the policy",
}
"""What each rule about the audit demands; its name is the code of the finding that tells a breach.

The other rules come from the policy, and are called by what it names: `suite:asr_manifest`."""

WAIVABLE = frozenset(
    {
        *("stratum_without_clip", "too_weak", "too_few", "unproven", "low_recall"),
        *("instrument_failed", "straddles", "rate"),
    }
)
"""Rules about how good data or instrument are.

The others say that there is no evidence about this content, or none that can be believed: nobody
can take that on himself.
"""

FAMILIES = {
    "suite": "suite:NAME",
    "leaks": "leaks:MANIFEST",
    "score": "score:MANIFEST:HYPS:METRIC",
    "change": "change:MANIFEST:BASELINE..HYPS:METRIC",
    "amount": "amount:KEY",
    "criteria": "criteria",
    "age": "age:RULE",
}
"""Rules that come from a policy, with the form of their names.

All of them can be waived where there is evidence and it speaks against the data; where there is
none, the waiver is not used."""


def is_waivable(rule: str) -> bool:
    """Return whether a name is one of a rule that a waiver can set aside.

    >>> [is_waivable(rule) for rule in ("rate", "suite:own", "criteria", "no_audit", "suite:")]
    [True, True, True, False, False]
    """
    family, _, rest = rule.partition(":")
    needs_more = FAMILIES.get(family) != family
    return rule in WAIVABLE or (family in FAMILIES and needs_more == bool(re.search(r"\S", rest)))
