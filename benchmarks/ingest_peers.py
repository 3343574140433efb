"""What `asrdq ingest` is measured against: each peer reads a manifest and keeps it its own way.

A peer gets the manifest and a folder, prints the number of rows it kept, and runs in the Python of
`.venv-peers` where `make bench` has put what the project itself does not need.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

_PEERS_PYTHON = Path(__file__).resolve().parent.parent / ".venv-peers" / "bin" / "python"

DUCKDB = """
import sys, duckdb
file, folder = sys.argv[1:]
print(duckdb.execute(f"COPY (SELECT * FROM read_json('{file}')) TO '{folder}/bare.parquet'")
      .fetchone()[0])
"""

PANDAS = """
import sys, pandas as pd
file, folder = sys.argv[1:]
rows = pd.read_json(file, lines=True)
rows.to_parquet(f"{folder}/rows.parquet")
print(len(rows))
"""

PANDAS_BY_ARROW = PANDAS.replace("lines=True", "lines=True, engine='pyarrow'")

DATASETS = """
import sys
from datasets import load_dataset
file, folder = sys.argv[1:]
print(len(load_dataset("json", data_files=file, split="train", cache_dir=folder)))
"""

LHOTSE = """
import sys
from lhotse import CutSet, validate
file, folder = sys.argv[1:]
count = 0
with CutSet.open_writer(f"{folder}/cuts.jsonl", overwrite=True) as kept:
    for cut in CutSet.from_jsonl_lazy(file):
        validate(cut)
        kept.write(cut)
        count += 1
print(count)
"""


@dataclass(frozen=True)
class Peer:
    """A program that reads a manifest and keeps it.

    Attributes:
        program: Python, run with the manifest and an empty folder as its arguments.
        package: What it needs that `.venv` may not have.
        cuts: Whether both sides read Lhotse cuts in place of plain JSON lines.
    """

    program: str
    package: str
    cuts: bool = False

    def command(self, file: Path, folder: Path) -> list[str]:
        """Return the command line.

        Raises:
            SystemExit: The package is not installed.
        """
        own = sys.executable if self.package in ("duckdb", "pandas") else peers_python(self.package)
        return [own, "-c", self.program, str(file), str(folder)]


def peers_python(package: str) -> str:
    """Return the Python that has a package which is not a part of asrdq.

    Raises:
        SystemExit: It is not installed.
    """
    if not _PEERS_PYTHON.is_file():
        raise SystemExit(f"{package} is not installed: `make peers` does it")
    return str(_PEERS_PYTHON)


PEERS = {
    "duckdb": Peer(DUCKDB, "duckdb"),
    "pandas": Peer(PANDAS, "pandas"),
    "pandas-arrow": Peer(PANDAS_BY_ARROW, "pandas"),
    "datasets": Peer(DATASETS, "datasets"),
    "lhotse": Peer(LHOTSE, "lhotse", cuts=True),
}

OFFLINE = os.environ | {"HF_DATASETS_OFFLINE": "1", "HF_HUB_OFFLINE": "1"}
"""The environment of both sides: nothing is looked up in the network."""

CUTS_SQL = """
COPY (
    SELECT id, 0.0 AS "start", duration, 0 AS channel,
        [{{'id': id, 'recording_id': id, 'start': 0.0, 'duration': duration, 'channel': 0,
           'text': text, 'language': lang, 'speaker': speaker,
           'custom': {{'domain': domain, 'snr': snr, 'take': take, 'verified': verified}}}}
        ] AS supervisions,
        {{'id': id, 'sources': [{{'type': 'file', 'channels': [0], 'source': audio_filepath}}],
          'sampling_rate': 16000, 'num_samples': round(duration * 16000)::BIGINT,
          'duration': duration, 'channel_ids': [0]}} AS recording,
        'MonoCut' AS "type"
    FROM (SELECT *, 'utt-' || md5(audio_filepath)[:16] AS id FROM read_json('{file}'))
) TO '{cuts}' (FORMAT json)
"""
