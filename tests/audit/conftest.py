"""Aligners of the tests, installed the way a plug-in is."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PLUGINS = Path(__file__).parent / "plugins"

sys.path.append(str(Path(__file__).parent))  # `synthetic`

METADATA = "Metadata-Version: 2.1\nName: trial-aligners\nVersion: 1.0\n"
ENTRY_POINTS = """[asrdq.aligners]
everywhere = trial_aligners:EverywhereAligner
addressed = trial_aligners:AddressedAligner
crashing = trial_aligners:CrashingAligner
batching = trial_aligners:BatchingAligner
devices = trial_aligners:DevicesAligner
mortal = trial_aligners:MortalAligner
unloadable = trial_aligners:UnloadableAligner
unbuildable = trial_aligners:UnbuildableAligner
"""


@pytest.fixture
def trial_aligners(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Install the aligners; return the log of what `crashing` was asked to align."""
    info = tmp_path / "site" / "trial_aligners-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(METADATA)
    (info / "entry_points.txt").write_text(ENTRY_POINTS)
    log = tmp_path / "aligned.txt"
    log.touch()
    monkeypatch.setenv("ASRDQ_TRIAL_LOG", str(log))
    monkeypatch.syspath_prepend(str(PLUGINS))
    monkeypatch.syspath_prepend(str(info.parent))
    yield log
    sys.modules.pop("trial_aligners", None)
