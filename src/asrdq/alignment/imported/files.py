"""Files of alignments that other tools wrote: words with their times, by the name of the clip."""

from __future__ import annotations

import re
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from asrdq.alignment.imported.json_files import (
    json_value,
    supervision_id,
    supervision_words,
    whisperx_words,
)
from asrdq.alignment.imported.subtitles import read_subtitles
from asrdq.alignment.imported.times import ImportedWord, log_confidence
from asrdq.errors import AsrdqError, DataError
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

    JSON that cannot be read is taken for that of the clip it is called by.
    """
    if _suffix(file) != ".json":
        return _suffix(file) in _OF_MANY
    try:
        with opened(file) as source:
            head = source.stream.read(_HEAD_BYTES)
    except AsrdqError:
        return False
    return head.removeprefix(BOM_UTF8).lstrip().startswith(b"[")


def read_one(file: Path) -> ImportedWords:
    """Read a file of one clip.

    Raises:
        AsrdqError: It is damaged.
    """
    return ImportedWords(_ordered(_OF_ONE[_suffix(file)](file)), where=str(file))


def read_many(file: Path) -> list[tuple[str, ImportedWords]]:
    """Return the clips of a file that names them; one that it has twice stands there twice.

    A list or lines of JSON in which nothing has an alignment, such as a manifest, has no clips.

    Raises:
        DataError: It is damaged.
        UsageError: It cannot be read.
    """
    try:
        return list(_OF_MANY[_suffix(file)](file))
    except DataError as error:
        hint = "correct it, or take the file out of the folder"
        raise DataError(error.message, where=error.where, hint=hint) from None


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
        begin, length, score = _ctm_values(cells, f"{file}:{number}")
        found = clips.setdefault((cells[0], cells[1]), [])
        if _is_word(cells[4]):
            place = f"{file}:{number}"
            found.append(ImportedWord(cells[4], begin, begin + length, score, place=place))
    for (name, channel), words in clips.items():
        yield name, ImportedWords(_ordered(words), where=f"channel {channel} of {file.name}")


def _ctm_values(cells: Sequence[str], place: str) -> tuple[float, float, float | None]:
    """Return begin, duration and the logarithm of the confidence."""
    try:
        if len(cells) < _FEWEST_CELLS:
            raise ValueError("too few cells")
        begin, length = float(cells[2]), float(cells[3])
        said = cells[5] if len(cells) > _FEWEST_CELLS else "NA"
        return begin, length, None if said == "NA" else log_confidence(float(said))
    except ValueError:
        form = "NAME CHANNEL BEGIN DURATION WORD [CONFIDENCE]"
        raise DataError(f"not {form}", where=place) from None


def _json(file: Path) -> list[ImportedWord]:
    """Read WhisperX's segments with words."""
    return list(whisperx_words(json_value(_text(file), str(file)), str(file)))


def _json_list(file: Path) -> Iterator[tuple[str, ImportedWords]]:
    """Read a list of Lhotse's supervisions."""
    for number, row in enumerate(json_value(_text(file), str(file)), start=1):
        yield from _supervision(row, file, f": item {number}")


def _json_lines(file: Path) -> Iterator[tuple[str, ImportedWords]]:
    """Read Lhotse's supervisions, one a line."""
    for number, line in _lines(file):
        if line.strip():
            yield from _supervision(json_value(line, str(file), number), file, f":{number}")


def _supervision(row: Any, file: Path, at: str) -> Iterator[tuple[str, ImportedWords]]:
    """Give the id of a supervision and its words; nothing for a row without an alignment."""
    place = f"{file}{at}"
    name = supervision_id(row, place)
    if name is not None:
        words = [word for word in supervision_words(row, place) if _is_word(word.word)]
        yield name, ImportedWords(_ordered(words), True, f"{file.name}{at}")


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
    content = read_whole(file, _LARGEST_BYTES)
    is_utf_16 = content[:2] in (BOM_UTF16_LE, BOM_UTF16_BE)
    try:
        return content.decode("utf-16" if is_utf_16 else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        name = "UTF-16" if is_utf_16 else "UTF-8"
        raise DataError(f"is not valid {name}", where=f"{file}:{line}") from None


def _is_word(text: str) -> bool:
    return text.strip().lower() not in _NO_WORDS


def _ordered(words: list[ImportedWord]) -> tuple[ImportedWord, ...]:
    return tuple(sorted(words, key=lambda word: word.start_s))
