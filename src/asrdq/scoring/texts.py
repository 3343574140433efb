"""Error counts of some pairs of texts, where there is no set of hypotheses to score."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from asrdq.scoring.choices import normalised
from asrdq.scoring.edits import find_edits
from asrdq.scoring.rates import ErrorCounts
from asrdq.scoring.tokens import tokenise
from asrdq.scoring.utterances import character_counts, word_counts

if TYPE_CHECKING:
    from asrdq.text.normalisers import Normaliser


def count_errors(
    references: Sequence[str], hypotheses: Sequence[str], normaliser: Normaliser
) -> ErrorCounts:
    """Return the summed counts of words and characters, as `asrdq score` counts them.

    An empty hypothesis counts: all words of its reference are left out. Neither keywords nor the
    mean of single rates are counted.

    Args:
        references: Texts as written.
        hypotheses: As many texts as they came.
        normaliser: Applied to both.
    """
    reference, hypothesis = normalised(
        pa.array(references, pa.string()), pa.array(hypotheses, pa.string()), normaliser
    )
    pairs = tokenise(reference, hypothesis)
    words = word_counts(pairs, find_edits(pairs.references, pairs.hypotheses))
    characters = character_counts(reference, hypothesis)
    wrong = words["substitutions"] + words["deletions"] + words["insertions"]
    sums = {name: float(np.sum(count)) for name, count in {**words, **characters}.items()}
    return ErrorCounts(
        utterances=float(len(references)), wrong=float(np.count_nonzero(wrong)), **sums
    )
