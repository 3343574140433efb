"""How much memory a process took."""

from __future__ import annotations

from pathlib import Path


def peak_gb() -> float:
    """Return the largest memory of this process since it was started (Linux).

    `ru_maxrss` would count the process that forked this one too.
    """
    status = Path("/proc/self/status").read_text(encoding="ascii")
    [line] = [line for line in status.splitlines() if line.startswith("VmHWM")]
    return round(int(line.split()[1]) / 1e6, 2)
