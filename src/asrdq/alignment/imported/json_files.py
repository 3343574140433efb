"""WhisperX's segments and Lhotse's supervisions: what JSON has, with the place of each word."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from asrdq.alignment.imported.times import ImportedWord, log_confidence
from asrdq.errors import DataError

_SHOWN: Final = 40
_ITEM: Final = ("symbol", "start", "duration", "score")
_FEWEST_VALUES: Final = 3


def json_value(text: str, file: str, line: int = 1) -> Any:
    """Return a value of JSON.

    Args:
        text: The value alone.
        file: Where it stands.
        line: The line it begins on.

    Raises:
        DataError: It is none.
    """
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        where = f"{file}:{line + error.lineno - 1}"
        raise DataError(f"is no JSON: {error.msg}, column {error.colno}", where=where) from None
    except (ValueError, RecursionError):
        raise DataError(
            "is no JSON: too large a number, or nested too deeply", where=file
        ) from None


def whisperx_words(content: Any, file: str) -> Iterator[ImportedWord]:
    """Give the words of WhisperX's segments, those it could not place left out.

    Raises:
        DataError: It has no segments, or one is incomplete.
    """
    segments = content.get("segments") if isinstance(content, dict) else None
    if not isinstance(segments, list):
        raise DataError("has no segments, as WhisperX writes them", where=file)
    for number, segment in enumerate(segments, start=1):
        place = f"{file}: segment {number}"
        words = _mapping(segment, place).get("words")
        if words is None:
            yield _word(segment, "text", place)
            continue
        for count, word in enumerate(_list(words, place), start=1):
            at = f"{place}, word {count}"
            own = _mapping(word, at)
            if own.get("start") is not None and own.get("end") is not None:
                yield _word(own, "word", at)


def supervision_id(row: Any, place: str) -> str | None:
    """Return the id of a supervision of Lhotse; None where a row has no alignment, and so is none.

    Raises:
        DataError: It has an alignment and no id.
    """
    if not isinstance(row, dict) or "alignment" not in row:
        return None
    if "id" not in row:
        raise DataError("has an alignment but no id, as Lhotse's supervisions have", where=place)
    return str(row["id"])


def supervision_words(row: dict[str, Any], place: str) -> Iterator[ImportedWord]:
    """Give the words of a supervision with an alignment: `symbol, start, duration[, score]`.

    Raises:
        DataError: An item is incomplete.
    """
    items = _mapping(row["alignment"] or {}, place).get("word") or []
    for number, item in enumerate(_list(items, place), start=1):
        values = _item(item, f"{place}: word {number} of its alignment")
        begin = _seconds(values, "start", place)
        end = begin + _seconds(values, "duration", place)
        score = _score(values.get("score"), place)
        yield ImportedWord(str(values["symbol"]), begin, end, score, place=place)


def _item(item: Any, place: str) -> dict[str, Any]:
    if isinstance(item, list):
        item = dict(zip(_ITEM, item, strict=False))
    found = _mapping(item, place)
    if any(name not in found for name in _ITEM[:_FEWEST_VALUES]):
        raise DataError("has not symbol, start and duration", where=place)
    return found


def _word(item: dict[str, Any], name: str, place: str) -> ImportedWord:
    if not isinstance(item.get(name), str):
        raise DataError(f"has no '{name}'", where=place)
    begin, end = _seconds(item, "start", place), _seconds(item, "end", place)
    score = _score(item.get("score", item.get("probability")), place)
    return ImportedWord(item[name].strip(), begin, end, score, place=place)


def _seconds(item: dict[str, Any], name: str, place: str) -> float:
    if name not in item:
        raise DataError(f"has no '{name}'", where=place)
    return _number(item[name], name, place)


def _score(value: Any, place: str) -> float | None:
    return None if value is None else log_confidence(_number(value, "score", place))


def _number(value: Any, name: str, place: str) -> float:
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        shown = json.dumps(value, ensure_ascii=False)[:_SHOWN]
        raise DataError(f"its '{name}' is no number: {shown}", where=place) from None


def _mapping(value: Any, place: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise DataError("has no names where some are needed", where=place)
    return value


def _list(value: Any, place: str) -> list[Any]:
    if not isinstance(value, list):
        raise DataError("has no list of words", where=place)
    return value
