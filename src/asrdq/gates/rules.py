"""The rules of the gate by name, and which of them a waiver can set aside."""

from __future__ import annotations

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
"""What each rule demands. Its name is the code of the finding that tells a breach of it."""

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
