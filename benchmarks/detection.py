"""What the audit finds, on real recordings whose faults are known: every figure with its interval.

    python benchmarks/detection.py MANIFEST [--clips N] [--only clean,snr15,telephone,snr5,mixed]

Audits the recordings as they are, degraded, and with real faults mixed in, each time calibrated on
the corpus itself, and prints recall and false alarms. The ratio is the least recall of a gross
fault on the clean recordings ÷ 0.95.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from corpora import Utterance, degraded, read_utterances, with_real_faults, write_manifest

from asrdq.audit import GROSS, AuditResult, Fault, audit
from asrdq.gates import evaluate_gate
from asrdq.manifests import ingest_manifest
from asrdq.sampling import SamplingPlan, draw_sample
from asrdq.shipped import shipped_file
from asrdq.workspace import Workspace

SHARES = (0.0, 0.05, 0.12, 0.2)


def main() -> None:
    """Run the corpora and print one line a figure, then the JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    shared = Path(__file__).resolve().parents[2] / "shared/data/librispeech/manifest.jsonl"
    parser.add_argument("manifest", type=Path, nargs="?", default=shared)
    parser.add_argument("--clips", type=int)
    parser.add_argument("--only", default="clean,snr15,telephone,snr5,half,mixed")
    parser.add_argument("--folder", type=Path, help="keep everything here, cached for another run")
    arguments = parser.parse_args()
    utterances = read_utterances(arguments.manifest)[: arguments.clips]
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = arguments.folder or Path(name)
        Workspace.init(folder / "ws")
        workspace = Workspace.open(folder / "ws")
        for corpus in arguments.only.split(","):
            if corpus == "mixed":
                for share in SHARES:
                    mixed = with_real_faults(utterances, share, folder / "mixed")
                    figures[f"mixed-{share:g}"] = run(workspace, f"mixed{share * 100:.0f}", mixed)
            elif corpus == "half":
                noisy = degraded(utterances[1::2], "snr5", folder / "half")
                figures["half"] = run(workspace, "half", [*utterances[::2], *noisy])
            else:
                some = (
                    utterances
                    if corpus == "clean"
                    else degraded(utterances, corpus, folder / corpus)
                )
                figures[corpus] = run(workspace, corpus, some)
    recalls = figures.get("clean", {}).get("gross", [0.0])
    print(json.dumps({"ratio": min(recalls) / 0.95, **figures}))


def run(workspace: Workspace, name: str, utterances: Sequence[Utterance]) -> dict[str, Any]:
    """Ingest, audit all clips, pass the gate; print and return the figures."""
    path = write_manifest(utterances, workspace.root / f"{name}.jsonl")
    ingest_manifest(workspace, [path], name)
    manifest = workspace.manifest(name)
    draw_sample(workspace, manifest, SamplingPlan(strata="condition", fraction=1.0))
    result = audit(workspace, manifest)
    policy = shipped_file("policies", "default.yaml")
    verdict = evaluate_gate(workspace, manifest, policy_file=policy)
    truth = {one.utt_id: one.fault for one in utterances}
    print(f"\n== {name}: {verdict.verdict.value}; {'; '.join(map(str, verdict.reasons))}")
    print(result.summary())
    for row in result.calibrations.to_pylist():
        print({k: row[k] for k in ("stratum", "verdict", "auc_gross", "threshold", "fitted_on")})
    corrected = verdict.measures.corrected_rate if verdict.measures else None
    faulty = np.mean([fault is not Fault.UNTOUCHED for fault in truth.values()])
    print(f"corrected {corrected}; truth {faulty:.3f}")
    return {**against_truth(result, truth), "verdict": verdict.verdict.value}


def against_truth(result: AuditResult, truth: dict[str, Fault]) -> dict[str, Any]:
    """Compare with what is known: real faults found, right clips flagged, planted recall."""
    rows = [row for row in result.audits.to_pylist() if row["low_quality"] is not None]
    right = [row["low_quality"] for row in rows if truth[row["utt_id"]] is Fault.UNTOUCHED]
    faulty = [row["low_quality"] for row in rows if truth[row["utt_id"]] is not Fault.UNTOUCHED]
    print(f"right clips flagged {sum(right)}/{len(right)}", end=", ")
    print(f"real faults found {sum(faulty)}/{len(faulty)}")
    planted = {
        row["fault"]: row["rate"]
        for row in result.detections.to_pylist()
        if row["stratum"] is None and row["rate"] is not None
    }
    return {
        "gross": [planted[fault.value] for fault in GROSS if fault.value in planted],
        "one_word": planted.get(Fault.SUBSTITUTED_WORD.value),
        "false_alarms": sum(right) / len(right) if right else None,
        "real_faults_found": sum(faulty) / len(faulty) if faulty else None,
    }


if __name__ == "__main__":
    main()
