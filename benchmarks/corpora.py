"""Corpora with a known truth, made from real recordings: degraded audio, real faults mixed in."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import scipy.signal
import soundfile as sf

from asrdq.audit.faults import GROSS, Donor, Fault, FaultPlanter, damaged_audio

_PLANTING_SEED = 977


@dataclass(frozen=True)
class Utterance:
    """A recording and its transcript; `condition` says what was done to the audio."""

    utt_id: str
    audio: Path
    text: str
    speaker: str
    condition: str = "clean"
    fault: Fault = Fault.UNTOUCHED


def read_utterances(manifest: Path) -> list[Utterance]:
    """Read a NeMo manifest whose audio paths are relative to it."""
    rows = [json.loads(line) for line in manifest.read_text(encoding="utf-8").splitlines()]
    return [
        Utterance(
            Path(row["audio_filepath"]).stem,
            manifest.parent / row["audio_filepath"],
            row["text"],
            row["speaker"],
        )
        for row in rows
    ]


def degraded(utterances: Sequence[Utterance], condition: str, folder: Path) -> list[Utterance]:
    """Write copies as a telephone line (`telephone`) or noise (`snr15`) leaves them."""
    folder.mkdir(parents=True, exist_ok=True)
    copies = []
    for utterance in utterances:
        samples, rate = sf.read(utterance.audio)
        chance = np.random.default_rng(int.from_bytes(utterance.utt_id.encode()[-8:], "big"))
        if condition == "telephone":
            band = scipy.signal.butter(6, [300, 3400], "band", fs=rate, output="sos")
            samples = scipy.signal.sosfilt(band, samples)
        else:
            noise_power = np.mean(samples**2) / 10 ** (float(condition.removeprefix("snr")) / 10)
            samples = samples + chance.standard_normal(len(samples)) * np.sqrt(noise_power)
        path = folder / f"{condition}-{utterance.utt_id}.flac"
        sf.write(path, np.clip(samples, -1.0, 1.0), rate)
        copies.append(
            Utterance(
                f"{condition}-{utterance.utt_id}",
                path,
                utterance.text,
                utterance.speaker,
                condition,
            )
        )
    return copies


def with_real_faults(
    utterances: Sequence[Utterance], share: float, folder: Path, seed: int = 1
) -> list[Utterance]:
    """Damage a share of the utterances for real: the audit is not told which."""
    folder.mkdir(parents=True, exist_ok=True)
    planter = FaultPlanter(
        [Donor(one.utt_id, tuple(one.text.split())) for one in utterances], _PLANTING_SEED
    )
    chance = random.Random(seed)
    chosen = set(chance.sample(range(len(utterances)), round(share * len(utterances))))
    faults = list(GROSS)
    mixed = []
    for index, utterance in enumerate(utterances):
        if index not in chosen:
            mixed.append(utterance)
            continue
        fault = chance.choice(faults)
        [planted] = planter.plant(utterance.utt_id, utterance.text.split(), [fault])
        samples, rate = sf.read(utterance.audio, dtype="float32")
        path = folder / f"{share:g}-{seed}-{utterance.utt_id}.flac"
        sf.write(path, damaged_audio(samples, rate, fault, utterance.utt_id, _PLANTING_SEED), rate)
        text = " ".join(planted.words)
        mixed.append(
            Utterance(utterance.utt_id, path, text, utterance.speaker, utterance.condition, fault)
        )
    return mixed


def write_manifest(utterances: Sequence[Utterance], path: Path) -> Path:
    """Write a NeMo manifest with absolute paths, ids, speakers and conditions."""
    with path.open("w", encoding="utf-8") as file:
        for one in utterances:
            row: dict[str, Any] = {
                "utt_id": one.utt_id,
                "audio_filepath": str(one.audio),
                "duration": sf.info(one.audio).duration,
                "text": one.text,
                "speaker": one.speaker,
                "condition": one.condition,
            }
            file.write(json.dumps(row) + "\n")
    return path
