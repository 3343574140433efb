"""gate, waive, signoff and verify from the command line, with the exit codes of each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from asrdq.monitoring.readers.events import read_events

if TYPE_CHECKING:
    from tests.gates.conftest import Audited


@pytest.mark.slow
def test_a_release_is_waived_signed_and_verified(
    audited: Audited, run_cli: Any, tmp_path: Path
) -> None:
    where = ["-w", audited.workspace.root]
    audited.write_audit({"noisy": 200})
    run_cli("verify", "train", *where, code=4)
    run_cli("signoff", "train", "--by", "Dana", "--note", "x", *where, code=4)
    run_cli("gate", "train", *where, code=1)
    refused = run_cli("signoff", "train", "--by", "Dana", "--note", "x", *where, code=1)
    assert "--reason TEXT" in refused.stderr
    run_cli("waive", "rat", "--owner", "Dana", "--until", "2099-01-01", *where, code=2)
    run_cli("waive", "rate", "--owner", "Dana", "--until", "31.1.2099", *where, code=2)
    said = ["--owner", "Dana", "--until", "2099-01-01", "--reason", "a pilot"]
    run_cli("waive", "rate", *said, *where)
    assert "a pilot" in run_cli("waive", *where).stdout
    shown = run_cli("gate", "train", *where)
    assert "CAUTION" in shown.stdout
    assert "waived until 2099-01-01 by Dana: a pilot" in shown.stdout
    run_cli("gate", "train", "--fail-on", "caution", *where, code=1)
    made = run_cli("signoff", "--new-key", tmp_path / "release.key")
    public = made.stdout.strip()
    secret = (tmp_path / "release.key").read_text()
    assert secret.splitlines()[1] not in made.stdout + made.stderr
    signed = run_cli(
        *("signoff", "train", "--by", "Dana", "--note", "1.2", "--format", "json", *where),
        env={"ASRDQ_SIGNING_KEY": secret},
    )
    body = json.loads(signed.stdout)
    assert body["body"]["verdict"] == "CAUTION"
    checked = ["verify", "train", "--public-key", public, "--head", body["hash"], *where]
    assert "as signed" in run_cli(*checked).stdout
    policy = Path(str(audited.workspace.root)) / "policies" / "default.yaml"
    policy.write_text(policy.read_text() + "\n")
    found = run_cli(*checked, code=1)
    assert "CHANGED policy: policies/default.yaml: has other content" in found.stdout
    told = json.loads(run_cli(*checked, "--format", "json", code=1).stdout)
    assert [row["part"] for row in told["checks"] if not row["same"]] == ["policy"]


@pytest.mark.slow
def test_figures_of_a_verdict_stand_beside_a_training_run(
    audited: Audited, run_cli: Any, tmp_path: Path
) -> None:
    """12 of 300 noisy clips are low, and none of 100 clean ones: 4 % and 3 %."""
    where = ["-w", audited.workspace.root]
    unheard = run_cli(
        "gate", "train", "--log-to", f"tensorboard:{tmp_path / 'run'}", *where, code=4
    )
    assert "no figures for tensorboard: nothing was judged" in unheard.stderr
    assert not (tmp_path / "run").exists()
    audited.write_audit({"noisy": 12})
    run_cli("gate", "train", "--log-to", f"tensorboard:{tmp_path / 'run'}", *where, code=None)
    (file,) = (tmp_path / "run").iterdir()
    found = dict(read_events(file, file.name).rows.select("name", "value").iter_rows())
    assert found["phase0/noisy/low_quality_percentage"] == 4.0
    assert found["phase0/low_quality_percentage"] == 3.0
    assert found["phase0/noisy/mean_coverage"] == pytest.approx(0.88)
    assert found["phase0/gate_passed"] == 1.0
    refused = run_cli("gate", "train", "--log-to", "tensorboard", *where, code=2)
    assert "names no folder" in refused.stderr
