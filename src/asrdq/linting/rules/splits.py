"""Rules about what training and validation share."""

from __future__ import annotations

from collections.abc import Iterator

from asrdq.leakage.findings import State
from asrdq.linting.case import Case
from asrdq.linting.registry import MANIFEST, VALIDATION, Found, rule
from asrdq.planning.findings import Level

_COMMAND = "asrdq split makes sides that share nothing; asrdq leaks lists the rows"


@rule(
    "split-leak",
    Level.ERROR,
    reason="What stands on both sides is learnt by heart: validation gets better and the model "
    "does not.",
    mend=_COMMAND,
    needs=(
        MANIFEST,
        VALIDATION,
    ),
)
def split_leak(case: Case) -> Iterator[Found]:
    """Tell the same audio, overlapping segments, transcripts and texts on both sides."""
    for row, told in _leaks(case):
        if row["state"] == State.TOO_MUCH:
            yield Found(told)


@rule(
    "split-speaker",
    Level.WARNING,
    reason="Speakers on both sides make validation easier than the world is.",
    mend=_COMMAND,
    needs=(
        MANIFEST,
        VALIDATION,
    ),
)
def split_speaker(case: Case) -> Iterator[Found]:
    """Tell speakers on both sides."""
    for row, told in _leaks(case):
        if row["state"] == State.FOUND:
            yield Found(told)


def _leaks(case: Case) -> Iterator[tuple[dict[str, object], str]]:
    if case.leaks is None:
        return
    for row in case.leaks.findings.to_pylist():
        told = (
            f"{row['kind']}: {row['rows']:,} rows of {case.leaks.evaluation} ({row['share']:.1%})"
        )
        yield row, f"{told} are in {case.leaks.train} too"
