"""Files of alignments that other tools wrote: words with their times, by the name of the clip."""

from __future__ import annotations

import json
import math
import re
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from asrdq.alignment.imported_subtitles import read_subtitles
from asrdq.alignment.imported_times import ImportedWord
from asrdq.errors import DataError
from asrdq.manifests.formats.opening import opened, read_whole
from asrdq.manifests.formats.textgrid import read_intervals

_LARGEST_BYTES: Final = 1 << 30
_FEWEST_CELLS: Final = 5
_CELL: Final = re.compile(r"\S+", re.ASCII)
_HEAD_BYTES: Final = 1024
_NO_WORDS: Final = frozenset({"", "sil", "sp", "spn", "<eps>", "<sil>", "<unk>", "<b>", "[noise]"})
"""What aligners write where there is no word, in lower case."""
_WORDS: Final = frozenset({"word", "words"})
_PHONES: Final = ("phone", "phones")


@dataclass(frozen=True, slots=True)
class ImportedWords:
    """The words of one clip or recording.

    Attributes:
        words: In order; where the file has times of segments alone, an item has several words.
        of_recording: Whether its times count from the start of the recording even where it is
            named by the id of an utterance, as in Lhotse.
        where: The file, and the place in one of many clips.
    """

    words: tuple[ImportedWord, ...]
    of_recording: bool = False
    where: str = ""


def is_alignment(file: Path) -> bool:
    """Return whether a file is of a kind that is read here, by its name."""
    return _suffix(file) in {*_OF_ONE, *_OF_MANY}


def has_many(file: Path) -> bool:
    """Return whether a file names its clips itself: CTM, JSON lines, a list in JSON.

    Raises:
        AsrdqError: It cannot be read.
    """
    if _suffix(file) != ".json":
        return _suffix(file) in _OF_MANY
    with opened(file) as source:
        head = source.stream.read(_HEAD_BYTES)
    return head.removeprefix(BOM_UTF8).lstrip().startswith(b"[")


def read_one(file: Path) -> ImportedWords:
    """Read a file of one clip.

    Raises:
        AsrdqError: It is damaged.
    """
    return ImportedWords(_ordered(_OF_ONE[_suffix(file)](file)), where=str(file))


def read_many(file: Path) -> list[tuple[str, ImportedWords]]:
    """Return the clips of a file that names them; one that it has twice stands there twice.

    Raises:
        AsrdqError: It is damaged.
    """
    return list(_OF_MANY[_suffix(file)](file))


def _suffix(file: Path) -> str:
    return Path(file.name.lower().removesuffix(".gz")).suffix


def _text_grid(file: Path) -> list[ImportedWord]:
    """Read the tier of words of a TextGrid, or those of all its speakers."""
    tiers: dict[str, list[ImportedWord]] = {}
    for line, tier, begin, end, text in read_intervals(file):
        found = tiers.setdefault(tier, [])
        if _is_word(text):
            found.append(ImportedWord(text, begin, end, place=f"{file}:{line}"))
    if not tiers:
        raise DataError("has no tier of intervals", where=str(file))
    return [word for tier in _tiers_of_words(list(tiers), str(file)) for word in tiers[tier]]


def _tiers_of_words(tiers: Sequence[str], where: str) -> list[str]:
    """Return `words` or `word`, else what MFA calls `SPEAKER - words`, else the only tier."""
    called = {tier: tier.strip().lower() for tier in tiers}
    found = [tier for tier in tiers if called[tier] in _WORDS] or [
        tier for tier in tiers if called[tier].endswith("- words")
    ]
    if not found and len(tiers) == 1 and not called[tiers[0]].endswith(_PHONES):
        return list(tiers)
    if not found:
        raise DataError(f"has no tier 'words'; its tiers: {', '.join(tiers)}", where=where)
    return found


def _ctm(file: Path) -> Iterator[tuple[str, ImportedWords]]:
    """Read `NAME CHANNEL BEGIN DURATION WORD [CONFIDENCE]`, a clip for each name and channel."""
    clips: dict[tuple[str, str], list[ImportedWord]] = {}
    for number, line in _lines(file):
        cells = _CELL.findall(line)
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
        found = clips.setdefault((cells[0], cells[1]), [])
        if _is_word(cells[4]):
            score = _logarithm(confidence)
            place = f"{file}:{number}"
            found.append(ImportedWord(cells[4], begin, begin + length, score, place=place))
    for (name, channel), words in clips.items():
        yield name, ImportedWords(_ordered(words), where=f"channel {channel} of {file.name}")


def _json(file: Path) -> list[ImportedWord]:
    """Read WhisperX's segments with words."""
    content = _json_value(_text(file), str(file))
    segments = content.get("segments") if isinstance(content, dict) else None
    if not isinstance(segments, list):
        raise DataError("has neither segments nor supervisions", where=str(file))
    try:
        return [
            word
            for number, segment in enumerate(segments, start=1)
            for word in _segment(segment, f"{file}: segment {number}")
        ]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise DataError(f"a segment is incomplete: {error!r}", where=str(file)) from None


def _segment(segment: Mapping[str, Any], place: str) -> Iterator[ImportedWord]:
    """Give the words of a segment of WhisperX, those it could not place left out."""
    words = segment.get("words")
    if words is None:
        begin, end = float(segment["start"]), float(segment["end"])
        yield ImportedWord(str(segment["text"]), begin, end, place=place)
        return
    for number, word in enumerate(words, start=1):
        if "start" in word and "end" in word:
            score = _logarithm(word.get("score", word.get("probability")))
            text, at = str(word["word"]).strip(), f"{place}, word {number}"
            begin, end = float(word["start"]), float(word["end"])
            yield ImportedWord(text, begin, end, score, place=at)


def _json_list(file: Path) -> Iterator[tuple[str, ImportedWords]]:
    """Read a list of Lhotse's supervisions."""
    for at, row in enumerate(_json_value(_text(file), str(file)), start=1):
        yield _supervision(row, file, f": item {at}")


def _json_lines(file: Path) -> Iterator[tuple[str, ImportedWords]]:
    """Read Lhotse's supervisions, one a line."""
    for number, line in _lines(file):
        if line.strip():
            yield _supervision(_json_value(line, f"{file}:{number}"), file, f":{number}")


def _supervision(row: Any, file: Path, at: str) -> tuple[str, ImportedWords]:
    """Return the id of a supervision and its words: `symbol, start, duration[, score]`."""
    try:
        items = (row.get("alignment") or {}).get("word") or ()
        words = []
        for item in items:
            text, begin, length, score = _item(item)
            if _is_word(text):
                end, own = begin + length, _logarithm(score)
                words.append(ImportedWord(text, begin, end, own, place=f"{file}{at}"))
        return str(row["id"]), ImportedWords(_ordered(words), True, f"{file.name}{at}")
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise DataError(f"is no supervision of Lhotse: {error!r}", where=f"{file}{at}") from None


def _item(item: Any) -> tuple[str, float, float, float | None]:
    if isinstance(item, dict):
        score = item.get("score")
        return str(item["symbol"]), float(item["start"]), float(item["duration"]), score
    text, begin, length, *rest = item
    return str(text), float(begin), float(length), rest[0] if rest else None


def _subtitles(file: Path) -> list[ImportedWord]:
    """Read SRT or WebVTT, a segment each."""
    return read_subtitles(_text(file), str(file), is_webvtt=_suffix(file) == ".vtt")


_OF_ONE: Final[Mapping[str, Callable[[Path], list[ImportedWord]]]] = {
    ".textgrid": _text_grid,
    ".json": _json,
    ".srt": _subtitles,
    ".vtt": _subtitles,
}
_OF_MANY: Final[Mapping[str, Callable[[Path], Iterator[tuple[str, ImportedWords]]]]] = {
    ".ctm": _ctm,
    ".json": _json_list,
    ".jsonl": _json_lines,
}


def _lines(file: Path) -> Iterator[tuple[int, str]]:
    """Number the lines of a file; other separators of Unicode may stand in what is said."""
    return enumerate(_text(file).split("\n"), start=1)


def _text(file: Path) -> str:
    try:
        content = read_whole(file, _LARGEST_BYTES)
        is_utf_16 = content[:2] in (BOM_UTF16_LE, BOM_UTF16_BE)
        return content.decode("utf-16" if is_utf_16 else "utf-8-sig")
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


def _ordered(words: list[ImportedWord]) -> tuple[ImportedWord, ...]:
    return tuple(sorted(words, key=lambda word: word.start_s))
