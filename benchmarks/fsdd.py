"""The Free Spoken Digit Dataset as manifests of a workspace: its own split, labels swapped.

3,000 recordings of one digit each, by six speakers, at 8 kHz. Of each speaker and digit the first
tenth of the recordings (index 0 to 4 of 50) is the data set's own test side.
"""

from __future__ import annotations

import itertools
import json
import random
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
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
PAUSE_S = 0.1
_ROWS = (3, 3, 4)
"""Digits of the rows that the ten of a speaker and a take become."""


def prepare(
    workspace: Workspace, recordings: Path, takes: int, seed: int, *, in_rows: bool = False
) -> None:
    """Ingest the recordings, convert them to 16 kHz, and make the manifests.

    `test` is the data set's own test side. The rest is split by speaker and digit into
    `pool_validation` and `pool_train`. `swapped` holds the clips of the latter, a fifth of them
    under the label of another digit; `right_text` is what was said.

    Args:
        workspace: Where the manifests go; the converted audio lies beside their tables.
        recordings: The folder with `{digit}_{speaker}_{index}.wav`.
        takes: Recordings of each digit and speaker that are used; there are 50.
        seed: Of the swaps, and of the rows.
        in_rows: Whether clips are rows of three or four digits, each recording in one of them;
            a swapped label is then that of another row.
    """
    source = workspace.root / "recordings.jsonl"
    rows = list(_clips(recordings, takes))
    if in_rows:
        rows = list(_rows(rows, Path(workspace.root / "digits8"), seed))
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
    strata = ["speaker"] if in_rows else ["speaker", "text"]
    plan = SplitPlan([SideTarget.parse("validation=6%")], strata=strata, at_least_rows=1)
    split_manifest(workspace, workspace.manifest("pool"), plan)
    texts = "swapped_text AS text, text AS right_text"
    query = f"SELECT * EXCLUDE (text, swapped_text), {texts} FROM {RIGHT}"
    derive_manifest(workspace, SWAPPED, query)


def _clips(recordings: Path, takes: int) -> Iterator[dict[str, Any]]:
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


def _rows(clips: list[dict[str, Any]], folder: Path, seed: int) -> Iterator[dict[str, Any]]:
    """Write the clips of each speaker and take one after another, in rows of any order."""
    folder.mkdir(exist_ok=True)
    chance = random.Random(seed)
    spoken = defaultdict(list)
    for clip in clips:
        spoken[clip["speaker"], clip["take"]].append(clip)
    for (speaker, take), some in sorted(spoken.items()):
        chance.shuffle(some)
        left = iter(some)
        for number, size in enumerate(_ROWS):
            row = list(itertools.islice(left, size))
            parts = [sf.read(clip["audio_filepath"]) for clip in row]
            rate = parts[0][1]
            pause = np.zeros(round(PAUSE_S * rate))
            samples = np.concatenate([part for own, _ in parts for part in (own, pause)])
            file = folder / f"{speaker}_{take}_{number}.wav"
            sf.write(file, samples, rate)
            yield {
                **row[0],
                "utt_id": file.stem,
                "audio_filepath": str(file),
                "duration": len(samples) / rate,
                "text": " ".join(clip["text"] for clip in row),
            }


def _labels(texts: list[str], seed: int) -> list[str]:
    """Return the texts, a fifth of them replaced by another of them."""
    chance = random.Random(seed)
    chosen = set(chance.sample(range(len(texts)), round(SWAPPED_SHARE * len(texts))))
    every = WORDS if set(texts) <= set(WORDS) else sorted(set(texts))
    return [
        chance.choice([other for other in every if other != text]) if index in chosen else text
        for index, text in enumerate(texts)
    ]
