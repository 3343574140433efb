"""Split rows by speaker with three strata: asrdq against scikit-learn's GroupShuffleSplit.

    python benchmarks/split.py [ROWS] [--against sklearn|limit]

Both start from the same Parquet table and end with the rows of three sides on disk. The peer, as
it is usually written, reads the table with pandas, splits twice by speaker and writes Parquet; it
has no strata. asrdq runs in a process of its own, whose time is counted from its start and whose
largest memory is told. With `limit` it is held against ten seconds alone.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pandas as pd
from memory import peak_gb
from sampling import make_workspace
from sklearn.model_selection import GroupShuffleSplit

ROWS = 5_000_000
LIMIT_S, LIMIT_GB = 10, 2
T = TypeVar("T")
SIDES = {"validation": 0.1, "test": 0.1}
STRATA = ["domain", "noise", "language"]


def ours(folder: Path) -> None:
    """Split with asrdq; print sizes and the largest memory of this process."""
    from asrdq.splitting import SideTarget, SplitPlan, split_manifest
    from asrdq.workspace import Workspace

    workspace = Workspace.open(folder)
    sides = [SideTarget(name, share=share) for name, share in SIDES.items()]
    plan = SplitPlan(sides=sides, strata=STRATA, disjoint=["speaker"])
    result = split_manifest(workspace, workspace.manifest("train"), plan)
    sizes = result.sides.to_pylist()
    off = max(abs(row["rows"] / row["asked_rows"] - 1) for row in sizes if row["asked_rows"])
    print(json.dumps({"peak_gb": peak_gb(), "worst_stratum_off": round(off, 4)}))


def theirs(files: list[str], folder: Path) -> None:
    """Split with pandas and scikit-learn."""
    rows = pd.concat([pd.read_parquet(file) for file in files], ignore_index=True)
    left = rows
    for number, (name, share) in enumerate(SIDES.items()):
        part = share / (1 - number * share)
        splitter = GroupShuffleSplit(n_splits=1, test_size=part, random_state=42)
        rest, chosen = next(splitter.split(left, groups=left["speaker"]))
        left.iloc[chosen].to_parquet(folder / f"{name}.parquet")
        left = left.iloc[rest]
    left.to_parquet(folder / "train.parquet")


def timed(work: Callable[[], T]) -> tuple[float, T]:
    """Return wall time and outcome."""
    started = time.perf_counter()
    outcome = work()
    return time.perf_counter() - started, outcome


def main() -> None:
    """Print the ratio of the times; fail where memory goes above 2 GB."""
    parser = argparse.ArgumentParser()
    parser.add_argument("rows", nargs="?", type=int, default=ROWS)
    parser.add_argument("--against", choices=["sklearn", "limit"], default="sklearn")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "workspace"
        workspace = make_workspace(folder, given.rows)
        files = workspace.store.files(workspace.store.open("manifests/train"), "manifests/train")
        command = [sys.executable, __file__, "--ours", str(folder)]
        ours_s, done = timed(
            lambda: subprocess.run(command, check=True, capture_output=True, text=True)
        )
        figures = {"ratio": round(ours_s / LIMIT_S, 3), "asrdq_s": round(ours_s, 2)}
        if given.against == "sklearn":
            theirs_s, _ = timed(lambda: theirs(files, Path(temporary)))
            figures = {**figures, "ratio": round(theirs_s / ours_s, 2)}
            figures["sklearn_s"] = round(theirs_s, 2)
    figures |= json.loads(done.stdout)
    print(json.dumps({**figures, "rows": given.rows}))
    if figures["peak_gb"] > LIMIT_GB:
        raise SystemExit(f"peak memory is above {LIMIT_GB} GB")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--ours"]:
        ours(Path(sys.argv[2]))
    else:
        main()
