"""How long an audit takes on Ray, against worker processes of this machine.

    python benchmarks/ray_audit.py [MANIFEST] [--clips 40] [--rounds 3]

Both engines audit the same clips on two cores, in turns, into workspaces of their own. Ray is
started before the clock; starting its actors and loading the aligner in them counts, as starting
processes does for the other side. The tables of both are compared to the last bit.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from corpora import Utterance, read_utterances, write_manifest

from asrdq.audit import AuditPlan, audit
from asrdq.engine import connected
from asrdq.manifests import ingest_manifest
from asrdq.sampling import SamplingPlan, draw_sample
from asrdq.settings import RaySettings
from asrdq.workspace import Workspace

CORES = 2


def main() -> None:
    """Run both engines in turns and print the medians and their ratio."""
    shared = Path(__file__).resolve().parents[2] / "shared/data/librispeech/manifest.jsonl"
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("manifest", type=Path, nargs="?", default=shared)
    parser.add_argument("--clips", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    utterances = read_utterances(arguments.manifest)[: arguments.clips]
    began = time.monotonic()
    with connected(cluster := RaySettings()):
        start_s = time.monotonic() - began
        engines = {"local": None, "ray": cluster}
        seconds: dict[str, list[float]] = {name: [] for name in engines}
        tables = {}
        for _ in range(arguments.rounds):
            for name, engine in engines.items():
                took_s, tables[name] = timed(utterances, engine)
                seconds[name].append(took_s)
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    figures = {
        "ratio": round(medians["ray"] / medians["local"], 3),
        "local_s": round(medians["local"], 2),
        "ray_s": round(medians["ray"], 2),
        "start_of_ray_s": round(start_s, 2),
        "clips": len(utterances),
        "tables_are_equal": repr(tables["local"]) == repr(tables["ray"]),
    }
    print(json.dumps(figures))
    if not figures["tables_are_equal"]:
        raise SystemExit("the engines gave different tables")


def timed(
    utterances: list[Utterance], engine: RaySettings | None
) -> tuple[float, dict[str, list[dict[str, Any]]]]:
    """Return the seconds of an audit in a new workspace, and its tables as rows."""
    with tempfile.TemporaryDirectory() as folder:
        Workspace.init(Path(folder) / "ws")
        workspace = Workspace.open(Path(folder) / "ws")
        ingest_manifest(workspace, [write_manifest(utterances, Path(folder) / "m")], "train")
        manifest = workspace.manifest("train")
        draw_sample(workspace, manifest, SamplingPlan(fraction=1.0))
        plan = AuditPlan("pocketsphinx", False, False, cluster=engine)
        began = time.monotonic()
        result = audit(workspace, manifest, plan, workers=CORES)
        took_s = time.monotonic() - began
    tables = result.tables().items()
    return took_s, {name: rows.drop_columns(["run_id"]).to_pylist() for name, rows in tables}


if __name__ == "__main__":
    main()
