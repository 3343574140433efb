"""CTM: a word with its times a line, as recognisers give them to NIST's tools."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Final

from asrdq.hypotheses.columns import CHANNEL, CONFIDENCE, NAMES
from asrdq.manifests.columns import Aliases
from asrdq.manifests.formats.opening import opened
from asrdq.manifests.formats.protocol import Chunk, Parsed
from asrdq.manifests.formats.records import Record, parse_records, record_chunks, text_of
from asrdq.manifests.formats.seconds import read_seconds
from asrdq.manifests.rejects import Reject, RejectReason, shorten
from asrdq.text.choices import written
from asrdq.text.nist import plain_words, special_sign

RECORDING, MIDDLE, WORD = "recording", "middle_s", "word"
"""Columns of a word, besides channel and confidence; its middle tells the segment it is in."""

_COMMENT: Final = ";;"
_FEWEST_CELLS, _MOST_CELLS = 5, 6
_OPEN: Final = "a choice without <ALT_END>"
_MARKS: Final = frozenset({"<ALT_BEGIN>", "<ALT>", "<ALT_END>"})


class CtmHypotheses:
    """`recording channel start duration word [confidence]` a line; a choice in `<ALT…>` lines."""

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
            yield from record_chunks(_rows(enumerate(source.stream, 1)), source.consumed)

    def parse(self, chunk: Chunk, as_text: frozenset[str]) -> Parsed:
        """Make words a table."""
        return parse_records(chunk.context)


def recording_of(reject: Reject) -> str:
    """Return the recording of a line that could not be read: its first cell."""
    cells = reject.raw.split(maxsplit=1)
    return cells[0] if cells else ""


@dataclass(frozen=True, slots=True)
class _Word:
    """What a line says; `start` and `stop` in seconds."""

    recording: str
    channel: str
    start: float
    stop: float
    text: str
    confidence: float | None


@dataclass(frozen=True, slots=True)
class _Mark:
    """A line that begins, parts or ends a choice; times mean nothing there."""

    recording: str
    channel: str
    text: str


@dataclass
class _Choice:
    """Words between `<ALT_BEGIN>` and `<ALT_END>`, alternatives parted by `<ALT>`."""

    line: int
    raw: bytes
    recording: str
    channel: str
    alternatives: list[list[_Word]] = field(default_factory=lambda: [[]])

    def holds(self, other: _Word | _Mark) -> bool:
        """Return whether a line is of the same recording and channel."""
        return (other.recording, other.channel) == (self.recording, self.channel)

    def broken(self, what: str) -> Reject:
        """Return the choice as a line that cannot be read."""
        return Reject(self.line, RejectReason.BAD_LINE, what, shorten(self.raw))

    def record(self) -> Record | Reject:
        """Return the choice as one word, in the middle of all of them."""
        words = [word for alternative in self.alternatives for word in alternative]
        if not words:
            return self.broken("a choice without a word")
        known = [word.confidence for word in words if word.confidence is not None]
        whole = _Word(
            self.recording,
            self.channel,
            min(word.start for word in words),
            max(word.stop for word in words),
            written(" ".join(word.text for word in each) for each in self.alternatives),
            sum(known) / len(known) if len(known) == len(words) else None,
        )
        return self.line, _row(whole)


def _rows(lines: Iterable[tuple[int, bytes]]) -> Iterator[Record | Reject]:
    choice: _Choice | None = None
    for line, raw in lines:
        found = _word(line, raw)
        if choice and isinstance(found, _Word | _Mark) and not choice.holds(found):
            yield choice.broken(_OPEN)
            choice = None
        match found:
            case _Mark(text="<ALT_BEGIN>") if choice is None:
                choice = _Choice(line, raw, found.recording, found.channel)
            case _Mark(text="<ALT>") if choice is not None:
                choice.alternatives.append([])
            case _Mark(text="<ALT_END>") if choice is not None:
                yield choice.record()
                choice = None
            case _Mark():
                what = f"{found.text} stands outside of <ALT_BEGIN> … <ALT> … <ALT_END>"
                yield Reject(line, RejectReason.BAD_LINE, what, shorten(raw))
            case _Word() if choice is not None:
                choice.alternatives[-1].append(found)
            case _Word():
                yield line, _row(found)
            case Reject():
                yield found
    if choice is not None:
        yield choice.broken(_OPEN)


def _row(word: _Word) -> dict[str, Any]:
    return {
        RECORDING: word.recording,
        CHANNEL: word.channel,
        MIDDLE: (word.start + word.stop) / 2,
        WORD: word.text,
        CONFIDENCE: word.confidence,
    }


def _word(line: int, raw: bytes) -> _Word | _Mark | Reject | None:
    """Return a word, a mark of a choice, or nothing for a comment."""
    text = text_of(raw, line)
    if isinstance(text, Reject):
        return text
    cells = text.removeprefix("\ufeff").split()
    if not cells or cells[0].startswith(_COMMENT):
        return None
    if len(cells) >= _FEWEST_CELLS and cells[4].upper() in _MARKS:
        return _Mark(cells[0], cells[1], cells[4].upper())
    try:
        return _cells(cells)
    except ValueError as error:
        return Reject(line, RejectReason.BAD_LINE, str(error), shorten(raw))


def _cells(cells: list[str]) -> _Word:
    """Return the word of a line, or raise a ValueError that says which cells are wrong."""
    if not _FEWEST_CELLS <= len(cells) <= _MOST_CELLS:
        raise ValueError("not RECORDING CHANNEL START DURATION WORD [CONFIDENCE]")
    start, duration = (read_seconds(cell) for cell in cells[2:4])
    if start is None or duration is None or start < 0 or duration < 0:
        raise ValueError("start and duration are not seconds")
    if sign := special_sign(cells[4]):
        raise ValueError(f"{sign!r} in {cells[4]!r} is no word: give plain words")
    confidence = read_seconds(cells[5]) if len(cells) == _MOST_CELLS else None
    if len(cells) == _MOST_CELLS and confidence is None:
        raise ValueError(f"the confidence {cells[5]!r} is not a number")
    return _Word(cells[0], cells[1], start, start + duration, plain_words(cells[4]), confidence)
