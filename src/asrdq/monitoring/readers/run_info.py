"""`training_run_info.json` of `asrdq train`: how long a run is to be, and whether it ended."""

from __future__ import annotations

import json
from pathlib import Path

from asrdq.monitoring.logs import Log, frame

RUN_INFO, RUN_LOG = "training_run_info.json", "metrics.csv"


def read_run_info(path: Path, file: str) -> Log:
    """Read how many steps a run is to have, and whether a process still trains.

    It has no metrics. One that cannot be understood is rejected.

    Raises:
        OSError: The file cannot be read.
    """
    log = Log(file, frame(()))
    try:
        said = json.loads(path.read_bytes())
        state, steps = said["state"], said["total_steps"]
    except (ValueError, KeyError, TypeError) as error:
        log.reject(f"cannot be understood: {type(error).__name__}: {error}")
        return log
    log.ended = state != "running"
    log.max_steps = steps if isinstance(steps, int) and steps > 0 else None
    return log
