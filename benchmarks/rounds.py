"""Comparing two rounds: coverage of the intervals, and the time on a million utterances.

    python benchmarks/rounds.py [--against coverage|limit] [--rows N] [--seed N]

`coverage` simulates pairs of rounds whose true change is known, 4,000 of each design, and prints
on stderr how often the 95 % interval holds the truth; the ratio is the worst coverage to 0.93, and
`outside` names designs with enough differing errors that leave 0.93 to 0.97. `limit` runs
`asrdq compare` on two scored rounds of a million utterances by two columns, and holds its time
against 15 s.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from ingest import WITHOUT_PANDAS
from memory import Measure, measure
from score import prepare

from asrdq.hypotheses import HYPOTHESES, TABLE
from asrdq.rounds.simulation import Coverage, Design, simulate
from asrdq.workspace import Workspace

SIMULATED = 4_000
FLOOR, CEILING = 0.93, 0.97
ROWS, LIMIT_S = 1_000_000, 15.0

DESIGNS = (
    Design("5 speakers", 5, 20),
    Design("10 speakers", 10, 20),
    Design("20 speakers", 20, 20),
    Design("60 speakers", 60, 20),
    Design("300 speakers", 300, 20),
    Design("30 unlike speakers", 30, 20, unlike=1.0),
    Design("39 rows", 39),
    Design("100 rows", 100),
    Design("1,000 rows", 1_000),
    Design("2,000 rows", 2_000),
    Design("100 terms", 100, 1, 1, 0.3, 0.2),
    Design("1,000 rare errors", 1_000, 1, 1, 0.05, 0.045, agreement=0.95),
)
SPARSE = (
    Design("2 speakers", 2, 20),
    Design("25 rare errors", 25, 1, 1, 0.05, 0.03, agreement=0.9),
    Design("39 terms", 39, 1, 1, 0.5, 0.13),
    Design("equal rounds", 100, 1, 12, 0.1, 0.1, agreement=1.0),
)


def coverage(seed: int) -> dict[str, object]:
    """Simulate every design."""
    found = [simulate(design, rounds=SIMULATED, seed=seed) for design in (*DESIGNS, *SPARSE)]
    for each in found:
        show(each)
    outside = [
        f"{each.design.name} {each.coverage:.4f}"
        for each in found
        if each.coverage < FLOOR or (each.design in DESIGNS and each.coverage > CEILING)
    ]
    worst = min(each.coverage for each in found)
    ratio = round(worst / FLOOR, 4) if not outside else 0.0
    return {"ratio": ratio, "worst": worst, "outside": outside, "rounds": SIMULATED, "seed": seed}


def show(found: Coverage) -> None:
    """Print one line."""
    name, share, width = found.design.name, 100 * found.coverage, 100 * found.width
    print(f"{name:20} {share:6.2f} %  width {width:6.2f} points", file=sys.stderr)


def against_limit(rows: int) -> dict[str, object]:
    """Score two rounds and compare them with the real commands."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder, rows)
        better_round(folder)
        for hyps in ("r1", "r2"):
            run(folder, "score", "eval", "--hyps", hyps)
        took = run(folder, "compare", "r1", "r2", "--metric", "wer", "--by", "domain,noise")
        verdict = json.loads((folder / "output.txt").read_text())["decision"]["verdict"]
    if verdict != "KEEP":
        raise SystemExit(f"the better round is {verdict}")
    return {
        "ratio": round(took.seconds / LIMIT_S, 3),
        "rows": rows,
        "seconds": round(took.seconds, 2),
        "peak_mb": round(took.peak_mb),
    }


def better_round(folder: Path) -> None:
    """Add round r2: every third utterance is right, the others are as in r1."""
    store = Workspace.open(folder / "workspace").store
    pairs = pq.read_table(folder / "pairs.parquet")
    third = pa.array(np.arange(pairs.num_rows) % 3 == 0)
    known = {"hyps": "r2", "manifest": "eval", "run_id": "made-up", "utt_id": pairs["utt_id"]}
    known["hypothesis"] = pc.if_else(third, pairs["reference"], pairs["hypothesis"])
    columns = []
    for field in HYPOTHESES:
        value = known.get(field.name)
        whole = isinstance(value, pa.ChunkedArray)
        columns.append(value if whole else pa.repeat(pa.scalar(value, field.type), len(pairs)))
    store.append(TABLE, pa.Table.from_arrays(columns, schema=HYPOTHESES))


def run(folder: Path, *arguments: str) -> Measure:
    """Run a command of asrdq on the workspace and return what it took."""
    where = ["--format", "json", "-w", str(folder / "workspace")]
    return measure([sys.executable, "-c", WITHOUT_PANDAS, *arguments, *where], folder)


def main() -> None:
    """Print the figures of one comparison as a line of JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--against", choices=["coverage", "limit"], default="coverage")
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    covered = given.against == "coverage"
    print(json.dumps(coverage(given.seed) if covered else against_limit(given.rows)))


if __name__ == "__main__":
    main()
