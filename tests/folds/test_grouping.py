"""Speakers are shared out by their hours."""

from __future__ import annotations

from typing import Any

import pytest
from tests.conftest import Ingest

from asrdq.errors import DataError, UsageError
from asrdq.folds.grouping import group_speakers
from asrdq.workspace import Workspace


def rows(**seconds: float) -> list[dict[str, Any]]:
    return [
        {
            "audio_filepath": f"{name}.wav",
            "text": "a",
            "duration": length,
            "speaker": None if name == "nobody" else name,
        }
        for name, length in seconds.items()
    ]


def test_the_longest_goes_first_to_whoever_has_least(workspace: Workspace, ingest: Ingest) -> None:
    """10 | 7, then 6 to the 7, 4 to the 10, 3 to the 13 (the lower number of equals is 14)."""
    manifest = ingest(rows(ann=10, ben=7, cal=6, dan=4, eve=3))
    assert group_speakers(workspace, manifest, 2) == [("ann", "dan"), ("ben", "cal", "eve")]
    assert group_speakers(workspace, manifest, 5) == [
        ("ann",),
        ("ben",),
        ("cal",),
        ("dan",),
        ("eve",),
    ]


@pytest.mark.parametrize("count", [1, 3])
def test_too_few_speakers_are_refused(workspace: Workspace, ingest: Ingest, count: int) -> None:
    with pytest.raises(UsageError, match=f"2 speakers cannot be put into {count} folds"):
        group_speakers(workspace, ingest(rows(ann=1, ben=2)), count)


def test_a_row_without_a_speaker_is_refused(workspace: Workspace, ingest: Ingest) -> None:
    with pytest.raises(DataError, match="1 rows of data@0 have no speaker"):
        group_speakers(workspace, ingest(rows(ann=1, ben=2, nobody=3)), 2)
