"""The sound of one clip on a page: its outline, where there is voice, and a small copy of it."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import soundfile

from asrdq.alignment import WordSpan
from asrdq.audio import FRAME_S, MODEL_RATE, AudioError, decode, voice_activity
from asrdq.audit.coverage import SPAN_MARGIN_S, covered_frames
from asrdq.reporting.words import BAD, Word

LONGEST_S: Final = 30.0
"""More of a clip than this is neither drawn nor embedded."""

_POINTS: Final = 600
_MP3_LEVEL: Final = 0.8
_LEAD_S: Final = 5.0

Samples = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Stretch:
    """A stretch of voice: seconds from the start of what is shown, inside words or not."""

    start_s: float
    end_s: float
    covered: bool


@dataclass(frozen=True)
class Sound:
    """What is shown of the audio of a clip.

    Attributes:
        start_s: Where what is shown begins in the clip.
        length_s: Seconds that are shown.
        clip_s: Seconds of the whole clip.
        outline: SVG path of the waveform in a box of `points` by 2, 0 in the middle.
        points: Width of that box.
        voice: Stretches of voice.
        mp3: A copy of what is shown: mono, 16 kHz, MP3.
    """

    start_s: float
    length_s: float
    clip_s: float
    outline: str
    points: int
    voice: tuple[Stretch, ...]
    mp3: bytes

    @property
    def cut(self) -> bool:
        """Whether only a part of the clip is shown."""
        return self.length_s < self.clip_s - 0.1

    @property
    def data_uri(self) -> str:
        """The copy as a data URI."""
        return f"data:audio/mpeg;base64,{base64.b64encode(self.mp3).decode('ascii')}"


def clip_sound(
    path: str, offset_s: float, length_s: float | None, words: Sequence[Word]
) -> Sound | str:
    """Return the sound of a clip, or in a sentence why there is none.

    Of a clip over 30 s, the 30 s around its worst words are taken.

    Args:
        path: The audio file.
        offset_s: Where the clip begins in the file.
        length_s: Length of the clip; None where it is the whole file.
        words: Its placed words.
    """
    try:
        samples = decode(path, offset_s=offset_s, duration_s=length_s).samples
    except AudioError as error:
        return f"{error.reason.value.replace('_', ' ')}: {error.detail}"
    clip_s = len(samples) / MODEL_RATE
    start_s = window_start(clip_s, words)
    first = round(start_s * MODEL_RATE)
    shown = samples[first : first + round(LONGEST_S * MODEL_RATE)]
    points = max(1, min(_POINTS, len(shown)))
    return Sound(
        start_s=start_s,
        length_s=len(shown) / MODEL_RATE,
        clip_s=clip_s,
        outline=outline(shown, points),
        points=points,
        voice=voice_stretches(shown, words, start_s),
        mp3=encode_mp3(shown),
    )


def window_start(clip_s: float, words: Sequence[Word]) -> float:
    """Return where the 30 s begin that hold most of the badly fitting words."""
    if clip_s <= LONGEST_S:
        return 0.0
    bad = [word.start_s for word in words if word.mark == BAD]
    starts = [max(0.0, at - _LEAD_S) for at in bad] or [0.0]
    best = max(starts, key=lambda s: (sum(s <= at < s + LONGEST_S for at in bad), -s))
    return min(best, clip_s - LONGEST_S)


def outline(samples: Samples, points: int) -> str:
    """Return the smallest and largest sample of each of `points` slices as an SVG path.

    The loudest sample fills the box, so that faint speech can be seen.
    """
    edges = np.linspace(0, len(samples), points + 1).astype(int)[:-1]
    high = np.maximum.reduceat(samples, edges)
    low = np.minimum.reduceat(samples, edges)
    peak = max(float(np.abs(samples).max(initial=0.0)), 1e-4)
    top = [f"{x},{-y / peak:.2f}" for x, y in enumerate(high)]
    bottom = [f"{x},{-y / peak:.2f}" for x, y in enumerate(low)]
    return "M" + "L".join([*top, *reversed(bottom)]) + "Z"


def voice_stretches(samples: Samples, words: Sequence[Word], start_s: float) -> tuple[Stretch, ...]:
    """Return where there is voice, split by whether the widened word spans cover it."""
    voiced = voice_activity(samples)
    spans = [WordSpan(word.text, word.start_s - start_s, word.end_s - start_s) for word in words]
    inside = covered_frames(spans, len(voiced), FRAME_S, SPAN_MARGIN_S)
    kinds = np.where(voiced, np.where(inside, 1, 2), 0)
    changes = np.flatnonzero(np.diff(kinds)) + 1
    starts = [0, *changes.tolist()]
    ends = [*changes.tolist(), len(kinds)]
    return tuple(
        Stretch(start * FRAME_S, end * FRAME_S, bool(kinds[start] == 1))
        for start, end in zip(starts, ends, strict=True)
        if end > start and kinds[start]
    )


def encode_mp3(samples: Samples) -> bytes:
    """Return the samples as an MP3 of about 40 kbit/s, which every browser plays."""
    file = io.BytesIO()
    soundfile.write(
        file,
        samples,
        MODEL_RATE,
        format="MP3",
        subtype="MPEG_LAYER_III",
        bitrate_mode="CONSTANT",
        compression_level=_MP3_LEVEL,
    )
    return file.getvalue()
