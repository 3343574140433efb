"""How long `asrdq ingest` takes, against what others need for the same manifest.

    python benchmarks/ingest.py [ROWS] [--against PEER] [--rounds N]

The peer is by default a bare DuckDB copy of the JSON lines to Parquet, which checks nothing. pandas
reads the same lines and writes Parquet (`pandas-arrow`: with Arrow as its parser), Hugging Face
datasets puts them into its Arrow cache. Lhotse has no reader for such lines: with it both read
the same rows as Lhotse cuts, and Lhotse validates each and writes it out again.

asrdq runs as `pip install asrdq` leaves it, without pandas: that is here as the peer of another
benchmark, and Arrow would import it (0.2 s).
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path

from ingest_peers import CUTS_SQL, OFFLINE, PEERS
from memory import Measure, best, measure

ROUNDS = 3
LIMIT_MB = 2000

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


def compare(rows: int, against: str, rounds: int, folder: Path) -> dict[str, float]:
    """Run both in turn, check that both kept every row, and return the figures."""
    peer = PEERS[against]
    file = make_manifest(rows, folder, cuts=peer.cuts)
    asrdq = [sys.executable, "-c", WITHOUT_PANDAS]
    peer_runs, ours_runs = [], []
    for _ in range(rounds):
        kept, workspace = folder / "peer", folder / "workspace"
        kept.mkdir()
        peer_runs.append(measure(peer.command(file, kept), folder, OFFLINE))
        check_rows(rows, int((folder / "output.txt").read_text().split()[-1]), against)
        measure([*asrdq, "init", str(workspace)], folder, OFFLINE)
        ours = [*asrdq, "ingest", str(file), "--name", "train", "--json"]
        ours_runs.append(measure([*ours, "--workspace", str(workspace)], folder, OFFLINE))
        manifest = json.loads((folder / "output.txt").read_text())["manifest"]
        check_rows(rows, manifest["rows"], "asrdq")
        shutil.rmtree(kept)
        shutil.rmtree(workspace)
    return figures(rows, file, against, best(ours_runs), best(peer_runs))


def make_manifest(rows: int, folder: Path, *, cuts: bool) -> Path:
    """Make the manifest up: plain JSON lines, or the same rows as Lhotse cuts."""
    import duckdb

    file = folder / "rows.jsonl"
    duckdb.sql(ROWS_SQL.format(rows=rows, file=file))
    if not cuts:
        return file
    duckdb.sql(CUTS_SQL.format(file=file, cuts=folder / "cuts.jsonl"))
    file.unlink()
    return folder / "cuts.jsonl"


def check_rows(expected: int, kept: int, who: str) -> None:
    """Fail where rows were lost."""
    if kept != expected:
        raise SystemExit(f"{who} kept {kept} of {expected} rows")


def figures(rows: int, file: Path, against: str, ours: Measure, peer: Measure) -> dict[str, float]:
    """Return the ratio: ours by a bare copy, where that is the peer; else the peer's by ours."""
    bare = against == "duckdb"
    name = "bare_copy" if bare else against
    ratio = ours.seconds / peer.seconds if bare else peer.seconds / ours.seconds
    return {
        "ratio": round(ratio, 3),
        "rows": rows,
        "file_mb": round(file.stat().st_size / 1e6),
        "ingest_s": round(ours.seconds, 2),
        f"{name}_s": round(peer.seconds, 2),
        "ingest_peak_mb": round(ours.peak_mb),
        f"{name}_peak_mb": round(peer.peak_mb),
    }


def main() -> None:
    """Print the ratio of the times; fail where memory goes above 2 GB."""
    parser = argparse.ArgumentParser()
    parser.add_argument("rows", nargs="?", type=int, default=5_000_000)
    parser.add_argument("--against", choices=PEERS, default="duckdb")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measured = compare(given.rows, given.against, given.rounds, Path(folder))
    print(json.dumps(measured))
    if measured["ingest_peak_mb"] > LIMIT_MB:
        raise SystemExit(f"peak memory is above {LIMIT_MB} MB")


if __name__ == "__main__":
    main()
