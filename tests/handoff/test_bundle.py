"""What is in a bundle, and that it is the same byte by byte for the same input."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from asrdq.errors import UsageError
from asrdq.handoff import RefusedError, verify_bundle
from asrdq.handoff import handing as handing_module
from asrdq.manifests import PathMap, ingest_manifest
from asrdq.recipes import read_recipe, read_recipe_file

if TYPE_CHECKING:
    from tests.handoff.conftest import Ready

pytestmark = pytest.mark.slow


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_a_green_gate_gives_a_bundle_that_verifies(ready: Ready) -> None:
    made = ready.hand_off()
    found = verify_bundle(str(ready.out), expected_id=made.bundle_id)
    assert found.findings == []
    assert (found.clips, found.hashed) == (405, 400)
    lines = (ready.out / "data" / "train.jsonl").read_text().splitlines()
    assert len(lines) == 400
    assert json.loads(lines[0])["audio_filepath"].startswith(str(ready.audited.folder))
    row = ready.audited.workspace.query("SELECT * FROM handoffs").to_pylist()[0]
    assert row["bundle_id"] == made.bundle_id
    assert (row["train_verdict"], row["validation_verdict"]) == ("PROCEED", None)
    assert row["validation_fingerprint"] == ready.validation.fingerprint
    said = json.loads((ready.out / "provenance.json").read_text())
    assert said["train"]["fingerprint"] == ready.audited.manifest.fingerprint
    assert said["verdicts"][0]["verdict"] == "PROCEED"
    assert said["figures"]["kept"]["rows"] == 400
    assert {"level", "rule", "message"} <= set(said["lint"][0])
    assert set(contents(ready.out)) == {*said["files"], "provenance.json", "provenance.json.sha256"}
    recipe = read_recipe(str(ready.out / "config" / "recipe.yaml"))
    asked = ready.asked().recipe.recipe
    assert recipe == asked.model_copy(update={"extends": None})
    runs = ready.audited.workspace.query("SELECT state FROM runs WHERE command = 'handoff'")
    assert runs["state"].to_pylist() == ["done"]


def test_one_flipped_byte_in_any_file_is_found(ready: Ready) -> None:
    ready.hand_off()
    for name, content in contents(ready.out).items():
        changed = bytearray(content)
        changed[len(changed) // 2] ^= 1
        (ready.out / name).write_bytes(changed)
        found = verify_bundle(str(ready.out), audio=False)
        assert found.exit_code() == 1, name
        (ready.out / name).write_bytes(content)
    assert verify_bundle(str(ready.out), audio=False).exit_code() == 0


def test_after_a_kill_the_same_command_hands_off(ready: Ready) -> None:
    code = (
        "import os, signal, sys; from asrdq.handoff import handing;"
        "handing._row = lambda *_: os.kill(os.getpid(), signal.SIGKILL);"
        "from asrdq.cli.app import main; main(sys.argv[1:])"
    )
    words = ["handoff", "train", "--val", "val", "--recipe", "smoke", "--out", str(ready.out)]
    root = str(ready.audited.workspace.root)
    killed = subprocess.run([sys.executable, "-c", code, "-w", root, *words], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert not ready.out.exists()
    again = subprocess.run([sys.executable, "-m", "asrdq", "-w", root, *words], check=False)
    assert again.returncode == 0
    assert verify_bundle(str(ready.out)).findings == []


def test_the_same_input_gives_the_same_bytes(ready: Ready, tmp_path: Path) -> None:
    asked = {"gpus": "2xa100-40", "hash_audio": True, "recipe": ready.recipe("two", "{devices: 2}")}
    first = ready.hand_off(**asked)
    again = ready.hand_off(**asked, out=tmp_path / "elsewhere" / ready.out.name)
    assert first.bundle_id == again.bundle_id
    assert contents(ready.out) == contents(Path(again.bundle))
    assert verify_bundle(str(ready.out)).hashed == 405
    page = (ready.out / "PROVISIONING.md").read_text()
    assert "brev create asrdq-one --gpu-name A100 --min-total-vram 80 --min-disk" in page
    assert "3.20 USD an hour from here on, until it is stopped (seen 2026-02-10)" in page
    assert "price not known, see prices.yaml" in page
    assert '\'instance_type_name": "gpu_2x_a100"' not in page
    assert '"instance_type_name": "gpu_2x_a100"' in page
    assert "ASRDQ_DEVICES=2\n" in (ready.out / "environment.env").read_text()
    assert f"{ready.audited.folder}/ asrdq-one:{ready.audited.folder}/" in page
    assert first.script == "torchrun.sh"
    assert any(note.startswith("lint: ") for note in first.notes)


def test_paths_are_those_of_where_it_runs(ready: Ready) -> None:
    ready.hand_off(path_map=PathMap.parse([f"{ready.audited.folder}=/data/audio"]))
    for name in ("train", "validation"):
        for line in (ready.out / "data" / f"{name}.jsonl").read_text().splitlines():
            assert json.loads(line)["audio_filepath"].startswith("/data/audio/")
    found = verify_bundle(str(ready.out))
    assert {item.kind for item in found.findings} == {"audio_missing"}
    assert len(found.findings) == 405
    assert verify_bundle(str(ready.out), audio=False).findings == []
    mounts = (ready.out / "mounts.tsv").read_text()
    assert mounts == f"{ready.audited.folder}\t/data/audio\n"


def test_a_bundle_that_fails_half_way_leaves_nothing(
    ready: Ready, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(handing_module, "_row", full)
    with pytest.raises(Exception, match="No space left"):
        ready.hand_off()
    assert list(ready.out.parent.iterdir()) == []
    assert not ready.audited.workspace.table_exists("handoffs")


def test_a_folder_that_is_taken_and_another_backend_are_refused_first(ready: Ready) -> None:
    with pytest.raises(UsageError, match="for nemo, not for qwen"):
        ready.hand_off(backend="qwen")
    ready.out.mkdir()
    (ready.out / "mine").write_text("")
    with pytest.raises(UsageError, match="is there already"):
        ready.hand_off()
    assert (ready.out / "mine").exists()
    two = ready.recipe("two", "{nodes: 2, effective_batch: 12}")
    with pytest.raises(UsageError, match="not the same number for each of 2 machines"):
        ready.hand_off(gpus="3xh100", recipe=two, out=ready.out.parent / "two")
    assert not (ready.out.parent / "two").exists()


def test_qwen_gets_its_own_format_and_recipe(ready: Ready) -> None:
    made = ready.hand_off(backend="qwen", recipe=read_recipe_file("qwen3-asr-sft"))
    assert made.backend == "qwen"
    line = (ready.out / "data" / "train.jsonl").read_text().splitlines()[0]
    assert set(json.loads(line)) >= {"audio", "text"}
    assert json.loads(line)["text"].endswith("<asr_text>a sentence")
    assert not (ready.out / "config" / "nemo.yaml").exists()
    said = yaml.safe_load((ready.out / "config" / "recipe.yaml").read_text())
    assert said["backend"] == "qwen"
    assert "vllm serve" in (ready.out / "DEPLOYMENT.md").read_text()
    assert verify_bundle(str(ready.out)).findings == []


def test_hostile_names_in_the_data_stay_data(ready: Ready) -> None:
    folder = ready.audited.folder / "a $(touch pwned) 'b' \"c\""
    folder.mkdir()
    rows = ready.val_rows()
    for row in rows:
        moved = folder / Path(row["audio_filepath"]).name
        Path(row["audio_filepath"]).rename(moved)
        row["audio_filepath"] = str(moved)
    ready.ingest_val(rows)
    ready.hand_off()
    assert verify_bundle(str(ready.out)).findings == []
    for script in (ready.out / "launch").iterdir():
        assert "pwned" not in script.read_text()
    assert "pwned" not in (ready.out / "environment.env").read_text()


def test_a_version_by_its_number(ready: Ready) -> None:
    file = ready.audited.folder / "train.jsonl"
    file.write_text("\n".join(file.read_text().splitlines()[:50]) + "\n")
    ingest_manifest(ready.audited.workspace, [file], "train")
    with pytest.raises(RefusedError, match="no_verdict"):
        ready.hand_off()
    made = ready.hand_off(train=ready.audited.workspace.manifest("train@0"))
    assert (made.train, made.train_rows) == ("train@0", 400)
