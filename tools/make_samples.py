"""Make `data_samples/`: short clips of synthetic speech in three domains, some with planted faults.

The voices are espeak-ng's (`apt-get install espeak-ng`). The clips are the same on every run with
the same espeak-ng version; `data_samples/README.md` says which one made them.

    python tools/make_samples.py
"""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray
from scipy.signal import butter, sosfilt

Samples = NDArray[np.float32]

RATE = 16_000
TELEPHONE_RATE = 8_000
SEED = 2026
PEAK = 0.2
PADDING_S = 0.3
ROOM_SNR_DB = 32.0
STREET_SNR_DB = (25.0, 20.0)
BABBLE_VOICES = 4
LINE_HISS = 3e-5
ROOT = Path(__file__).resolve().parent.parent
SENTENCES = Path(__file__).with_name("sample_sentences.txt")


@dataclass(frozen=True)
class Speaker:
    """An espeak-ng voice with its speed (words a minute) and pitch (0 to 99)."""

    name: str
    gender: str
    voice: str
    speed: int
    pitch: int


SPEAKERS = (
    Speaker("ada", "female", "en-us+f2", 140, 52),
    Speaker("boris", "male", "en-us+m3", 135, 40),
    Speaker("clara", "female", "en-us+f3", 150, 60),
    Speaker("dario", "male", "en-us+klatt", 145, 45),
    Speaker("edith", "female", "en-us+f4", 132, 48),
    Speaker("felix", "male", "en-us+edward", 150, 38),
    Speaker("greta", "female", "en-us+linda", 142, 55),
    Speaker("henry", "male", "en-us+adam", 138, 50),
    Speaker("irene", "female", "en-us+belinda", 128, 50),
    Speaker("jonas", "male", "en-us+david", 155, 42),
    Speaker("karen", "female", "en-us+steph", 136, 64),
    Speaker("louis", "male", "en-us+Alex", 148, 47),
)

FAULTS = {
    ("voicemail", 4): "swapped_text",
    ("voicemail", 12): "half_audio",
    ("voicemail", 20): "substituted_words",
    ("meeting", 5): "extra_words",
    ("meeting", 14): "missing_words",
    ("meeting", 22): "swapped_text",
    ("street", 9): "silence",
    ("street", 21): "substituted_words",
}
"""Which clip of a domain, counted from 1, gets which fault."""

EXTRA_WORDS = "and nobody minded"
SUBSTITUTES = ("velvet", "thunder", "biscuit", "orange", "window", "captain", "marble", "pepper")


@dataclass(frozen=True)
class Clip:
    """A clip with the text that its manifest line claims."""

    utt_id: str
    domain: str
    speaker: Speaker
    text: str
    samples: Samples
    fault: str = ""


def main() -> None:
    """Write the clips, `manifest.jsonl` and `truth.csv`."""
    clips = plant(record())
    folder = ROOT / "data_samples"
    shutil.rmtree(folder / "audio", ignore_errors=True)
    (folder / "audio").mkdir(parents=True)
    with (
        (folder / "manifest.jsonl").open("w", encoding="utf-8") as manifest,
        (folder / "truth.csv").open("w", encoding="utf-8", newline="") as truth,
    ):
        rows = csv.writer(truth, lineterminator="\n")
        rows.writerow(("utt_id", "audio_filepath", "fault"))
        for clip in clips:
            path = f"audio/{clip.utt_id}.flac"
            soundfile.write(folder / path, clip.samples, RATE, "PCM_16", compression_level=1.0)
            manifest.write(json.dumps(manifest_line(clip, path)) + "\n")
            rows.writerow((clip.utt_id, path, clip.fault))
    size = sum(file.stat().st_size for file in (folder / "audio").iterdir())
    print(f"{len(clips)} clips, {size / 1e6:.1f} MB, {sum(bool(c.fault) for c in clips)} faults")


def manifest_line(clip: Clip, path: str) -> dict[str, str | float]:
    """Return a clip's manifest entry, in NeMo's field names."""
    return {
        "utt_id": clip.utt_id,
        "audio_filepath": path,
        "duration": round(len(clip.samples) / RATE, 3),
        "text": clip.text,
        "lang": "en",
        "domain": clip.domain,
        "speaker": clip.speaker.name,
        "gender": clip.speaker.gender,
    }


def record() -> list[Clip]:
    """Speak every sentence and pass it through the channel of its domain."""
    dry = [
        Clip(f"{domain}-{number:02d}", domain, speaker, text, speak(text, speaker))
        for domain, sentences in read_sentences().items()
        for number, text in enumerate(sentences, start=1)
        for speaker in [SPEAKERS[number % len(SPEAKERS)]]
    ]
    return [replace(clip, samples=channel(clip, index, dry)) for index, clip in enumerate(dry)]


def read_sentences() -> dict[str, list[str]]:
    """Return the sentences by domain, in the order of the file."""
    domains: dict[str, list[str]] = {}
    for line in SENTENCES.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            domain = line.strip("[]")
            domains[domain] = []
        elif line:
            domains[domain].append(line)
    return domains


def speak(text: str, speaker: Speaker) -> Samples:
    """Return a sentence spoken by espeak-ng at 16 kHz with a little silence on both sides."""
    command = ["espeak-ng", "-v", speaker.voice, "-s", str(speaker.speed), "-p", str(speaker.pitch)]
    wav = subprocess.run([*command, "--stdout", text], capture_output=True, check=True).stdout
    samples, rate = soundfile.read(io.BytesIO(wav), dtype="float32")
    silence = np.zeros(int(PADDING_S * RATE), np.float32)
    return np.concatenate([silence, soxr.resample(samples, rate, RATE), silence])


def channel(clip: Clip, index: int, others: list[Clip]) -> Samples:
    """Return the clip as its domain records it, at a common peak level."""
    random = np.random.default_rng([SEED, index])
    roomy = mix(clip.samples, pink_noise(len(clip.samples), random), ROOM_SNR_DB)
    if clip.domain == "voicemail":
        return levelled(telephone(roomy, random))
    if clip.domain == "street":
        noise = street_noise(clip, others, random)
        return levelled(mix(roomy, noise, STREET_SNR_DB[index % len(STREET_SNR_DB)]))
    return levelled(roomy)


def telephone(samples: Samples, random: np.random.Generator) -> Samples:
    """Return the samples after a telephone line: 300 to 3400 Hz, 8 kHz µ-law, faint line noise."""
    narrow = soxr.resample(levelled(samples), RATE, TELEPHONE_RATE)
    band = butter(6, [300, 3400], "bandpass", fs=TELEPHONE_RATE, output="sos")
    filtered = np.clip(sosfilt(band, narrow), -1, 1)
    companded = np.sign(filtered) * np.log1p(255 * np.abs(filtered)) / np.log(256)
    steps = np.round(companded * 127) / 127
    line = np.sign(steps) * np.expm1(np.abs(steps) * np.log(256)) / 255
    wide = soxr.resample(line.astype(np.float32), TELEPHONE_RATE, RATE)
    return wide + random.normal(0, LINE_HISS, len(wide)).astype(np.float32)


def street_noise(clip: Clip, others: list[Clip], random: np.random.Generator) -> Samples:
    """Return traffic (pink noise) and the babble of some other voices, equally loud."""
    voices = [other for other in others if other.speaker != clip.speaker]
    babble = np.zeros(len(clip.samples), np.float32)
    for pick in random.choice(len(voices), BABBLE_VOICES, replace=False):
        babble += np.resize(voices[pick].samples, len(babble))
    traffic = pink_noise(len(babble), random)
    return babble / rms(babble) + traffic / rms(traffic)


def pink_noise(length: int, random: np.random.Generator) -> Samples:
    """Return noise whose power falls with frequency, from 50 Hz on."""
    spectrum = np.fft.rfft(random.standard_normal(length))
    frequencies = np.fft.rfftfreq(length, 1 / RATE)
    shaped = spectrum / np.sqrt(np.maximum(frequencies, 50.0))
    return np.fft.irfft(shaped, length).astype(np.float32)


def mix(speech: Samples, noise: Samples, snr_db: float) -> Samples:
    """Add noise at a signal-to-noise ratio over the whole clip."""
    return speech + noise * np.float32(rms(speech) / rms(noise) * 10 ** (-snr_db / 20))


def rms(samples: Samples) -> float:
    """Return the root of the mean square."""
    return float(np.sqrt(np.mean(samples**2)))


def levelled(samples: Samples) -> Samples:
    """Scale to the common peak."""
    return samples * np.float32(PEAK / np.abs(samples).max())


def plant(clips: list[Clip]) -> list[Clip]:
    """Return the clips with the faults of `FAULTS` in place."""
    return [
        replace(damaged(clip, fault, clips[index - 7]), fault=fault) if fault else clip
        for index, clip in enumerate(clips)
        for fault in [FAULTS.get((clip.domain, int(clip.utt_id.split("-")[1])), "")]
    ]


def damaged(clip: Clip, fault: str, other: Clip) -> Clip:
    """Return a copy of the clip with one fault in its text or its audio."""
    words = clip.text.split()
    third = max(1, round(0.3 * len(words)))
    if fault == "swapped_text":
        return replace(clip, text=other.text)
    if fault == "extra_words":
        return replace(clip, text=f"{clip.text.rstrip('.')} {EXTRA_WORDS}.")
    if fault == "missing_words":
        return replace(clip, text=" ".join(words[:-third]))
    if fault == "substituted_words":
        for position, word in zip(range(1, len(words), 3), SUBSTITUTES[:third], strict=False):
            words[position] = word
        return replace(clip, text=" ".join(words))
    if fault == "half_audio":
        return replace(clip, samples=clip.samples[: len(clip.samples) // 2])
    if fault == "silence":
        hiss = np.random.default_rng([SEED, 0]).normal(0, 1e-3, len(clip.samples))
        return replace(clip, samples=hiss.astype(np.float32))
    raise ValueError(fault)


if __name__ == "__main__":
    main()
