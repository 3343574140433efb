"""The scripts of a bundle start the training, and what stops a script stops the training too."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from importlib import resources
from pathlib import Path

import pytest
from tests.conftest import cli_environment
from tests.handoff.conftest import Ready, audited, ready, ungated  # noqa: F401 fixtures
from tests.training.conftest import STEPS, Trial, write_bundle

from asrdq.handoff import standalone
from asrdq.handoff.provenance import seal
from asrdq.training import TrainPlan, train

pytestmark = pytest.mark.slow


@pytest.fixture
def launched(tmp_path: Path, trial_backends: str) -> Trial:
    """A bundle whose scripts start the trainer of the tests."""
    bundle = write_bundle(tmp_path / "a bundle")
    shipped = resources.files("asrdq.handoff") / "launch"
    (bundle / "launch").mkdir()
    for script in ("common.sh", "local.sh"):
        (bundle / "launch" / script).write_text((shipped / script).read_text())
    (bundle / "launch" / "stop.sh").write_text("echo the machine is stopped\n")
    own = {"BACKEND": "line", "DEVICES": "1", "NODES": "1", "PLAIN_NEMO": "no"}
    lines = [f"ASRDQ_{name}={value}\n" for name, value in own.items()]
    (bundle / "environment.env").write_text("".join(lines))
    shutil.copyfile(standalone.__file__, bundle / "verify.py")
    body = json.loads((bundle / "provenance.json").read_text())
    for name in ("provenance.json", "provenance.json.sha256"):
        (bundle / name).unlink()
    del body["files"]
    seal(bundle, body)
    return Trial(tmp_path, bundle)


def script(trial: Trial, path: str, **environment: str) -> subprocess.Popen[str]:
    known = cli_environment()
    return subprocess.Popen(
        ["bash", str(trial.bundle / "launch" / "local.sh")],
        cwd=trial.folder,
        env={
            **known,
            "PYTHON": sys.executable,
            "PYTHONPATH": f"{path}:{known.get('PYTHONPATH', '')}",
            "ASRDQ_RUN_DIR": str(trial.run_dir),
            **environment,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_a_script_trains_and_stops_the_machine(launched: Trial, trial_backends: str) -> None:
    process = script(launched, trial_backends)
    told, _ = process.communicate()
    assert process.returncode == 0, told
    assert f"finished, {STEPS} of {STEPS} steps" in told
    assert told.endswith("the machine is stopped\n")


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_script_that_is_stopped_leaves_a_checkpoint_and_goes_on(
    launched: Trial, trial_backends: str, sent: signal.Signals, code: int
) -> None:
    process = script(launched, trial_backends, TRIAL_STEP_S="0.2")
    while not (launched.run_dir / "metrics.csv").exists() and process.poll() is None:
        time.sleep(0.01)
    os.kill(process.pid, sent)
    told, _ = process.communicate()
    assert process.returncode == code, told
    assert ("the machine is stopped" in told) == (code != 130)
    stopped_at = launched.info()["steps"]
    assert 0 < stopped_at < STEPS
    process = script(launched, trial_backends)
    told, _ = process.communicate()
    assert process.returncode == 0, told
    assert launched.info()["resumed_from"] == stopped_at


def test_what_was_really_handed_off_is_trained_and_named(
    ready: Ready,  # noqa: F811
    trial_backends: str,
) -> None:
    handed = ready.hand_off()
    workspace = ready.audited.workspace
    plan = TrainPlan(Path(handed.bundle), backend="line", bundle_id=handed.bundle_id)
    result = train(plan, workspace)
    assert result.exit_code == 0
    assert result.run_dir == f"{handed.bundle}.run"
    assert result.info.train.used is not None
    assert result.info.train.used.rows == handed.train_rows
    [run] = workspace.query("SELECT manifest, state FROM train_runs").to_pylist()
    assert run == {"manifest": handed.train, "state": "ended"}
    [row] = workspace.query("SELECT manifest FROM runs WHERE command = 'train' LIMIT 1").to_pylist()
    assert row["manifest"] == "train"
    assert standalone.verify_bundle(handed.bundle).findings == []
