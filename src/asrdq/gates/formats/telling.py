"""A decision in sentences, the same for the screen, a notebook and Markdown."""

from __future__ import annotations

from collections.abc import Iterator

from asrdq.gates.decision import Decision
from asrdq.gates.measures import Measures


def sentences(decision: Decision) -> list[str]:
    """Return why it was decided so, what is worth knowing, and the figures; a line each."""
    told = [reason.message for reason in decision.reasons]
    told += [f"waived: {waived}" for waived in decision.waived]
    told += [f"note: {note.message}" for note in decision.notes]
    told += [f"risk: stratum {name}" for name in decision.risks]
    if decision.measures is not None:
        told += _figures(decision.measures)
    return told


def _figures(measures: Measures) -> Iterator[str]:
    for name in ("population", "sample", "corrected"):
        rate = measures.rate(name)
        why = f" ({rate.reason})" if rate.value is None else ""
        yield f"{name} rate {rate}{why}"
    if measures.population_rate.value is None and measures.judged:
        yield f"rate of the strata that could be judged {measures.judged_strata_rate}"
    spread = ", ".join(
        f"{name} {value:.3f}" for name, value in measures.coverage.items() if value is not None
    )
    yield f"coverage {spread or 'unknown'}"
    yield (
        f"{measures.low:,} of {measures.judged:,} judged clips are of low quality, "
        f"{measures.length_mismatches:,} of a length that does not fit; "
        f"{measures.durations_differ:,} have another duration than the manifest states; "
        f"{measures.audited - measures.judged:,} could not be judged"
    )
