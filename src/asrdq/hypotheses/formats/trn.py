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
from asrdq.text.nist import plain_words, special_sign

_LINE: Final = re.compile(r"(?P<words>.*?)\s*\((?P<id>[^()\s]+)\)\s*")
_COMMENT: Final = ";;"


class TrnHypotheses:
    """`words (id)` a line, which may offer a choice; braces and `@` outside of one are refused."""

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
        detail = f"{sign!r} is no word to sclite, and in no choice such as {{ a / b }}"
        return Reject(line, RejectReason.BAD_LINE, detail, shorten(raw))
    return line, {UTT_ID: found["id"], HYPOTHESIS: plain_words(found["words"])}
