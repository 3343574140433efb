"""What is in a bundle, and that it is the same byte by byte for the same input."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from asrdq.handoff import verify_bundle

if TYPE_CHECKING:
    from tests.handoff.conftest import Ready

pytestmark = pytest.mark.slow


def test_a_green_gate_gives_a_bundle_that_verifies(ready: Ready) -> None:
    made = ready.hand_off()
    found = verify_bundle(str(ready.out), expected_id=made.bundle_id)
    assert found.findings == []
    assert found.clips == 405
    assert found.hashed == 400
    lines = (ready.out / "data" / "train.jsonl").read_text().splitlines()
    assert len(lines) == 400
    row = ready.audited.workspace.query("SELECT * FROM handoffs").to_pylist()[0]
    assert row["bundle_id"] == made.bundle_id
    assert row["train_verdict"] == "PROCEED"
    said = json.loads((ready.out / "provenance.json").read_text())
    assert said["train"]["fingerprint"] == ready.audited.manifest.fingerprint
    present = {str(p.relative_to(ready.out)) for p in ready.out.rglob("*") if p.is_file()}
    assert present == {*said["files"], "provenance.json", "provenance.json.sha256"}
