"""The whole chain with manifest, audio and workspace on S3 says what it says on a disk."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from asrdq.workspace import Workspace

SOME = 12
JUDGED = "SELECT utt_id, coverage, confidence, low_quality, reasons FROM audits ORDER BY utt_id"


@pytest.mark.slow(minutes=1)
def test_the_chain_on_s3_gives_what_it_gives_on_a_disk(
    bucket: str, s3_server: Any, run_cli: Any, data_samples: Path, tmp_path: Path
) -> None:
    lines = (data_samples / "manifest.jsonl").read_text(encoding="utf-8").splitlines()[:SOME]
    rows = [json.loads(line) for line in lines]
    for row in rows:
        clip = str(data_samples / row["audio_filepath"])
        s3_server.client.upload_file(clip, bucket, f"corpus/{row['audio_filepath']}")
    text = "\n".join(lines) + "\n"
    s3_server.client.put_object(Bucket=bucket, Key="corpus/train.jsonl", Body=text.encode())
    (tmp_path / "train.jsonl").write_text(text, encoding="utf-8")
    near, far = str(tmp_path / "ws"), f"s3://{bucket}/ws"
    chains = {
        near: [str(tmp_path / "train.jsonl"), "--audio-root", str(data_samples)],
        far: [f"s3://{bucket}/corpus/train.jsonl"],
    }
    for where, ingested in chains.items():
        run_cli("init", where)
        run_cli("ingest", *ingested, "--name", "train", "-w", where)
        run_cli("probe", "train", "-w", where)
        run_cli("sample", "train", "--fraction", "1.0", "-w", where)
        run_cli("audit", "train", "--no-calibration", "-w", where)
    run_cli("gate", "train", "-w", far, code=4)
    shown = run_cli("report", "train", "-w", far)
    assert shown.stdout.strip() == f"{far}/reports/train.html"
    disk, s3 = Workspace.open(near), Workspace.open(far)
    assert s3.manifest("train").fingerprint == disk.manifest("train").fingerprint
    assert s3.query(JUDGED).equals(disk.query(JUDGED))
    assert s3.query("SELECT count(*) AS n FROM audits")["n"].to_pylist() == [SOME]
    facts = "SELECT utt_id, status, audio_hash FROM audio_facts ORDER BY utt_id"
    assert s3.query(facts).equals(disk.query(facts))
    page = s3_server.read(bucket, "ws/reports/train.html").decode()
    assert page.count("data:audio/mpeg;base64,") == 12
    report = json.loads(s3_server.read(bucket, "ws/reports/train.alignment_report.json"))
    assert report["verdict"] == "UNDECIDED"
