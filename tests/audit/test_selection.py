"""The clips of a sample as the audit takes them up."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from asrdq.alignment import build_aligner
from asrdq.audit.selection import sampled_clips
from asrdq.errors import DataError
from asrdq.manifests import ingest_manifest
from asrdq.sampling import SamplingPlan, draw_sample
from asrdq.workspace import Workspace


def test_rows_with_an_offset_are_segments_and_an_empty_sample_is_an_error(
    workspace: Workspace, tmp_path: Path
) -> None:
    rows = [
        {"id": "file", "audio_filepath": "a.wav", "duration": 9.0, "text": "one"},
        {"id": "start", "audio_filepath": "a.wav", "duration": 2.0, "text": "two", "offset": 0.0},
        {"id": "later", "audio_filepath": "a.wav", "duration": 2.0, "text": "six", "offset": 4.0},
    ]
    file = tmp_path / "m.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    train = ingest_manifest(workspace, [file], "train").manifest
    sample = draw_sample(workspace, train, SamplingPlan(rows=3))
    aligner = build_aligner("pocketsphinx")
    found = sampled_clips(workspace, train, sample, aligner)
    assert {clip.utt_id: (clip.offset_s, clip.length_s) for clip in found} == {
        "file": (0.0, None),
        "start": (0.0, 2.0),
        "later": (4.0, 2.0),
    }
    nothing = dataclasses.replace(sample, clips=sample.clips.slice(0, 0))
    with pytest.raises(DataError, match="the sample of train@0 has no clips"):
        sampled_clips(workspace, train, nothing, aligner)
