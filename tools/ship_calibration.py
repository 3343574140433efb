"""Make an audit's calibration the one that comes along for `asrdq audit --no-calibration`.

    python tools/ship_calibration.py WORKSPACE MANIFEST

Takes the calibration of the newest audit of the manifest, which must have a single stratum that
its instrument can judge. The one in the package was fitted on 120 clips of LibriSpeech.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from asrdq.alignment import build_aligner
from asrdq.workspace import Workspace

TARGET = Path(__file__).resolve().parents[1] / "src/asrdq/audit/calibration/shipped.json"


def main(folder: str, name: str) -> None:
    """Write the model of the newest audit to the package."""
    workspace = Workspace.open(folder)
    [row] = workspace.query(
        "SELECT model, parameters FROM calibrations JOIN runs USING (run_id) "
        "WHERE manifest = $name AND state = 'done' AND verdict = 'ok' "
        "ORDER BY started DESC LIMIT 1",
        {"name": name},
    ).to_pylist()
    aligner = build_aligner(json.loads(row["parameters"])["aligner"])
    model = {
        "aligner": aligner.name,
        "evidence": aligner.evidence_names,
        **json.loads(row["model"]),
    }
    TARGET.write_text(json.dumps(model) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
