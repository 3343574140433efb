"""Plan a training run on 5 M rows: filters, steps, memory, time, cost.

    python benchmarks/plan.py [ROWS]

The ratio is seconds ÷ 20. The time includes opening the workspace and reading the recipe; the
recipe mixes groups by temperature and counts long clips for more, so that the table is read twice.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

from sampling import make_workspace

from asrdq.planning import plan_training
from asrdq.workspace import Workspace

ROWS = 5_000_000
RUNS = 3
LIMIT_S = 20.0


def planned_s(folder: Path, rows: int) -> float:
    """Return the seconds of one plan."""
    started = time.perf_counter()
    workspace = Workspace.open(folder)
    plan = plan_training(workspace, workspace.manifest("train"), "canary-finetune", "4xB200")
    seconds = time.perf_counter() - started
    assert plan.kept.rows + sum(part.rows for part in plan.kept.dropped) == rows
    return seconds


def main() -> None:
    """Measure, and print one line of JSON."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    with tempfile.TemporaryDirectory() as folder:
        make_workspace(Path(folder), rows)
        times = [planned_s(Path(folder), rows) for _ in range(RUNS)]
    seconds = statistics.median(times)
    print(json.dumps({"rows": rows, "seconds": round(seconds, 3), "ratio": seconds / LIMIT_S}))


if __name__ == "__main__":
    main()
