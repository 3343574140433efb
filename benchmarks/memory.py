"""How long a process took, and how much memory.

    python benchmarks/memory.py REPORT COMMAND…

runs a command and writes its wall time in seconds and its peak memory in MB to the file REPORT, as
JSON. It stands between a benchmark and what that measures: Linux counts for a process the largest
memory of the one that started it too, and this one is small.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from pathlib import Path


def peak_gb() -> float:
    """Return the largest memory of this process since it was started (Linux)."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    [line] = [line for line in status.splitlines() if line.startswith("VmHWM")]
    return round(int(line.split()[1]) / 1e6, 2)


def main(report: Path, command: list[str]) -> int:
    """Run the command, write the report and return the exit code of the command."""
    started = time.perf_counter()
    code = subprocess.run(command, check=False).returncode
    seconds = time.perf_counter() - started
    peak_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    report.write_text(json.dumps({"seconds": seconds, "peak_mb": peak_mb}), encoding="ascii")
    return code


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
