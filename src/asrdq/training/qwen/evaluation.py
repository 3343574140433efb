"""Judging a network while it trains: held-out clips are transcribed and scored, by domain."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from asrdq.audio import AudioError
from asrdq.models.qwen import RATE, Heard, Qwen, answer, features_of
from asrdq.scoring.rates import Metric
from asrdq.scoring.texts import count_errors
from asrdq.training.qwen.rows import Row

if TYPE_CHECKING:
    from asrdq.text.normalisers import Normaliser


@dataclass(frozen=True, slots=True)
class Judged:
    """What a network made of held-out clips.

    Attributes:
        row: The clip.
        heard: What it answered.
    """

    row: Row
    heard: Heard


def held_out(rows: Sequence[Row], per_domain: int | None, seed: int) -> list[Row]:
    """Choose the clips of all evaluations of a run: always the same ones, the longest first.

    Args:
        rows: Of the validation manifest.
        per_domain: Clips of each domain; None: all.
        seed: Of the draw.
    """
    domains: dict[str, list[Row]] = {}
    for row in rows:
        domains.setdefault(row.domain, []).append(row)
    chosen: list[Row] = []
    for name in sorted(domains):
        found = domains[name]
        few = per_domain is not None and per_domain < len(found)
        chosen += random.Random(f"{seed}:{name}").sample(found, per_domain or 0) if few else found
    return sorted(chosen, key=lambda row: (-row.duration_s, row.place))


def transcribed(
    qwen: Qwen,
    rows: Sequence[Row],
    batch: int,
    knows: Callable[[str], bool],
    on_batch: Callable[[int], None],
) -> list[Judged]:
    """Transcribe clips greedily, in batches that are the same at every evaluation.

    Nothing is augmented. A clip that cannot be decoded is heard as silence, so that it counts as
    wrong and not as missing.

    Args:
        qwen: The model, in evaluation mode.
        rows: The clips.
        batch: Clips at once.
        knows: Tells whether a language has a name in the model: the answer is made to begin with
            it, as it is when a manifest is transcribed.
        on_batch: Told how many clips were done.
    """
    judged = []
    for begin in range(0, len(rows), batch):
        part = rows[begin : begin + batch]
        languages = [row.language if row.language and knows(row.language) else None for row in part]
        mels = [_features(qwen.processor, row) for row in part]
        found = answer(qwen, mels, languages, contexts=[row.context for row in part])
        judged += [Judged(row, heard) for row, heard in zip(part, found, strict=True)]
        on_batch(len(part))
    return judged


def _features(processor: Any, row: Row) -> Any:
    from asrdq.training.qwen.dataset import clip_features

    try:
        return clip_features(processor, row)
    except AudioError:
        return features_of(processor, np.zeros(RATE // 2, np.float32))


def scored(judged: Sequence[Judged], normaliser: Normaliser) -> dict[str, float]:
    """Return `val_wer`, `val_cer` and `val_empty`, together and by domain.

    `val_empty` is the share of clips that nothing was heard in although something is said. With
    several domains each has its own `val_wer_DOMAIN` and so on. A rate that is not defined, for
    the references have no word, is left out.
    """
    values: dict[str, float] = {}
    for suffix, part in _parts(judged):
        counts = count_errors(
            [each.row.text for each in part], [each.heard.text for each in part], normaliser
        )
        values |= {
            f"val_{metric.value}{suffix}": counts.rate(metric)
            for metric in (Metric.WER, Metric.CER)
            if counts.units(metric)
        }
        spoken = [each for each in part if normaliser(each.row.text)]
        empty = sum(not normaliser(each.heard.text) for each in spoken)
        values[f"val_empty{suffix}"] = empty / max(1, len(spoken))
    return values


def _parts(judged: Sequence[Judged]) -> Iterator[tuple[str, list[Judged]]]:
    yield "", list(judged)
    domains = sorted({each.row.domain for each in judged})
    if len(domains) > 1:
        for domain in domains:
            yield f"_{domain}", [each for each in judged if each.row.domain == domain]
