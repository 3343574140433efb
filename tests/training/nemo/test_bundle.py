"""A bundle rehearsed and looked at, as `asrdq train` does it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.training.conftest import Trial, write_bundle
from tests.training.nemo.conftest import Rows

from asrdq.errors import UsageError
from asrdq.training import TrainPlan, train
from asrdq.training.nemo.tiny import tiny_model
from asrdq.training.preflight import look_before


@pytest.fixture
def bundle(digits: Rows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The shipped recipe `smoke`, for TDT models on GPUs, with digits on both sides."""
    monkeypatch.setattr("tests.training.conftest.clips", lambda *_, **__: digits[:5])
    for name in ("RANK", "LOCAL_RANK", "WORLD_SIZE", "ASRDQ_RUN_DIR", "ASRDQ_BUNDLE_ID"):
        monkeypatch.delenv(name, raising=False)
    return write_bundle(
        tmp_path / "bundle", rows=digits, recipe={"data": {"batch_size": 4, "workers": 1}}
    )


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_rehearsal_runs_all_of_it_on_a_cpu(bundle: Path) -> None:
    result = train(TrainPlan(bundle, device="cpu", rehearse=True))
    assert result.finished and result.info.rehearsal
    run = Path(result.run_dir)
    info = json.loads((run / "training_run_info.json").read_text(encoding="utf-8"))
    assert info["train"]["used"]["rows"] == 16
    assert info["validation"]["used"]["rows"] == 5
    assert (run / "checkpoints" / "last.ckpt").exists()
    assert not list(run.glob("adapted_model*"))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_preflight_leaves_nothing_behind(bundle: Path, digits: Rows, tmp_path: Path) -> None:
    base = tiny_model("tdt", [row["text"] for row in digits], tmp_path / "base")
    before = set(tmp_path.rglob("*"))
    report = look_before(TrainPlan(bundle, device="cpu", base=str(base)))
    assert (report.batch.asked, report.batch.clips) == (4, 8)
    assert report.rates is not None and report.rates.workers == 1
    assert set(tmp_path.rglob("*")) == before


def test_a_backend_without_a_preflight_says_so(trial: Trial) -> None:
    with pytest.raises(UsageError, match="the backend line has no preflight"):
        look_before(TrainPlan(trial.bundle, backend="line"))
