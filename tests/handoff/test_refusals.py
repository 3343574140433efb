"""A hand-off in each state that is not green is refused, with the right reason."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable

from asrdq.gates import sign_off, write_new_key
from asrdq.handoff import REASONS, Refusal, RefusedError, hand_off
from asrdq.leakage import LeakPlan, find_leaks
from asrdq.manifests import PathMap, ingest_manifest

if TYPE_CHECKING:
    from tests.handoff.conftest import Ready

pytestmark = pytest.mark.slow


def signed(ready: Ready, **more: Any) -> None:
    audited = ready.audited
    sign_off(audited.workspace, audited.manifest, by="Dana", note="round 2", **more)


def write_policy(ready: Ready, text: str) -> None:
    file = Path(str(ready.audited.workspace.root)) / "policies" / "default.yaml"
    file.write_text(text, encoding="utf-8")


def test_no_verdict(ungated: Ready) -> None:
    assert set(ungated.refused()) == {"no_verdict"}
    ungated.audited.write_audit()
    assert set(ungated.refused()) == {"no_verdict"}


def test_a_verdict_on_other_content(ready: Ready) -> None:
    file = ready.audited.folder / "train.jsonl"
    lines = file.read_text().splitlines()
    row = {**json.loads(lines[0]), "text": "another sentence"}
    file.write_text("\n".join([json.dumps(row), *lines[1:]]) + "\n")
    ingest_manifest(ready.audited.workspace, [file], "train")
    found = ready.refused()
    assert set(found) == {"no_verdict"}
    assert "it has verdicts on other content" in found["no_verdict"]


def test_undecided(ungated: Ready) -> None:
    ungated.audited.write_audit(state="failed")
    ungated.audited.ask()
    assert set(ungated.refused()) == {"undecided"}


def test_stop_and_its_override(ungated: Ready) -> None:
    ungated.audited.write_audit({"noisy": 200})
    ungated.audited.ask()
    assert set(ungated.refused()) == {"stop"}
    assert set(ungated.refused(allow_override=True)) == {"stop"}
    signed(ungated, reason="a pilot, thrown away afterwards")
    assert "--allow-override" in ungated.refused()["stop"]
    made = ungated.hand_off(allow_override=True)
    assert made.verdicts == {"train@0": "STOP"}
    said = json.loads((ungated.out / "provenance.json").read_text())
    assert said["override_allowed"] is True
    assert said["signoffs"][0]["reason"] == "a pilot, thrown away afterwards"
    assert "this verdict was overridden" in (ungated.out / "README.md").read_text()
    row = ungated.audited.workspace.query("SELECT overridden FROM handoffs").to_pylist()[0]
    assert row["overridden"] is True


def test_caution_needs_a_signoff(ungated: Ready) -> None:
    ungated.audited.write_audit({"noisy": 50})
    ungated.audited.ask()
    assert set(ungated.refused()) == {"caution"}
    signed(ungated)
    made = ungated.hand_off()
    assert made.verdicts == {"train@0": "CAUTION"}
    assert made.signed_by == ("Dana",)


def test_a_verdict_that_no_longer_stands(ready: Ready) -> None:
    ready.audited.write_audit({"noisy": 200})
    assert set(ready.refused()) == {"stale_verdict", "stop"}


def test_a_verdict_that_was_edited(ungated: Ready) -> None:
    ungated.audited.write_audit({"noisy": 200})
    run_id = ungated.audited.ask().evidence.run
    assert run_id is not None
    workspace = ungated.audited.workspace
    rows = workspace.read("decisions")
    index = rows.schema.get_field_index("verdict")
    edited = rows.set_column(index, "verdict", pa.array(["PROCEED"]))
    workspace.replace("decisions", edited, run_id=rows["run_id"].to_pylist())
    found = ungated.refused()
    assert set(found) == {"stale_verdict", "stop"}
    assert "was PROCEED and would be STOP" in found["stale_verdict"]


def test_decisions_that_lost_a_column(ready: Ready) -> None:
    workspace = ready.audited.workspace
    rows = workspace.read("decisions").drop_columns(["policy_hash"])
    shutil.rmtree(Path(str(workspace.root)) / "tables" / "decisions")
    workspace.append("decisions", rows)
    found = ready.refused()
    assert set(found) == {"no_verdict"}
    assert "cannot be read" in found["no_verdict"]


def test_a_verdict_by_another_policy(ready: Ready) -> None:
    ready.audited.ask("version: 1\naudit: {stop_above: 0.5, caution_from: 0.4}\n")
    assert set(ready.refused()) == {"other_policy"}


def test_a_policy_that_was_made_stricter(ready: Ready) -> None:
    write_policy(ready, "version: 1\naudit: {caution_from: 0.01}\n")
    assert set(ready.refused()) == {"other_policy"}


def test_audio_that_changed_since_the_audit(ready: Ready) -> None:
    (ready.audited.folder / "clip-0007.wav").write_bytes(b"another sound")
    assert set(ready.refused()) == {"stale_verdict", "undecided"}


def test_rows_edited_behind_the_back(ready: Ready) -> None:
    table = DeltaTable(str(Path(str(ready.audited.workspace.root)) / "tables/manifests/train"))
    [file] = table.file_uris()
    rows = pq.read_table(file)
    index = rows.schema.get_field_index("text")
    kind = rows.schema.field(index).type
    texts = pa.array(["edited", *rows["text"].to_pylist()[1:]], kind)
    pq.write_table(rows.set_column(index, "text", texts), file)
    assert "rows_edited" in ready.refused()


def test_a_signoff_that_the_recipe_asks_for(ready: Ready) -> None:
    assert set(ready.refused(signoff=True)) == {"not_signed"}
    signed(ready)
    assert ready.hand_off(signoff=True).signed_by == ("Dana",)


def test_a_signoff_that_the_policy_asks_for(ready: Ready) -> None:
    write_policy(ready, "version: 1\nhandoff: {signoff: true}\n")
    ready.audited.ask()
    assert set(ready.refused()) == {"not_signed"}


def test_a_signoff_without_the_key_that_is_asked_for(ready: Ready, tmp_path: Path) -> None:
    public = write_new_key(tmp_path / "release.key")
    signed(ready)
    found = ready.refused(public_key=public)
    assert set(found) == {"signoff_broken"}
    assert "it was signed with no key" in found["signoff_broken"]


def test_a_signoff_that_is_broken_counts_also_where_none_is_asked_for(ready: Ready) -> None:
    signed(ready)
    suite = Path(str(ready.audited.workspace.root)) / "expectations" / "asr_manifest.json"
    suite.write_text(suite.read_text() + " ")
    found = ready.refused()
    assert set(found) == {"signoff_broken"}
    assert "asr_manifest.json: has other content" in found["signoff_broken"]


def test_a_signoff_of_another_verdict(ready: Ready) -> None:
    signed(ready)
    ready.audited.write_audit({"noisy": 50})
    ready.audited.ask()
    found = ready.refused()
    assert set(found) == {"signoff_other", "caution"}
    assert found["signoff_other"] == "PROCEED was signed for train@0, and the gate says CAUTION"


def test_a_recipe_with_an_error(ready: Ready) -> None:
    found = ready.refused(recipe=ready.recipe("wrong", "{precision: fp16-mixed}"))
    assert set(found) == {"lint"}
    assert found["lint"].startswith("tdt-fp16: ")
    assert found["lint"].endswith("wrong.yaml:3)")


def test_a_validation_manifest_that_needs_a_verdict_too(ready: Ready) -> None:
    write_policy(ready, "version: 1\nhandoff: {validation: true}\n")
    ready.audited.ask()
    found = ready.refused()
    assert set(found) == {"no_verdict"}
    assert "val@0" in found["no_verdict"]


def test_the_same_content_on_both_sides(ready: Ready) -> None:
    assert set(ready.refused(validation=ready.audited.manifest)) == {"same_manifest"}


def test_a_text_of_training_in_validation(ready: Ready) -> None:
    rows = ready.val_rows()
    ready.ingest_val([*rows[:4], {**rows[4], "text": "a sentence"}])
    found = ready.refused()
    assert set(found) == {"leaks"}
    assert "text 1 rows (20.00%, limit 0.00%)" in found["leaks"]


def test_the_limits_of_the_policy_are_those_of_the_hand_off(ready: Ready) -> None:
    rows = ready.val_rows()
    ready.ingest_val([*rows[:4], {**rows[4], "text": "a sentence"}])
    write_policy(ready, "version: 1\nleaks: {against: [val], maximum_text: 0.2}\n")
    workspace = ready.audited.workspace
    plan = LeakPlan(max_share={"text": 0.2})
    find_leaks(workspace, ready.audited.manifest, ready.validation, plan)
    ready.audited.ask()
    assert ready.hand_off().verdicts == {"train@0": "PROCEED"}


def test_audio_of_validation_that_is_gone(ready: Ready) -> None:
    (ready.audited.folder / "val-2.wav").unlink()
    found = ready.refused()
    assert set(found) == {"audio_missing", "leaks_unknown"}
    assert "1 of 405" in found["audio_missing"]
    assert "val-2.wav" in found["audio_missing"]


def test_audio_without_a_mapped_prefix(ready: Ready, tmp_path: Path) -> None:
    found = ready.refused(path_map=PathMap.parse(["/elsewhere=/data"]))
    assert set(found) == {"audio_unmapped"}
    assert "405 of 405" in found["audio_unmapped"]


def test_audio_that_would_be_an_address(ready: Ready) -> None:
    path_map = PathMap.parse([f"{ready.audited.folder}=s3://bucket/audio"])
    assert set(ready.refused(path_map=path_map)) == {"audio_remote"}


def test_all_reasons_are_told_at_once_with_their_ids_and_what_mends_them(ungated: Ready) -> None:
    (ungated.audited.folder / "val-2.wav").unlink()
    with pytest.raises(RefusedError) as caught:
        hand_off(ungated.asked(signoff=True))
    error = caught.value
    assert [item.reason for item in error.refusals] == [
        "no_verdict", "leaks_unknown", "audio_missing"
    ]  # fmt: skip
    assert all(item.mend.startswith("asrdq ") for item in error.refusals)
    assert int(error.exit_code) == 1
    assert "mend it with: asrdq gate train@0" in str(error)
    runs = ungated.audited.workspace.query("SELECT state FROM runs WHERE command = 'handoff'")
    assert runs["state"].to_pylist() == ["failed"]
    assert not ungated.audited.workspace.table_exists("handoffs")


def test_a_reason_has_to_be_known() -> None:
    with pytest.raises(ValueError, match="no reason that is known"):
        Refusal("because", "of that", "asrdq gate train")
    assert all(REASONS.values())
