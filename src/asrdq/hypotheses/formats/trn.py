"""TRN, the hypotheses of NIST's sclite: the words and then the id in parentheses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Final

from asrdq.hypotheses.columns import HYPOTHESIS, NAMES
from asrdq.manifests.columns import UTT_ID, Aliases
from asrdq.manifests.formats.opening import opened
from asrdq.manifests.formats.protocol import Chunk, Parsed
from asrdq.manifests.formats.records import Record, parse_records, record_chunks, text_of
from asrdq.manifests.rejects import Reject, RejectReason, shorten

_LINE: Final = re.compile(r"(?P<words>.*?)\s*\((?P<id>[^()\s]+)\)\s*")
_SPECIAL: Final = re.compile(r"[{}\\]|(?<!\S)@(?!\S)")
_COMMENT: Final = ";;"


def special_sign(text: str) -> str | None:
    """Return what sclite would not read as it stands: a brace, a backslash or a lone @."""
    found = _SPECIAL.search(text)
    return found[0] if found else None


class TrnHypotheses:
    """`words (id)` a line. Alternatives, escapes and `@` are refused: they are no words."""

    name: ClassVar[str] = "trn"
    description: ClassVar[str] = "TRN as sclite reads it"
    typed: ClassVar[bool] = True
    aliases: Aliases = NAMES

    def sniff(self, path: Path, head: bytes) -> bool:
        """Return whether the name ends in `.trn`."""
        return path.name.lower().endswith((".trn", ".trn.gz"))

    def split(self, path: Path) -> Iterator[Chunk]:
        """Read the lines."""
        with opened(path) as source:
            rows = (_row(line, raw) for line, raw in enumerate(source.stream, 1))
            yield from record_chunks((row for row in rows if row is not None), source.consumed)

    def parse(self, chunk: Chunk, as_text: frozenset[str]) -> Parsed:
        """Make rows a table."""
        return parse_records(chunk.context)


def _row(line: int, raw: bytes) -> Record | Reject | None:
    text = text_of(raw, line)
    if isinstance(text, Reject):
        return text
    text = text.removeprefix("\ufeff").strip()
    if not text or text.startswith(_COMMENT):
        return None
    found = _LINE.fullmatch(text)
    if found is None:
        return Reject(line, RejectReason.BAD_LINE, "not WORDS (ID)", shorten(raw))
    sign = special_sign(found["words"])
    if sign is not None:
        detail = f"{sign!r} is an alternative or an escape to sclite, no word: give plain words"
        return Reject(line, RejectReason.BAD_LINE, detail, shorten(raw))
    return line, {UTT_ID: found["id"], HYPOTHESIS: found["words"]}
