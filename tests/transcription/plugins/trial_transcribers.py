"""Transcribers that tell what they were given, or misbehave; found through entry points."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from pathlib import Path

from asrdq.errors import ToolError
from asrdq.transcription import TimedWord, TranscriberOptions, Transcription, TranscriptionStatus
from asrdq.transcription.protocol import Samples


class CountingTranscriber:
    """Answers how many samples a clip has and in which language; likes three clips at once."""

    name = "counting"
    version = "1"
    remote = False
    concurrency = 1
    sample_rate = 8_000
    languages: frozenset[str] | None = frozenset({"en", "he"})
    longest_s = 10.0
    batch_size = 3
    batch_s = 0.0
    processes = 0

    def __init__(self, options: TranscriberOptions) -> None:
        self.loaded = False

    def load(self) -> None:
        self.loaded = True

    def transcribe(
        self, clips: Sequence[Samples], languages: Sequence[str]
    ) -> Sequence[Transcription]:
        assert self.loaded
        with Path(os.environ["ASRDQ_TRIAL_LOG"]).open("a") as log:
            log.write(" ".join(str(len(clip)) for clip in clips) + "\n")
        return [self.answer(*each) for each in zip(clips, languages, strict=True)]

    def answer(self, clip: Samples, language: str) -> Transcription:
        words = (TimedWord(str(len(clip)), 0.0, 0.5, 0.75), TimedWord(language, 0.5, 1.0))
        text = " ".join(word.word for word in words)
        return Transcription(TranscriptionStatus.TRANSCRIBED, text, 0.5, words)

    def close(self) -> None:
        self.loaded = False


class CrashingTranscriber(CountingTranscriber):
    """Dies of clips of two seconds, raises at those of three, hears nothing in those of four."""

    name = "crashing"

    def answer(self, clip: Samples, language: str) -> Transcription:
        seconds = round(len(clip) / self.sample_rate)
        if seconds == 2:
            os.kill(os.getpid(), signal.SIGSEGV)
        if seconds == 3:
            raise ValueError("a clip it does not like")
        if seconds == 4:
            return Transcription(TranscriptionStatus.TRANSCRIBED, "")
        return super().answer(clip, language)


class UnloadableTranscriber(CountingTranscriber):
    """Is built, and cannot load its model."""

    name = "unloadable"

    def load(self) -> None:
        raise ToolError("the model of 'unloadable' is missing", hint="get it")


class UnbuildableTranscriber(CountingTranscriber):
    """Raises whatever comes to mind when it is built."""

    def __init__(self, options: TranscriberOptions) -> None:
        raise KeyError("model")


class NoTranscriber:
    """Lacks everything."""

    def __init__(self, options: TranscriberOptions) -> None:
        pass
