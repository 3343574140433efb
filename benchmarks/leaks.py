"""Find the texts of 100,000 evaluation rows in 5 M training rows: asrdq against MinHash LSH.

asrdq looks for the same and for nearly the same texts (at most a fifth of the words edited). The
peer is datasketch as its documentation uses it: 128 permutations of word pairs, an index of the
evaluation texts, a query for each training text. At full size it would take hours, so both do a
part of the work too, the ratio being that of their times on this part; and for each it is told
how many of the planted near texts it finds there. The time at full size is `asrdq_s`.
"""

from __future__ import annotations

import itertools
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from datasketch import MinHash, MinHashLSH
from deltalake import CommitProperties, write_deltalake
from memory import peak_gb

from asrdq.workspace import Workspace
from asrdq.workspace.versions import COMMIT_KEY

ROWS, EVALUATION = 5_000_000, 100_000
PART_ROWS, PART_EVALUATION = 50_000, 10_000
PLANTED = 1000
NEAR = 0.8
VOCABULARY = 30_000


def sentences(count: int, seed: int) -> list[str]:
    """Return sentences of 3 to 20 words whose frequencies fall as in language (Zipf)."""
    chance = np.random.default_rng(seed)
    words = np.array(
        [f"w{np.base_repr(number * 7919 % 1_000_003, 36)}" for number in range(VOCABULARY)]
    )
    share = 1 / np.arange(1, VOCABULARY + 1)
    lengths = chance.integers(3, 21, count)
    drawn = words[chance.choice(VOCABULARY, int(lengths.sum()), p=share / share.sum())].tolist()
    ends = np.cumsum(lengths).tolist()
    return [
        " ".join(drawn[end - size : end]) for end, size in zip(ends, lengths.tolist(), strict=True)
    ]


def edited(text: str, chance: random.Random) -> str:
    """Return a text with a word in ten replaced, one at least."""
    words = text.split()
    for place in chance.sample(range(len(words)), max(1, len(words) // 10)):
        words[place] = "edited"
    return " ".join(words)


def make_texts(rows: int, evaluation: int) -> tuple[list[str], list[str], set[int]]:
    """Return training and evaluation texts, and which of the latter have a near one planted."""
    chance = random.Random(3)
    asked, train = sentences(evaluation, 1), sentences(rows, 2)
    long = [number for number, text in enumerate(asked) if len(text.split()) >= 8]
    planted = chance.sample(long, min(PLANTED, len(long) // 2))
    for number, place in zip(planted, chance.sample(range(rows), len(planted)), strict=True):
        train[place] = edited(asked[number], chance)
    return train, asked, set(planted)


def store(workspace: Workspace, name: str, texts: list[str]) -> None:
    """Store texts as a manifest without audio."""
    facts: dict[str, Any] = {
        "fingerprint": f"{'0' * 32}-{len(texts):x}",
        **{"rows": len(texts), "hours": 0.0, "audio_root": "/", "sources": [], "renamed": {}},
        "run_id": "made-up",
    }
    rows = pa.table(
        {
            "utt_id": [f"{name}-{number:08d}" for number in range(len(texts))],
            "text": texts,
            "duration_s": pa.repeat(3.0, len(texts)),
        }
    )
    write_deltalake(
        str(workspace.store.layout.table(f"manifests/{name}")),
        rows,
        commit_properties=CommitProperties(custom_metadata={COMMIT_KEY: json.dumps(facts)}),
    )


def ours(folder: Path) -> None:
    """Look with asrdq; print the near texts found and the largest memory of this process."""
    from asrdq.leakage import LeakPlan, find_leaks

    workspace = Workspace.open(folder)
    plan = LeakPlan(only=["text", "near_text"], near=NEAR)
    result = find_leaks(workspace, workspace.manifest("train"), workspace.manifest("dev"), plan)
    near = [
        int(row["utt_id"][4:]) for row in result.leaks.to_pylist() if row["kind"] == "near_text"
    ]
    print(json.dumps({"near": near, "peak_gb": peak_gb()}))


def timed_ours(folder: Path, train: list[str], asked: list[str]) -> tuple[float, dict[str, Any]]:
    """Return seconds of a process of its own, from its start, and what it printed."""
    Workspace.init(folder)
    workspace = Workspace.open(folder)
    store(workspace, "train", train)
    store(workspace, "dev", asked)
    started = time.perf_counter()
    command = [sys.executable, __file__, "--ours", str(folder)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return time.perf_counter() - started, json.loads(done.stdout)


def theirs(train: list[str], asked: list[str]) -> set[int]:
    """Return the evaluation texts for which MinHash LSH has a near one."""
    index = MinHashLSH(threshold=0.5, num_perm=128)
    for number, text in enumerate(asked):
        index.insert(number, sketch(text))
    return {number for text in train for number in index.query(sketch(text))}


def sketch(text: str) -> MinHash:
    words = text.split()
    made = MinHash(num_perm=128)
    made.update_batch([" ".join(pair).encode() for pair in itertools.pairwise(words)])
    return made


def main(rows: int) -> None:
    """Print the ratio of the times on the part, and the time of the whole."""
    with tempfile.TemporaryDirectory() as temporary:
        train, asked, planted = make_texts(PART_ROWS, PART_EVALUATION)
        part_s, part = timed_ours(Path(temporary) / "part", train, asked)
        started = time.perf_counter()
        found = theirs(train, asked)
        theirs_s = time.perf_counter() - started
        recalls = [len(planted & set(each)) / len(planted) for each in (part["near"], found)]
        train, asked, planted = make_texts(rows, EVALUATION)
        whole_s, whole = timed_ours(Path(temporary) / "whole", train, asked)
    figures = {
        "ratio": round(theirs_s / part_s, 2),
        "asrdq_part_s": round(part_s, 2),
        "datasketch_part_s": round(theirs_s, 2),
        "asrdq_part_recall": recalls[0],
        "datasketch_part_recall": recalls[1],
        "asrdq_s": round(whole_s, 1),
        "recall": len(planted & set(whole["near"])) / len(planted),
        "peak_gb": whole["peak_gb"],
        "rows": rows,
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--ours"]:
        ours(Path(sys.argv[2]))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else ROWS)
