"""How many tokens a text has for a tokenizer that lies in a file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from asrdq.checks.text_judge import Judged, Texts
from asrdq.errors import ToolError, UsageError
from asrdq.places import Place

CHARACTERS = "characters"
"""The tokenizer for which each character is a token; SQL counts these itself."""
HUGGING_FACE, SENTENCEPIECE = ".json", ".model"

Count = Callable[[list[str]], list[int]]


@dataclass(frozen=True, slots=True)
class TokenJudge:
    """Finds texts with too few or too many tokens.

    Attributes:
        file: A `tokenizer.json` of Hugging Face, or a `.model` of SentencePiece.
        special_tokens: Whether those that the tokenizer adds around a text count.
        low: Fewest tokens.
        high: Most tokens.
        beside: No other column is needed.
    """

    file: Place
    special_tokens: bool
    low: int | None
    high: int | None
    beside: str | None = None

    def judge(self, batches: Iterable[Texts]) -> Iterator[Judged]:
        """Count the tokens of texts; the libraries use all cores.

        Raises:
            ToolError: The library is not installed.
            UsageError: The file is missing, or holds no tokenizer.
        """
        count = read_tokenizer(self.file, special_tokens=self.special_tokens)
        for texts in batches:
            judged = Judged(told=sum(texts.rows))
            for text, tokens in zip(texts.text, count(texts.text), strict=True):
                few = self.low is not None and tokens < self.low
                if few or (self.high is not None and tokens > self.high):
                    judged.found.append((text, None, f"{tokens} tokens: {text}"))
            yield judged


def read_tokenizer(file: Place, *, special_tokens: bool = False) -> Count:
    """Return what counts the tokens of each of some texts.

    Raises:
        ToolError: The library for the file is not installed.
        UsageError: The file is missing, or holds no tokenizer.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise UsageError(
            f"the tokenizer cannot be read: {error.strerror}",
            where=str(file),
            hint="give a path from the workspace, or a whole one",
        ) from error
    try:
        if file.suffix == HUGGING_FACE:
            return _hugging_face(content, special_tokens)
        return _sentencepiece(content)
    except ModuleNotFoundError as error:
        raise ToolError(
            f"this tokenizer needs {error.name}", hint="pip install 'asrdq[tokenizers]'"
        ) from error
    except Exception as error:  # the libraries raise Exception and RuntimeError themselves
        raise UsageError(f"holds no tokenizer: {error}", where=str(file)) from error


def _hugging_face(content: bytes, special_tokens: bool) -> Count:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_buffer(content)
    tokenizer.no_truncation()  # a file may say that longer texts be cut
    tokenizer.no_padding()

    def count(texts: list[str]) -> list[int]:
        found: list[Any] = tokenizer.encode_batch_fast(texts, add_special_tokens=special_tokens)
        return list(map(len, found))

    return count


def _sentencepiece(content: bytes) -> Count:
    from sentencepiece import SentencePieceProcessor

    processor = SentencePieceProcessor(model_proto=content)

    def count(texts: list[str]) -> list[int]:
        return [len(tokens) for tokens in processor.encode(texts, out_type=int)]

    return count
