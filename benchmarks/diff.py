"""How long `asrdq diff` takes on two large versions, against a join in Polars or in pandas.

One row in fifty is removed, one added, and one has another text. The peers read the same Parquet
files and count the same things: rows and hours by kind of change, changed rows by field, and all of
it by domain.

python benchmarks/diff.py [ROWS] [--against limit|polars|pandas] [--rounds N]
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from ingest import ROWS_SQL
from memory import Measure, best, measure

ROUNDS = 3
LIMIT_S = 10.0
LIMIT_MB = 2000

LATER_SQL = """
COPY (
    SELECT * REPLACE (CASE WHEN take = 3 AND snr < 3 THEN text || ' again' ELSE text END AS text)
    FROM read_json('{file}') WHERE hash(audio_filepath) % 50 <> 0
    UNION ALL
    SELECT * REPLACE (replace(audio_filepath, '/utt_', '/new_') AS audio_filepath)
    FROM read_json('{file}') WHERE hash(audio_filepath) % 50 = 1
) TO '{later}' (FORMAT json)
"""

POLARS = """
import json, sys
import polars as pl
older, newer = (pl.scan_parquet(json.loads(files)) for files in sys.argv[1:3])
fields = [name for name in newer.collect_schema().names() if name != "utt_id"]
joined = older.with_columns(b=1).join(newer.with_columns(a=1), on="utt_id", how="full",
                                      suffix="_new")
both = pl.col("a").is_not_null() & pl.col("b").is_not_null()
differs = [(both & pl.col(n).ne_missing(pl.col(n + "_new"))).alias("d_" + n) for n in fields]
rows = joined.select(
    *differs, pl.col("duration_s"), pl.col("duration_s_new"),
    domain=pl.coalesce("domain_new", "domain"),
    change=pl.when(pl.col("a").is_null()).then(pl.lit("removed"))
    .when(pl.col("b").is_null()).then(pl.lit("added"))
    .when(pl.any_horizontal(differs)).then(pl.lit("changed")).otherwise(pl.lit("same")),
)
hours = [pl.col("duration_s").sum() / 3600, pl.col("duration_s_new").sum() / 3600]
found = rows.group_by("domain", "change").agg(
    pl.len(), *hours, *(pl.col("d_" + n).sum() for n in fields)
).collect(engine="streaming")
totals = found.group_by("change").agg(pl.col("len").sum())
print(json.dumps({c: n for c, n in totals.iter_rows()}))
"""

PANDAS = """
import json, sys
import numpy as np, pandas as pd
older, newer = (
    pd.concat([pd.read_parquet(file) for file in json.loads(files)]) for files in sys.argv[1:3]
)
fields = [name for name in newer.columns if name != "utt_id"]
joined = older.merge(newer, on="utt_id", how="outer", suffixes=("", "_new"), indicator=True)
both = joined["_merge"] == "both"
changed = np.zeros(len(joined), bool)
for name in fields:
    left, right = joined[name], joined[name + "_new"]
    differs = both & (left != right) & ~(left.isna() & right.isna())
    joined["d_" + name] = differs
    changed |= differs
joined["change"] = np.select(
    [joined["_merge"] == "left_only", joined["_merge"] == "right_only", changed],
    ["removed", "added", "changed"], "same")
joined["domain"] = joined["domain_new"].fillna(joined["domain"])
sums = ["duration_s", "duration_s_new", *("d_" + name for name in fields)]
joined.groupby(["domain", "change"])[sums].sum()
print(json.dumps({k: int(v) for k, v in joined["change"].value_counts().items()}))
"""

PEERS = {"polars": POLARS, "pandas": PANDAS}


def two_versions(rows: int, folder: Path) -> tuple[Path, list[str]]:
    """Make a workspace with two versions of `train`; return it and the files of each as JSON."""
    import duckdb

    from asrdq.manifests import ingest_manifest
    from asrdq.workspace import Workspace

    first, second = folder / "first.jsonl", folder / "second.jsonl"
    duckdb.sql(ROWS_SQL.format(rows=rows, file=first))
    duckdb.sql(LATER_SQL.format(file=first, later=second))
    Workspace.init(folder / "workspace")
    workspace = Workspace.open(folder / "workspace")
    files = []
    for file in (first, second):
        made = ingest_manifest(workspace, [file], "train").manifest
        table = workspace.store.open(made.table, made.version)
        files.append(json.dumps(workspace.store.files(table, made.table)))
        file.unlink()
    return workspace.root, files


def compare(rows: int, against: str, rounds: int, folder: Path) -> dict[str, float | str]:
    """Run both in turn, check that they count the same, and return the figures."""
    workspace, files = two_versions(rows, folder)
    ours = [sys.executable, "-m", "asrdq", "--quiet", "diff", "train@0", "train@1"]
    ours += ["--by", "domain", "--format", "json", "--workspace", str(workspace)]
    ours_runs, peer_runs = [], []
    for _ in range(rounds):
        ours_runs.append(measure(ours, folder))
        counts = our_counts(folder)
        if against in PEERS:
            peer_runs.append(measure([sys.executable, "-c", PEERS[against], *files], folder))
            theirs = json.loads((folder / "output.txt").read_text())
            if counts != theirs:
                raise SystemExit(f"the counts differ: {counts} and {theirs}")
    return figures(rows, against, best(ours_runs), best(peer_runs) if peer_runs else None)


def our_counts(folder: Path) -> dict[str, int]:
    """Return the rows by kind of change that asrdq wrote."""
    document = json.loads((folder / "output.txt").read_text())
    counts = {name: amount["rows"] for name, amount in document["changes"].items()
              if isinstance(amount, dict)}  # fmt: skip
    return counts | {"same": document["unchanged"]["rows"]}


def figures(rows: int, against: str, ours: Measure, peer: Measure | None) -> dict[str, float | str]:
    """Return the ratio: seconds of the peer by ours, or ours by the limit."""
    shown: dict[str, float | str] = {
        "ratio": round(peer.seconds / ours.seconds if peer else ours.seconds / LIMIT_S, 3),
        "rows": rows,
        "diff_s": round(ours.seconds, 2),
        "diff_peak_mb": round(ours.peak_mb),
    }
    if peer:
        shown |= {f"{against}_s": round(peer.seconds, 2)}
        shown |= {f"{against}_peak_mb": round(peer.peak_mb)}
    return shown


def main() -> None:
    """Print the ratio of the times; fail where memory goes above 2 GB."""
    parser = argparse.ArgumentParser()
    parser.add_argument("rows", nargs="?", type=int, default=5_000_000)
    parser.add_argument("--against", choices=["limit", *PEERS], default="limit")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measured = compare(given.rows, given.against, given.rounds, Path(folder))
    print(json.dumps(measured))
    if float(measured["diff_peak_mb"]) > LIMIT_MB:
        raise SystemExit(f"peak memory is above {LIMIT_MB} MB")


if __name__ == "__main__":
    main()
