"""How long a file of hypotheses takes to be read and joined with its manifest, and how much memory.

The lines are in another order than the manifest and are joined by id, by audio path, or by the name
of the file. The bare peer is DuckDB reading the same JSON, joining it with the ids of the manifest
and writing Parquet: it looks for no line that is unfit, missing, extra or there twice.

python benchmarks/hypotheses.py [ROWS] [--key id|path|name] [--rounds N]
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from ingest import Measure, best, measure

ROUNDS = 2
LIMIT_S = 60.0
LIMIT_MB = 1500

MANIFEST_SQL = """
COPY (
    SELECT 'utt-' || lpad(i::VARCHAR, 9, '0') AS utt_id,
        '/audio/d' || (i % 5000) || '/' || lpad(i::VARCHAR, 9, '0') || '.wav' AS audio_filepath,
        array_to_string(list_transform(range(12), lambda k:
            ['the', 'patient', 'was', 'given', 'metformin', 'daily', 'for', 'two'
            ][(1 + hash(i * 12 + k) % 8)::INTEGER]), ' ') AS text,
        3.5 AS duration
    FROM range({rows}) AS numbers(i)
) TO '{file}' (FORMAT json)
"""

COLUMNS = {
    "id": "utt_id",
    "path": "audio_filepath",
    "name": "parse_filename(audio_filepath) AS audio_filepath",
}
HYPOTHESES_SQL = """
COPY (
    SELECT {column}, replace(text, 'daily', 'day') AS pred_text, text
    FROM read_json('{manifest}') ORDER BY hash(utt_id)
) TO '{file}' (FORMAT json)
"""

OURS = """
import sys
from pathlib import Path
from asrdq.hypotheses import load_hypotheses
from asrdq.workspace import Workspace
workspace = Workspace.open(sys.argv[1])
manifest = workspace.manifest("eval")
print(load_hypotheses(workspace, manifest, Path(sys.argv[2]), name="r1").ids.matched)
"""

BARE = """
import json, sys
import duckdb
file, clips, out, key = sys.argv[1:]
ours, theirs = {
    "id": ("utt_id", "utt_id"),
    "path": ("audio_filepath", "audio_path"),
    "name": ("audio_filepath", "parse_filename(audio_path)"),
}[key]
lines = "read_json($file, format = 'newline_delimited')"
duckdb.execute(
    f"COPY (SELECT m.utt_id, h.pred_text FROM (SELECT {ours} AS key, pred_text FROM {lines}) h "
    f"JOIN (SELECT {theirs} AS key, utt_id FROM read_parquet($clips)) m USING (key)) "
    f"TO '{out}' (FORMAT parquet)",
    {"file": file, "clips": json.loads(clips)},
)
print(duckdb.sql(f"SELECT count(*) FROM '{out}'").fetchall()[0][0])
"""


def compare(rows: int, key: str, rounds: int, folder: Path) -> dict[str, float | str]:
    """Run both in turn, check that both kept every row, and return the figures."""
    import duckdb

    from asrdq.manifests import ingest_manifest
    from asrdq.workspace import Workspace

    manifest, file = folder / "eval.jsonl", folder / "r1.jsonl"
    duckdb.sql(MANIFEST_SQL.format(rows=rows, file=manifest))
    duckdb.sql(HYPOTHESES_SQL.format(column=COLUMNS[key], manifest=manifest, file=file))
    Workspace.init(folder / "workspace")
    workspace = Workspace.open(folder / "workspace")
    made = ingest_manifest(workspace, [manifest], "eval", audio_root=Path("/audio")).manifest
    manifest.unlink()
    clips = json.dumps(workspace.store.files(workspace.store.open(made.table), made.table))
    ours = [sys.executable, "-c", OURS, str(folder / "workspace"), str(file)]
    bare = [sys.executable, "-c", BARE, str(file), clips, str(folder / "bare.parquet"), key]
    ours_runs, bare_runs = [], []
    for _ in range(rounds):
        for command, runs in ((ours, ours_runs), (bare, bare_runs)):
            runs.append(measure(command, folder))
            kept = int((folder / "output.txt").read_text().split()[-1])
            if kept != rows:
                raise SystemExit(f"{kept} of {rows} rows were kept")
    return figures(rows, key, file, best(ours_runs), best(bare_runs))


def figures(
    rows: int, key: str, file: Path, ours: Measure, bare: Measure
) -> dict[str, float | str]:
    """Return the ratio, seconds by the limit, with the times and memory of both."""
    return {
        "ratio": round(ours.seconds / LIMIT_S, 3),
        "rows": rows,
        "key": key,
        "file_mb": round(file.stat().st_size / 1e6),
        "load_s": round(ours.seconds, 2),
        "bare_s": round(bare.seconds, 2),
        "load_peak_mb": round(ours.peak_mb),
        "bare_peak_mb": round(bare.peak_mb),
    }


def main() -> None:
    """Print the ratio of time and limit; fail where memory goes above 1.5 GB."""
    parser = argparse.ArgumentParser()
    parser.add_argument("rows", nargs="?", type=int, default=10_000_000)
    parser.add_argument("--key", choices=[*COLUMNS], default="id")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measured = compare(given.rows, given.key, given.rounds, Path(folder))
    print(json.dumps(measured))
    if float(measured["load_peak_mb"]) > LIMIT_MB:
        raise SystemExit(f"peak memory is above {LIMIT_MB} MB")


if __name__ == "__main__":
    main()
