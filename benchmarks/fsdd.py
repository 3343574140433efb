"""The Free Spoken Digit Dataset as manifests of a workspace: its own split, labels swapped.

3,000 recordings of one digit by six speakers at 8 kHz. The first tenth of each speaker's recordings
of a digit (index 0 to 4) is the data set's own test side.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import soundfile as sf

from asrdq.exporting import AUDIO_TARGETS, export_converted
from asrdq.manifests import ingest_manifest
from asrdq.splitting import SideTarget, SplitPlan, split_manifest
from asrdq.versions import derive_manifest
from asrdq.workspace import Workspace

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
TEST_TAKES = 5
SWAPPED_SHARE = 0.20
VALIDATION_SHARE = "6%"


@dataclass(frozen=True)
class Sides:
    """Names of the manifests.

    Attributes:
        test: The data set's own test side, labels right.
        validation: A part of the rest, by speaker and digit; labels right, never trained on.
        right: What is trained on, labels right.
        swapped: The same clips; a fifth of them carry the label of another digit.
        swaps: Clips with such a label.
    """

    test: str
    validation: str
    right: str
    swapped: str
    swaps: frozenset[str]


def prepare(workspace: Workspace, recordings: Path, *, takes: int, seed: int) -> Sides:
    """Ingest the recordings, convert them to 16 kHz, and make the sides.

    Args:
        workspace: Where the manifests go; the converted audio lies beside their tables.
        recordings: The folder with `{digit}_{speaker}_{index}.wav`.
        takes: Recordings of each digit and speaker that are used: 50 are all.
        seed: Of the swaps, and of the validation side.
    """
    rows = list(_rows(recordings, takes))
    _ingest(workspace, "raw", rows)
    converted = workspace.root / "digits16"
    export_converted(workspace, workspace.manifest("raw"), "nemo", AUDIO_TARGETS["wav16k"], converted)
    ingest_manifest(workspace, [converted / "raw.jsonl"], "digits")
    derive_manifest(workspace, "test", f"SELECT * FROM digits WHERE take < {TEST_TAKES}")
    derive_manifest(workspace, "pool", f"SELECT * FROM digits WHERE take >= {TEST_TAKES}")
    plan = SplitPlan(
        sides=[SideTarget.parse(f"validation={VALIDATION_SHARE}")],
        rest="right",
        strata=["speaker", "text"],
        seed=seed,
    )
    names = split_manifest(workspace, workspace.manifest("pool"), plan).manifests
    right = names["right"]
    labels = workspace.sql(f"SELECT utt_id, text FROM {right} ORDER BY utt_id").arrow().to_pylist()
    swaps = swapped_labels({row["utt_id"]: row["text"] for row in labels}, seed)
    workspace.sql  # noqa: B018
    return Sides("test", names["validation"], right, "swapped", frozenset(swaps))


def _rows(recordings: Path, takes: int) -> Iterable[dict[str, Any]]:
    for file in sorted(recordings.glob("*.wav")):
        digit, speaker, take = file.stem.split("_")
        if int(take) < takes:
            yield {
                "utt_id": file.stem,
                "audio_filepath": str(file),
                "duration": sf.info(file).duration,
                "text": WORDS[int(digit)],
                "speaker": speaker,
                "take": int(take),
            }


def swapped_labels(labels: dict[str, str], seed: int) -> dict[str, str]:
    """Return the clips that get a wrong label, a fifth of all, and that label."""
    chance = random.Random(seed)
    chosen = chance.sample(sorted(labels), round(SWAPPED_SHARE * len(labels)))
    return {
        utt_id: chance.choice([word for word in WORDS if word != labels[utt_id]])
        for utt_id in chosen
    }
