"""Aligners that misbehave, found through entry points like any other."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from asrdq.alignment import AlignerOptions, Alignment, AlignmentStatus, Utterance, WordSpan
from asrdq.alignment.evidence import EVIDENCE
from asrdq.errors import ToolError


class EverywhereAligner:
    """Returns a span for every word whatever the audio, spread over all of it."""

    name = "everywhere"
    version = "1"
    sample_rate = 16_000
    languages = frozenset({"en"})
    longest_s = 120.0
    evidence_names = EVIDENCE
    strain = "wide_beams"
    batch_size = 1
    processes = 0
    aligns_copies = True

    def __init__(self, options: AlignerOptions) -> None:
        pass

    def load(self) -> None:
        pass

    def align(self, utterances: Sequence[Utterance]) -> list[Alignment]:
        return [self.spread(each.samples, each.words) for each in utterances]

    def spread(self, samples: npt.NDArray[np.float32], words: Sequence[str]) -> Alignment:
        edges = np.linspace(0.0, len(samples) / self.sample_rate, len(words) + 1)
        spans = tuple(
            WordSpan(word, float(edges[at]), float(edges[at + 1])) for at, word in enumerate(words)
        )
        return Alignment(AlignmentStatus.ALIGNED, spans, dict.fromkeys(EVIDENCE, 0.0))


class CrashingAligner(EverywhereAligner):
    """Takes its process down at the word "crash", always, and raises at the word "raise"."""

    name = "crashing"

    def align(self, utterances: Sequence[Utterance]) -> list[Alignment]:
        words = [word for each in utterances for word in each.words]
        with (Path(os.environ["ASRDQ_TRIAL_LOG"])).open("a") as log:
            log.write(" ".join(words) + "\n")
        if "crash" in words:
            os.kill(os.getpid(), signal.SIGSEGV)
        if "raise" in words:
            raise ValueError("a word it does not like")
        return super().align(utterances)


class BatchingAligner(CrashingAligner):
    """The same with up to four clips at once, of which one takes the others along."""

    name = "batching"
    batch_size = 4


class AddressedAligner(EverywhereAligner):
    """Is called by its address, and writes down what it was asked."""

    name = "addressed"

    def __init__(self, options: AlignerOptions) -> None:
        self.version = f"{options.address}+1"

    def align(self, utterances: Sequence[Utterance]) -> list[Alignment]:
        with (Path(os.environ["ASRDQ_TRIAL_LOG"])).open("a") as log:
            log.writelines(f"{self.version} {each.utt_id}\n" for each in utterances)
        return super().align(utterances)


class DevicesAligner(EverywhereAligner):
    """Tells its process, the device that it is to use, and the GPUs that it sees."""

    name = "devices"
    aligns_copies = False

    def __init__(self, options: AlignerOptions) -> None:
        self._device = options.device

    def align(self, utterances: Sequence[Utterance]) -> list[Alignment]:
        seen = os.environ.get("CUDA_VISIBLE_DEVICES")
        detail = f"{os.getpid()} {self._device} {seen}"
        return [Alignment(AlignmentStatus.NO_ALIGNMENT, detail=detail) for _ in utterances]


class MortalAligner(EverywhereAligner):
    """Takes its process down at the word "crash"; the first one waits in the folder to be killed.

    The folder is its address: the first process to align leaves a file there, named by its id.
    """

    name = "mortal"
    batch_size = 4
    aligns_copies = False

    def __init__(self, options: AlignerOptions) -> None:
        self._folder = Path(options.address or "")

    def align(self, utterances: Sequence[Utterance]) -> list[Alignment]:
        if any("crash" in each.words for each in utterances):
            os.kill(os.getpid(), signal.SIGSEGV)
        if not any(self._folder.iterdir()):
            (self._folder / str(os.getpid())).touch()
            signal.pause()
        return super().align(utterances)


class UnloadableAligner(EverywhereAligner):
    """Is built, and cannot load its model."""

    name = "unloadable"

    def load(self) -> None:
        raise ToolError("the model of 'unloadable' is missing", hint="get it")


class UnbuildableAligner(EverywhereAligner):
    """Raises whatever comes to mind when it is built."""

    def __init__(self, options: AlignerOptions) -> None:
        raise KeyError("model")
