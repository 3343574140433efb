"""What the model has to answer, token by token, and the proof that it is the transcript."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from asrdq.errors import DataError, Problem
from asrdq.models.qwen import Heard, prompt, taken_apart, token_ids
from asrdq.training.qwen.rows import Row

IGNORED: Final = -100
"""The label of a token that no loss is taken of."""

_CHECKED, _TOLD = 5_000, 10
_FRAMES: Final = 100


@dataclass(frozen=True, slots=True)
class Tokens:
    """Tokens of a clip with its answer.

    Attributes:
        ids: The prompt, the answer, and the token that ends it.
        first: Where the answer begins.
    """

    ids: list[int]
    first: int

    def labels(self, *, masked: bool = False) -> list[int]:
        """Return a label a token: `IGNORED` up to the answer, or all of them if masked."""
        begin = len(self.ids) if masked else self.first
        return [IGNORED] * begin + self.ids[begin:]


def tokens_of(processor: Any, row: Row, frames: int) -> Tokens:
    """Return the tokens of a row.

    Prompt and answer are split into tokens apart, for that is how the model meets them when it
    transcribes: first the whole prompt, then its own tokens.

    Args:
        processor: Of the model.
        row: The clip.
        frames: Frames of its features.
    """
    before = token_ids(processor, prompt(processor, row.context), frames)
    tokenizer = processor.tokenizer
    after = tokenizer(row.target, add_special_tokens=False)["input_ids"]
    return Tokens([*before, *after, tokenizer.eos_token_id], len(before))


def check_labels(processor: Any, rows: Sequence[Row]) -> int:
    """Decode labels, and compare language and text with the rows.

    Args:
        processor: Of the model.
        rows: All rows; of more than 5,000, these many spread evenly over them are looked at.

    Returns:
        How many were compared.

    Raises:
        DataError: A label is not the transcript; the first ten are told.
    """
    step = max(1, len(rows) // _CHECKED)
    looked_at, problems = rows[::step], []
    for row in looked_at:
        tokens = tokens_of(processor, row, _FRAMES)
        kept = [label for label in tokens.labels() if label != IGNORED]
        heard = taken_apart(processor.tokenizer.decode(kept, skip_special_tokens=True))
        if _same(heard) != _same(Heard(row.text.strip(), row.language or "")):
            problems.append(Problem(f"'{row.text}' became '{heard.text}'", row.place))
    if problems:
        raise DataError(
            f"{len(problems):,} of {len(looked_at):,} labels are not their transcripts",
            problems=problems[:_TOLD],
            hint="the tokenizer of the model cannot write them",
        )
    return len(looked_at)


def _same(heard: Heard) -> tuple[str, str]:
    """Return text and language in one composition: tokenizers compose what they read."""
    return unicodedata.normalize("NFC", heard.text), unicodedata.normalize("NFC", heard.language)
