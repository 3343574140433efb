"""Draw 10 % of 48 strata from 5 M rows: asrdq against pandas `groupby.sample`.

Both start from the same Parquet table on disk and end with the sampled rows. pandas is timed
twice: as it is usually written (read the table, group, sample), which is the ratio, and with the
three needed columns named by hand, which is `ratio_same_columns`. asrdq's time includes opening
the workspace, counting the strata and the allocation.
"""

from __future__ import annotations

import gc
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
from made_up import write_manifest

from asrdq.sampling import SamplingPlan
from asrdq.sampling.draw import draw
from asrdq.workspace import Workspace

ROWS = 5_000_000
RUNS = 3
FRACTION = 0.1

_MADE_UP = """
    SELECT 'utt-' || md5(i::VARCHAR)[:16] AS utt_id, 'audio/' || i || '.flac' AS audio_path,
        'the transcript of clip number ' || i AS text, 1 + (hash(i) % 15000) / 1000 AS duration_s,
        NULL::DOUBLE AS offset_s, 'en' AS language, 'speaker-' || (i % 997) AS speaker,
        'domain-' || (hash(i, 7) % 12) AS domain, 'noise-' || (hash(i, 9) % 4) AS noise
    FROM range($rows) t(i)
"""


def make_workspace(folder: Path, rows: int) -> Workspace:
    """Return a workspace with a manifest `train` of made-up rows."""
    Workspace.init(folder)
    workspace = Workspace.open(folder)
    reader = duckdb.sql(_MADE_UP, params={"rows": rows}).to_arrow_reader()
    write_manifest(workspace, "train", reader, rows)
    return workspace


def ours(folder: Path) -> pa.Table:
    """Draw with asrdq."""
    workspace = Workspace.open(folder)
    plan = SamplingPlan(["domain", "noise"], fraction=FRACTION)
    _, clips = draw(workspace, workspace.manifest("train"), plan)
    return clips


def theirs(files: list[str], columns: list[str] | None = None) -> pd.DataFrame:
    """Draw with pandas."""
    parts = [pd.read_parquet(file, columns=columns) for file in files]
    table = parts[0] if len(parts) == 1 else pd.concat(parts, ignore_index=True)
    strata = table.groupby(["domain", "noise"])
    drawn = strata.sample(frac=FRACTION, random_state=42)
    drawn["inclusion_probability"] = FRACTION
    return drawn


def seconds(work: Callable[[], object]) -> float:
    """Return the median wall time."""
    times = []
    for _ in range(RUNS):
        gc.collect()
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def main(rows: int) -> None:
    """Print the ratio of the times."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "workspace"
        workspace = make_workspace(folder, rows)
        files = workspace.store.files(workspace.store.open("manifests/train"), "manifests/train")
        assert abs(ours(folder).num_rows - len(theirs(files))) <= 48
        ours_s, theirs_s = seconds(lambda: ours(folder)), seconds(lambda: theirs(files))
        narrow_s = seconds(lambda: theirs(files, ["utt_id", "domain", "noise"]))
    figures = {
        "ratio": round(theirs_s / ours_s, 2),
        "ratio_same_columns": round(narrow_s / ours_s, 2),
        "asrdq_s": round(ours_s, 3),
        "pandas_s": round(theirs_s, 3),
        "pandas_same_columns_s": round(narrow_s, 3),
        "rows": rows,
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROWS)
