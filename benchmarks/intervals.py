"""Coverage of the 95 % interval of the population rate, over 2,000 simulated audits each.

    python benchmarks/intervals.py [SEED]

Prints a table on stderr: for every design and rate, how often our interval and a plain normal
one hold the truth, and how wide they are. The ratio is the worst coverage of ours to 0.93; the
figures name designs with 30 clips or more a stratum whose coverage leaves 0.93 to 0.98.
"""

from __future__ import annotations

import json
import sys

from asrdq.sampling.simulation import Coverage, Design, simulate_audits

AUDITS = 2000
FLOOR, CEILING = 0.93, 0.98
RATES = (0.01, 0.02, 0.05, 0.10, 0.15, 0.20, 0.35, 0.50)
DESIGNS = (
    Design("one of 10", (10,), (100,)),
    Design("one of 30", (30,), (300,)),
    Design("one of 100", (100,), (1_000,)),
    Design("one of 1,000", (1_000,), (10_000,)),
    Design("three of 10", (10, 10, 10), (700, 250, 50)),
    Design("three of 30", (30, 30, 30), (700, 250, 50)),
    Design("guide's shares", (40, 40, 20), (700, 250, 50)),
    Design("guide's audit", (1_000, 1_000, 500), (17_500, 6_250, 1_250)),
    Design("10 to 1,000", (10, 100, 1_000), (5_000, 2_500, 1_500)),
    Design("30 to 1,000", (30, 100, 1_000), (5_000, 2_500, 1_500)),
    Design("two complete", (30, 30, 30), (30, 30, 900)),
    Design("twelve of 30", (30,) * 12, (300,) * 12),
    Design("48 of 10", (10,) * 48, (100,) * 48),
)


def outside(found: Coverage) -> bool:
    """Return whether a coverage is below the floor, or above the ceiling with 30 clips each."""
    small = min(found.design.judged) < 30
    return found.coverage < FLOOR or (not small and found.coverage > CEILING)


def show(found: Coverage, corpus: str) -> None:
    """Print one line of the table."""
    mark = "  <-" if outside(found) else ""
    print(
        f"{found.design.name:16} {corpus:8} {100 * found.rate:4.0f} %  "
        f"ours {100 * found.coverage:5.1f} % width {100 * found.width:5.2f}  "
        f"normal {100 * found.normal_coverage:5.1f} % width {100 * found.normal_width:5.2f}{mark}",
        file=sys.stderr,
    )


def main() -> None:
    """Simulate every design at every rate, with drawn corpora and with one fixed corpus."""
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    found: dict[str, list[Coverage]] = {"drawn": [], "fixed": []}
    for corpus, results in found.items():
        for design in DESIGNS:
            for rate in RATES:
                results.append(
                    simulate_audits(
                        design, rate, audits=AUDITS, seed=seed, fixed_corpus=corpus == "fixed"
                    )
                )
                show(results[-1], corpus)
    drawn = found["drawn"]
    figures = {
        "ratio": round(min(each.coverage for each in drawn) / FLOOR, 4),
        "audits_each": AUDITS,
        "seed": seed,
        "worst": min(each.coverage for each in drawn),
        "outside": [f"{e.design.name} {e.rate:g}" for e in drawn if outside(e)],
        "mean_width": round(sum(e.width for e in drawn) / len(drawn), 4),
        "mean_normal_width": round(sum(e.normal_width for e in drawn) / len(drawn), 4),
        "normal_worst": min(each.normal_coverage for each in drawn),
        "fixed_corpus_worst": min(each.coverage for each in found["fixed"]),
        "fixed_corpus_outside": [
            f"{e.design.name} {e.rate:g} {e.coverage:.4f}" for e in found["fixed"] if outside(e)
        ],
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
