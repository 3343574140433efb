"""CTM: a word with its times a line, as recognisers give them to NIST's tools."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, Final

from asrdq.hypotheses.columns import CHANNEL, CONFIDENCE, NAMES
from asrdq.hypotheses.formats.trn import special_sign
from asrdq.manifests.columns import Aliases
from asrdq.manifests.formats.opening import opened
from asrdq.manifests.formats.protocol import Chunk, Parsed
from asrdq.manifests.formats.records import Record, parse_records, record_chunks, text_of
from asrdq.manifests.formats.seconds import read_seconds
from asrdq.manifests.rejects import Reject, RejectReason, shorten

RECORDING, MIDDLE, WORD = "recording", "middle_s", "word"
"""Columns of a word, besides channel and confidence; its middle tells the segment it is in."""

_COMMENT: Final = ";;"
_FEWEST_CELLS, _MOST_CELLS = 5, 6


class CtmHypotheses:
    """`recording channel start duration word [confidence]` a line; `;;` begins a comment."""

    name: ClassVar[str] = "ctm"
    description: ClassVar[str] = "CTM words with times"
    typed: ClassVar[bool] = True
    aliases: Aliases = NAMES

    def sniff(self, path: Path, head: bytes) -> bool:
        """Return whether the name ends in `.ctm`."""
        return path.name.lower().endswith((".ctm", ".ctm.gz"))

    def split(self, path: Path) -> Iterator[Chunk]:
        """Read the lines."""
        with opened(path) as source:
            rows = (_word(line, raw) for line, raw in enumerate(source.stream, 1))
            yield from record_chunks((row for row in rows if row is not None), source.consumed)

    def parse(self, chunk: Chunk, as_text: frozenset[str]) -> Parsed:
        """Make words a table."""
        return parse_records(chunk.context)


def recording_of(reject: Reject) -> str:
    """Return the recording of a line that could not be read: its first cell."""
    cells = reject.raw.split(maxsplit=1)
    return cells[0] if cells else ""


def _word(line: int, raw: bytes) -> Record | Reject | None:
    text = text_of(raw, line)
    if isinstance(text, Reject):
        return text
    cells = text.removeprefix("\ufeff").split()
    if not cells or cells[0].startswith(_COMMENT):
        return None
    found = _cells(cells)
    if isinstance(found, str):
        return Reject(line, RejectReason.BAD_LINE, found, shorten(raw))
    return line, found


def _cells(cells: list[str]) -> dict[str, Any] | str:
    """Return a word, or what is wrong with it."""
    if "<ALT" in "".join(cells).upper() or special_sign(cells[-1]):
        return "alternatives and escapes are no words: give the words that were recognised"
    if not _FEWEST_CELLS <= len(cells) <= _MOST_CELLS:
        return "not RECORDING CHANNEL START DURATION WORD [CONFIDENCE]"
    word = cells[4]
    start, duration = (read_seconds(cell) for cell in cells[2:4])
    if start is None or duration is None or start < 0 or duration < 0:
        return "start and duration are not seconds"
    if special_sign(word) or ";" in word:
        return f"{word!r} has an escape or a tag: give plain words"
    confidence = read_seconds(cells[5]) if len(cells) == _MOST_CELLS else None
    if len(cells) == _MOST_CELLS and confidence is None:
        return f"the confidence {cells[5]!r} is not a number"
    return {
        RECORDING: cells[0],
        CHANNEL: cells[1],
        MIDDLE: start + duration / 2,
        WORD: word,
        CONFIDENCE: confidence,
    }
