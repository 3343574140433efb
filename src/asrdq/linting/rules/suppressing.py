"""Rules about comments that suppress findings; `asrdq.linting.suppressions` looks at them."""

from __future__ import annotations

from asrdq.linting.registry import reader_rule
from asrdq.planning.findings import Level

reader_rule(
    "suppression-invalid",
    Level.ERROR,
    reason="A suppression without a reason, or of a rule that there is not, answers for nothing.",
    mend="# asrdq: ignore[rule-id] why this is right here",
)
reader_rule(
    "suppression-unused",
    Level.WARNING,
    reason="What it answered for is gone; left there it would hide the next mistake.",
    mend="delete the comment",
)
