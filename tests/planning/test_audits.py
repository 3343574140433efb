"""Plans of audits: sums by hand, intervals by the normal approximation, measured speeds."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from asrdq.alignment import AlignerOptions
from asrdq.audit.collection import OnClip
from asrdq.errors import DataError, UsageError
from asrdq.manifests import ingest_manifest
from asrdq.planning import (
    AuditSpeed,
    Machines,
    measure_speed,
    plan_audit,
    plan_hours,
    read_prices,
)
from asrdq.settings import SETTINGS_FILE
from asrdq.workspace import ManifestVersion, Workspace

GIVEN = AuditSpeed(200.0, "as given")


def test_ten_percent_of_10_000_hours_on_1_000_workers() -> None:
    machines = Machines.priced(1000, 250, "brev-l40s", read_prices())
    plan = plan_hours(10_000.0, 3_600_000, GIVEN, machines, fractions=[0.1, 1.0], copied_clips=150)
    tenth, whole = plan.samples.to_pylist()
    assert (tenth["clips"], tenth["hours"]) == (360_000, pytest.approx(1000.0))
    assert tenth["copies_hours"] == pytest.approx(150 * 10 * 7.5 / 3600)
    assert tenth["wall_hours"] == pytest.approx(1003.125 / 200_000)
    assert tenth["usd"] == pytest.approx(1003.125 / 200_000 * 250 * 1.50)
    half = 1.96 * math.sqrt(0.1 * 0.9 / 360_000 * (1 - 0.1))
    assert tenth["width"] == pytest.approx(2 * half, rel=0.01)
    assert (whole["low"], whole["high"]) == (pytest.approx(0.1), pytest.approx(0.1))
    assert whole["fraction"] == 1.0


def test_without_a_price_there_is_no_cost() -> None:
    plan = plan_hours(10.0, 3600, GIVEN, Machines(4), fractions=[0.5])
    assert plan.samples["usd"].to_pylist() == [None]
    assert "no price" in plan.summary()


def test_a_clip_is_not_divided_among_workers() -> None:
    """One clip of 36 s at 200 × real time takes one of 1,000 workers 0.18 s."""
    plan = plan_hours(0.1, 10, GIVEN, Machines(1000), fractions=[0.1])
    assert plan.samples["wall_hours"].to_pylist() == [pytest.approx(0.18 / 3600)]


@pytest.mark.parametrize(
    ("clips", "copied", "warned"), [(19, 150, True), (20, 150, False), (19, 0, False)]
)
def test_sizes_that_cannot_be_calibrated_are_told(clips: int, copied: int, warned: bool) -> None:
    plan = plan_hours(1.0, clips, GIVEN, Machines(1), fractions=[1.0], copied_clips=copied)
    assert ("fewer than 20 clips cannot be calibrated" in plan.summary()) is warned


@pytest.fixture
def two_groups(workspace: Workspace, ingest: Callable[..., ManifestVersion]) -> ManifestVersion:
    """900 clips of 4 s of one group and 100 of 36 s of another, drawn equally."""
    settings = workspace.root / SETTINGS_FILE
    settings.write_text("sampling:\n  strata: place\n  allocation: equal\n  fraction: 0.1\n")
    return ingest(
        [
            {
                "audio_filepath": f"{at}.wav",
                "text": "one two",
                "duration": 36.0 if at < 100 else 4.0,
                "place": "ward" if at < 100 else "phone",
            }
            for at in range(1000)
        ]
    )


def test_strata_and_allocation_are_those_of_the_settings(
    workspace: Workspace, two_groups: ManifestVersion
) -> None:
    """Of 100 clips 50 are of each group: 50 · 4 s + 50 · 36 s."""
    opened = Workspace.open(workspace.root)
    (row,) = plan_audit(
        opened, two_groups, GIVEN, Machines(1), fractions=[0.1], calibrate=False
    ).samples.to_pylist()
    assert row["clips"] == 100
    assert row["hours"] == pytest.approx(2000 / 3600)
    assert row["copies_hours"] == 0.0
    # Σ W_h² p (1 - p) / n_h · (1 - n_h/N_h), W = 0.9 and 0.1
    variance = 0.09 * (0.81 / 50 * (1 - 50 / 900) + 0.01 / 50 * (1 - 50 / 100))
    assert row["width"] == pytest.approx(2 * 1.96 * math.sqrt(variance), rel=0.15)


def test_more_clips_buy_a_narrower_interval(
    workspace: Workspace, two_groups: ManifestVersion
) -> None:
    plan = plan_audit(workspace, two_groups, GIVEN, Machines(1))
    widths = plan.samples["width"].to_pylist()
    assert widths == sorted(widths, reverse=True)
    assert (len(widths), widths[-1]) == (7, 0.0)


@pytest.mark.parametrize("fraction", [0.0, 1.5, -0.1])
def test_what_is_no_fraction_is_refused(fraction: float) -> None:
    with pytest.raises(UsageError, match="is no fraction of a manifest"):
        plan_hours(1.0, 10, GIVEN, Machines(1), fractions=[fraction])


def test_an_unknown_machine_is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="brev-l40s"):
        Machines.priced(1, 1, "brev-l40", read_prices())


@pytest.mark.slow
def test_a_speed_is_measured_and_nothing_is_written(
    workspace: Workspace, data_samples: Path
) -> None:
    manifest = ingest_manifest(workspace, [data_samples / "manifest.jsonl"], "m").manifest
    before = workspace.read("runs").num_rows
    told: list[float | None] = []

    @contextmanager
    def stage(name: str, clips: int) -> Iterator[OnClip]:
        assert (name, clips) == ("measure", 4)
        yield told.append

    speed = measure_speed(workspace, manifest, AlignerOptions("pocketsphinx"), 4, stage)
    assert speed.times_real_time > 1.0
    assert len(told) == 4 and all(told)
    assert speed.why.startswith("measured on 3 clips, ")
    assert workspace.read("runs").num_rows == before
    assert not workspace.table_exists("samples")


def test_a_speed_needs_clips_that_can_be_read(
    workspace: Workspace, ingest: Callable[..., ManifestVersion]
) -> None:
    manifest = ingest([{"audio_filepath": f"{at}.wav", "text": "one"} for at in range(5)])
    with pytest.raises(DataError, match="0 of 0 clips of data@0 could be examined"):
        measure_speed(workspace, manifest, AlignerOptions("pocketsphinx"), 5)


@pytest.mark.slow
def test_the_command_says_what_it_takes(
    workspace: Workspace, two_groups: ManifestVersion, run_cli: Any
) -> None:
    given = ["plan-audit", "data", "-w", workspace.root, "--speed", "20", "--workers", "2"]
    done = run_cli(*given, "--usd-per-hour", "3", "--fraction", "0.1", "-f", "json")
    plan = json.loads(done.stdout)
    (row,) = plan["samples"]
    assert row["wall_hours"] == pytest.approx((2000 + 100 * 7.5 * 20) / 3600 / 40)
    assert row["usd"] == pytest.approx(3 * row["wall_hours"])
    shown = run_cli(*given)
    assert "20.0 × real time (as given)" in shown.stdout
    named = f"asrdq -w {workspace.root}"
    assert f"next: {named} sample data --fraction 0.1 && {named} audit data" in shown.stderr
    refused = run_cli("plan-audit", "-w", workspace.root, code=2)
    assert "give a manifest, or --hours with --clips" in refused.stderr
    unknown = run_cli("plan-audit", "--hours", "2", "--clips", "9", "-w", workspace.root, code=2)
    assert "nothing to measure a speed on" in unknown.stderr
    for endless in ("--speed", "--usd-per-hour", "--hours"):
        assert "less than or equal to" in run_cli(*given, endless, "inf", code=2).stderr
