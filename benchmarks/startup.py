"""How long `asrdq --help` takes, against 0.3 s and against a bare interpreter."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time

BUDGET_S = 0.3
RUNS = 9


def seconds(command: list[str]) -> float:
    """Return the median wall time of a command."""
    times = []
    for _ in range(RUNS):
        started = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def main() -> None:
    """Print the ratio to the budget."""
    help_s = seconds([sys.executable, "-m", "asrdq", "--help"])
    bare_s = seconds([sys.executable, "-c", "pass"])
    figures = {
        "ratio": round(help_s / BUDGET_S, 3),
        "help_s": round(help_s, 3),
        "bare_python_s": round(bare_s, 3),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
