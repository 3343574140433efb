"""What the page says about the audio: from the probe whose rows are there, by the probe's rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from asrdq.audio.facts import AUDIO_FACTS
from asrdq.audio.probe_result import ProbeResult
from asrdq.reporting.audio_panels import audio_facts

if TYPE_CHECKING:
    from tests.reporting.conftest import Audited


def facts(run_id: str, *rows: dict[str, Any]) -> pa.Table:
    usual = {"run_id": run_id, "status": "ok", "duration_s": 2.0, "sample_rate": 16_000}
    numbered = [{**usual, "utt_id": f"clip-{i:02d}", **row} for i, row in enumerate(rows)]
    return pa.Table.from_pylist(numbered, schema=AUDIO_FACTS)


def test_of_two_probes_at_once_the_one_that_has_rows_is_shown(audited: Audited) -> None:
    workspace, manifest = audited.workspace, audited.manifest
    with workspace.run("probe", manifest) as first, workspace.run("probe", manifest) as second:
        workspace.replace("audio_facts", facts(second.run_id, {}), run_id=second.run_id)
        both = [first.run_id, second.run_id]
        workspace.replace("audio_facts", facts(first.run_id, {}), run_id=both)
    shown = audio_facts(workspace, manifest)
    assert shown is not None
    assert (shown.run_id, shown.clips) == (first.run_id, 1)


def test_without_rows_nothing_was_probed(audited: Audited) -> None:
    workspace, manifest = audited.workspace, audited.manifest
    assert audio_facts(workspace, manifest) is None
    with workspace.run("probe", manifest):
        workspace.append("audio_facts", facts("another run", {}))
    assert audio_facts(workspace, manifest) is None


EDGES: list[dict[str, Any]] = [
    {"duration_difference_s": -0.11},
    {"duration_difference_s": 0.09},
    {"clipping_share": 0.002},
    {"clipping_share": 0.0005},
    {"bandwidth_hz": 6_300.0},
    {"bandwidth_hz": 6_500.0},
    {"bandwidth_hz": 6_500.0, "sample_rate": 44_100},
    {"bandwidth_hz": 3_300.0, "sample_rate": 8_000},
    {"duplicate_of": "clip-00"},
    {"status": "missing_audio", "duration_s": None, "sample_rate": None},
]


def test_page_and_probe_count_the_same_clips(audited: Audited) -> None:
    with audited.workspace.run("probe", audited.manifest) as run:
        rows = facts(run.run_id, *EDGES)
        audited.workspace.append("audio_facts", rows)
    shown = audio_facts(audited.workspace, audited.manifest)
    assert shown is not None
    told = {sentence.split("(")[0].strip(): count for count, sentence in shown.findings}
    assert told == {
        "are more than 0.1 s off the duration the manifest states": 1,
        "hold less than 80 % of the speech band that their rate can hold": 1,
        "are clipped": 1,
        "repeat the audio of another clip, sample by sample": 1,
    }
    probed = ProbeResult(run.run_id, "train@0", "f", 1.0, 0, 0.0, rows).overview
    names = ("durations_differ", "narrow_band", "clipped", "duplicates")
    assert [probed[name] for name in names] == [1, 1, 1, 1]
    assert [row["utt_id"] for row in probed["narrowest"]] == ["clip-04"]
