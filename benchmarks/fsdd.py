"""The Free Spoken Digit Dataset as manifests of a workspace: its own split, labels swapped.

3,000 recordings of one digit each, by six speakers, at 8 kHz. Of each speaker and digit the first
tenth of the recordings (index 0 to 4 of 50) is the data set's own test side.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import soundfile as sf
from digits import WORDS

from asrdq.exporting import AudioTarget, export_audio
from asrdq.manifests import ingest_manifest
from asrdq.splitting import SideTarget, SplitPlan, split_manifest
from asrdq.versions import derive_manifest
from asrdq.workspace import Workspace

TEST_TAKES = 5
SWAPPED_SHARE = 0.2
TEST, VALIDATION, RIGHT, SWAPPED = "test", "pool_validation", "pool_train", "swapped"
_SPLIT = SplitPlan(
    sides=[SideTarget.parse("validation=6%")], strata=["speaker", "text"], at_least_rows=1
)


def prepare(workspace: Workspace, recordings: Path, takes: int, seed: int) -> None:
    """Ingest the recordings, convert them to 16 kHz, and make the manifests.

    `test` is the data set's own test side. The rest is split by speaker and digit into
    `pool_validation` and `pool_train`. `swapped` holds the clips of the latter, a fifth of them
    under the label of another digit; `right_text` is what was said.

    Args:
        workspace: Where the manifests go; the converted audio lies beside their tables.
        recordings: The folder with `{digit}_{speaker}_{index}.wav`.
        takes: Recordings of each digit and speaker that are used; there are 50.
        seed: Of the swaps.
    """
    source = workspace.root / "recordings.jsonl"
    rows = list(_rows(recordings, takes))
    for row, label in zip(rows, _labels([row["text"] for row in rows], seed), strict=True):
        row["swapped_text"] = label
    source.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    ingest_manifest(workspace, [source], "recordings")
    folder = Path(workspace.root / "digits16")
    raw = workspace.manifest("recordings")
    made = export_audio(workspace, raw, "nemo", folder, AudioTarget.WAV16K)
    if made.failed.num_rows:
        raise SystemExit(f"not all recordings can be converted: {made.reasons()}")
    ingest_manifest(workspace, [folder / "recordings.jsonl"], "digits")
    derive_manifest(workspace, TEST, f"SELECT * FROM digits WHERE take < {TEST_TAKES}")
    derive_manifest(workspace, "pool", f"SELECT * FROM digits WHERE take >= {TEST_TAKES}")
    split_manifest(workspace, workspace.manifest("pool"), _SPLIT)
    texts = "swapped_text AS text, text AS right_text"
    query = f"SELECT * EXCLUDE (text, swapped_text), {texts} FROM {RIGHT}"
    derive_manifest(workspace, SWAPPED, query)


def _rows(recordings: Path, takes: int) -> Iterator[dict[str, Any]]:
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


def _labels(words: list[str], seed: int) -> list[str]:
    """Return the words, a fifth of them replaced by another digit."""
    chance = random.Random(seed)
    chosen = set(chance.sample(range(len(words)), round(SWAPPED_SHARE * len(words))))
    return [
        chance.choice([other for other in WORDS if other != word]) if index in chosen else word
        for index, word in enumerate(words)
    ]
