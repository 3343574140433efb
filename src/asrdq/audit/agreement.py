"""Two instruments on the same clips: do they place the words alike, do they judge alike?"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from asrdq.audit.judgement import Judgement
from asrdq.audit.tables import AGREEMENTS, INSTRUMENT_AGREEMENT
from asrdq.audit.trials import Trials

Differences = npt.NDArray[np.float64]


def agreement_tables(
    trials: Trials,
    judgement: Judgement,
    second: Trials,
    second_judgement: Judgement,
    *,
    run_id: str,
    aligners: tuple[str, str],
) -> tuple[pa.Table, pa.Table]:
    """Compare two audits of the same clips.

    Args:
        trials: What the first instrument examined.
        judgement: What it says.
        second: What the second instrument examined: the same clips in the same order.
        second_judgement: What it says.
        run_id: Of the audit.
        aligners: Name and version of both.

    Returns:
        A row a clip (schema `AGREEMENTS`), and a row a stratum and one for all (schema
        `INSTRUMENT_AGREEMENT`).
    """
    ours, theirs = np.flatnonzero(trials.untouched), np.flatnonzero(second.untouched)
    spans, others = trials.table["spans"], second.table["spans"]
    rows: list[dict[str, Any]] = []
    apart: list[Differences] = []
    for mine, other in zip(ours.tolist(), theirs.tolist(), strict=True):
        assert trials.utt_ids[mine] == second.utt_ids[other]
        found = boundary_differences_ms(spans[mine].as_py(), others[other].as_py())
        apart.append(found)
        rows.append(
            {
                "run_id": run_id,
                "utt_id": str(trials.utt_ids[mine]),
                "stratum": str(trials.strata[mine]),
                "words_both": len(found) // 2,
                **_spread(found),
                **_verdicts(judgement, mine, second_judgement, other),
            }
        )
    strata: list[str | None] = [*sorted({row["stratum"] for row in rows}), None]
    figures = [
        {
            "run_id": run_id,
            "aligner": aligners[0],
            "second_aligner": aligners[1],
            **_stratum_row(stratum, rows, apart),
        }
        for stratum in strata
    ]
    return (
        pa.Table.from_pylist(rows, schema=AGREEMENTS),
        pa.Table.from_pylist(figures, schema=INSTRUMENT_AGREEMENT),
    )


def boundary_differences_ms(
    spans: list[dict[str, Any]], others: list[dict[str, Any]]
) -> Differences:
    """Return how far apart two instruments put the starts and ends of the words both placed, (2n,).

    Words are compared by their place in the text. A word without length, which an aligner left
    out, was not placed; nor was one in an implausible place.
    """
    if len(spans) != len(others):
        return np.empty(0)
    pairs = [
        (one, other)
        for one, other in zip(spans, others, strict=True)
        if one["plausible"] and other["plausible"]
    ]
    edges = [abs(one[edge] - other[edge]) for one, other in pairs for edge in ("start_s", "end_s")]
    return 1000.0 * np.array(edges, dtype=np.float64)


def cohens_kappa(both_low: int, first_only: int, second_only: int, neither: int) -> float | None:
    """Return agreement beyond chance (Cohen 1960); None where chance alone would agree always.

    >>> round(cohens_kappa(20, 5, 10, 15), 3)
    0.4
    """
    n = both_low + first_only + second_only + neither
    if not n:
        return None
    first, second = both_low + first_only, both_low + second_only
    chance = (first * second + (n - first) * (n - second)) / n**2
    if chance == 1.0:
        return None
    return ((both_low + neither) / n - chance) / (1.0 - chance)


def _verdicts(first: Judgement, row: int, second: Judgement, second_row: int) -> dict[str, Any]:
    """Return what both say of a clip, and whether they agree; None where one did not judge it."""
    verdict, second_verdict = _verdict(first, row), _verdict(second, second_row)
    both = verdict is not None and second_verdict is not None
    return {
        "low_quality": verdict,
        "second_low_quality": second_verdict,
        "agree": verdict == second_verdict if both else None,
        "reasons": _reasons(first, row),
        "second_reasons": _reasons(second, second_row),
        "instrument": str(first.instrument[row]),
        "second_instrument": str(second.instrument[second_row]),
    }


def _verdict(judgement: Judgement, row: int) -> bool | None:
    return bool(judgement.low_quality[row]) if judgement.judged[row] else None


def _reasons(judgement: Judgement, row: int) -> list[str]:
    return [reason.value for reason, flags in judgement.rules.items() if flags[row]]


def _spread(differences: Differences) -> dict[str, float | None]:
    if not len(differences):
        return {"median_ms": None, "p90_ms": None}
    median, p90 = np.quantile(differences, [0.5, 0.9])
    return {"median_ms": float(median), "p90_ms": float(p90)}


def _stratum_row(
    stratum: str | None, rows: list[dict[str, Any]], apart: list[Differences]
) -> dict[str, Any]:
    """Return the figures of a stratum, or of all clips for None.

    Args:
        stratum: Which.
        rows: Rows of all clips.
        apart: Boundary differences of all clips, in the same order.
    """
    inside = [stratum is None or row["stratum"] == stratum for row in rows]
    chosen = [row for row, keep in zip(rows, inside, strict=True) if keep]
    parts = [part for part, keep in zip(apart, inside, strict=True) if keep]
    differences = np.concatenate(parts) if parts else np.empty(0)
    return {"stratum": stratum, **_figures(chosen, differences)}


def _figures(rows: list[dict[str, Any]], differences: Differences) -> dict[str, Any]:
    def count(first: bool, second: bool) -> int:
        return sum(
            row["low_quality"] is first and row["second_low_quality"] is second for row in rows
        )

    table = (count(True, True), count(True, False), count(False, True), count(False, False))
    names = ("both_low", "first_only", "second_only", "neither_low")
    return {
        "clips": len(rows),
        "words_both": len(differences) // 2,
        **_spread(differences),
        **dict(zip(names, table, strict=True)),
        "not_judged": len(rows) - sum(table),
        "kappa": cohens_kappa(*table),
    }
