"""Complete scoring of pairs of 12 words: `asrdq score` against jiwer, werx and kaldialign.

    python benchmarks/score.py [ROWS] [--against jiwer|werx|kaldialign|memory] [--clock cpu|wall]

Both sides start with files and end with files, each as a process of its own. asrdq joins references
and hypotheses from its tables, normalises them, aligns words and characters, writes a row for each
utterance and each wrong word, and gives 11 rates with intervals for all utterances and for the
groups of two columns. jiwer reads the pairs from Parquet and does as much of that as it can: its
transforms, `process_words`, `process_characters`, S, D and I of each pair from its alignments,
sums by two columns, Parquet; no intervals. werx and kaldialign only count word errors, of texts as
they are. `memory` runs asrdq alone and holds its peak against 1.5 GB.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from ingest import WITHOUT_PANDAS
from ingest_peers import peers_python
from made_up import write_manifest
from memory import Measure, measure
from score_peers import PEERS

from asrdq.hypotheses import HYPOTHESES, TABLE
from asrdq.workspace import Workspace

ROWS, WORDS, VOCABULARY, CHUNK = 1_000_000, 12, 20_000, 500_000
SUBSTITUTED, DELETED, INSERTED = 0.07, 0.025, 0.025
LIMIT_MB = 1500


def made_up(rows: int) -> Iterator[pa.Table]:
    """Give pairs whose words are as frequent as in speech, with 12 % of them wrong."""
    rng = np.random.default_rng(7)
    letters = np.array(list("etaoinshrdlucmfwygpbvk"))
    words = pa.array(["".join(rng.choice(letters, rng.integers(1, 11))) for _ in range(VOCABULARY)])
    frequency = 1 / np.arange(1, VOCABULARY + 1)
    frequency /= frequency.sum()
    for start in range(0, rows, CHUNK):
        number = min(CHUNK, rows - start)
        said = rng.choice(VOCABULARY, (number, WORDS), p=frequency)
        luck = rng.random((number, WORDS))
        heard = np.where(luck < SUBSTITUTED, rng.integers(0, VOCABULARY, said.shape), said)
        copies = np.ones(said.shape, np.int64)
        copies[(luck > SUBSTITUTED) & (luck < SUBSTITUTED + DELETED)] = 0
        copies[luck > 1 - INSERTED] = 2
        index = np.arange(start, start + number)
        yield pa.table(
            {
                "utt_id": pc.binary_join_element_wise("utt-", pa.array(index).cast("string"), ""),
                "reference": _texts(words, said.ravel(), np.full(number, WORDS)),
                "hypothesis": _texts(
                    words, np.repeat(heard.ravel(), copies.ravel()), copies.sum(axis=1)
                ),
                "domain": pa.array(["clinic", "phone", "studio"]).take(pa.array(index % 3)),
                "noise": pa.array(["low", "high"]).take(pa.array(index % 7 % 2)),
                "speaker": pc.binary_join_element_wise(
                    "s", pa.array(index % 5000).cast("string"), ""
                ),
            }
        )


def _texts(words: pa.Array, ids: np.ndarray, lengths: np.ndarray) -> pa.Array:
    """Return sentences: a capital first, a full stop last."""
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    lists = pa.ListArray.from_arrays(pa.array(offsets), words.take(pa.array(ids)))
    sentences = pc.utf8_capitalize(pc.binary_join(lists, " "))
    return pc.binary_join_element_wise(sentences, ".", "")


def prepare(folder: Path, rows: int) -> None:
    """Write the pairs as Parquet, and as a manifest and a set of hypotheses in a workspace."""
    Workspace.init(folder / "workspace")
    workspace = Workspace.open(folder / "workspace")
    writer: pq.ParquetWriter | None = None
    manifest: list[Path] = []
    for number, pairs in enumerate(made_up(rows)):
        writer = writer or pq.ParquetWriter(folder / "pairs.parquet", pairs.schema)
        writer.write_table(pairs)
        manifest.append(folder / f"manifest-{number}.parquet")
        pq.write_table(_manifest(pairs), manifest[-1])
        workspace.append(TABLE, _hypotheses(pairs))
    assert writer is not None
    writer.close()
    rows_of_manifest = (batch for path in manifest for batch in pq.read_table(path).to_batches())
    stream = pa.RecordBatchReader.from_batches(pq.read_schema(manifest[0]), rows_of_manifest)
    write_manifest(workspace, "eval", stream, rows)


def _hypotheses(pairs: pa.Table) -> pa.Table:
    known = {"hyps": "r1", "manifest": "eval", "run_id": "made-up"}
    columns = [
        pairs[field.name]
        if field.name in pairs.column_names
        else pa.repeat(pa.scalar(known.get(field.name), field.type), pairs.num_rows)
        for field in HYPOTHESES
    ]
    return pa.Table.from_arrays(columns, schema=HYPOTHESES)


def _manifest(pairs: pa.Table) -> pa.Table:
    rows = pairs.num_rows
    return pa.table(
        {
            "utt_id": pairs["utt_id"],
            "audio_path": pairs["utt_id"],
            "text": pairs["reference"],
            "duration_s": pa.repeat(4.5, rows),
            "offset_s": pa.nulls(rows, pa.float64()),
            "language": pa.repeat("en", rows),
            "speaker": pairs["speaker"],
            "domain": pairs["domain"],
            "noise": pairs["noise"],
        }
    )


def ours(folder: Path) -> tuple[Measure, int]:
    """Score with the real command; return what it took and the number of word errors."""
    command = [sys.executable, "-c", WITHOUT_PANDAS, "score", "eval", "--hyps", "r1"]
    where = ["--by", "domain,noise", "--format", "json", "-w", str(folder / "workspace")]
    took = measure([*command, *where], folder)
    rates = json.loads((folder / "output.txt").read_text())["groups"]
    everything = rates[0]
    errors = sum(everything[name] for name in ("substitutions", "deletions", "insertions"))
    return took, round(errors)


def theirs(folder: Path, against: str) -> tuple[Measure, int]:
    """Score with a peer."""
    program = [peers_python(against), "-c", PEERS[against]]
    took = measure([*program, str(folder / "pairs.parquet"), str(folder)], folder)
    return took, int((folder / "output.txt").read_text())


def main() -> None:
    """Print the ratio of a peer's time by ours; fail where the errors of both differ."""
    parser = argparse.ArgumentParser()
    parser.add_argument("rows", nargs="?", type=int, default=ROWS)
    parser.add_argument("--against", choices=[*PEERS, "memory"], default="jiwer")
    parser.add_argument("--clock", choices=["cpu", "wall"], default="cpu")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder, given.rows)
        own, errors = ours(folder)
        figures = {"rows": given.rows, "asrdq_s": own.seconds, "asrdq_cpu_s": own.cpu_s}
        figures["asrdq_peak_mb"] = own.peak_mb
        if given.against == "memory":
            ratio = own.peak_mb / LIMIT_MB
        else:
            peer, peer_errors = theirs(folder, given.against)
            if given.against == "jiwer" and peer_errors != errors:
                raise SystemExit(f"jiwer counts {peer_errors} word errors, asrdq {errors}")
            figures |= {"peer_s": peer.seconds, "peer_cpu_s": peer.cpu_s}
            figures["peer_peak_mb"] = peer.peak_mb
            by_clock = {"cpu": peer.cpu_s / own.cpu_s, "wall": peer.seconds / own.seconds}
            ratio = by_clock[given.clock]
    print(json.dumps({"ratio": round(ratio, 2), **{k: round(v, 2) for k, v in figures.items()}}))


if __name__ == "__main__":
    main()
