"""Hold a training configuration against a manifest of 5 M rows, against 20 seconds.

    python benchmarks/lint.py [ROWS] [--val]

Durations, languages, repeated transcripts, the characters of every text against a list of labels,
and how many texts have one that is missing; with `--val` also what they share with 100,000 rows of
another manifest. The command runs in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb
from made_up import write_manifest

from asrdq.workspace import Workspace

ROWS, VALIDATION = 5_000_000, 100_000
LIMIT_S = 20
CONFIG = """\
init_from_pretrained_model: nvidia/parakeet-ctc-0.6b
model:
  labels: [' ', a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y, z]
  train_ds: {manifest_filepath: s3://speech/train.jsonl, batch_size: 16, max_duration: 16}
  optim: {lr: 2e-4, sched: {name: CosineAnnealing, warmup_steps: 500}}
trainer: {devices: 8, max_epochs: 20, val_check_interval: 0.5, gradient_clip_val: 1.0,
  precision: bf16-mixed, log_every_n_steps: 100}
"""
_TEXT = "concat_ws(' ', 'the number of this clip is', md5(i::VARCHAR), 'or', i % 977, 'in short')"
_MADE_UP = f"""
    SELECT 'u' || i AS utt_id, '/a/' || i || '.wav' AS audio_path, {_TEXT} AS text,
        1 + (i % 1700) / 100 AS duration_s, NULL::DOUBLE AS offset_s, 'en' AS language,
        's' || (i % 5000) AS speaker
    FROM range({{rows}}) made(i)
"""


def main() -> None:
    """Print the ratio to the limit."""
    parser = argparse.ArgumentParser()
    parser.add_argument("rows", nargs="?", type=int, default=ROWS)
    parser.add_argument("--val", action="store_true")
    given = parser.parse_args()
    rows = given.rows
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        Workspace.init(root)
        made = duckdb.sql(_MADE_UP.format(rows=rows)).to_arrow_reader(100_000)
        write_manifest(Workspace.open(root), "train", made, rows)
        (root / "train.yaml").write_text(CONFIG, encoding="utf-8")
        command = [sys.executable, "-m", "asrdq", "-w", folder, "lint", str(root / "train.yaml")]
        if given.val:
            other = _MADE_UP.format(rows=VALIDATION).replace("/a/", "/b/").replace("'u'", "'v'")
            made = duckdb.sql(other).to_arrow_reader(100_000)
            write_manifest(Workspace.open(root), "val", made, VALIDATION)
            command += ["--val", "val"]
        started = time.perf_counter()
        done = subprocess.run(
            [*command, "--manifest", "train", "--format", "json"],
            capture_output=True,
            text=True,
            check=False,
        )
        seconds = time.perf_counter() - started
    found = {each["rule"]: each["message"] for each in json.loads(done.stdout)["found"]}
    assert f"{rows:,} transcripts" in found["tokenizer-coverage"], found
    assert "rows-dropped" in found, found
    assert given.val == ("split-leak" in found), found
    figures = {"ratio": round(seconds / LIMIT_S, 3), "asrdq_s": round(seconds, 2), "rows": rows}
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
