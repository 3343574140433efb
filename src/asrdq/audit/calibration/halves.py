"""Two halves of the speakers: thresholds are fitted on the one and checked on the other."""

from __future__ import annotations

import hashlib

import numpy as np

from asrdq.audit.trials import Flags, Names


def speaker_key(name: str, seed: int) -> str:
    """Return what stands for a speaker in files that leave the tables: a keyed hash of the name."""
    data = f"{seed}\x1f{name}".encode("utf-8", "surrogatepass")
    return hashlib.blake2b(data, digest_size=8).hexdigest()


def fitted_half(speakers: Names, groups: Names, seed: int) -> Flags:
    """Choose the entries to fit on, (n,): about half of each group, no speaker on both sides.

    Those who speak most are dealt first, each to the half that has fewer clips of the group that
    the speaker has most of; among equals the seed decides.

    Args:
        speakers: Who speaks each entry, (n,).
        groups: Group of each entry, (n,); a speaker may be in several.
        seed: Changes who comes first.
    """
    main: dict[str, str] = {}
    sizes: dict[str, int] = {}
    for speaker in sorted(set(speakers.tolist())):
        own, counts = np.unique(groups[speakers == speaker], return_counts=True)
        main[speaker] = str(own[int(np.argmax(counts))])
        sizes[speaker] = int(counts.sum())
    order = sorted(main, key=lambda one: (-sizes[one], speaker_key(one, seed)))
    clips: dict[tuple[str, bool], int] = {}
    fitted = set()
    for speaker in order:
        group = main[speaker]
        learn = clips.get((group, True), 0) <= clips.get((group, False), 0)
        clips[group, learn] = clips.get((group, learn), 0) + sizes[speaker]
        if learn:
            fitted.add(speaker)
    chosen: Flags = np.isin(speakers, sorted(fitted))
    return chosen
