"""The rows of a hand-off: what is trained on, and what is left out for which reason."""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from asrdq.errors import DataError
from asrdq.manifests.formats.qwen_languages import qwen_language
from asrdq.models.qwen import MARK
from asrdq.sampling.strata import NO_VALUE
from asrdq.training.counts import LoaderCounts

if TYPE_CHECKING:
    from asrdq.recipes.recipe import DataSection

_TAGGED: Final = re.compile(rf"language ([^<]*){MARK}(.*)", re.DOTALL)
_MARKUP: Final = re.compile(rf"<\|[^|<>]*\|>|{MARK}")
"""Time stamps such as <|0.00|>, and other marks that a model would learn to say."""


@dataclass(frozen=True, slots=True)
class Row:
    """A clip with its transcript.

    Attributes:
        audio: The file.
        offset_s: Where the clip begins in it.
        length_s: How much of it the clip is; None: to its end.
        duration_s: Its length.
        language: As it stands before the transcript; None where it is not known.
        text: The transcript.
        context: What the model is told beforehand.
        domain: What it is scored under; `NO_VALUE` where it has none.
        groups: Its values of the columns that are mixed by.
        place: Its file and line, for messages.
    """

    audio: str
    offset_s: float
    length_s: float | None
    duration_s: float
    language: str | None
    text: str
    context: str
    domain: str
    groups: tuple[str, ...]
    place: str

    @property
    def target(self) -> str:
        """What the model has to answer."""
        return f"language {self.language or 'None'}{MARK}{self.text}"


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows that are kept, and what is counted of all."""

    kept: tuple[Row, ...]
    counts: LoaderCounts


def read_rows(
    file: Path, data: DataSection, *, domain: str | None = None, filtered: bool = True
) -> Rows:
    """Read a manifest in the format `qwen`.

    Long clips are left out, never cut: a part of a clip has a part of its transcript, and only an
    alignment knows which.

    Args:
        file: JSON lines with `audio`, `text` as `language X<asr_text>…`, `duration`, and
            `offset` and `prompt` where they are needed.
        data: Bounds of length, and the columns that are mixed by.
        domain: Column with the domain.
        filtered: Whether the bounds hold: those of training; a validation hears every clip.

    Returns:
        Kept rows, and counts by reason: `no_duration`, `too_short`, `too_long`, `empty_text`,
        `no_language_tag`, `markup` (a time stamp or another mark in the transcript), `missing`
        (no such audio file).

    Raises:
        DataError: The file cannot be read, a line is no row, or a column is missing in all rows.
    """
    kept, dropped = [], Counter[str]()
    values = _lines(file)
    _check_columns(file, values, [*data.mix_by, *([domain] if domain else [])])
    for number, value in enumerate(values, 1):
        place = f"{file}:{number}"
        found = _row(value, place, file.parent, data, domain)
        reason = found if isinstance(found, str) else _reason(found, data, filtered=filtered)
        if reason is not None or isinstance(found, str):
            dropped[reason or str(found)] += 1
        else:
            kept.append(found)
    hours = math.fsum(row.duration_s for row in kept) / 3600
    return Rows(tuple(kept), LoaderCounts(len(kept), hours, dict(dropped)))


def new_languages(rows: Sequence[Row]) -> dict[str, int]:
    """Return the languages that released models have no name for, and how many rows each has."""
    found = Counter(row.language for row in rows if row.language is not None)
    return {name: count for name, count in found.most_common() if qwen_language(name) is None}


def _lines(file: Path) -> list[dict[str, Any]]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"cannot be read: {error}", where=str(file)) from error
    found = []
    for number, line in enumerate(lines, 1):
        try:
            value = json.loads(line)
        except ValueError as error:
            raise DataError(f"is no JSON: {error}", where=f"{file}:{number}") from error
        if not isinstance(value, dict) or not isinstance(value.get("audio"), str):
            raise DataError(
                "has no audio", where=f"{file}:{number}", hint="asrdq handoff --backend qwen"
            )
        found.append(value)
    return found


def _check_columns(file: Path, values: Sequence[dict[str, Any]], wanted: list[str]) -> None:
    for name in wanted:
        if values and not any(name in value for value in values):
            raise DataError(f"no row has the column '{name}' of the recipe", where=str(file))


def _row(
    value: dict[str, Any], place: str, folder: Path, data: DataSection, domain: str | None
) -> Row | str:
    """Return a row, or the reason that it is none."""
    duration, offset = value.get("duration"), value.get("offset")
    tagged = _TAGGED.fullmatch(str(value.get("text") or ""))
    if not isinstance(duration, int | float) or not math.isfinite(duration):
        return "no_duration"
    if tagged is None:
        return "no_language_tag"
    language = tagged[1].strip()
    return Row(
        audio=str(folder / value["audio"]),
        offset_s=float(offset or 0.0),
        length_s=None if offset is None else float(duration),
        duration_s=float(duration),
        language=None if language in ("", "None") else language,
        text=tagged[2],
        context=str(value.get("prompt") or ""),
        domain=_told(value, domain) if domain else NO_VALUE,
        groups=tuple(_told(value, name) for name in data.mix_by),
        place=place,
    )


def _told(value: dict[str, Any], name: str) -> str:
    found = value.get(name)
    return NO_VALUE if found is None else str(found)


def _reason(row: Row, data: DataSection, *, filtered: bool) -> str | None:
    """Return why a row is left out; the first reason that holds, in the order of a plan."""
    if filtered and row.duration_s < data.min_duration_s:
        return "too_short"
    if filtered and row.duration_s > data.max_duration_s:
        return "too_long"
    if filtered and not data.keep_empty_text and _is_empty(row.text):
        return "empty_text"
    if _MARKUP.search(row.text):
        return "markup"
    return None if Path(row.audio).is_file() else "missing"


def _is_empty(text: str) -> bool:
    return all(sign in "\t\n\f\r\v" or unicodedata.category(sign)[0] == "Z" for sign in text)
