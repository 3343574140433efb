"""How fast the audit is: against real time, and against two bare processes doing the same work.

    python benchmarks/audit.py [MANIFEST] [--against real-time|bare]

Both sides decode, detect voice, align and measure every clip once, on two cores, processes and
models started from nothing. The audit does so with its sample, cache, tables, judgement and
provenance around it; the bare processes keep nothing. `--against` chooses which of the two ratios
is the claim's.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from corpora import read_utterances, write_manifest

from asrdq.alignment import build_aligner
from asrdq.audit import AuditPlan, audit
from asrdq.audit.collection import clip_task
from asrdq.audit.examination import ClipTask, examine
from asrdq.audit.faults import Fault, PlantedClip
from asrdq.audit.selection import sampled_clips
from asrdq.manifests import ingest_manifest
from asrdq.sampling import SamplingPlan, draw_sample, latest_sample
from asrdq.workspace import Workspace

CORES = 2
ROUNDS = 3


def main() -> None:
    """Run both sides in turn and print the medians and the ratios."""
    shared = Path(__file__).resolve().parents[2] / "shared/data/librispeech/manifest.jsonl"
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("manifest", type=Path, nargs="?", default=shared)
    parser.add_argument("--against", choices=["real-time", "bare"], default="real-time")
    arguments = parser.parse_args()
    ours, bare, cpu_s = [], [], []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as folder:
            Workspace.init(Path(folder) / "ws")
            workspace = Workspace.open(Path(folder) / "ws")
            utterances = read_utterances(arguments.manifest)
            ingest_manifest(workspace, [write_manifest(utterances, Path(folder) / "m")], "train")
            manifest = workspace.manifest("train")
            draw_sample(workspace, manifest, SamplingPlan(fraction=1.0))
            tasks = bare_tasks(workspace)
            bare.append(timed_bare(tasks))
            start, used = time.monotonic(), _children_cpu_s()
            audit(workspace, manifest, AuditPlan("pocketsphinx", False, False), workers=CORES)
            ours.append(time.monotonic() - start)
            cpu_s.append(_children_cpu_s() - used)
            audio_s = manifest.hours * 3600
    audit_s, bare_s = sorted(ours)[ROUNDS // 2], sorted(bare)[ROUNDS // 2]
    figures = {
        "audio_s": round(audio_s, 1),
        "audit_s": round(audit_s, 2),
        "bare_s": round(bare_s, 2),
        "audit_cpu_s": round(sorted(cpu_s)[ROUNDS // 2], 2),
        "times_real_time": round(audio_s / audit_s, 1),
        "share_of_bare_speed": round(bare_s / audit_s, 3),
    }
    against_bare = arguments.against == "bare"
    ratio = figures["share_of_bare_speed"] if against_bare else figures["times_real_time"]
    print(json.dumps({"ratio": ratio, **figures}))


def bare_tasks(workspace: Workspace) -> list[ClipTask]:
    """Return what the audit would examine."""
    manifest = workspace.manifest("train")
    sample = latest_sample(workspace, manifest)
    assert sample is not None
    aligner = build_aligner("pocketsphinx")
    return [
        clip_task(clip, PlantedClip(clip.utt_id, Fault.UNTOUCHED, clip.words), aligner, 42)
        for clip in sampled_clips(workspace, manifest, sample, aligner)
    ]


def timed_bare(tasks: Sequence[ClipTask]) -> float:
    """Return the seconds that two processes take for half of the tasks each."""
    context = multiprocessing.get_context("spawn")
    start = time.monotonic()
    processes = [context.Process(target=work, args=(tasks[n::CORES],)) for n in range(CORES)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert all(process.exitcode == 0 for process in processes)
    return time.monotonic() - start


def work(tasks: Sequence[ClipTask]) -> None:
    """Examine every task and keep nothing."""
    for task in tasks:
        examine("pocketsphinx", [task])


def _children_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
