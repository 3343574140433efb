"""An audit on a real Ray: the tables of a local one, whatever happens to its actors."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from asrdq.audit import AuditPlan, AuditResult, audit
from asrdq.cli.auditing import run_audit
from asrdq.manifests import ingest_manifest
from asrdq.sampling import SamplingPlan, draw_sample
from asrdq.settings import RaySettings
from asrdq.workspace import Workspace

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::ResourceWarning"),
]
CLUSTER = RaySettings()


@pytest.fixture(scope="module")
def ray() -> Iterator[None]:
    """Ray on this machine, which is told that it has two CPUs and a GPU."""
    import ray

    ray.init(
        num_cpus=2, num_gpus=1, include_dashboard=False, log_to_driver=False, logging_level="ERROR"
    )
    yield
    ray.shutdown()


def prepared(folder: Path, rows: Sequence[dict[str, Any]]) -> Workspace:
    Workspace.init(folder)
    workspace = Workspace.open(folder)
    file = folder / "m.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    ingest_manifest(workspace, [file], "m")
    draw_sample(workspace, workspace.manifest("m"), SamplingPlan(fraction=1.0))
    return workspace


def audited(folder: Path, rows: Sequence[dict[str, Any]], plan: AuditPlan) -> AuditResult:
    workspace = prepared(folder, rows)
    return audit(workspace, workspace.manifest("m"), plan, workers=2)


def rows_of(result: AuditResult) -> dict[str, list[dict[str, Any]]]:
    return {
        name: table.drop_columns(["run_id"]).to_pylist() for name, table in result.tables().items()
    }


def test_ray_and_this_machine_give_identical_tables(
    ray: None, data_samples: Path, tmp_path: Path
) -> None:
    lines = (data_samples / "manifest.jsonl").read_text().splitlines()
    rows = sorted((json.loads(line) for line in lines), key=lambda row: row["duration"])[:5]
    rows = [{**row, "audio_filepath": str(data_samples / row["audio_filepath"])} for row in rows]
    rows.append({"audio_filepath": str(tmp_path / "absent.wav"), "text": "one two"})
    here = audited(tmp_path / "here", rows, AuditPlan("pocketsphinx"))
    there = audited(tmp_path / "there", rows, AuditPlan("pocketsphinx", cluster=CLUSTER))
    found, expected = rows_of(there), rows_of(here)
    assert len(expected["audits"]) == 6 and len(expected["fault_trials"]) >= 30
    assert len(expected["word_spans"]) > 25
    assert repr(found) == repr(expected), "to the last bit, and NaN where the other has NaN"
    runs = Workspace.open(tmp_path / "there").read("runs").to_pylist()
    (parameters,) = [json.loads(run["parameters"]) for run in runs if run["command"] == "audit"]
    assert parameters["engine"] == "ray"


def test_a_killed_actor_loses_nothing_and_a_poisonous_clip_its_own_row(
    ray: None,
    trial_aligners: Path,
    data_samples: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Batches of four: the first is killed by its process id, and one has the poison."""
    clip = str(sorted((data_samples / "audio").glob("*.flac"))[0])
    texts = ["one two", "three", "four", "five", "six", "seven crash", "eight", "nine", "ten"]
    rows = [{"id": f"u{at}", "audio_filepath": clip, "text": text} for at, text in enumerate(texts)]
    notes = tmp_path / "notes"
    notes.mkdir()

    def kill() -> None:
        while not (found := list(notes.iterdir())):
            os.sched_yield()
        os.kill(int(found[0].name), signal.SIGKILL)

    killer = threading.Thread(target=kill, daemon=True)
    killer.start()
    prepared(tmp_path / "there", rows)
    there = run_audit(
        tmp_path / "there",
        "m",
        aligner=f"mortal:{notes}",
        calibrate=False,
        plant=False,
        workers=2,
        engine="ray",
    )
    killer.join()
    assert capsys.readouterr().out == "", "what Ray says of the dead goes to stderr"
    statuses = {row["utt_id"]: row["status"] for row in there.alignments.to_pylist()}
    expected = {f"u{at}": "aligned" for at in range(9)} | {"u5": "aligner_crashed"}
    assert statuses == expected
    here = audited(
        tmp_path / "here", rows, AuditPlan(f"mortal:{notes}", calibrate=False, plant=False)
    )
    assert rows_of(there)["audits"] == rows_of(here)["audits"]
    kept = Workspace.open(tmp_path / "there").cache("alignments")
    crashed = [row["cache_key"] for row in there.alignments.to_pylist() if row["utt_id"] == "u5"]
    assert kept.lookup(pa.array(crashed)).num_rows == 0, "the next run tries it again"


def test_workers_share_a_gpu_and_are_told_to_use_it(
    ray: None, trial_aligners: Path, data_samples: Path, tmp_path: Path
) -> None:
    """Half a GPU each: the aligner may not fall back to a CPU, whatever this machine has."""
    clip = str(sorted((data_samples / "audio").glob("*.flac"))[0])
    rows = [{"id": f"u{at}", "audio_filepath": clip, "text": f"word {at}"} for at in range(6)]
    workspace = prepared(tmp_path / "ws", rows)
    told = {}
    for share in (0.5, 0.0):
        cluster = RaySettings(gpus_per_worker=share, cpus_per_worker=0.5)
        plan = AuditPlan("devices", calibrate=False, plant=False, cluster=cluster)
        found = audit(workspace, workspace.manifest("m"), plan)
        details = [row["detail"].split(" ") for row in found.alignments.to_pylist()]
        told[share] = {(device, seen) for _, device, seen in details}
        workspace = prepared(tmp_path / "ws2", rows)
    assert told[0.5] == {("cuda", "0")}
    assert told[0.0] == {("auto", "")}


def test_audio_on_s3_is_read_by_the_workers(
    bucket: str, s3_server: Any, run_cli: Any, data_samples: Path, tmp_path: Path
) -> None:
    """By the command itself, which starts Ray; two clips are enough for the same tables."""
    lines = (data_samples / "manifest.jsonl").read_text(encoding="utf-8").splitlines()[:2]
    rows = [json.loads(line) for line in lines]
    for row in rows:
        clip = str(data_samples / row["audio_filepath"])
        row["audio_filepath"] = f"s3://{bucket}/{row['audio_filepath']}"
        s3_server.client.upload_file(clip, bucket, row["audio_filepath"].partition(f"{bucket}/")[2])
    here = audited(tmp_path / "here", rows, AuditPlan("pocketsphinx", False, False))
    there = prepared(tmp_path / "there", rows)
    done = run_cli("audit", "m", "--no-calibration", "--engine", "ray", "-w", there.root, "-fjson")
    assert json.loads(done.stdout)["schema_version"] == 1, "nothing of Ray on stdout"
    found = there.query("SELECT * EXCLUDE (run_id) FROM audits ORDER BY utt_id").to_pylist()
    assert found == rows_of(here)["audits"]
    assert all(row["audio_hash"] and row["coverage"] > 0.5 for row in found)


def test_an_address_without_ray_is_refused(run_cli: Any, tmp_path: Path) -> None:
    run_cli("init", tmp_path / "ws")
    done = run_cli("audit", "m", "--address", "auto", "-w", tmp_path / "ws", code=2)
    assert "the engine local has no address (auto)" in done.stderr
    assert "--engine ray" in done.stderr
