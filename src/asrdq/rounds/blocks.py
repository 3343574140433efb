"""What is drawn as one: speakers, or utterances where there are none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from asrdq.rounds.paired import BlockSums, Floats, Integers
from asrdq.rounds.pairing import Pairing, numbers, quantities
from asrdq.scoring.resampling import MOST_BLOCKS

SPEAKER, UTTERANCE = "speaker", "utterance"


@dataclass(frozen=True, slots=True)
class Blocking:
    """The block of each utterance.

    Attributes:
        of_row: Number of the block, shape (utterances,).
        count: Number of blocks that are drawn.
        unit: What they are: `speaker` or `utterance`.
        merged: How many there were where they had to be merged at random, else None.
    """

    of_row: Integers
    count: int
    unit: str
    merged: int | None = None

    def __str__(self) -> str:
        if self.merged is None:
            return f"{self.count:,} {self.unit}s"
        return f"{self.merged:,} {self.unit}s in {self.count:,} random groups"


def block_rows(block: pa.ChunkedArray, *, seed: int = 0, most: int = MOST_BLOCKS) -> Blocking:
    """Number the blocks of utterances.

    An utterance without a block is one of its own. Where all of them have the same one, nothing
    can be said across speakers: utterances are the blocks then. More blocks than `most` are
    merged at random, which leaves the spread of sums as it is.

    Args:
        block: Speaker of each utterance, or null.
        seed: Seed of the merging.
        most: Largest number of blocks.
    """
    codes = block.combine_chunks().dictionary_encode()
    names = len(codes.dictionary)
    alone = np.asarray(codes.indices.is_null())
    if names + alone.sum() < 2 or not names:
        return single_rows(np.ones(len(block), np.bool_), seed, most=most)
    rows = np.asarray(pc.fill_null(codes.indices, 0)).astype(np.int64)
    rows[alone] = names + np.arange(alone.sum())
    return _merged(rows, names + int(alone.sum()), SPEAKER, seed, most)


def single_rows(inside: NDArray[np.bool_], seed: int = 0, *, most: int = MOST_BLOCKS) -> Blocking:
    """Number utterances as blocks of their own.

    Args:
        inside: Which utterances count, shape (utterances,); the others are in block 0.
        seed: Seed of the merging.
        most: Largest number of blocks.
    """
    rows = np.where(inside, np.cumsum(inside) - 1, 0)
    return _merged(rows, int(inside.sum()), UTTERANCE, seed, most)


def _merged(rows: Integers, known: int, unit: str, seed: int, most: int) -> Blocking:
    if known <= most:
        return Blocking(rows, known, unit)
    group = np.random.default_rng([seed, 2]).permutation(known) % most
    return Blocking(group[rows], most, unit, known)


def block_sums(
    pairing: Pairing, metric: str, blocking: Blocking, group: Integers, groups: int
) -> BlockSums:
    """Return the sums of each block in each group, shape (blocks, groups).

    Args:
        pairing: Both rounds.
        metric: `wer`, `cer`, `ser` or `ker`.
        blocking: The block of each utterance.
        group: The group of each utterance; −1 for none.
        groups: Number of groups.
    """
    inside = group >= 0
    cell = blocking.of_row[inside] * groups + group[inside]
    shape = blocking.count, groups

    def added(values: Floats) -> Floats:
        sums: Floats = np.bincount(cell, values[inside], shape[0] * groups).astype(np.float64)
        return sums.reshape(shape)

    errors_before, units_before = quantities(pairing.before, metric)
    errors_after, units_after = quantities(pairing.after, metric)
    counted = ((units_before > 0) | (units_after > 0)).astype(np.float64)
    rows = added(counted)
    weight = added(counted * numbers(pairing.after, "weight")).sum(0)
    return BlockSums(
        added(errors_before),
        added(errors_after),
        added(units_before),
        added(units_after),
        rows,
        weight / np.maximum(rows.sum(0), 1.0),
    )
