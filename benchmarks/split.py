"""Split rows by speaker with three strata: asrdq against scikit-learn's GroupShuffleSplit.

Both start from the same Parquet table and end with the rows of three sides on disk. The peer, as
it is usually written, reads the table with pandas, splits twice by speaker and writes Parquet; it
has no strata. asrdq runs in a process of its own, whose time is counted from its start and whose
largest memory is told.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
from memory import peak_gb
from sampling import make_workspace
from sklearn.model_selection import GroupShuffleSplit

ROWS = 5_000_000
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


def main(rows: int) -> None:
    """Print the ratio of the times."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "workspace"
        workspace = make_workspace(folder, rows)
        files = workspace.store.files(workspace.store.open("manifests/train"), "manifests/train")
        started = time.perf_counter()
        command = [sys.executable, __file__, "--ours", str(folder)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        ours_s = time.perf_counter() - started
        started = time.perf_counter()
        theirs(files, Path(temporary))
        theirs_s = time.perf_counter() - started
    figures = {
        "ratio": round(theirs_s / ours_s, 2),
        "asrdq_s": round(ours_s, 2),
        "sklearn_s": round(theirs_s, 2),
        **json.loads(done.stdout),
        "rows": rows,
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--ours"]:
        ours(Path(sys.argv[2]))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else ROWS)
