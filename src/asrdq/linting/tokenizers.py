"""Which characters a tokenizer can write, and how long labels are for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from asrdq.errors import ToolError, UsageError
from asrdq.linting.data import WHISPER_TOKENS, characters, rows_with
from asrdq.places import Place

if TYPE_CHECKING:
    from asrdq.workspace import ManifestVersion, Workspace

_FILES = ("tokenizer.model", "tokenizer.json", "vocab.txt")


@dataclass(frozen=True, slots=True)
class Tokenizer:
    """What a tokenizer can do.

    Attributes:
        name: Its file, or `labels`.
        lacks: Gives those of some characters that it cannot write.
        count: Gives the number of tokens of each of some texts; None where each character is one.
        folds: Whether NeMo brings texts to lower case before it looks characters up.
    """

    name: str
    lacks: Callable[[Iterable[str]], frozenset[str]]
    count: Callable[[list[str]], list[int]] | None = None
    folds: bool = False


@dataclass(frozen=True, slots=True)
class TokenizerFacts:
    """What a tokenizer makes of the transcripts of a manifest.

    Attributes:
        name: The tokenizer.
        lacks: Characters of the transcripts that it cannot write.
        rows: Transcripts with one of them.
        long_labels: Transcripts with more than 448 tokens; None where they were not counted.
    """

    name: str
    lacks: frozenset[str]
    rows: int
    long_labels: int | None


def tokenizer_facts(
    workspace: Workspace,
    manifest: ManifestVersion,
    tokenizer: Tokenizer,
    *,
    long_from: int | None,
    advance: Callable[[int], object],
) -> TokenizerFacts:
    """Hold the transcripts of a manifest against a tokenizer.

    Args:
        workspace: Where the manifest is.
        manifest: The version.
        tokenizer: The tokenizer.
        long_from: Labels are counted for texts with more bytes than this; None: not counted.
        advance: Told of progress in rows.
    """
    signs = characters(workspace, manifest, advance)
    asked = {sign.lower() if tokenizer.folds else sign: sign for sign in signs if sign != " "}
    missing = tokenizer.lacks(asked)
    lacks = frozenset(s for s in signs if (s.lower() if tokenizer.folds else s) in missing)
    rows = rows_with(workspace, manifest, lacks) if lacks else 0
    long_labels = None
    if long_from is not None and tokenizer.count is not None:
        long_labels = 0
        with workspace.stream(manifest, ["text"], f"strlen(text) > {long_from}") as reader:
            for batch in reader:
                tokens = tokenizer.count(batch.column(0).to_pylist())
                long_labels += sum(each > WHISPER_TOKENS for each in tokens)
    return TokenizerFacts(tokenizer.name, lacks, rows, long_labels)


def label_tokenizer(labels: Sequence[str]) -> Tokenizer:
    """Return the tokenizer that a list of labels is: one character each, in lower case."""
    known = frozenset(labels)

    def lacks(signs: Iterable[str]) -> frozenset[str]:
        return frozenset(sign for sign in signs if sign not in known)

    return Tokenizer("labels", lacks, folds=known == frozenset(map(str.lower, known)))


def read_tokenizer(path: Place) -> Tokenizer:
    """Read a `tokenizer.json`, a SentencePiece `.model`, a `vocab.txt`, or a folder with one.

    Raises:
        ToolError: The library for it is not installed.
        UsageError: There is none, or it cannot be read.
    """
    file = path
    if path.is_dir():
        there = [path / name for name in _FILES if (path / name).is_file()]
        if not there:
            raise UsageError(f"has none of {', '.join(_FILES)}", where=str(path))
        file = there[0]
    try:
        content = file.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", where=str(file)) from error
    readers = {".json": _hugging_face, ".model": _sentencepiece, ".txt": _vocabulary}
    if file.suffix not in readers:
        raise UsageError(
            "is no tokenizer that is known",
            where=str(file),
            hint="name a tokenizer.json, a SentencePiece .model or a vocab.txt",
        )
    try:
        return readers[file.suffix](str(file), content)
    except ModuleNotFoundError as error:
        raise ToolError(
            f"this tokenizer needs {error.name}", hint="pip install 'asrdq[tokenizers]'"
        ) from error
    except Exception as error:  # the libraries raise Exception and RuntimeError themselves
        raise UsageError(f"holds no tokenizer: {error}", where=str(file)) from error


def _hugging_face(name: str, content: bytes) -> Tokenizer:
    from tokenizers import Tokenizer as Read

    read: Any = Read.from_buffer(content)
    read.no_truncation()
    read.no_padding()
    unknown = getattr(read.model, "unk_token", None)
    bytewise = bool(getattr(read.model, "byte_fallback", False))

    def cannot(sign: str) -> bool:
        tokens = read.encode(sign, add_special_tokens=False).tokens
        return not tokens or (unknown is not None and unknown in tokens)

    def lacks(signs: Iterable[str]) -> frozenset[str]:
        return frozenset() if bytewise else frozenset(sign for sign in signs if cannot(sign))

    def count(texts: list[str]) -> list[int]:
        return [len(found) for found in read.encode_batch(texts)]

    return Tokenizer(name, lacks, count)


def _sentencepiece(name: str, content: bytes) -> Tokenizer:
    from sentencepiece import SentencePieceProcessor

    read: Any = SentencePieceProcessor(model_proto=content)
    unknown = read.unk_id()

    def lacks(signs: Iterable[str]) -> frozenset[str]:
        return frozenset(sign for sign in signs if unknown in read.encode(sign, out_type=int))

    def count(texts: list[str]) -> list[int]:
        return [len(found) for found in read.encode(texts, out_type=int)]

    return Tokenizer(name, lacks, count)


def _vocabulary(name: str, content: bytes) -> Tokenizer:
    pieces = content.decode("utf-8").split()
    known = frozenset("".join(piece.removeprefix("##") for piece in pieces))

    def lacks(signs: Iterable[str]) -> frozenset[str]:
        return frozenset(sign for sign in signs if sign not in known)

    return Tokenizer(name, lacks)
