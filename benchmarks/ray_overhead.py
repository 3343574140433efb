"""What the one process that hands out work and writes costs for each clip, whatever aligns it.

    python benchmarks/ray_overhead.py [--items 4000] [--rows 5000]

Empty items go through two actors; made-up evidence of 30 words is unpickled, made into rows and
committed as an audit does it. The last line is JSON: what docs/scale.md counts with.
"""

from __future__ import annotations

import argparse
import json
import pickle
import tempfile
import time
from pathlib import Path

import pyarrow as pa

from asrdq.alignment import WordSpan
from asrdq.audit.collection import EVIDENCE_TABLE, _row
from asrdq.audit.coverage import Coverage
from asrdq.audit.examination import ClipEvidence
from asrdq.engine import connected, run_tasks
from asrdq.settings import RaySettings
from asrdq.workspace import Workspace

WORDS = 30
COMMITS = 20


def main() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=4000)
    parser.add_argument("--rows", type=int, default=5000)
    arguments = parser.parse_args()
    each_item_s = handing_out_s(arguments.items)
    clips = [made_up(number) for number in range(arguments.rows)]
    packed = [pickle.dumps([clip]) for clip in clips]
    began = time.process_time()
    for each in packed:
        pickle.loads(each)
    unpickling_s = (time.process_time() - began) / len(packed)
    with tempfile.TemporaryDirectory() as folder:
        Workspace.init(Path(folder) / "ws")
        cache = Workspace.open(Path(folder) / "ws").cache("alignments")
        rows_s, commits = [], []
        for number in range(COMMITS):
            began = time.process_time()
            keys = [{**_row(clip), "key": f"{number} {clip.key}"} for clip in clips]
            table = pa.Table.from_pylist(keys, schema=EVIDENCE_TABLE)
            made = time.process_time()
            cache.add(table)
            rows_s.append((made - began) / len(clips))
            commits.append(time.process_time() - made)
    figures = {
        "item_ms": round(1000 * each_item_s, 3),
        "unpickled_clip_ms": round(1000 * unpickling_s, 3),
        "row_of_clip_ms": round(1000 * min(rows_s), 3),
        "first_commit_s": round(commits[0], 3),
        f"commit_{COMMITS}_s": round(commits[-1], 3),
        "bytes_of_clip": round(sum(map(len, packed)) / len(packed)),
    }
    print(json.dumps(figures))


def handing_out_s(items: int) -> float:
    """Return the seconds of CPU of this process for each empty item on Ray."""
    with connected(cluster := RaySettings()):
        list(run_tasks(abs, range(100), workers=2, cluster=cluster))
        began = time.process_time()
        done = sum(1 for _ in run_tasks(abs, range(items), workers=2, cluster=cluster))
        took_s = time.process_time() - began
    assert done == items
    return took_s / items


def made_up(number: int) -> ClipEvidence:
    """Return evidence as an aligner gives it, a word every third of a second."""
    spans = tuple(
        WordSpan(f"word{at}", at / 3, at / 3 + 0.3, -1.0 - at / 100) for at in range(WORDS)
    )
    return ClipEvidence(
        key=f"{number:032x}",
        status="aligned",
        duration_s=WORDS / 3,
        voiced_s=9.0,
        coverage=Coverage((True,) * WORDS, 1.0, 1.0),
        spans=spans,
        evidence={f"evidence_{at}": at / 7 for at in range(14)},
    )


if __name__ == "__main__":
    main()
