"""How long `asrdq ingest` takes, against a bare DuckDB copy of the same JSON lines to Parquet.

    python benchmarks/ingest.py [ROWS]

It runs as `pip install asrdq` leaves it, without pandas: that is here as the peer of another
benchmark, and Arrow would import it (0.2 s).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROUNDS = 3

ROWS_SQL = """
COPY (
    SELECT '/data/corpus/speaker_' || (i % 5000) || '/session_' || (i % 37) || '/utt_'
            || lpad(i::VARCHAR, 8, '0') || '.wav' AS audio_filepath,
        round(1 + (hash(i) % 15000) / 1000, 3) AS duration,
        array_to_string(list_transform(range(12), lambda k:
            ['the', 'patient', 'was', 'given', 'metformin', 'daily', 'for', 'two', 'weeks', 'with',
             'no', 'signs', 'of', 'acute', 'distress', 'today'
            ][(1 + hash(i * 12 + k) % 16)::INTEGER]), ' ') AS text,
        'en' AS lang,
        'spk' || (i % 5000) AS speaker,
        ['clinic', 'phone', 'studio'][(1 + i % 3)::INTEGER] AS domain,
        round((hash(i + 7) % 400) / 10, 1) AS snr,
        i % 7 AS take,
        i % 2 = 0 AS verified
    FROM range({rows}) t(i)
) TO '{file}' (FORMAT json)
"""

COPY = """
import sys, duckdb
duckdb.sql(f"COPY (SELECT * FROM read_json('{sys.argv[1]}')) TO '{sys.argv[2]}'")
"""


WITHOUT_PANDAS = """
import sys
from importlib.abc import MetaPathFinder

class WithoutPandas(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name == "pandas":
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, WithoutPandas())

from asrdq.cli.app import main

main()
"""


@dataclass(frozen=True)
class Measure:
    """What one process took."""

    seconds: float
    peak_mb: float


def measure(command: list[str], folder: Path) -> Measure:
    """Run a command and return its wall time and peak memory."""
    started = time.perf_counter()
    with (folder / "output.txt").open("wb") as output:
        process = subprocess.Popen(command, cwd=folder, stdout=output, stderr=output)
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit((folder / "output.txt").read_text())
    return Measure(time.perf_counter() - started, usage.ru_maxrss / 1024)


def best(runs: list[Measure]) -> Measure:
    """Return the shortest time and the highest peak."""
    return Measure(min(run.seconds for run in runs), max(run.peak_mb for run in runs))


def compare(rows: int, folder: Path) -> dict[str, float]:
    """Run both in turn and return the figures."""
    import duckdb

    file = folder / "rows.jsonl"
    duckdb.sql(ROWS_SQL.format(rows=rows, file=file))
    asrdq = [sys.executable, "-c", WITHOUT_PANDAS]
    bare_runs, ours_runs = [], []
    for round_ in range(ROUNDS):
        bare = [sys.executable, "-c", COPY, str(file), str(folder / "bare.parquet")]
        bare_runs.append(measure(bare, folder))
        workspace = folder / f"workspace-{round_}"
        measure([*asrdq, "init", str(workspace)], folder)
        ours = [*asrdq, "ingest", str(file), "--name", "train", "--workspace", str(workspace)]
        ours_runs.append(measure(ours, folder))
    bare_best, ours_best = best(bare_runs), best(ours_runs)
    return {
        "ratio": round(ours_best.seconds / bare_best.seconds, 3),
        "rows": rows,
        "file_mb": round(file.stat().st_size / 1e6),
        "ingest_s": round(ours_best.seconds, 2),
        "bare_copy_s": round(bare_best.seconds, 2),
        "ingest_peak_mb": round(ours_best.peak_mb),
        "bare_copy_peak_mb": round(bare_best.peak_mb),
    }


def main() -> None:
    """Print the ratio of the times; fail where memory goes above 2 GB."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000_000
    with tempfile.TemporaryDirectory() as folder:
        figures = compare(rows, Path(folder))
    print(json.dumps(figures))
    if figures["ingest_peak_mb"] > 2000:
        raise SystemExit("peak memory is above 2 GB")


if __name__ == "__main__":
    main()
