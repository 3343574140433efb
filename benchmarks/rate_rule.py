"""What the rule of thumb "5 to 20 characters a second" finds of planted faults, beside aligners.

    python benchmarks/rate_rule.py [--data DIR]

The rule needs no audio but its length, so that all of a transcript may be wrong as long as it is
of a usual length. The characters are those of the transcript, blanks included. The same faults are
planted that an audit plants: on recordings of LibriSpeech, and on the rows of digits that
`alignment_boundaries.py` aligns. The ratio is the share of swapped texts that the rule finds.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile as sf
from alignment_boundaries import LEARNED, UNHEARD, digit_rows
from corpora import read_utterances
from digits import RATE

from asrdq.audit.faults import PLANTED, Donor, Fault, FaultPlanter
from asrdq.text import spoken_words

LEAST, MOST = 5.0, 20.0
SEED = 42
Spoken = tuple[tuple[str, ...], float]
"""The words of a clip, and how long it is in seconds."""


def main() -> None:
    """Print a row a data set, then one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    shared = Path(__file__).resolve().parents[2] / "shared/data"
    parser.add_argument("--data", type=Path, default=shared)
    data = parser.parse_args().data
    figures = {"LibriSpeech": found_by_rule(librispeech(data / "librispeech/manifest.jsonl"))}
    for title, speakers in (("learned", LEARNED), ("unheard", UNHEARD)):
        figures[f"digits, {title} speakers"] = found_by_rule(digits(data / "fsdd", speakers))
    for name, shares in figures.items():
        print(name, *(f"{fault} {share:.3f}" for fault, share in shares.items()), sep="  ")
    print(json.dumps({"ratio": figures["LibriSpeech"][Fault.SWAPPED_TEXT], **figures}))


def librispeech(manifest: Path) -> list[Spoken]:
    """Return words and seconds of recorded sentences."""
    return [
        (tuple(spoken_words(one.text)), sf.info(one.audio).duration)
        for one in read_utterances(manifest)
    ]


def digits(fsdd: Path, speakers: Sequence[str]) -> list[Spoken]:
    """Return words and seconds of rows of digits."""
    rows = digit_rows(fsdd, speakers)
    return [(known.words, len(known.samples) / RATE) for _, known in rows]


def found_by_rule(clips: Sequence[Spoken]) -> dict[str, float]:
    """Return the share of each planted fault that the rule finds, and of right clips it flags."""
    named = {f"u{number:05}": clip for number, clip in enumerate(clips)}
    planter = FaultPlanter([Donor(name, words) for name, (words, _) in named.items()], SEED)
    flagged: dict[str, list[bool]] = {fault.value: [] for fault in (*PLANTED, Fault.UNTOUCHED)}
    for name, (words, seconds) in named.items():
        flagged[Fault.UNTOUCHED.value].append(is_flagged(words, seconds))
        for copy in planter.plant(name, words):
            length_s = seconds / 2 if copy.fault is Fault.HALF_AUDIO else seconds
            flagged[copy.fault.value].append(is_flagged(copy.words, length_s))
    return {fault: round(float(np.mean(some)), 3) for fault, some in flagged.items()}


def is_flagged(words: Sequence[str], seconds: float) -> bool:
    """Return whether the rule calls a transcript wrong."""
    return not LEAST <= len(" ".join(words)) / seconds <= MOST


if __name__ == "__main__":
    main()
