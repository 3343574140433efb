"""Training runs on pages: curves, findings, and nothing that a hostile log could do."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from asrdq.errors import UsageError
from asrdq.monitoring import WatchPlan, audit_figures, watch
from asrdq.monitoring.series import Curve, Curves
from asrdq.reporting import write_report, write_runs_page
from asrdq.reporting.curves import curve_plots
from asrdq.workspace import Workspace

if TYPE_CHECKING:
    Audited = Any

pytestmark = pytest.mark.slow

HOSTILE = "<img src=x onerror=alert(1)>"
WER = (0.30, 0.20, 0.21, 0.22)


def write_run(folder: Path, name: str = "eval_wer") -> Path:
    history: list[dict[str, Any]] = []
    for place, wer in enumerate(WER, start=1):
        history.append({"step": 100 * place, "loss": 1 / place})
        history.append({"step": 100 * place, name: wer, "eval_loss": 0.5 + place / 10})
    folder.mkdir(parents=True)
    (folder / "trainer_state.json").write_text(json.dumps({"log_history": history}))
    return folder


def curve(metric: str, *values: float) -> Curve:
    none = np.full(len(values), np.nan)
    return Curve("train", metric, np.arange(len(values)), np.array(values), none, none)


def test_a_path_goes_from_the_first_step_to_the_last() -> None:
    loss = curve("loss", 4.0, 2.0, 0.0)
    (plot,) = curve_plots(Curves("r", {("train", "loss"): loss}), None, [])
    (line,) = plot.lines
    ends = re.findall(r"([ML])([\d.]+) ([\d.]+)", line.path)
    assert [pen for pen, *_ in ends] == ["M", "L", "L"]
    assert [float(x) for _, x, _ in ends] == [0.0, 500.0, 1000.0]
    heights = [float(y) for *_, y in ends]
    assert heights == sorted(heights)  # downwards on the page
    assert len(line.dots) == 3


def test_a_curve_has_a_gap_where_there_is_no_number() -> None:
    loss = curve("loss", 4.0, 3.0, math.nan, 1.0, 0.5)
    (plot,) = curve_plots(Curves("r", {("train", "loss"): loss}), None, [])
    assert re.sub(r"[^ML]", "", plot.lines[0].path) == "MLML"


def test_a_long_curve_is_thinned() -> None:
    loss = curve("loss", *np.linspace(2.0, 1.0, 100_000).tolist())
    (plot,) = curve_plots(Curves("r", {("train", "loss"): loss}), None, [])
    assert len(re.findall("[ML]", plot.lines[0].path)) == 400
    assert plot.lines[0].dots == ()


def test_the_page_of_a_run(workspace: Workspace, tmp_path: Path) -> None:
    watch(workspace, WatchPlan([write_run(tmp_path / "run7")]))
    page = write_runs_page(workspace, ["run7"], tmp_path / "page.html")
    html = page.read_text(encoding="utf-8")
    assert "run7" in html
    assert "Best wer 0.2000 at step 200; best loss 0.6000 at step 100." in html
    assert "They disagree" in html
    assert "overfit" in html
    assert html.count("<path class=") == 3  # WER, training loss, validation loss
    assert not re.search(r"https?://", html)
    assert "<script" not in html


def test_hostile_names_stay_text(workspace: Workspace, tmp_path: Path) -> None:
    run = write_run(tmp_path / HOSTILE.replace("/", "_"), name=f"eval_{HOSTILE}")
    watch(workspace, WatchPlan([run]))
    html = write_runs_page(workspace, [run.name], tmp_path / "page.html").read_text()
    assert "<img" not in html
    assert "&lt;img" in html


def test_a_run_that_there_is_not(workspace: Workspace, tmp_path: Path) -> None:
    watch(workspace, WatchPlan([write_run(tmp_path / "run7")]))
    with pytest.raises(UsageError, match="run8") as caught:
        write_runs_page(workspace, ["run8"], tmp_path / "page.html")
    assert "did you mean 'run7'" in str(caught.value)


def test_the_report_of_a_manifest_shows_its_runs(audited: Audited, tmp_path: Path) -> None:
    audited.write_audit(5)
    workspace = audited.workspace
    before = write_report(workspace, "train").path.read_text(encoding="utf-8")
    assert 'id="training"' not in before
    watch(workspace, WatchPlan([write_run(tmp_path / "runs" / "seven")], manifest="train"))
    watch(workspace, WatchPlan([write_run(tmp_path / "runs" / "other")]))
    html = write_report(workspace, "train").path.read_text(encoding="utf-8")
    assert 'href="#training"' in html
    assert "seven" in html
    assert "trains on train@0" in html
    assert "other</bdi>" not in html


def test_figures_of_an_audit(audited: Audited) -> None:
    """The same figures as on the page, by the names that training dashboards know."""
    audited.write_audit(5)
    figures = audit_figures(audited.workspace, "train")
    rows = audited.workspace.query(
        "SELECT stratum, avg(coverage) AS coverage, count(*) AS clips, "
        "100 * avg(low_quality::INT) AS low FROM audits GROUP BY stratum"
    ).to_pylist()
    assert rows
    for row in rows:
        name = f"phase0/{row['stratum']}"
        assert figures[f"{name}/mean_coverage"] == pytest.approx(row["coverage"])
        assert figures[f"{name}/low_quality_percentage"] == pytest.approx(row["low"])
        assert figures[f"{name}/clips_audited"] == row["clips"]
    low = sum(row["clips"] * row["low"] for row in rows) / sum(row["clips"] for row in rows)
    assert figures["phase0/low_quality_percentage"] == pytest.approx(low)
    assert "phase0/gate_passed" not in figures
    verdict = audited.gate()
    passed = audit_figures(audited.workspace, "train")["phase0/gate_passed"]
    assert passed == float(verdict in ("PROCEED", "CAUTION"))
