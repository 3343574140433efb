"""Find the texts of 100,000 evaluation rows in 5 M training rows: asrdq against MinHash LSH.

    python benchmarks/leaks.py [ROWS] [--against datasketch|limit]

asrdq looks for the same and for nearly the same texts (at most a fifth of the words edited). With
`limit` it is held against 60 seconds at full size alone.

The peer is datasketch as its documentation uses it: 128 permutations of word pairs, an index of the
evaluation texts, a query for each training text. At full size it would take hours, so both do a
part of the work too, the ratio being that of their times on this part; and for each it is told
how many of the planted near texts it finds there. The time at full size is `asrdq_s`.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from datasketch import MinHash, MinHashLSH
from made_up import write_manifest
from memory import peak_gb

from asrdq.workspace import Workspace

ROWS, EVALUATION = 5_000_000, 100_000
PART_ROWS, PART_EVALUATION = 50_000, 10_000
PLANTED = 1000
NEAR = 0.8
VOCABULARY = 30_000
TEXTS_A_BATCH = 500_000
LIMIT_S, LIMIT_GB = 60, 2


def sentences(count: int, seed: int) -> Iterator[list[str]]:
    """Give sentences of 3 to 20 words whose frequencies fall as in language (Zipf), in batches."""
    words = np.array(
        [f"w{np.base_repr(number * 7919 % 1_000_003, 36)}" for number in range(VOCABULARY)],
        dtype=object,
    )
    share = 1 / np.arange(1, VOCABULARY + 1)
    for first in range(0, count, TEXTS_A_BATCH):
        chance = np.random.default_rng([seed, first])
        lengths = chance.integers(3, 21, min(TEXTS_A_BATCH, count - first))
        drawn = words[chance.choice(VOCABULARY, int(lengths.sum()), p=share / share.sum())].tolist()
        ends = np.cumsum(lengths).tolist()
        yield [
            " ".join(drawn[end - size : end])
            for end, size in zip(ends, lengths.tolist(), strict=True)
        ]


def edited(text: str, chance: random.Random) -> str:
    """Return a text with a word in ten replaced, one at least."""
    words = text.split()
    for place in chance.sample(range(len(words)), max(1, len(words) // 10)):
        words[place] = "edited"
    return " ".join(words)


def make_texts(rows: int, evaluation: int) -> tuple[Iterator[list[str]], list[str], set[int]]:
    """Return training and evaluation texts, and which of the latter have a near one planted."""
    chance = random.Random(3)
    asked = [text for batch in sentences(evaluation, 1) for text in batch]
    long = [number for number, text in enumerate(asked) if len(text.split()) >= 8]
    planted = chance.sample(long, min(PLANTED, len(long) // 2))
    places = chance.sample(range(rows), len(planted))
    near = {
        place: edited(asked[number], chance) for number, place in zip(planted, places, strict=True)
    }
    return with_planted(sentences(rows, 2), near), asked, set(planted)


def with_planted(batches: Iterable[list[str]], near: Mapping[int, str]) -> Iterator[list[str]]:
    """Give the texts with others in some places."""
    first = 0
    for batch in batches:
        for place in near.keys() & set(range(first, first + len(batch))):
            batch[place - first] = near[place]
        yield batch
        first += len(batch)


def store(workspace: Workspace, name: str, texts: Iterable[list[str]], rows: int) -> None:
    """Store texts as a manifest without audio."""
    schema = pa.schema({"utt_id": pa.string(), "text": pa.string(), "duration_s": pa.float64()})
    reader = pa.RecordBatchReader.from_batches(schema, batches_of(name, texts, schema))
    write_manifest(workspace, name, reader, rows)


def batches_of(
    name: str, texts: Iterable[list[str]], schema: pa.Schema
) -> Iterator[pa.RecordBatch]:
    """Give rows with ids and durations for texts."""
    first = 0
    for batch in texts:
        ids = [f"{name}-{number:08d}" for number in range(first, first + len(batch))]
        first += len(batch)
        yield pa.record_batch([ids, batch, pa.repeat(3.0, len(batch))], schema=schema)


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


def timed_ours(
    folder: Path, train: Iterable[list[str]], rows: int, asked: list[str]
) -> tuple[float, dict[str, Any]]:
    """Return seconds of a process of its own, from its start, and what it printed."""
    Workspace.init(folder)
    workspace = Workspace.open(folder)
    store(workspace, "train", train, rows)
    store(workspace, "dev", [asked], len(asked))
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


def on_a_part(folder: Path) -> dict[str, float]:
    """Return the times of both on a part of the work, their ratio, and what share each finds."""
    batches, asked, planted = make_texts(PART_ROWS, PART_EVALUATION)
    train = [text for batch in batches for text in batch]
    ours_s, found_by_us = timed_ours(folder, [train], PART_ROWS, asked)
    started = time.perf_counter()
    found = theirs(train, asked)
    theirs_s = time.perf_counter() - started
    return {
        "ratio": round(theirs_s / ours_s, 2),
        "asrdq_part_s": round(ours_s, 2),
        "datasketch_part_s": round(theirs_s, 2),
        "asrdq_part_recall": len(planted & set(found_by_us["near"])) / len(planted),
        "datasketch_part_recall": len(planted & found) / len(planted),
    }


def at_full_size(rows: int, folder: Path) -> dict[str, float]:
    """Return time and largest memory of asrdq, and what share it finds."""
    train, asked, planted = make_texts(rows, EVALUATION)
    seconds, found = timed_ours(folder, train, rows, asked)
    return {
        "asrdq_s": round(seconds, 1),
        "recall": len(planted & set(found["near"])) / len(planted),
        "peak_gb": found["peak_gb"],
        "rows": rows,
    }


def main() -> None:
    """Print the ratio of the times on the part, or that to the limit, and the whole's time."""
    parser = argparse.ArgumentParser()
    parser.add_argument("rows", nargs="?", type=int, default=ROWS)
    parser.add_argument("--against", choices=["datasketch", "limit"], default="datasketch")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        part = on_a_part(Path(temporary) / "part") if given.against == "datasketch" else {}
        whole = at_full_size(given.rows, Path(temporary) / "whole")
    print(json.dumps({"ratio": round(whole["asrdq_s"] / LIMIT_S, 3), **part, **whole}))
    if whole["peak_gb"] > LIMIT_GB:
        raise SystemExit(f"peak memory is above {LIMIT_GB} GB")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--ours"]:
        ours(Path(sys.argv[2]))
    else:
        main()
