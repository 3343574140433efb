"""How long a process took, and how much processor time and memory.

    python benchmarks/memory.py REPORT COMMAND…

runs a command and writes its wall time and processor time in seconds and its peak memory in MB to
the file REPORT, as JSON. It stands between a benchmark and what that measures: Linux counts for a
process the largest memory of the one that started it too, and this one is small.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path


def peak_gb() -> float:
    """Return the largest memory of this process since it was started (Linux)."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    [line] = [line for line in status.splitlines() if line.startswith("VmHWM")]
    return round(int(line.split()[1]) / 1e6, 2)


@dataclass(frozen=True)
class Measure:
    """What one process took: wall time, processor time of all its threads, peak memory."""

    seconds: float
    cpu_s: float
    peak_mb: float


def measure(command: list[str], folder: Path, env: dict[str, str] | None = None) -> Measure:
    """Run a command in a folder; what it writes is in `output.txt` and `errors.txt` there.

    Raises:
        SystemExit: The command failed.
    """
    report = folder / "report.json"
    between = [sys.executable, __file__, str(report)]
    with (folder / "output.txt").open("wb") as output, (folder / "errors.txt").open("wb") as errors:
        done = subprocess.run(
            [*between, *command], cwd=folder, env=env, stdout=output, stderr=errors, check=False
        )
    if done.returncode:
        raise SystemExit((folder / "errors.txt").read_text())
    return Measure(**json.loads(report.read_text()))


def best(runs: list[Measure]) -> Measure:
    """Return the shortest times and the highest peak."""
    return Measure(
        min(run.seconds for run in runs),
        min(run.cpu_s for run in runs),
        max(run.peak_mb for run in runs),
    )


def main(report: Path, command: list[str]) -> int:
    """Run the command, write the report and return the exit code of the command."""
    started = time.perf_counter()
    code = subprocess.run(command, check=False).returncode
    seconds = time.perf_counter() - started
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    measured = {
        "seconds": seconds,
        "cpu_s": used.ru_utime + used.ru_stime,
        "peak_mb": used.ru_maxrss / 1024,
    }
    report.write_text(json.dumps(measured), encoding="ascii")
    return code


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
