"""Files of alignments that other tools wrote: words with their times, by the name of the clip."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from asrdq.alignment.protocol import WordSpan
from asrdq.errors import DataError
from asrdq.manifests.formats.opening import read_whole
from asrdq.manifests.formats.textgrid import read_intervals

_LARGEST_BYTES: Final = 1 << 30
_FEWEST_CELLS: Final = 5
_TAGS: Final = re.compile(r"<[^>]*>|\{\\[^}]*\}")
_NO_WORDS: Final = frozenset({"", "sil", "sp", "spn", "<eps>", "<sil>", "<unk>", "<b>", "[noise]"})
"""What aligners write where there is no word, in lower case."""


@dataclass(frozen=True, slots=True)
class ImportedWords:
    """The words of one clip or recording.

    Attributes:
        words: In order; where the file has times of segments alone, an item has several words.
        of_recording: Whether its times count from the start of the recording even where it is
            named by the id of an utterance, as in Lhotse.
    """

    words: tuple[WordSpan, ...]
    of_recording: bool = False


Read = Callable[[Path], Mapping[str, ImportedWords]]


def reader_of(file: Path) -> Read | None:
    """Return what reads a file, None for one of another kind."""
    name = file.name.lower().removesuffix(".gz")
    return next((read for suffix, read in _READERS.items() if name.endswith(suffix)), None)


def _text_grid(file: Path) -> dict[str, ImportedWords]:
    """Read the tier of words of a TextGrid: `words`, or the first one."""
    tiers: dict[str, list[WordSpan]] = {}
    for _, tier, begin, end, text in read_intervals(file):
        found = tiers.setdefault(tier, [])
        if _is_word(text):
            found.append(WordSpan(text, begin, end))
    if not tiers:
        raise DataError("has no tier of intervals", where=str(file))
    named = [tier for tier in tiers if tier.lower() == "words" or tier.lower().endswith("- words")]
    words = [word for tier in named or [next(iter(tiers))] for word in tiers[tier]]
    return {file.stem: ImportedWords(_ordered(words))}


def _ctm(file: Path) -> dict[str, ImportedWords]:
    """Read `NAME CHANNEL BEGIN DURATION WORD [CONFIDENCE]`, several clips in one file."""
    clips: dict[str, list[WordSpan]] = {}
    for number, line in enumerate(_text(file).splitlines(), start=1):
        cells = line.split()
        if not cells or cells[0].startswith(";;"):
            continue
        try:
            if len(cells) < _FEWEST_CELLS:
                raise ValueError("too few cells")
            begin, length = float(cells[2]), float(cells[3])
            said = cells[5] if len(cells) > _FEWEST_CELLS else "NA"
            confidence = None if said == "NA" else float(said)
        except ValueError:
            raise DataError(
                "not NAME CHANNEL BEGIN DURATION WORD [CONFIDENCE]", where=f"{file}:{number}"
            ) from None
        found = clips.setdefault(cells[0], [])
        if _is_word(cells[4]):
            found.append(WordSpan(cells[4], begin, begin + length, _logarithm(confidence)))
    return {name: ImportedWords(_ordered(words)) for name, words in clips.items()}


def _json(file: Path) -> dict[str, ImportedWords]:
    """Read WhisperX's segments with words, or a list of Lhotse's supervisions."""
    content = _json_value(_text(file), str(file))
    if isinstance(content, list):
        return dict(_supervision(row, f"{file}: item {at}") for at, row in enumerate(content, 1))
    segments = content.get("segments") if isinstance(content, dict) else None
    if not isinstance(segments, list):
        raise DataError("has neither segments nor supervisions", where=str(file))
    try:
        words = [word for segment in segments for word in _segment(segment)]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise DataError(f"a segment is incomplete: {error!r}", where=str(file)) from None
    return {file.name.partition(".")[0]: ImportedWords(_ordered(words))}


def _segment(segment: Mapping[str, Any]) -> Iterator[WordSpan]:
    """Give the words of a segment of WhisperX, those it could not place left out."""
    words = segment.get("words")
    if words is None:
        yield WordSpan(str(segment["text"]), float(segment["start"]), float(segment["end"]))
        return
    for word in words:
        if "start" in word and "end" in word:
            score = word.get("score", word.get("probability"))
            text = str(word["word"]).strip()
            yield WordSpan(text, float(word["start"]), float(word["end"]), _logarithm(score))


def _json_lines(file: Path) -> dict[str, ImportedWords]:
    """Read Lhotse's supervisions, one a line."""
    return dict(
        _supervision(_json_value(line, f"{file}:{number}"), f"{file}:{number}")
        for number, line in enumerate(_text(file).splitlines(), start=1)
        if line.strip()
    )


def _supervision(row: Any, where: str) -> tuple[str, ImportedWords]:
    """Return the id of a supervision and its words: `symbol, start, duration[, score]`."""
    try:
        items = (row.get("alignment") or {}).get("word") or ()
        words = []
        for item in items:
            text, begin, length, score = _item(item)
            if _is_word(text):
                words.append(WordSpan(text, begin, begin + length, _logarithm(score)))
        return str(row["id"]), ImportedWords(_ordered(words), of_recording=True)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise DataError(f"is no supervision of Lhotse: {error!r}", where=where) from None


def _item(item: Any) -> tuple[str, float, float, float | None]:
    if isinstance(item, dict):
        score = item.get("score")
        return str(item["symbol"]), float(item["start"]), float(item["duration"]), score
    text, begin, length, *rest = item
    return str(text), float(begin), float(length), rest[0] if rest else None


def _subtitles(file: Path) -> dict[str, ImportedWords]:
    """Read SRT or WebVTT, a segment each, through FFmpeg."""
    import av

    try:
        with av.open(str(file)) as container:
            words = [
                WordSpan(
                    _TAGS.sub("", bytes(packet).decode("utf-8")),
                    float(packet.pts * packet.time_base),
                    float((packet.pts + packet.duration) * packet.time_base),
                )
                for packet in container.demux(subtitles=0)
                if packet.size and packet.pts is not None and packet.duration is not None
            ]
    except (av.error.FFmpegError, UnicodeDecodeError, IndexError) as error:
        raise DataError(f"is no file of subtitles: {error}", where=str(file)) from None
    return {file.stem: ImportedWords(_ordered(words))}


_READERS: Final[Mapping[str, Read]] = {
    ".textgrid": _text_grid,
    ".ctm": _ctm,
    ".json": _json,
    ".jsonl": _json_lines,
    ".srt": _subtitles,
    ".vtt": _subtitles,
}


def _text(file: Path) -> str:
    try:
        return read_whole(file, _LARGEST_BYTES).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"byte {error.start + 1} is not valid utf-8", where=str(file)) from None


def _json_value(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise DataError(f"is no JSON: {error}", where=where) from None


def _is_word(text: str) -> bool:
    return text.strip().lower() not in _NO_WORDS


def _logarithm(confidence: float | None) -> float | None:
    """Return the logarithm of a confidence in 0…1; None for what is none."""
    if confidence is None or not 0.0 < confidence <= 1.0:
        return None
    return math.log(confidence)


def _ordered(words: list[WordSpan]) -> tuple[WordSpan, ...]:
    """Sort words by time; those whose times are no numbers are left out."""
    sound = [word for word in words if math.isfinite(word.start_s) and math.isfinite(word.end_s)]
    return tuple(sorted(sound, key=lambda word: word.start_s))
